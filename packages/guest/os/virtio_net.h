// Driver of the virtio network device (Virtual I/O Device 1.3, 5.1).
#pragma once

#include "pci.h"

bool virtio_net_attach(struct pci_device *device);
