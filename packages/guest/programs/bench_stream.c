// Memory streaming: 4 MiB copied by the word, and the Internet checksum (RFC 1071) of the copy.
#include "bench.h"

#define WORDS (MIB(4) / sizeof(u64))

struct all {
  u64 from[WORDS], to[WORDS];
};

static void prepare(void *memory) {
  struct all *all = memory;
  u64 random = 2463534242;
  for (u64 i = 0; i < WORDS; i++) all->from[i] = bench_random(&random);
}

static u64 checksum(const u64 *words) {
  u64 sum = 0;
  for (u64 i = 0; i < WORDS; i++) {
    sum += words[i];
    sum += sum < words[i];
  }
  sum = (sum >> 32) + (u32)sum;
  sum = (sum >> 16 & 0xffff) + (sum >> 32) + (u16)sum;
  return (sum >> 16) + (u16)sum;
}

static u64 work(void *memory, u64 sum) {
  struct all *all = memory;
  all->from[sum % WORDS] = sum;
  for (u64 i = 0; i < WORDS; i += 4) {
    u64 a = all->from[i], b = all->from[i + 1], c = all->from[i + 2], d = all->from[i + 3];
    all->to[i] = a;
    all->to[i + 1] = b;
    all->to[i + 2] = c;
    all->to[i + 3] = d;
  }
  return bench_fold(sum, checksum(all->to));
}

const struct bench_kernel bench_stream = {"stream", prepare, work};
