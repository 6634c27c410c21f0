// A bytecode interpreter: each operation ends in an indirect jump of its own to the next one. Its program adds up
// lengths of Collatz sequences, sieves, and computes a Fibonacci number by recursion.
#include "bench.h"

enum op {
  SET, // a = number
  ADDI, // a += number
  SHRI, // a >>= number
  MOVE, // a = b
  ADD, // a = b + c, and so on
  MUL,
  AND,
  XOR,
  LESS,
  LOAD, // a = array[b]
  STORE, // array[b] = a
  PUSH,
  POP,
  JUMP, // to number
  JUMP_ZERO, // if a is 0
  JUMP_NONZERO,
  CALL,
  RETURN,
  HALT,
  OPS,
};

#define REGISTERS 8
#define ARRAY 1024
#define STACK 256
#define CODE 128

struct instruction {
  u8 op, a;
  union {
    struct {
      u8 b, c;
    };
    i16 number;
  };
};

struct all {
  struct instruction code[CODE];
  u16 length;
  u64 registers[REGISTERS], stack[STACK];
  u8 array[ARRAY];
};

static u16 put(struct all *all, enum op op, u8 a, i16 number) {
  all->code[all->length] = (struct instruction){.op = op, .a = a, .number = number};
  return all->length++;
}

static void put3(struct all *all, enum op op, u8 a, u8 b, u8 c) {
  all->code[all->length++] = (struct instruction){.op = op, .a = a, .b = b, .c = c};
}

// The jump at `from` leads to the next instruction.
static void land(struct all *all, u16 from) {
  all->code[from].number = all->length;
}

enum { SUM, I, J, T, ONE, TWO, THREE, LIMIT };

static void put_collatz(struct all *all) {
  put(all, SET, LIMIT, 100);
  put(all, SET, I, 1);
  u16 outer = all->length;
  put3(all, MOVE, J, I, 0);
  u16 inner = all->length;
  put3(all, LESS, T, J, TWO);
  u16 done = put(all, JUMP_NONZERO, T, 0);
  put(all, ADDI, SUM, 1);
  put3(all, AND, T, J, ONE);
  u16 even = put(all, JUMP_ZERO, T, 0);
  put3(all, MUL, J, J, THREE);
  put(all, ADDI, J, 1);
  put(all, JUMP, 0, inner);
  land(all, even);
  put(all, SHRI, J, 1);
  put(all, JUMP, 0, inner);
  land(all, done);
  put(all, ADDI, I, 1);
  put3(all, LESS, T, I, LIMIT);
  put(all, JUMP_NONZERO, T, outer);
}

static void put_sieve(struct all *all) {
  put(all, SET, LIMIT, ARRAY);
  put(all, SET, T, 0);
  put(all, SET, I, 0);
  u16 clear = all->length;
  put(all, SET, J, 0);
  put3(all, STORE, J, I, 0);
  put(all, ADDI, I, 1);
  put3(all, LESS, J, I, LIMIT);
  put(all, JUMP_NONZERO, J, clear);
  put(all, SET, I, 2);
  u16 outer = all->length;
  put3(all, LOAD, T, I, 0);
  u16 next = put(all, JUMP_NONZERO, T, 0);
  put(all, ADDI, SUM, 1);
  put3(all, ADD, J, I, I);
  u16 inner = all->length;
  put3(all, LESS, T, J, LIMIT);
  u16 done = put(all, JUMP_ZERO, T, 0);
  put3(all, STORE, ONE, J, 0);
  put3(all, ADD, J, J, I);
  put(all, JUMP, 0, inner);
  land(all, next);
  land(all, done);
  put(all, ADDI, I, 1);
  put3(all, LESS, T, I, LIMIT);
  put(all, JUMP_NONZERO, T, outer);
}

// I is the argument, J the result.
static void put_fibonacci(struct all *all, u16 call) {
  land(all, call);
  u16 fibonacci = all->length;
  put3(all, LESS, T, I, TWO);
  u16 recursion = put(all, JUMP_ZERO, T, 0);
  put3(all, MOVE, J, I, 0);
  put(all, RETURN, 0, 0);
  land(all, recursion);
  put(all, PUSH, I, 0);
  put(all, ADDI, I, -1);
  put(all, CALL, 0, fibonacci);
  put(all, POP, I, 0);
  put(all, PUSH, J, 0);
  put(all, ADDI, I, -2);
  put(all, CALL, 0, fibonacci);
  put(all, POP, T, 0);
  put3(all, ADD, J, J, T);
  put(all, RETURN, 0, 0);
}

static void prepare(void *memory) {
  struct all *all = memory;
  all->length = 0;
  put(all, SET, ONE, 1);
  put(all, SET, TWO, 2);
  put(all, SET, THREE, 3);
  put_collatz(all);
  put_sieve(all);
  put(all, SET, I, 14);
  u16 call = put(all, CALL, 0, 0);
  put3(all, XOR, SUM, SUM, J);
  put(all, HALT, 0, 0);
  put_fibonacci(all, call);
}

#define NEXT goto *labels[(at = &code[pc++])->op]
#define A registers[at->a]
#define B registers[at->b]
#define C registers[at->c]

static u64 work(void *memory, u64 sum) {
  static const void *const labels[OPS] = {&&set,  &&addi, &&shri, &&move, &&add,  &&mul,       &&and,          &&xor,
                                          &&less, &&load, &&store, &&push, &&pop, &&jump,      &&jump_zero,    &&jump_nonzero,
                                          &&call, &&ret,  &&halt};
  struct all *all = memory;
  const struct instruction *const code = all->code, *at;
  u64 *const registers = all->registers, *const stack = all->stack;
  u64 pc = 0, top = 0;
  registers[SUM] = sum & 0xff;
  NEXT;
set:
  A = at->number;
  NEXT;
addi:
  A += at->number;
  NEXT;
shri:
  A >>= at->number;
  NEXT;
move:
  A = B;
  NEXT;
add:
  A = B + C;
  NEXT;
mul:
  A = B * C;
  NEXT;
and:
  A = B & C;
  NEXT;
xor:
  A = B ^ C;
  NEXT;
less:
  A = B < C;
  NEXT;
load:
  A = all->array[B % ARRAY];
  NEXT;
store:
  all->array[B % ARRAY] = A;
  NEXT;
push:
  stack[top++ % STACK] = A;
  NEXT;
pop:
  A = stack[--top % STACK];
  NEXT;
jump:
  pc = at->number;
  NEXT;
jump_zero:
  if (!A) pc = at->number;
  NEXT;
jump_nonzero:
  if (A) pc = at->number;
  NEXT;
call:
  stack[top++ % STACK] = pc;
  pc = at->number;
  NEXT;
ret:
  pc = stack[--top % STACK];
  NEXT;
halt:
  return bench_fold(sum, registers[SUM]);
}

const struct bench_kernel bench_bytecode = {"bytecode", prepare, work};
