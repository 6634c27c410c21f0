// Exceptions and interrupts.
#pragma once

#include "types.h"

// The registers as trap_entry saves them; slot 0 is unused.
struct trap_frame {
  u64 x[32];
};

void trap_init(void);

// Ends the machine with failure, after one sentence and, inside a trap, the registers.
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
