// From the firmware's jump to the shell's prompt.
#include "bootargs.h"
#include "commands.h"
#include "console.h"
#include "memory.h"
#include "pci.h"
#include "platform.h"
#include "print.h"
#include "riscv.h"
#include "sbi.h"
#include "string.h"
#include "trap.h"

void kernel_main(u64 hart, const void *device_tree);

static void greet(bool has_device_tree) {
  cmd_uname(1, 0);
  if (!has_device_tree) print("no device tree: the addresses of QEMU's virt board are used\n");
  cmd_link(1, 0);
}

// ip=ADDRESS[/BITS] or ip=dhcp, and gw=ADDRESS, as the command `ip` takes them.
static void set_address(void) {
  static char ip[32], gateway[32];
  if (!bootargs_value(platform.bootargs, "ip", ip, sizeof(ip))) return;
  bool has_gateway = bootargs_value(platform.bootargs, "gw", gateway, sizeof(gateway));
  char *argv[] = {"ip", ip, has_gateway ? gateway : 0, 0};
  cmd_ip(has_gateway ? 3 : 2, argv);
}

void kernel_main(u64 hart, const void *device_tree) {
  sbi_init();
  trap_init();
  bool has_device_tree = platform_init(hart, device_tree);
  memory_init();
  plic_init();
  console_init();
  interrupts_on();
  pci_init();
  if (!bootargs_has(platform.bootargs, "quiet")) greet(has_device_tree);
  set_address();
  static char line[BOOTARGS_SIZE];
  if (bootargs_value(platform.bootargs, "cmd", line, sizeof(line))) shell_run(line);
  shell_loop();
}
