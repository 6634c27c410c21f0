// The drivers of this kernel.
#include "e1000.h"
#include "pci.h"
#include "virtio_net.h"

const struct pci_driver pci_drivers[] = {
  {.vendor = 0x8086, .device = 0x100e, .name = "e1000", .attach = e1000_attach},
  {.vendor = 0x1af4, .device = 0x1041, .name = "virtio-net", .attach = virtio_net_attach},
  {.vendor = 0x1af4, .device = 0x1000, .name = "virtio-net", .attach = virtio_net_attach}, // transitional
  {0},
};
