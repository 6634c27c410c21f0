// Operands: every combination of special values, then pseudo-random ones from a fixed seed.
#include "fptest.h"

#define SEED 0x766d6c6f6f6d2121ul
#define RANDOM_CASES 2048

#define BOXED(bits) (0xffffffff00000000ul | (bits))

// The first CORE values of the float tables are one or two of each class: operations on three
// operands take all combinations of these only.
#define CORE 14

static const u64 singles[] = {
  BOXED(0x00000000), BOXED(0x80000000), // zeroes
  BOXED(0x00000001), BOXED(0x807fffff), // the smallest and the largest subnormal
  BOXED(0x00800000),                    // the smallest normal
  BOXED(0x3f800000), BOXED(0xbf800001), // 1, and -1 with its last bit on
  BOXED(0x3f7fffff),                    // the last before 1
  BOXED(0x7f7fffff), BOXED(0xff7fffff), // the largest
  BOXED(0x7f800000), BOXED(0xff800000), // infinities
  BOXED(0x7fc00000), BOXED(0x7f800001), // a quiet and a signalling NaN
  BOXED(0xffc12345), BOXED(0xffa54321), // NaNs with sign and payload
  0x000000003f800000, 0x7fffffff3f800000, 0xfffffffe00000000, // not boxed: read as the canonical NaN
  0x3ff0000000000000,
  BOXED(0x80000001), BOXED(0x00400000), BOXED(0x007fffff), // subnormals
  BOXED(0x80800000), BOXED(0x00800001), BOXED(0x00ffffff), BOXED(0x01000000), // around the smallest normals
  BOXED(0xbf800000), BOXED(0x3f000000), BOXED(0x3effffff), BOXED(0x3f000001), BOXED(0xbf000000), // around a half
  BOXED(0x3fc00000), BOXED(0xbfc00000), BOXED(0x40000000), BOXED(0x40200000), BOXED(0xc0600000), // halves: ties
  BOXED(0x40490fdb), BOXED(0x3eaaaaab), // pi, 1/3
  BOXED(0x4b000001), BOXED(0x4affffff), BOXED(0xcb7fffff), BOXED(0x4b800001), // around 2^23 and 2^24
  BOXED(0x4effffff), BOXED(0x4f000000), BOXED(0xcf000000), BOXED(0xcf000001), // around 2^31
  BOXED(0x4f7fffff), BOXED(0x4f800000), // around 2^32
  BOXED(0x5effffff), BOXED(0x5f000000), BOXED(0xdf000000), BOXED(0xdf000001), // around 2^63
  BOXED(0x5f7fffff), BOXED(0x5f800000), // around 2^64
  BOXED(0x1f800000), BOXED(0x5f000001), BOXED(0x20000001), BOXED(0x7f000000), // products at the edges
};

static const u64 doubles[] = {
  0x0000000000000000, 0x8000000000000000, // zeroes
  0x0000000000000001, 0x800fffffffffffff, // the smallest and the largest subnormal
  0x0010000000000000,                     // the smallest normal
  0x3ff0000000000000, 0xbff0000000000001, // 1, and -1 with its last bit on
  0x3fefffffffffffff,                     // the last before 1
  0x7fefffffffffffff, 0xffefffffffffffff, // the largest
  0x7ff0000000000000, 0xfff0000000000000, // infinities
  0x7ff8000000000000, 0x7ff0000000000001, // a quiet and a signalling NaN
  0xfff8123456789abc, 0xfff4000000054321, // NaNs with sign and payload
  BOXED(0x3f800000),                      // what a single looks like as a double: a NaN
  0x8000000000000001, 0x0008000000000000, 0x000fffffffffffff, // subnormals
  0x8010000000000000, 0x0010000000000001, 0x001fffffffffffff, 0x0020000000000000, // around the smallest normals
  0xbff0000000000000, 0x3fe0000000000000, 0x3fdfffffffffffff, 0x3fe0000000000001, 0xbfe0000000000000, // a half
  0x3ff8000000000000, 0xbff8000000000000, 0x4000000000000000, 0x4004000000000000, 0xc00c000000000000, // ties
  0x400921fb54442d18, 0x3fd5555555555555, // pi, 1/3
  0x41dfffffffc00000, 0x41dfffffffe00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000100000, // 2^31
  0xc1e0000000200000, 0x41efffffffe00000, 0x41effffffff00000, 0x41f0000000000000, // 2^31, 2^32
  0x4330000000000001, 0x432fffffffffffff, 0x433fffffffffffff, 0x4340000000000001, // around 2^52 and 2^53
  0x43dfffffffffffff, 0x43e0000000000000, 0xc3e0000000000000, 0xc3e0000000000001, // around 2^63
  0x43efffffffffffff, 0x43f0000000000000, // around 2^64
  0x36a0000000000000, 0x3690000000000000, 0x3690000000000001, 0x380fffffffffffff, 0x380fffffe0000000, // as singles
  0x47efffffe0000000, 0x47effffff0000000, 0x47efffffefffffff, 0x3ff0000010000000, 0x3ff0000030000000, // as singles
  0x1ff0000000000000, 0x5fe0000000000001, 0x2000000000000001, 0x7fe0000000000000, // products at the edges
};

static const u64 integers[] = {
  0, 1, 2, 3, 0xffffffffffffffff, 0xfffffffffffffffe, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0xe0,
  0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x100000001, 0xffffffff80000000, 0xffffffff7fffffff,
  0xffffff, 0x1000000, 0x1000001, 0x1000003, 0x2000002, 0x7fffff80, 0x7fffffbf, 0x7fffffc0, 0xfffffeff, 0xffffff80,
  0x1fffffffffffff, 0x20000000000001, 0x20000000000003, 0x7ffffffffffffdff, 0x7ffffffffffffe00, 0x7fffffffffffffff,
  0x8000000000000000, 0x8000000000000001, 0x8000000000000400, 0xfffffffffffffbff, 0xfffffffffffffc00, 0x7fffffbfffffffff,
  0x7fffffc000000000, 0xffffff7fffffffff, 0xffffff8000000000, 0xdeadbeefcafef00d,
};

// xorshift64*
static u64 next_random(struct operands *operands) {
  u64 x = operands->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  operands->random = x;
  return x * 0x2545f4914f6cdd1dul;
}

// Half of them are any bits at all; in the others the exponents lie near that of 1, so that sums
// cancel and products stay finite; a few significands are sparse, so that ties occur.
static u64 random_float(struct operands *operands, bool is_double) {
  u64 bits = next_random(operands), how = next_random(operands);
  u32 significand = is_double ? 52 : 23;
  u64 bias = is_double ? 1023 : 127;
  u64 fraction_mask = (1ul << significand) - 1, sign = 1ul << (is_double ? 63 : 31);
  if (how & 1) {
    u64 exponent = bias - 16 + (how >> 8 & 31);
    bits = (bits & (sign | fraction_mask)) | exponent << significand;
  }
  if ((how & 6) == 6) bits &= ~(fraction_mask >> 4);
  return is_double ? bits : BOXED(bits & 0xffffffff);
}

struct table {
  const u64 *values;
  u64 count, arity;
};

static struct table table_of(enum operand_kind kind) {
  switch (kind) {
    case SINGLE_1: return (struct table){singles, COUNT_OF(singles), 1};
    case SINGLE_2: return (struct table){singles, COUNT_OF(singles), 2};
    case SINGLE_3: return (struct table){singles, CORE, 3};
    case DOUBLE_1: return (struct table){doubles, COUNT_OF(doubles), 1};
    case DOUBLE_2: return (struct table){doubles, COUNT_OF(doubles), 2};
    case DOUBLE_3: return (struct table){doubles, CORE, 3};
    case INTEGER_1: break;
  }
  return (struct table){integers, COUNT_OF(integers), 1};
}

static u64 random_operand(struct operands *operands) {
  if (operands->kind != INTEGER_1) return random_float(operands, operands->kind >= DOUBLE_1);
  return next_random(operands) >> (next_random(operands) & 63);
}

void operands_begin(struct operands *operands, enum operand_kind kind) {
  *operands = (struct operands){.kind = kind, .random = SEED};
}

bool operands_next(struct operands *operands) {
  struct table table = table_of(operands->kind);
  u64 combinations = table.count;
  for (u64 i = 1; i < table.arity; i++) combinations *= table.count;
  u64 index = operands->index++;
  if (index < combinations) {
    operands->a = table.values[index % table.count];
    operands->b = table.values[index / table.count % table.count];
    operands->c = table.values[index / table.count / table.count % table.count];
    return true;
  }
  operands->a = random_operand(operands);
  operands->b = random_operand(operands);
  operands->c = random_operand(operands);
  return index < combinations + RANDOM_CASES;
}
