#include "sbi.h"

#include "riscv.h"

enum {
  EXT_LEGACY_SET_TIMER = 0x00,
  EXT_LEGACY_PUTCHAR = 0x01,
  EXT_LEGACY_SHUTDOWN = 0x08,
  EXT_BASE = 0x10,
  EXT_TIME = 0x54494d45,
  EXT_SRST = 0x53525354,
  EXT_DBCN = 0x4442434e,
};

enum { BASE_PROBE_EXTENSION = 3, TIME_SET_TIMER = 0, SRST_RESET = 0, DBCN_WRITE = 0 };

static bool has_time, has_srst, has_dbcn;

struct sbi_result {
  i64 error;
  u64 value;
};

static struct sbi_result call(u64 extension, u64 function, u64 arg0, u64 arg1, u64 arg2) {
  register u64 a0 asm("a0") = arg0;
  register u64 a1 asm("a1") = arg1;
  register u64 a2 asm("a2") = arg2;
  register u64 a6 asm("a6") = function;
  register u64 a7 asm("a7") = extension;
  asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
  return (struct sbi_result){(i64)a0, a1};
}

static bool probe(u64 extension) {
  struct sbi_result result = call(EXT_BASE, BASE_PROBE_EXTENSION, extension, 0, 0);
  return result.error == 0 && result.value != 0;
}

void sbi_init(void) {
  has_time = probe(EXT_TIME);
  has_srst = probe(EXT_SRST);
  has_dbcn = probe(EXT_DBCN);
}

void sbi_set_timer(u64 ticks) {
  if (has_time) call(EXT_TIME, TIME_SET_TIMER, ticks, 0, 0);
  else call(EXT_LEGACY_SET_TIMER, 0, ticks, 0, 0);
}

void sbi_console_write(const char *text, size_t length) {
  while (has_dbcn && length > 0) {
    struct sbi_result result = call(EXT_DBCN, DBCN_WRITE, length, (u64)text, 0);
    if (result.error != 0 || result.value > length) break;
    text += result.value; // the firmware may take less than it was given
    length -= result.value;
  }
  for (; length > 0; length--) call(EXT_LEGACY_PUTCHAR, 0, (u8)*text++, 0, 0);
}

_Noreturn void sbi_reset(enum sbi_reset_type type, enum sbi_reset_reason reason) {
  if (has_srst) call(EXT_SRST, SRST_RESET, type, reason, 0);
  call(EXT_LEGACY_SHUTDOWN, 0, 0, 0, 0);
  interrupts_off();
  for (;;) wait_for_interrupt();
}
