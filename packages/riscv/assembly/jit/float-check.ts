import {
  CALL_FLOAT,
  CALL_WHILE_INEXACT,
  J_FLOAT_BOXED,
  LOCAL_FINITE32,
  LOCAL_FINITE64,
  LOCAL_I32_A,
  LOCAL_I64_A,
  LOCAL_NORMAL32,
  LOCAL_NORMAL64,
  LOCAL_STATE,
} from '../../src/jit/layout';
import { R_IMM, R_RAW, R_RS1, R_RS2, S_FFLAGS } from '../../src/layout';
import { takesInteger } from '../float-operation';
import { OP_FLE_S, OP_FMADD_D, OP_FMADD_S, OP_FNMADD_S, OP_FSQRT_S } from '../ops';
import { INF32, INF64, MIN_NORMAL32, MIN_NORMAL64 } from '../softfloat/format';
import {
  F32_REINTERPRET_I32,
  I32_AND,
  I32_GE_U,
  I32_OR,
  I32_SHL,
  I32_SUB,
  I32_WRAP_I64,
  I64_AND,
  I64_EXTEND_I32_U,
  I64_GE_U,
  I64_LOAD32_U,
  I64_LT_U,
  I64_OR,
  I64_SHL,
  I64_SUB,
} from './opcodes';
import { getFBits, getX } from './registers';
import { byte, call, constI32, constI64, getLocal, memoryOp, setLocal, teeLocal } from './writer';

/**
 * When a native result may be taken as it is. Rounding is to nearest; while NX is set a finite sum, and a
 * normal result of any other operation, raises nothing that is not raised already. So one comparison with a
 * limit that is 0 while NX is clear decides. Everything else calls `compiledFloatOperation`, which is exact.
 */

const BOX: i64 = -4294967296;
// Encodings times two, which have lost the sign. The least normal number may be a tiny one rounded up.
const LEAST64: i64 = (MIN_NORMAL64 << 1) + 1;
const LEAST32: i32 = (MIN_NORMAL32 << 1) + 1;
const FINITE64: i64 = INF64 << 1;
const FINITE32: i32 = INF32 << 1;
const NORMAL64: i64 = FINITE64 - LEAST64;
const NORMAL32: i32 = FINITE32 - LEAST32;

/** Sets the limits from fflags: at the entry of a region with floating point, and after a write of fflags. */
export function emitFloatEntry(j: u32): void {
  constI64(j, 0);
  getLocal(j, LOCAL_STATE);
  memoryOp(j, I64_LOAD32_U, S_FFLAGS);
  constI64(j, 1);
  byte(j, I64_AND);
  byte(j, I64_SUB);
  teeLocal(j, LOCAL_I64_A);
  constI64(j, NORMAL64);
  byte(j, I64_AND);
  setLocal(j, LOCAL_NORMAL64);
  getLocal(j, LOCAL_I64_A);
  constI64(j, FINITE64);
  byte(j, I64_AND);
  setLocal(j, LOCAL_FINITE64);
  getLocal(j, LOCAL_I64_A);
  byte(j, I32_WRAP_I64);
  teeLocal(j, LOCAL_I32_A);
  constI32(j, NORMAL32);
  byte(j, I32_AND);
  setLocal(j, LOCAL_NORMAL32);
  getLocal(j, LOCAL_I32_A);
  constI32(j, FINITE32);
  byte(j, I32_AND);
  setLocal(j, LOCAL_FINITE32);
}

/** Takes the i64 encoding of a result; pushes 1 unless it is normal and NX set. */
export function unlessNormal64(j: u32): void {
  constI64(j, 1);
  byte(j, I64_SHL);
  constI64(j, LEAST64);
  byte(j, I64_SUB);
  getLocal(j, LOCAL_NORMAL64);
  byte(j, I64_GE_U);
}

/** Takes the i64 encoding of a result; pushes 1 unless it is finite and NX set. */
export function unlessFinite64(j: u32): void {
  constI64(j, 1);
  byte(j, I64_SHL);
  getLocal(j, LOCAL_FINITE64);
  byte(j, I64_GE_U);
}

/** Takes the i32 encoding of a result; pushes 1 unless it is normal and NX set. */
export function unlessNormal32(j: u32): void {
  constI32(j, 1);
  byte(j, I32_SHL);
  constI32(j, LEAST32);
  byte(j, I32_SUB);
  getLocal(j, LOCAL_NORMAL32);
  byte(j, I32_GE_U);
}

/** Takes the i32 encoding of a result; pushes 1 unless it is finite and NX set. */
export function unlessFinite32(j: u32): void {
  constI32(j, 1);
  byte(j, I32_SHL);
  getLocal(j, LOCAL_FINITE32);
  byte(j, I32_GE_U);
}

/** After an exact operation, which may have set NX. */
export function renewLimit(j: u32, local: u32): void {
  const narrow = local == LOCAL_NORMAL32 || local == LOCAL_FINITE32;
  let limit: i64 = local == LOCAL_NORMAL64 ? NORMAL64 : FINITE64;
  if (narrow) limit = i64(u32(local == LOCAL_NORMAL32 ? NORMAL32 : FINITE32));
  getLocal(j, LOCAL_STATE);
  constI64(j, limit);
  call(j, CALL_WHILE_INEXACT);
  if (narrow) byte(j, I32_WRAP_I64);
  setLocal(j, local);
}

// @ts-ignore: decorator
@inline
export function source1(record: u32): u32 {
  return u32(load<u8>(record, R_RS1)) >> 3;
}

// @ts-ignore: decorator
@inline
export function source2(record: u32): u32 {
  return u32(load<u8>(record, R_RS2)) >> 3;
}

// @ts-ignore: decorator
@inline
export function source3(record: u32): u32 {
  return (load<u32>(record, R_IMM) >> 3) & 31;
}

/** The number of a floating-point destination. */
// @ts-ignore: decorator
@inline
export function destinationF(record: u32): u32 {
  return (load<u32>(record, R_RAW) >> 7) & 31;
}

/** How many operands are registers, of either kind. */
export function operandCount(op: i32): u32 {
  const position = op - (op >= OP_FMADD_D ? OP_FMADD_D : OP_FMADD_S);
  if (position <= OP_FNMADD_S - OP_FMADD_S) return 3;
  return position <= OP_FLE_S - OP_FMADD_S && position != OP_FSQRT_S - OP_FMADD_S ? 2 : 1;
}

/** Calls `compiledFloatOperation`: pushes what rd shall hold, as i64. Operands are read from their registers. */
export function exactOperation(j: u32, record: u32, op: i32, rm: u32): void {
  getLocal(j, LOCAL_STATE);
  constI32(j, op | (rm << 16));
  if (takesInteger(op)) getX(j, source1(record));
  else getFBits(j, source1(record));
  const count = operandCount(op);
  if (count > 1) getFBits(j, source2(record));
  else constI64(j, 0);
  if (count > 2) getFBits(j, source3(record));
  else constI64(j, 0);
  call(j, CALL_FLOAT);
}

/** True when the present block has given the register a binary32 number. */
// @ts-ignore: decorator
@inline
export function isBoxed(j: u32, register: u32): bool {
  return ((load<u32>(j, J_FLOAT_BOXED) >> register) & 1) != 0;
}

export function setBoxed(j: u32, register: u32, boxed: bool): void {
  const bit: u32 = 1 << register;
  const others = load<u32>(j, J_FLOAT_BOXED) & ~bit;
  store<u32>(j, boxed ? others | bit : others, J_FLOAT_BOXED);
}

/** Pushes the register's lower half as f32. */
export function getSingle(j: u32, register: u32): void {
  getFBits(j, register);
  byte(j, I32_WRAP_I64);
  byte(j, F32_REINTERPRET_I32);
}

/** Takes an i32 encoding, pushes the NaN-boxed i64. */
export function boxSingle(j: u32): void {
  byte(j, I64_EXTEND_I32_U);
  constI64(j, BOX);
  byte(j, I64_OR);
}

/** ORs into the condition on the stack whether any operand is not NaN-boxed. */
export function orUnboxed(j: u32, record: u32, op: i32): void {
  const count = operandCount(op);
  let pushed: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const register = index == 0 ? source1(record) : index == 1 ? source2(record) : source3(record);
    if (isBoxed(j, register)) continue;
    if (index == 1 && register == source1(record)) continue;
    getFBits(j, register);
    if (pushed++ != 0) byte(j, I64_AND);
  }
  if (pushed == 0) return;
  constI64(j, BOX);
  byte(j, I64_LT_U);
  byte(j, I32_OR);
}

/** Pushes 1 unless the register is NaN-boxed. */
export function unlessBoxed(j: u32, register: u32): void {
  getFBits(j, register);
  constI64(j, BOX);
  byte(j, I64_LT_U);
}
