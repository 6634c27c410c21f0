// Formatted output to the console.
#pragma once

#include <stdarg.h>

#include "types.h"

// %d %u %x (with l for 64 bits), %s, %c, %p, %%; a width with an optional leading 0, or - to fill on the right.
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_va(const char *format, va_list args);

// Where the characters go; whoever links print.c defines it.
void console_write(const char *text, size_t length);
