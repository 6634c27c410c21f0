// Where the BARs go: sizes are asked of the functions, addresses taken from the host's windows.
#include "pci.h"

#include "platform.h"

// Bits of a BAR (PCI Local Bus 3.0, 6.2.5.1).
#define BAR_IO 1u
#define BAR_TYPE_MASK 6u
#define BAR_TYPE_64 4u
#define BAR_PREFETCHABLE 8u

// Bridges forward whole units (PCI-to-PCI Bridge 1.2, 3.2.5).
#define BRIDGE_IO_UNIT KIB(4)
#define BRIDGE_MEMORY_UNIT MIB(1)
#define WINDOW_64_BIT 1u // in the low bits of the prefetchable window's base
#define WINDOW_CLOSED 0x0000fff0u

// The rest of a window that is still to be given out, in PCI addresses.
struct space {
  u64 next, end, to_cpu;
};

static struct space io, mem32, mem64;

static void open(struct space *space, struct pci_window window) {
  // Address 0 means "not placed" to many functions, so it is never given out.
  *space = (struct space){max_u64(window.pci, BRIDGE_IO_UNIT), window.pci + window.size, window.cpu - window.pci};
}

static bool take(struct space *space, u64 size, u64 *address) {
  u64 at = align_up(space->next, size);
  if (at < space->next || at > space->end || size > space->end - at) return false;
  space->next = at + size;
  *address = at;
  return true;
}

// Can this function's 64-bit prefetchable BARs be reached above 4 GiB through all bridges?
static bool reaches_mem64(const struct pci_device *device) {
  for (const struct pci_device *bridge = device->parent; bridge; bridge = bridge->parent) {
    if ((pci_read16(bridge, PCI_PREF_WINDOW) & 0xf) != WINDOW_64_BIT) return false;
  }
  return mem64.end > mem64.next;
}

// Places one BAR and returns how many registers it takes.
static u32 place_bar(struct pci_device *device, u32 index) {
  u32 offset = PCI_BAR0 + index * 4;
  pci_write32(device, offset, 0xffffffff);
  u32 low = pci_read32(device, offset);
  bool is_io = low & BAR_IO;
  bool is_64 = !is_io && (low & BAR_TYPE_MASK) == BAR_TYPE_64 && index + 1 < PCI_BARS;
  u64 mask = low & (is_io ? ~3u : ~15u);
  if (mask == 0 && !is_64) return 1;
  mask |= 0xffffffff00000000;
  if (is_64) {
    pci_write32(device, offset + 4, 0xffffffff);
    mask = (mask & 0xffffffff) | (u64)pci_read32(device, offset + 4) << 32;
    if (mask == 0) return 2;
  }
  u64 size = mask & -mask;
  if (is_io) size &= 0xffff; // an upper half of zeroes is allowed for I/O
  bool high = is_64 && (low & BAR_PREFETCHABLE) && reaches_mem64(device);
  struct space *space = is_io ? &io : high ? &mem64 : &mem32;
  struct pci_bar *bar = &device->bars[index];
  u64 address = 0;
  bar->size = size;
  bar->io = is_io;
  if (size > 0 && take(space, size, &address)) bar->address = address + space->to_cpu;
  pci_write32(device, offset, (u32)address);
  if (is_64) pci_write32(device, offset + 4, (u32)(address >> 32));
  return is_64 ? 2 : 1;
}

static void place_below(struct pci_device *bridge);

static void place_device(struct pci_device *device) {
  u16 command = pci_read16(device, PCI_COMMAND);
  pci_write16(device, PCI_COMMAND, command & (u16) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)); // silent while sized
  u32 bars = device->bridge ? 2 : PCI_BARS;
  for (u32 i = 0; i < bars;) i += place_bar(device, i);
  if (device->bridge) place_below(device);
}

static void place_bus(const struct pci_device *bridge) {
  for (u32 i = 0; i < pci_device_count; i++) {
    if (pci_devices[i].parent == bridge) place_device(&pci_devices[i]);
  }
}

static void align_spaces(void) {
  io.next = align_up(io.next, BRIDGE_IO_UNIT);
  mem32.next = align_up(mem32.next, BRIDGE_MEMORY_UNIT);
  mem64.next = align_up(mem64.next, BRIDGE_MEMORY_UNIT);
}

// A bridge forwards what was given out while its bus was placed. Where that was nothing, the window's
// base comes out above its limit, which closes it; but a bridge without the upper halves of the
// prefetchable window cannot see that.
static void place_below(struct pci_device *bridge) {
  if (bridge->child_bus == 0) return;
  align_spaces();
  u64 io_base = io.next, mem32_base = mem32.next, mem64_base = mem64.next;
  place_bus(bridge);
  align_spaces();
  u64 io_last = io.next - 1, mem32_last = mem32.next - 1, mem64_last = mem64.next - 1;

  u32 prefetchable = (u32)((mem64_base >> 16 & 0xfff0) | (mem64_last & 0xfff00000));
  bool closed = mem64_base > mem64_last;
  pci_write16(bridge, PCI_IO_WINDOW, (u16)((io_base >> 8 & 0xf0) | (io_last & 0xf000)));
  pci_write32(bridge, PCI_MEM_WINDOW, (u32)((mem32_base >> 16 & 0xfff0) | (mem32_last & 0xfff00000)));
  pci_write32(bridge, PCI_PREF_WINDOW, closed ? WINDOW_CLOSED : prefetchable);
  pci_write32(bridge, PCI_PREF_BASE_HIGH, closed ? 0 : (u32)(mem64_base >> 32));
  pci_write32(bridge, PCI_PREF_LIMIT_HIGH, closed ? 0 : (u32)(mem64_last >> 32));
  u16 command = pci_read16(bridge, PCI_COMMAND);
  pci_write16(bridge, PCI_COMMAND, command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void pci_place_all(void) {
  open(&io, platform.pci.io);
  open(&mem32, platform.pci.mem32);
  open(&mem64, platform.pci.mem64);
  place_bus(0);
}
