// Included before a driver's files: the fence of RV64 is one of the build machine's.
#pragma once

#include "riscv.h"

#define dma_fence() __sync_synchronize()
