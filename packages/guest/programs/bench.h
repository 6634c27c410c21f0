// A kernel of the benchmark: work in units, on memory that the benchmark gives it.
#pragma once

#include "runtime.h"

typedef int16_t i16;
typedef int32_t i32;

#define BENCH_MEMORY MIB(16)

struct bench_kernel {
  const char *name;
  void (*prepare)(void *memory);
  u64 (*work)(void *memory, u64 sum); // one unit; the checksum that follows `sum`
};

extern const struct bench_kernel bench_integer, bench_mix, bench_pointer, bench_stream, bench_bytecode, bench_matrix,
    bench_newcode, bench_loop_hash, bench_loop_sieve, bench_loop_sort;

// Turns on Sv39 with 4 KiB pages: the image one to one, and BENCH_MEMORY bytes from `physical` on in another order at
// the address that is returned.
void *bench_paging_on(void *physical);

static inline u64 bench_random(u64 *state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  return *state = x ^ x << 17;
}

static inline u64 bench_fold(u64 sum, u64 value) {
  return (sum ^ value) * 0x100000001b3ul;
}
