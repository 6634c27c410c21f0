// Small matrices of 16-bit integers: sums, products with a number, a vector and each other.
#include "bench_mix.h"

#define N MIX_MATRIX_SIZE

void mix_matrices_prepare(struct mix_matrices *matrices, u64 *random) {
  for (u32 i = 0; i < N * N; i++) {
    matrices->a[0][i] = bench_random(random) & 0xff;
    matrices->b[0][i] = bench_random(random) & 0xfff;
  }
}

static void add(struct mix_matrices *m, i16 value) {
  for (u32 i = 0; i < N; i++) {
    for (u32 j = 0; j < N; j++) m->a[i][j] += value;
  }
}

static void scale(struct mix_matrices *m, i16 value) {
  for (u32 i = 0; i < N; i++) {
    for (u32 j = 0; j < N; j++) m->product[i][j] = m->a[i][j] * value;
  }
}

static void multiply(struct mix_matrices *m) {
  for (u32 i = 0; i < N; i++) {
    for (u32 j = 0; j < N; j++) {
      u32 sum = 0;
      for (u32 k = 0; k < N; k++) sum += (u32)(m->a[i][k] * m->b[k][j]);
      m->product[i][j] = sum;
    }
  }
}

static void multiply_bits(struct mix_matrices *m) {
  for (u32 i = 0; i < N; i++) {
    for (u32 j = 0; j < N; j++) {
      u32 sum = 0;
      for (u32 k = 0; k < N; k++) {
        u32 value = m->a[i][k] * m->b[k][j];
        sum += (value >> 2 & 0xf) * (value >> 5 & 0x7f);
      }
      m->product[i][j] = sum;
    }
  }
}

// Adds up, and begins anew with a mark whenever the sum is over a limit.
static i16 total(const struct mix_matrices *m, i32 limit) {
  i32 sum = 0, last = 0;
  i16 marks = 0;
  for (u32 i = 0; i < N; i++) {
    for (u32 j = 0; j < N; j++) {
      i32 value = m->product[i][j];
      sum = (i32)((u32)sum + (u32)value);
      if (sum > limit) {
        marks += 10;
        sum = 0;
      } else {
        marks += value > last;
      }
      last = value;
    }
  }
  return marks;
}

u16 mix_matrices_work(struct mix_matrices *m, i16 seed) {
  i16 value = seed % 64;
  u16 crc = 0;
  add(m, value);
  scale(m, value);
  crc = mix_crc(crc, total(m, 4000));
  multiply(m);
  crc = mix_crc(crc, total(m, 100000));
  multiply_bits(m);
  crc = mix_crc(crc, total(m, 30000));
  add(m, -value);
  return crc;
}
