// Three loops on 32-bit values, for RV64 and i386 alike.
#pragma once

#include <stdint.h>

#define LOOPS_MEMORY 65536 // bytes that each may use

uint32_t loop_hash(void *memory, uint32_t sum);
uint32_t loop_sieve(void *memory, uint32_t sum);
uint32_t loop_sort(void *memory, uint32_t sum);
