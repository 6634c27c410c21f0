// The parts of fptest: operations (fptest_operations.c) and operands (fptest_operands.c).
#pragma once

#include "runtime.h"

#define MODES 5 // static rounding modes; a sixth function is the dynamic one

// Operands and result are whole registers: a single has ones in its upper half, or is not a single.
typedef u64 (*operation_function)(u64 a, u64 b, u64 c);

// What an operation takes.
enum operand_kind { SINGLE_1, SINGLE_2, SINGLE_3, DOUBLE_1, DOUBLE_2, DOUBLE_3, INTEGER_1 };

struct operation {
  const char *name;
  enum operand_kind kind;
  bool rounds;
  operation_function functions[MODES + 1]; // by mode; only the first if it does not round
};

// Ended by an entry without a name.
extern const struct operation operations[];

struct operands {
  enum operand_kind kind;
  u64 index;
  u64 random; // state of the generator
  u64 a, b, c;
};

void operands_begin(struct operands *operands, enum operand_kind kind);

// Sets a, b and c to the next case; false after the last.
bool operands_next(struct operands *operands);
