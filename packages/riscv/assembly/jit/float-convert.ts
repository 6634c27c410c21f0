import { LOCAL_FINITE32, LOCAL_FINITE64, LOCAL_I32_A, LOCAL_I64_A, LOCAL_NORMAL32 } from '../../src/jit/layout';
import * as O from '../ops';
import { RDN, RNE, RUP } from '../softfloat/flags';
import {
  boxSingle,
  destinationF,
  exactOperation,
  getSingle,
  orUnboxed,
  renewLimit,
  source1,
  unlessNormal32,
} from './float-check';
import {
  ELSE,
  F32_CONVERT_I64_S,
  F32_CONVERT_I64_U,
  F32_DEMOTE_F64,
  F64_ABS,
  F64_CEIL,
  F64_CONVERT_I32_S,
  F64_CONVERT_I32_U,
  F64_CONVERT_I64_S,
  F64_CONVERT_I64_U,
  F64_FLOOR,
  F64_GT,
  F64_LT,
  F64_NE,
  F64_NEAREST,
  F64_PROMOTE_F32,
  F64_REINTERPRET_I64,
  I32_AND,
  I32_EQZ,
  I32_OR,
  I32_REINTERPRET_F32,
  I32_TRUNC_F64_S,
  I32_TRUNC_F64_U,
  I32_WRAP_I64,
  I64_AND,
  I64_EQZ,
  I64_EXTEND32_S,
  I64_EXTEND_I32_S,
  I64_TRUNC_F64_S,
  I64_TRUNC_F64_U,
} from './opcodes';
import { beginF, beginX, endF, endFBits, endX, f64Temporary, getF, getX1 } from './registers';
import { byte, close, constF64, constI64, getLocal, openUnlikely, setLocal, teeLocal } from './writer';

/** Conversions. */

const TWO31: u64 = 0x41e0000000000000;
const TWO32: u64 = 0x41f0000000000000;
const TWO63: u64 = 0x43e0000000000000;
const TWO64: u64 = 0x43f0000000000000;
const MINUS_ONE: u64 = 0xbff0000000000000;

/** FCVT.W, WU, L and LU from either format, in the modes RNE, RTZ, RDN and RUP. */
export function toInteger(j: u32, record: u32, op: i32, rm: u32): void {
  const narrow = op <= O.OP_FCVT_LU_S;
  const kind = op - (narrow ? O.OP_FCVT_W_S : O.OP_FCVT_W_D);
  const value = f64Temporary(j, 0);
  beginX(j, record);
  if (narrow) {
    getSingle(j, source1(record));
    byte(j, F64_PROMOTE_F32);
  } else getF(j, source1(record));
  // Towards zero is how WebAssembly truncates.
  if (rm == RNE) byte(j, F64_NEAREST);
  else if (rm == RDN) byte(j, F64_FLOOR);
  else if (rm == RUP) byte(j, F64_CEIL);
  teeLocal(j, value);
  if ((kind & 1) == 0) {
    byte(j, F64_ABS);
    constF64(j, kind == 0 ? TWO31 : TWO63);
    byte(j, F64_LT);
  } else {
    constF64(j, kind == 1 ? TWO32 : TWO64);
    byte(j, F64_LT);
    getLocal(j, value);
    constF64(j, MINUS_ONE);
    byte(j, F64_GT);
    byte(j, I32_AND);
  }
  byte(j, I32_EQZ);
  getLocal(j, LOCAL_FINITE64);
  byte(j, I64_EQZ);
  byte(j, I32_OR);
  if (narrow) orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, rm);
  setLocal(j, LOCAL_I64_A);
  renewLimit(j, LOCAL_FINITE64);
  byte(j, ELSE);
  getLocal(j, value);
  if (kind == 0) byte(j, I32_TRUNC_F64_S);
  else if (kind == 1) byte(j, I32_TRUNC_F64_U);
  else byte(j, kind == 2 ? I64_TRUNC_F64_S : I64_TRUNC_F64_U);
  if (kind < 2) byte(j, I64_EXTEND_I32_S);
  setLocal(j, LOCAL_I64_A);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endX(j, record);
}

/** FCVT.D from an integer. A word is always exact. */
export function fromInteger64(j: u32, record: u32, op: i32): void {
  beginF(j);
  getX1(j, record);
  if (op <= O.OP_FCVT_D_WU) {
    byte(j, I32_WRAP_I64);
    byte(j, op == O.OP_FCVT_D_W ? F64_CONVERT_I32_S : F64_CONVERT_I32_U);
    endF(j, destinationF(record));
    return;
  }
  const result = f64Temporary(j, 0);
  byte(j, op == O.OP_FCVT_D_L ? F64_CONVERT_I64_S : F64_CONVERT_I64_U);
  setLocal(j, result);
  getLocal(j, LOCAL_FINITE64);
  byte(j, I64_EQZ);
  openUnlikely(j);
  exactOperation(j, record, op, RNE);
  byte(j, F64_REINTERPRET_I64);
  setLocal(j, result);
  renewLimit(j, LOCAL_FINITE64);
  close(j);
  getLocal(j, result);
  endF(j, destinationF(record));
}

/** FCVT.S from an integer. */
export function fromInteger32(j: u32, record: u32, op: i32): void {
  beginF(j);
  getX1(j, record);
  if (op == O.OP_FCVT_S_W) byte(j, I64_EXTEND32_S);
  else if (op == O.OP_FCVT_S_WU) {
    constI64(j, 0xffffffff);
    byte(j, I64_AND);
  }
  byte(j, op == O.OP_FCVT_S_LU ? F32_CONVERT_I64_U : F32_CONVERT_I64_S);
  byte(j, I32_REINTERPRET_F32);
  boxSingle(j);
  setLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_FINITE32);
  byte(j, I32_EQZ);
  openUnlikely(j);
  exactOperation(j, record, op, RNE);
  setLocal(j, LOCAL_I64_A);
  renewLimit(j, LOCAL_FINITE32);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endFBits(j, destinationF(record));
}

/** FCVT.D.S: exact for numbers. */
export function widen(j: u32, record: u32, op: i32): void {
  const result = f64Temporary(j, 0);
  beginF(j);
  getSingle(j, source1(record));
  byte(j, F64_PROMOTE_F32);
  teeLocal(j, result);
  getLocal(j, result);
  byte(j, F64_NE);
  orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, RNE);
  byte(j, F64_REINTERPRET_I64);
  setLocal(j, result);
  close(j);
  getLocal(j, result);
  endF(j, destinationF(record));
}

/** FCVT.S.D. */
export function narrow(j: u32, record: u32, op: i32): void {
  beginF(j);
  getF(j, source1(record));
  byte(j, F32_DEMOTE_F64);
  byte(j, I32_REINTERPRET_F32);
  teeLocal(j, LOCAL_I32_A);
  boxSingle(j);
  setLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_I32_A);
  unlessNormal32(j);
  openUnlikely(j);
  exactOperation(j, record, op, RNE);
  setLocal(j, LOCAL_I64_A);
  renewLimit(j, LOCAL_NORMAL32);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endFBits(j, destinationF(record));
}
