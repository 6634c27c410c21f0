// What the machine is made of, as its device tree tells it; QEMU's virt board where it does not.
#pragma once

#include "types.h"

#define BOOTARGS_SIZE 2048
#define INTERRUPT_MAP_SIZE 128

// One row of the PCI host's interrupt-map: which controller input a slot's INTx pin arrives at.
struct interrupt_map_row {
  u32 slot; // device address: bus, device, function as in the first cell of a PCI `reg`
  u32 pin;  // 1 is INTA
  u32 irq;
};

struct pci_window {
  u64 pci, cpu, size; // size 0: the host has no such window
};

struct platform {
  u64 hart;
  u64 ram_base, ram_size; // the memory that this kernel lies in
  u64 timebase;           // ticks of `time` per second
  bool sstc;              // stimecmp exists
  char bootargs[BOOTARGS_SIZE];

  struct {
    u64 base, size;
    u32 context; // of this hart's S-mode
  } plic;

  struct {
    u64 base, size;
    u32 irq, shift; // a register's distance is 1 << shift
  } uart;

  struct {
    u64 ecam, ecam_size;
    u32 first_bus, last_bus;
    struct pci_window io, mem32, mem64;
    u32 slot_mask, pin_mask;
    u32 map_rows;
    struct interrupt_map_row map[INTERRUPT_MAP_SIZE];
  } pci;
};

extern struct platform platform;

// Fills `platform`. Returns false if there was no usable device tree and everything is a fall-back.
bool platform_init(u64 hart, const void *device_tree);
