// Integer: a sieve of 65,536 bytes and a CRC over it.
#include "bench.h"
#include "sieve.h"

static void prepare(void *memory) {
  (void)memory;
  sieve_prepare();
}

static u64 work(void *memory, u64 sum) {
  (void)memory;
  u32 primes;
  return sieve_round(sum, &primes);
}

const struct bench_kernel bench_integer = {"integer", prepare, work};
