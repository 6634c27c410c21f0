// The drivers of this kernel.
#include "e1000.h"
#include "pci.h"

const struct pci_driver pci_drivers[] = {
  {.vendor = 0x8086, .device = 0x100e, .name = "e1000", .attach = e1000_attach},
  {0},
};
