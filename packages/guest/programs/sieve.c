#include "sieve.h"

#include "string.h"

#define NUMBERS 65536
#define CRC_POLYNOMIAL 0xedb88320u

static u8 composite[NUMBERS];
static u32 crc_table[256];

void sieve_prepare(void) {
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

u32 sieve_round(u32 checksum, u32 *primes) {
  *primes = sieve();
  return crc(checksum + *primes);
}
