// Driver of the Intel 82540EM Gigabit Ethernet Controller.
#pragma once

#include "pci.h"

bool e1000_attach(struct pci_device *device);
