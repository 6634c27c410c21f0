// The loops that 32-bit machines run as well.
#include "bench.h"
#include "loops.h"

static void prepare(void *memory) {
  (void)memory;
}

static u64 hash(void *memory, u64 sum) {
  return loop_hash(memory, sum);
}

static u64 sieve(void *memory, u64 sum) {
  return loop_sieve(memory, sum);
}

static u64 sort(void *memory, u64 sum) {
  return loop_sort(memory, sum);
}

const struct bench_kernel bench_loop_hash = {"hash", prepare, hash};
const struct bench_kernel bench_loop_sieve = {"sieve", prepare, sieve};
const struct bench_kernel bench_loop_sort = {"sort", prepare, sort};
