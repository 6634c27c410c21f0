#include "pci.h"

#include "memory.h"
#include "platform.h"
#include "riscv.h"

#define HEADER_MULTI_FUNCTION 0x80
#define HEADER_TYPE_MASK 0x7f
#define HEADER_BRIDGE 1
#define NO_VENDOR 0xffff
#define CAPABILITIES_START 0x40 // behind the header
#define DEPTH_LIMIT 8 // of bridges behind bridges

struct pci_device pci_devices[PCI_DEVICES];
u32 pci_device_count;

static u32 last_bus_used;

// Enhanced configuration access: 4 KiB per function (PCI Express Base 7.2.2).
static u64 config(const struct pci_device *device, u32 offset) {
  u64 bus = device->bus - platform.pci.first_bus;
  return platform.pci.ecam + (bus << 20 | (u64)device->slot << 15 | (u64)device->function << 12 | (offset & 0xfff));
}

u8 pci_read8(const struct pci_device *device, u32 offset) {
  return mmio_read8(config(device, offset));
}

u16 pci_read16(const struct pci_device *device, u32 offset) {
  return mmio_read16(config(device, offset));
}

u32 pci_read32(const struct pci_device *device, u32 offset) {
  return mmio_read32(config(device, offset));
}

void pci_write16(const struct pci_device *device, u32 offset, u16 value) {
  mmio_write16(config(device, offset), value);
}

void pci_write32(const struct pci_device *device, u32 offset, u32 value) {
  mmio_write32(config(device, offset), value);
}

// INTx is rotated by the slot number at every bridge on the way up (PCI-to-PCI Bridge 1.2, 9.1); the
// host's interrupt map says where the slot on the first bus leads to.
static u32 route_intx(const struct pci_device *device) {
  u32 pin = pci_read8(device, PCI_INTERRUPT_PIN);
  if (pin < 1 || pin > 4) return 0;
  for (; device->parent; device = device->parent) pin = (pin - 1 + device->slot) % 4 + 1;
  u32 slot = (u32)device->bus << 16 | (u32)device->slot << 11 | (u32)device->function << 8;
  for (u32 i = 0; i < platform.pci.map_rows; i++) {
    const struct interrupt_map_row *row = &platform.pci.map[i];
    bool same_slot = ((row->slot ^ slot) & platform.pci.slot_mask) == 0;
    bool same_pin = ((row->pin ^ pin) & platform.pci.pin_mask) == 0;
    if (same_slot && same_pin) return row->irq;
  }
  return 0;
}

static void scan_bus(u8 bus, struct pci_device *parent, u32 depth);

// Numbers the buses depth first: while we look below a bridge it forwards everything to us.
static void scan_below(struct pci_device *bridge, u32 depth) {
  if (depth == DEPTH_LIMIT || last_bus_used == platform.pci.last_bus) return;
  bridge->child_bus = (u8)++last_bus_used;
  u32 numbers = (u32)bridge->child_bus << 8 | bridge->bus;
  pci_write32(bridge, PCI_BUS_NUMBERS, platform.pci.last_bus << 16 | numbers);
  scan_bus(bridge->child_bus, bridge, depth + 1);
  pci_write32(bridge, PCI_BUS_NUMBERS, last_bus_used << 16 | numbers);
}

// Returns whether there may be more functions in the slot.
static bool scan_function(u8 bus, u8 slot, u8 function, struct pci_device *parent, u32 depth) {
  struct pci_device found = {.bus = bus, .slot = slot, .function = function, .parent = parent};
  found.vendor = pci_read16(&found, PCI_VENDOR);
  if (found.vendor == NO_VENDOR || pci_device_count == PCI_DEVICES) return function > 0;
  u8 header = pci_read8(&found, PCI_HEADER_TYPE);
  found.device = pci_read16(&found, PCI_DEVICE);
  found.class = pci_read32(&found, PCI_CLASS) >> 8;
  found.bridge = (header & HEADER_TYPE_MASK) == HEADER_BRIDGE;
  found.irq = route_intx(&found);
  struct pci_device *device = &pci_devices[pci_device_count++];
  *device = found;
  if (device->bridge) scan_below(device, depth);
  return function > 0 || (header & HEADER_MULTI_FUNCTION) != 0;
}

static void scan_bus(u8 bus, struct pci_device *parent, u32 depth) {
  for (u8 slot = 0; slot < 32; slot++) {
    for (u8 function = 0; function < 8; function++) {
      if (!scan_function(bus, slot, function, parent, depth)) break;
    }
  }
}

static void attach_drivers(struct pci_device *device) {
  for (const struct pci_driver *driver = pci_drivers; driver->name; driver++) {
    if (driver->vendor != device->vendor || driver->device != device->device) continue;
    if (driver->attach(device)) device->driver = driver;
    return;
  }
}

void pci_init(void) {
  u64 buses = platform.pci.ecam_size >> 20;
  if (buses == 0) return;
  memory_map(platform.pci.ecam, platform.pci.ecam_size, MAP_READ | MAP_WRITE);
  platform.pci.last_bus = (u32)min_u64(platform.pci.last_bus, platform.pci.first_bus + buses - 1);
  last_bus_used = platform.pci.first_bus;
  scan_bus((u8)platform.pci.first_bus, 0, 0);
  pci_place_all();
  for (u32 i = 0; i < pci_device_count; i++) attach_drivers(&pci_devices[i]);
}

u32 pci_list_capabilities(const struct pci_device *device, struct pci_capability list[PCI_CAPABILITIES_MAX]) {
  if (!(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAPABILITIES)) return 0;
  u32 count = 0;
  u8 at = pci_read8(device, PCI_CAPABILITIES) & 0xfc;
  while (at >= CAPABILITIES_START && count < PCI_CAPABILITIES_MAX) { // a list may lead back into itself
    list[count++] = (struct pci_capability){pci_read8(device, at), at};
    at = pci_read8(device, at + 1u) & 0xfc;
  }
  return count;
}

u64 pci_enable(struct pci_device *device, u32 bar) {
  const struct pci_bar *wanted = &device->bars[bar];
  if (wanted->address == 0 || wanted->io) return 0;
  memory_map(wanted->address, wanted->size, MAP_READ | MAP_WRITE);
  u16 command = pci_read16(device, PCI_COMMAND) & (u16)~PCI_COMMAND_NO_INTX;
  pci_write16(device, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
  return wanted->address;
}

bool pci_connect_interrupt(struct pci_device *device, interrupt_handler handler, void *context) {
  if (device->irq == 0) return false;
  plic_connect(device->irq, handler, context);
  return true;
}
