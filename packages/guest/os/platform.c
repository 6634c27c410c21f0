#include "platform.h"

#include "fdt.h"
#include "string.h"

extern char text_start[], image_end[];

struct platform platform;

#define S_EXTERNAL_INTERRUPT 9

// PCI Bus Binding to Open Firmware, 2.2.1.1: the space code in the first cell of an address.
enum { SPACE_IO = 1, SPACE_MEM32 = 2, SPACE_MEM64 = 3 };

static void use_virt_board(u64 hart) {
  platform.hart = hart;
  platform.ram_base = 0x80000000;
  platform.ram_size = MIB(32);
  platform.timebase = 10000000;
  platform.plic.base = 0x0c000000;
  platform.plic.size = 0x600000;
  platform.plic.context = 2 * (u32)hart + 1;
  platform.uart.base = 0x10000000;
  platform.uart.size = 0x100;
  platform.uart.irq = 10;
  platform.pci.ecam = 0x30000000;
  platform.pci.ecam_size = MIB(256);
  platform.pci.last_bus = 255;
  platform.pci.io = (struct pci_window){0, 0x03000000, KIB(64)};
  platform.pci.mem32 = (struct pci_window){0x40000000, 0x40000000, GIB(1)};
  platform.pci.slot_mask = 0x1800;
  platform.pci.pin_mask = 7;
  platform.pci.map_rows = 16;
  for (u32 i = 0; i < 16; i++) {
    u32 slot = i / 4, pin = i % 4 + 1;
    platform.pci.map[i] = (struct interrupt_map_row){slot << 11, pin, 32 + (slot + pin - 1) % 4};
  }
}

static void find_memory(void) {
  for (fdt_node node = fdt_root(); node != FDT_NONE; node = fdt_next(node)) {
    if (!fdt_has_text(node, "device_type", "memory")) continue;
    u64 base, size;
    for (u32 i = 0; fdt_reg(node, i, &base, &size); i++) {
      bool holds_kernel = base <= (u64)text_start && size <= UINT64_MAX - base && base + size > (u64)image_end;
      if (!holds_kernel) continue;
      platform.ram_base = base;
      platform.ram_size = size;
      return;
    }
  }
}

// The node of the hart that we run on; also learns the timebase, which stands there or one level up.
static fdt_node find_cpu(void) {
  fdt_node cpus = fdt_find_name("cpus");
  platform.timebase = max_u64(fdt_u32(cpus, "timebase-frequency", (u32)platform.timebase), 1);
  for (fdt_node node = fdt_root(); node != FDT_NONE; node = fdt_next(node)) {
    u64 hart, size;
    if (!fdt_has_text(node, "device_type", "cpu") || !fdt_reg(node, 0, &hart, &size)) continue;
    if (hart != platform.hart) continue;
    platform.timebase = max_u64(fdt_u32(node, "timebase-frequency", (u32)platform.timebase), 1);
    return node;
  }
  return FDT_NONE;
}

static void find_extensions(fdt_node cpu) {
  const char *isa = fdt_text(cpu, "riscv,isa");
  platform.sstc = fdt_has_text(cpu, "riscv,isa-extensions", "sstc") || (isa && contains_word(isa, "sstc"));
}

// A context of the PLIC is an entry of interrupts-extended: pairs of (hart's controller, interrupt).
static void find_plic(fdt_node cpu) {
  fdt_node node = fdt_find_compatible(FDT_NONE, "sifive,plic-1.0.0");
  if (node == FDT_NONE) node = fdt_find_compatible(FDT_NONE, "riscv,plic0");
  platform.plic.size = 0; // the tree is there and names no PLIC
  u64 base, size;
  if (node == FDT_NONE || !fdt_reg(node, 0, &base, &size)) return;
  platform.plic.base = base;
  platform.plic.size = size;
  u32 length;
  const u8 *pairs = fdt_property(node, "interrupts-extended", &length);
  for (u32 i = 0; pairs && (i + 1) * 8 <= length; i++) {
    fdt_node controller = fdt_find_phandle((u32)fdt_cells(pairs + i * 8, 1));
    bool ours = controller != FDT_NONE && fdt_parent(controller) == cpu;
    if (ours && fdt_cells(pairs + i * 8 + 4, 1) == S_EXTERNAL_INTERRUPT) {
      platform.plic.context = i;
      return;
    }
  }
}

static void find_uart(void) {
  fdt_node node = fdt_find_compatible(FDT_NONE, "ns16550a");
  if (node == FDT_NONE) node = fdt_find_compatible(FDT_NONE, "ns16550");
  u64 base, size;
  if (node == FDT_NONE || !fdt_reg(node, 0, &base, &size)) return;
  platform.uart.base = base;
  platform.uart.size = size;
  platform.uart.irq = fdt_u32(node, "interrupts", platform.uart.irq);
  platform.uart.shift = fdt_u32(node, "reg-shift", 0) & 3;
}

// Each range is a PCI address of 3 cells, a CPU address in the parent's cells, and a size of 2 cells.
static void read_pci_ranges(fdt_node node) {
  u32 length;
  const u8 *at = fdt_property(node, "ranges", &length);
  u32 parent_cells = fdt_u32(fdt_parent(node), "#address-cells", 2);
  if (!at || parent_cells > 2) return;
  platform.pci.io.size = platform.pci.mem32.size = platform.pci.mem64.size = 0;
  u32 entry = (3 + parent_cells + 2) * 4;
  for (; length >= entry; length -= entry, at += entry) {
    struct pci_window window = {
      .pci = fdt_cells(at + 4, 2),
      .cpu = fdt_cells(at + 12, parent_cells),
      .size = fdt_cells(at + 12 + parent_cells * 4, 2),
    };
    switch (fdt_cells(at, 1) >> 24 & 3) {
      case SPACE_IO: platform.pci.io = window; break;
      case SPACE_MEM32: platform.pci.mem32 = window; break;
      case SPACE_MEM64: platform.pci.mem64 = window; break;
    }
  }
}

// Each row is a PCI address (3 cells), a pin (1), the controller's phandle (1), then an address and an
// interrupt in the cell counts of that controller.
static void read_interrupt_map(fdt_node node) {
  u32 length, mask_length;
  const u8 *at = fdt_property(node, "interrupt-map", &length);
  const u8 *mask = fdt_property(node, "interrupt-map-mask", &mask_length);
  if (!at || !mask || mask_length < 16) return;
  platform.pci.slot_mask = (u32)fdt_cells(mask, 1);
  platform.pci.pin_mask = (u32)fdt_cells(mask + 12, 1);
  platform.pci.map_rows = 0;
  fdt_node controller = FDT_NONE;
  u32 phandle = 0; // of the controller; all rows usually name the same
  while (length >= 20 && platform.pci.map_rows < INTERRUPT_MAP_SIZE) {
    if (phandle != fdt_cells(at + 16, 1)) {
      phandle = (u32)fdt_cells(at + 16, 1);
      controller = fdt_find_phandle(phandle);
    }
    u32 address_cells = fdt_u32(controller, "#address-cells", 0);
    u32 interrupt_cells = fdt_u32(controller, "#interrupt-cells", 1);
    if (address_cells > 3 || interrupt_cells < 1 || interrupt_cells > 3) return;
    u32 row = 20 + (address_cells + interrupt_cells) * 4;
    if (length < row) return;
    platform.pci.map[platform.pci.map_rows++] = (struct interrupt_map_row){
      .slot = (u32)fdt_cells(at, 1),
      .pin = (u32)fdt_cells(at + 12, 1),
      .irq = (u32)fdt_cells(at + 20 + address_cells * 4, 1),
    };
    at += row;
    length -= row;
  }
}

static void find_pci(void) {
  fdt_node node = fdt_find_compatible(FDT_NONE, "pci-host-ecam-generic");
  u64 base, size;
  if (node == FDT_NONE || !fdt_reg(node, 0, &base, &size)) {
    platform.pci.ecam_size = 0; // the tree is there and names no PCI host
    return;
  }
  platform.pci.ecam = base;
  platform.pci.ecam_size = size;
  u32 length;
  const u8 *buses = fdt_property(node, "bus-range", &length);
  if (buses && length >= 8) {
    platform.pci.first_bus = (u32)fdt_cells(buses, 1) & 0xff;
    platform.pci.last_bus = (u32)fdt_cells(buses + 4, 1) & 0xff;
  }
  read_pci_ranges(node);
  read_interrupt_map(node);
}

bool platform_init(u64 hart, const void *device_tree) {
  use_virt_board(hart);
  if (!fdt_init(device_tree)) return false;
  find_memory();
  fdt_node cpu = find_cpu();
  find_extensions(cpu);
  find_plic(cpu);
  find_uart();
  find_pci();
  const char *bootargs = fdt_text(fdt_find_name("chosen"), "bootargs");
  copy_text(platform.bootargs, bootargs ? bootargs : "", BOOTARGS_SIZE);
  return true;
}
