// Pages of RAM, and the Sv39 address space: one to one, with the kernel's own code read-only.
#pragma once

#include "types.h"

enum map_permission { MAP_READ = 2, MAP_WRITE = 4, MAP_EXECUTE = 8 };

// Hands out zeroed, physically contiguous pages, for good; panics when there are none left.
void *pages_alloc(u64 bytes);

// Bytes of RAM given out and still free.
void pages_usage(u64 *used, u64 *unused);

// Makes [base, base + size) accessible at its own address, with the largest pages that fit.
void memory_map(u64 base, u64 size, u32 permissions);

// Builds the address space of kernel, RAM and UART, and turns paging on.
void memory_init(void);
