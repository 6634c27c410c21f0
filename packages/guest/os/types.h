// Fixed-width integers and the few helpers that every file uses.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#define PAGE_SIZE 4096ul

// `alignment` is a power of two.
static inline u64 align_up(u64 value, u64 alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

static inline u64 align_down(u64 value, u64 alignment) {
  return value & ~(alignment - 1);
}

static inline u64 min_u64(u64 a, u64 b) {
  return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b) {
  return a > b ? a : b;
}

// For the loops that touch every byte of a packet.
#define UNROLLED _Pragma("clang loop unroll_count(4)")
