// PCI Express: finding functions, giving them addresses and interrupts, and their drivers.
#pragma once

#include "plic.h"
#include "types.h"

#define PCI_DEVICES 64
#define PCI_BARS 6
#define PCI_CAPABILITIES_MAX 48

// Registers of configuration space (PCI Local Bus 3.0, 6.1).
enum pci_register {
  PCI_VENDOR = 0x00,
  PCI_DEVICE = 0x02,
  PCI_COMMAND = 0x04,
  PCI_STATUS = 0x06,
  PCI_CLASS = 0x08,
  PCI_HEADER_TYPE = 0x0e,
  PCI_BAR0 = 0x10,
  PCI_BUS_NUMBERS = 0x18,
  PCI_IO_WINDOW = 0x1c,
  PCI_MEM_WINDOW = 0x20,
  PCI_PREF_WINDOW = 0x24,
  PCI_PREF_BASE_HIGH = 0x28,
  PCI_PREF_LIMIT_HIGH = 0x2c,
  PCI_CAPABILITIES = 0x34,
  PCI_INTERRUPT_PIN = 0x3d,
};

#define PCI_COMMAND_IO 1
#define PCI_COMMAND_MEMORY 2
#define PCI_COMMAND_MASTER 4
#define PCI_COMMAND_NO_INTX 0x400
#define PCI_STATUS_CAPABILITIES 0x10

struct pci_bar {
  u64 address, size; // address as the CPU sees it; size 0: no such BAR, address 0: no room for it
  bool io;
};

struct pci_driver;

struct pci_device {
  u8 bus, slot, function;
  u16 vendor, device;
  u32 class; // base class, subclass, programming interface
  bool bridge;
  struct pci_device *parent; // the bridge above, or 0 on the first bus
  u8 child_bus;              // of a bridge: the bus below it
  struct pci_bar bars[PCI_BARS];
  u32 irq; // where its INTx arrives, 0 for nowhere
  const struct pci_driver *driver;
};

struct pci_driver {
  u16 vendor, device;
  const char *name;
  bool (*attach)(struct pci_device *device);
};

// The drivers this kernel has, ended by an entry without a name (drivers.c).
extern const struct pci_driver pci_drivers[];

extern struct pci_device pci_devices[PCI_DEVICES];
extern u32 pci_device_count;

u8 pci_read8(const struct pci_device *device, u32 offset);
u16 pci_read16(const struct pci_device *device, u32 offset);
u32 pci_read32(const struct pci_device *device, u32 offset);
void pci_write16(const struct pci_device *device, u32 offset, u16 value);
void pci_write32(const struct pci_device *device, u32 offset, u32 value);

// Enumerates all buses, places every BAR and attaches drivers.
void pci_init(void);

struct pci_capability {
  u8 id, offset; // offset in configuration space
};

// Lists the capabilities (PCI Local Bus 3.0, 6.7), at most as many as fit into configuration space.
u32 pci_list_capabilities(const struct pci_device *device, struct pci_capability list[PCI_CAPABILITIES_MAX]);

// Lets the function decode its memory and be a bus master, and maps one BAR; 0 if it has no address.
u64 pci_enable(struct pci_device *device, u32 bar);

// Sends the function's interrupts to `handler`: the one place to know how they travel.
bool pci_connect_interrupt(struct pci_device *device, interrupt_handler handler, void *context);

// Gives addresses to the BARs and windows of everything in pci_devices (pci_place.c).
void pci_place_all(void);
