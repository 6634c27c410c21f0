// A mix of everyday work as embedded benchmarks have it: linked lists, small integer matrices, a state machine over
// text, and a checksum bit by bit.
#include "bench_mix.h"

struct all {
  struct mix_list list;
  struct mix_matrices matrices;
  char text[MIX_TEXT_SIZE];
};

static void prepare(void *memory) {
  struct all *all = memory;
  u64 random = 123456789;
  mix_list_prepare(&all->list, &random);
  mix_matrices_prepare(&all->matrices, &random);
  mix_text_prepare(all->text, &random);
}

// CRC-16 with the polynomial x^16 + x^15 + x^2 + 1.
u16 mix_crc(u16 crc, u16 value) {
  for (u32 bit = 0; bit < 16; bit++) {
    bool carry = (crc ^ value >> bit) & 1;
    crc = crc >> 1 ^ (carry ? 0xa001 : 0);
  }
  return crc;
}

static u64 work(void *memory, u64 sum) {
  struct all *all = memory;
  u16 crc = sum;
  crc = mix_crc(crc, mix_list_work(&all->list, crc));
  crc = mix_crc(crc, mix_matrices_work(&all->matrices, crc));
  crc = mix_crc(crc, mix_text_work(all->text, crc));
  return bench_fold(sum, crc);
}

const struct bench_kernel bench_mix = {"mix", prepare, work};
