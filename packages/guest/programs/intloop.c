// An integer benchmark: n rounds of a sieve and a checksum over it, all loads, stores, shifts and
// branches of everyday code. The result depends on n alone.
#include "runtime.h"
#include "sieve.h"

#define DEFAULT_ROUNDS 200 // some 480 million instructions

bool program(void) {
  u64 rounds = runtime_number("n", DEFAULT_ROUNDS);
  sieve_prepare();
  u64 start_time = read_time(), start_instret = read_instret();
  u32 checksum = 0, primes = 0;
  for (u64 i = 0; i < rounds; i++) checksum = sieve_round(checksum, &primes);
  u64 instret = read_instret() - start_instret, ticks = read_time() - start_time;
  print("intloop: n=%lu primes=%u checksum=%08x instret=%lu ticks=%lu timebase=%lu\n", rounds, primes, checksum, instret,
        ticks, runtime_timebase);
  return true;
}
