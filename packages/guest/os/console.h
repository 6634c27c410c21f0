// The console: output through the firmware at first, then a 16550 UART with interrupt-driven input.
#pragma once

#include "types.h"

// Takes the UART over from the firmware.
void console_init(void);

// The next character typed, or -1.
int console_read(void);

// Has Ctrl-C been typed since console_clear_interrupt()? It is not among the characters read.
bool console_interrupted(void);
void console_clear_interrupt(void);
