#include "runtime.h"

#include "fdt.h"
#include "sbi.h"

#define VIRT_TIMEBASE 10000000

char runtime_arguments[RUNTIME_ARGUMENTS_SIZE];
u64 runtime_timebase = VIRT_TIMEBASE;

_Noreturn void runtime_start(u64 hart, const void *device_tree);
_Noreturn void runtime_trap(void);

void console_write(const char *text, size_t length) {
  sbi_console_write(text, length);
}

u64 runtime_number(const char *key, u64 otherwise) {
  char text[24];
  u64 value;
  return bootargs_value(runtime_arguments, key, text, sizeof(text)) && parse_number(text, &value) ? value : otherwise;
}

_Noreturn void runtime_start(u64 hart, const void *device_tree) {
  (void)hart;
  sbi_init();
  fdt_init(device_tree);
  const char *arguments = fdt_text(fdt_find_name("chosen"), "bootargs");
  copy_text(runtime_arguments, arguments ? arguments : "", sizeof(runtime_arguments));
  runtime_timebase = max_u64(fdt_u32(fdt_find_name("cpus"), "timebase-frequency", VIRT_TIMEBASE), 1);
  sbi_reset(SBI_SHUTDOWN, program() ? SBI_NO_REASON : SBI_SYSTEM_FAILURE);
}

_Noreturn void runtime_trap(void) {
  print("trap: scause=%lx sepc=%lx stval=%lx\n", csr_read(scause), csr_read(sepc), csr_read(stval));
  sbi_reset(SBI_SHUTDOWN, SBI_SYSTEM_FAILURE);
}
