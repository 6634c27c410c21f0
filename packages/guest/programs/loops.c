#include "loops.h"

#define BYTES LOOPS_MEMORY
#define WORDS (LOOPS_MEMORY / sizeof(uint32_t))

static uint32_t rotated(uint32_t value, uint32_t by) {
  return value << by | value >> (32 - by);
}

// Arithmetic: multiplications, rotations and a dependent load for each.
uint32_t loop_hash(void *memory, uint32_t sum) {
  uint32_t *words = memory, a = sum, b = 0x9e3779b9u;
  for (uint32_t i = 0; i < WORDS; i++) words[i] = rotated(sum * 2654435761u + i, (i & 15) | 1);
  for (uint32_t i = 0; i < 4 * WORDS; i++) {
    a = rotated(a ^ words[b % WORDS], 13) * 5 + 0xe6546b64u;
    b = rotated(b + a, 7) * 0x85ebca6bu;
  }
  return a ^ b;
}

// Bytes: the multiples of each prime, then a count of those left.
uint32_t loop_sieve(void *memory, uint32_t sum) {
  volatile uint8_t *composite = memory; // or the compiler calls memset
  uint32_t primes = 0;
  for (uint32_t i = 0; i < BYTES; i++) composite[i] = 0;
  for (uint32_t n = 2; n < BYTES; n++) {
    if (composite[n]) continue;
    primes++;
    for (uint32_t multiple = n + n; multiple < BYTES; multiple += n) composite[multiple] = 1;
  }
  return (sum ^ primes) * 16777619u;
}

// Branches that nobody predicts: a shell sort of random words.
uint32_t loop_sort(void *memory, uint32_t sum) {
  uint32_t *words = memory, random = sum | 1;
  for (uint32_t i = 0; i < WORDS; i++) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    words[i] = random;
  }
  for (uint32_t gap = 3280; gap > 0; gap /= 3) {
    for (uint32_t i = gap; i < WORDS; i++) {
      uint32_t value = words[i], to = i;
      for (; to >= gap && words[to - gap] > value; to -= gap) words[to] = words[to - gap];
      words[to] = value;
    }
  }
  for (uint32_t i = 0; i < WORDS; i += 64) sum = (sum ^ words[i]) * 16777619u;
  return sum;
}
