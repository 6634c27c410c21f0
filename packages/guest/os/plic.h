// The platform-level interrupt controller (RISC-V PLIC Specification 1.0).
#pragma once

#include "types.h"

typedef void (*interrupt_handler)(void *context);

void plic_init(void);

// Calls `handler` on each interrupt of source `irq`. Sources may be shared: all handlers are called.
void plic_connect(u32 irq, interrupt_handler handler, void *context);

// Serves the pending source of the highest priority; called by the trap handler.
void plic_interrupt(void);
