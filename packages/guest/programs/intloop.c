// An integer benchmark: n rounds of a sieve and a checksum over it, all loads, stores, shifts and
// branches of everyday code. The result depends on n alone.
#include "runtime.h"

#define DEFAULT_ROUNDS 200 // some 480 million instructions
#define NUMBERS 65536
#define CRC_POLYNOMIAL 0xedb88320u

static u8 composite[NUMBERS];
static u32 crc_table[256];

static void make_crc_table(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 value = i;
    for (u32 bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? CRC_POLYNOMIAL : 0);
    crc_table[i] = value;
  }
}

// Marks the multiples of all primes; returns how many primes there are.
static u32 sieve(void) {
  u32 primes = 0;
  memset(composite, 0, sizeof(composite));
  for (u32 n = 2; n < NUMBERS; n++) {
    if (composite[n]) continue;
    primes++;
    for (u32 multiple = n + n; multiple < NUMBERS; multiple += n) composite[multiple] = 1;
  }
  return primes;
}

static u32 crc(u32 seed) {
  u32 sum = ~seed;
  for (u32 i = 0; i < NUMBERS; i++) sum = sum >> 8 ^ crc_table[(sum ^ composite[i]) & 0xff];
  return ~sum;
}

bool program(void) {
  u64 rounds = runtime_number("n", DEFAULT_ROUNDS);
  make_crc_table();
  u64 start_time = read_time(), start_instret = read_instret();
  u32 checksum = 0, primes = 0;
  for (u64 i = 0; i < rounds; i++) {
    primes = sieve();
    checksum = crc(checksum + primes);
  }
  u64 instret = read_instret() - start_instret, ticks = read_time() - start_time;
  print("intloop: n=%lu primes=%u checksum=%08x instret=%lu ticks=%lu timebase=%lu\n", rounds, primes, checksum, instret,
        ticks, runtime_timebase);
  return true;
}
