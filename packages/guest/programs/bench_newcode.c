// Code without end: writes functions that never were before over the oldest ones, and runs each until it is hot.
// With kernel=newcode, `loops` is how often each function repeats its body.
#include "bench.h"

#define FUNCTION_WORDS 64
#define FUNCTIONS (PAGE_SIZE / (FUNCTION_WORDS * sizeof(u32)))
#define PAGES (BENCH_MEMORY / PAGE_SIZE)
#define DEFAULT_LOOPS 4000

#define A0 10
#define A1 11
#define RA 1

static u64 page, random, loops;

static void prepare(void *memory) {
  (void)memory;
  random = 521288629;
  loops = runtime_number("loops", DEFAULT_LOOPS);
}

static u32 immediate_type(u32 opcode, u32 funct3, u32 to, u32 from, u32 immediate) {
  return immediate << 20 | from << 15 | funct3 << 12 | to << 7 | opcode;
}

// addi, xori or slli of a0, or add of a0 to itself shifted; all with an operand of their own.
static u32 random_instruction(void) {
  u32 value = bench_random(&random) >> 20;
  switch (value >> 20 & 3) {
    case 0: return immediate_type(0x13, 0, A0, A0, value & 0xfff);
    case 1: return immediate_type(0x13, 4, A0, A0, value & 0xfff);
    case 2: return immediate_type(0x1b, 0, A0, A0, value & 0xfff);
    default: return 0x33 | A0 << 7 | A0 << 15 | A1 << 20;
  }
}

// A body, then: addi a1, a1, -1; bnez a1, body; ret
static void write_function(u32 *code) {
  for (u32 i = 0; i < FUNCTION_WORDS - 3; i++) code[i] = random_instruction();
  u32 offset = -4 * (FUNCTION_WORDS - 2);
  code[FUNCTION_WORDS - 3] = immediate_type(0x13, 0, A1, A1, 0xfff);
  code[FUNCTION_WORDS - 2] = 0x63 | 1 << 12 | A1 << 15 | (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3f) << 25 |
                             (offset >> 1 & 0xf) << 8 | (offset >> 11 & 1) << 7;
  code[FUNCTION_WORDS - 1] = immediate_type(0x67, 0, 0, RA, 0);
}

static u64 work(void *memory, u64 sum) {
  u32 *code = (u32 *)((u8 *)memory + page++ % PAGES * PAGE_SIZE);
  for (u32 i = 0; i < FUNCTIONS; i++) write_function(code + i * FUNCTION_WORDS);
  asm volatile("fence.i" ::: "memory");
  for (u32 i = 0; i < FUNCTIONS; i++) {
    u64 (*function)(u64, u64) = (u64(*)(u64, u64))(code + i * FUNCTION_WORDS);
    sum = bench_fold(sum, function(sum, loops));
  }
  return sum;
}

const struct bench_kernel bench_newcode = {"newcode", prepare, work};
