// Double precision: the product of two matrices, each step a fused multiply-add.
#include "bench.h"

#define SIZE 96

typedef double matrix[SIZE][SIZE];

struct all {
  matrix a, b, c;
};

static void prepare(void *memory) {
  struct all *all = memory;
  u64 random = 362436069;
  for (u32 i = 0; i < SIZE; i++) {
    for (u32 j = 0; j < SIZE; j++) {
      all->a[i][j] = (double)(bench_random(&random) >> 40) / 16777216.0 - 0.5;
      all->b[i][j] = (double)(bench_random(&random) >> 40) / 16777216.0 - 0.5;
    }
  }
}

static u64 work(void *memory, u64 sum) {
  struct all *all = memory;
  for (u32 i = 0; i < SIZE; i++) {
    for (u32 j = 0; j < SIZE; j += 4) {
      double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (u32 k = 0; k < SIZE; k++) {
        double x = all->a[i][k];
        const double *y = &all->b[k][j];
        s0 = s0 + x * y[0];
        s1 = s1 + x * y[1];
        s2 = s2 + x * y[2];
        s3 = s3 + x * y[3];
      }
      all->c[i][j] = s0;
      all->c[i][j + 1] = s1;
      all->c[i][j + 2] = s2;
      all->c[i][j + 3] = s3;
    }
  }
  const u64 *bits = (const u64 *)all->c;
  u64 folded = sum;
  for (u32 i = 0; i < SIZE * SIZE; i += 37) folded = bench_fold(folded, bits[i]);
  all->a[folded % SIZE][0] = all->c[0][folded % SIZE] * 0.25; // bounded, and another product next time
  return folded;
}

const struct bench_kernel bench_matrix = {"matrix", prepare, work};
