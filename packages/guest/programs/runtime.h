// What a bare program has around it. It prints with print() and reads its arguments with
// bootargs_value(runtime_arguments, ...), both of the tiny guest.
#pragma once

#include "bootargs.h"
#include "print.h"
#include "riscv.h"
#include "string.h"
#include "types.h"

#define RUNTIME_ARGUMENTS_SIZE 256

extern char runtime_arguments[RUNTIME_ARGUMENTS_SIZE];
extern u64 runtime_timebase; // ticks of `time` per second

// The program. The machine is powered off when it returns, with failure if it returns false.
bool program(void);

// A number from the arguments, or `otherwise`.
u64 runtime_number(const char *key, u64 otherwise);
