#include "trap.h"

#include "plic.h"
#include "print.h"
#include "riscv.h"
#include "sbi.h"
#include "timer.h"

void trap_entry(void);
void trap(struct trap_frame *frame);

static const char *const exception_names[] = {
  [0] = "instruction address misaligned", [1] = "instruction access fault", [2] = "illegal instruction",
  [3] = "breakpoint",                     [4] = "load address misaligned",  [5] = "load access fault",
  [6] = "store address misaligned",       [7] = "store access fault",       [9] = "environment call",
  [12] = "instruction page fault",        [13] = "load page fault",         [15] = "store page fault",
};

static const char *const register_names[] = {
  "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
  "a6",   "a7", "s2", "s3", "s4",  "s5",  "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const struct trap_frame *current; // for panic()

void trap_init(void) {
  csr_write(stvec, (u64)trap_entry);
  csr_write(sie, SIE_SEIE | SIE_STIE);
}

static const char *exception_name(u64 cause) {
  bool known = cause < COUNT_OF(exception_names) && exception_names[cause];
  return known ? exception_names[cause] : "unknown exception";
}

void trap(struct trap_frame *frame) {
  u64 cause = csr_read(scause);
  if (cause == (SCAUSE_INTERRUPT | IRQ_S_TIMER)) {
    timer_interrupt();
  } else if (cause == (SCAUSE_INTERRUPT | IRQ_S_EXTERNAL)) {
    plic_interrupt();
  } else {
    current = frame;
    panic("%s at %lx, address %lx", exception_name(cause), csr_read(sepc), csr_read(stval));
  }
}

_Noreturn void panic(const char *format, ...) {
  static bool panicking;
  interrupts_off();
  if (!panicking) { // a fault while we print must not bring us here for ever
    panicking = true;
    va_list args;
    va_start(args, format);
    print("panic: ");
    print_va(format, args);
    print("\n");
    va_end(args);
    if (current) {
      print("scause=%lx sepc=%lx stval=%lx sstatus=%lx\n", csr_read(scause), csr_read(sepc), csr_read(stval),
            csr_read(sstatus));
      for (u32 i = 1; i < 32; i++) print("%s=%lx%c", register_names[i], current->x[i], i % 4 == 0 || i == 31 ? '\n' : ' ');
    }
  }
  sbi_reset(SBI_SHUTDOWN, SBI_SYSTEM_FAILURE);
}
