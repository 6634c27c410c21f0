import { J_RELAXED, LOCAL_I32_A, LOCAL_I64_A, LOCAL_NORMAL32, LOCAL_NORMAL64 } from '../../src/jit/layout';
import * as O from '../ops';
import {
  boxSingle,
  destinationF,
  exactOperation,
  getSingle,
  orUnboxed,
  renewLimit,
  source1,
  source2,
  source3,
  unlessNormal32,
  unlessNormal64,
} from './float-check';
import {
  F32_DEMOTE_F64,
  F64X2_EXTRACT_LANE,
  F64X2_RELAXED_MADD,
  F64X2_SPLAT,
  F64_ADD,
  F64_MUL,
  F64_NE,
  F64_NEG,
  F64_PROMOTE_F32,
  F64_REINTERPRET_I64,
  F64_SUB,
  I32_OR,
  I32_REINTERPRET_F32,
  I64_AND,
  I64_EQ,
  I64_REINTERPRET_F64,
  VECTOR,
} from './opcodes';
import { beginF, endF, endFBits, f64Temporary, getF } from './registers';
import { byte, close, constF64, constI64, getLocal, openUnlikely, setLocal, teeLocal, unsigned } from './writer';

/** Fused multiply-add. Rounding is to nearest. */

// 2^27 + 1
const SPLITTER: u64 = 0x41a0000002000000;
// 1 - 2^-51 and 1 + 2^-51
const BELOW: u64 = 0x3feffffffffffffc;
const ABOVE: u64 = 0x3ff0000000000002;
// 2^-122
const SCALE: u64 = 0x3850000000000000;

// Bits of a binary64 number below the last place of a normal binary32 one.
const REST: i64 = 0x1fffffff;
const HALF: i64 = 0x10000000;

/** Temporaries, by what they hold. */
const A: u32 = 0;
const B: u32 = 1;
const C: u32 = 2;
const RESULT: u32 = 3;
const PRODUCT: u32 = 4;
const A_HIGH: u32 = 5;
const A_LOW: u32 = 6;
const B_HIGH: u32 = 7;
const B_LOW: u32 = 8;
const SUM: u32 = 9;
const PART: u32 = 10;
const ERROR: u32 = 11;
const SCALED: u32 = 12;

// @ts-ignore: decorator
@inline
function get(j: u32, temporary: u32): void {
  getLocal(j, f64Temporary(j, temporary));
}

// @ts-ignore: decorator
@inline
function set(j: u32, temporary: u32): void {
  setLocal(j, f64Temporary(j, temporary));
}

// @ts-ignore: decorator
@inline
function tee(j: u32, temporary: u32): void {
  teeLocal(j, f64Temporary(j, temporary));
}

/** Pushes `x op y`. */
function compute(j: u32, x: u32, opcode: u32, y: u32): void {
  get(j, x);
  get(j, y);
  byte(j, opcode);
}

/** FNMSUB and FNMADD negate the first factor, FMSUB and FNMADD the addend. */
// @ts-ignore: decorator
@inline
function negatesProduct(position: u32): bool {
  return position >= 2;
}

// @ts-ignore: decorator
@inline
function negatesAddend(position: u32): bool {
  return (position & 1) != 0;
}

export function fused64(j: u32, record: u32, op: i32): void {
  const position = op - O.OP_FMADD_D;
  beginF(j);
  getF(j, source1(record));
  if (negatesProduct(position)) byte(j, F64_NEG);
  set(j, A);
  getF(j, source2(record));
  set(j, B);
  getF(j, source3(record));
  if (negatesAddend(position)) byte(j, F64_NEG);
  set(j, C);
  if (load<u32>(j, J_RELAXED) != 0) vectorSum(j);
  else correctedSum(j);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  byte(j, F64_REINTERPRET_I64);
  set(j, RESULT);
  renewLimit(j, LOCAL_NORMAL64);
  close(j);
  get(j, RESULT);
  endF(j, destinationF(record));
}

function vector(j: u32, number: u32): void {
  byte(j, VECTOR);
  unsigned(j, number);
}

/** RESULT by the engine's fused instruction; pushes 1 if it may not be taken. */
function vectorSum(j: u32): void {
  for (let operand = A; operand <= C; operand++) {
    get(j, operand);
    vector(j, F64X2_SPLAT);
  }
  vector(j, F64X2_RELAXED_MADD);
  vector(j, F64X2_EXTRACT_LANE);
  byte(j, 0);
  tee(j, RESULT);
  byte(j, I64_REINTERPRET_F64);
  unlessNormal64(j);
}

/** Veltkamp's split of a factor into halves of 26 bits. */
function split(j: u32, x: u32, high: u32, low: u32): void {
  get(j, x);
  constF64(j, SPLITTER);
  byte(j, F64_MUL);
  tee(j, SCALED);
  compute(j, SCALED, F64_SUB, x);
  byte(j, F64_SUB);
  set(j, high);
  compute(j, x, F64_SUB, high);
  set(j, low);
}

/**
 * RESULT by error-free transformations; pushes 1 if it may not be taken.
 *
 * The exact result is SUM + u, where u is the sum of two errors: of the product (Dekker) and of the addition
 * (Knuth). The rounded sum of the errors is off by less than its 2^-52, so that u lies between it times
 * 1 - 2^-51 and times 1 + 2^-51. Rounding is monotonic: where SUM plus either bound gives one number, that is
 * the result. NaNs and infinities of the steps between end in unequal or infinite sums.
 *
 * The error of the product is exact unless the product is below 2^-969. Then it is off by less than 2^-1070,
 * which does not matter beside an addend above 2^-901: no smaller results are taken.
 */
function correctedSum(j: u32): void {
  compute(j, A, F64_MUL, B);
  set(j, PRODUCT);
  split(j, A, A_HIGH, A_LOW);
  split(j, B, B_HIGH, B_LOW);
  compute(j, PRODUCT, F64_ADD, C);
  tee(j, SUM);
  get(j, PRODUCT);
  byte(j, F64_SUB);
  set(j, PART);

  get(j, PRODUCT);
  compute(j, SUM, F64_SUB, PART);
  byte(j, F64_SUB);
  compute(j, C, F64_SUB, PART);
  byte(j, F64_ADD);

  compute(j, A_LOW, F64_MUL, B_LOW);
  get(j, PRODUCT);
  compute(j, A_HIGH, F64_MUL, B_HIGH);
  byte(j, F64_SUB);
  compute(j, A_LOW, F64_MUL, B_HIGH);
  byte(j, F64_SUB);
  compute(j, A_HIGH, F64_MUL, B_LOW);
  byte(j, F64_SUB);
  byte(j, F64_SUB);
  byte(j, F64_ADD);
  set(j, ERROR);

  get(j, SUM);
  get(j, ERROR);
  constF64(j, BELOW);
  byte(j, F64_MUL);
  byte(j, F64_ADD);
  tee(j, RESULT);
  get(j, SUM);
  get(j, ERROR);
  constF64(j, ABOVE);
  byte(j, F64_MUL);
  byte(j, F64_ADD);
  byte(j, F64_NE);
  get(j, RESULT);
  constF64(j, SCALE);
  byte(j, F64_MUL);
  byte(j, I64_REINTERPRET_F64);
  unlessNormal64(j);
  byte(j, I32_OR);
}

/**
 * Binary32 by way of binary64, which holds every product exactly: only a sum that was rounded there to
 * halfway between two binary32 numbers, or lies there, may be rounded the wrong way by the second rounding.
 */
export function fused32(j: u32, record: u32, op: i32): void {
  const position = op - O.OP_FMADD_S;
  beginF(j);
  getSingle(j, source1(record));
  byte(j, F64_PROMOTE_F32);
  if (negatesProduct(position)) byte(j, F64_NEG);
  getSingle(j, source2(record));
  byte(j, F64_PROMOTE_F32);
  byte(j, F64_MUL);
  getSingle(j, source3(record));
  byte(j, F64_PROMOTE_F32);
  byte(j, negatesAddend(position) ? F64_SUB : F64_ADD);
  tee(j, SUM);
  byte(j, F32_DEMOTE_F64);
  byte(j, I32_REINTERPRET_F32);
  teeLocal(j, LOCAL_I32_A);
  boxSingle(j);
  setLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_I32_A);
  unlessNormal32(j);
  get(j, SUM);
  byte(j, I64_REINTERPRET_F64);
  constI64(j, REST);
  byte(j, I64_AND);
  constI64(j, HALF);
  byte(j, I64_EQ);
  byte(j, I32_OR);
  orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  setLocal(j, LOCAL_I64_A);
  renewLimit(j, LOCAL_NORMAL32);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endFBits(j, destinationF(record));
}
