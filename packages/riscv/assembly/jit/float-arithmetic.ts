import {
  LOCAL_FINITE32,
  LOCAL_FINITE64,
  LOCAL_I32_A,
  LOCAL_I64_A,
  LOCAL_NORMAL32,
  LOCAL_NORMAL64,
} from '../../src/jit/layout';
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
  unlessFinite32,
  unlessFinite64,
  unlessNormal32,
  unlessNormal64,
} from './float-check';
import {
  F32_ADD,
  F32_MAX,
  F32_MIN,
  F32_NE,
  F32_SQRT,
  F64_ADD,
  F64_MAX,
  F64_MIN,
  F64_NE,
  F64_REINTERPRET_I64,
  F64_SQRT,
  I32_REINTERPRET_F32,
  I64_REINTERPRET_F64,
} from './opcodes';
import { beginF, endF, endFBits, f32Temporary, f64Temporary, getF } from './registers';
import { byte, close, getLocal, openUnlikely, setLocal, teeLocal } from './writer';

/** Sum, difference, product, quotient, root; minimum and maximum. Rounding is to nearest. */

export function arithmetic64(j: u32, record: u32, op: i32): void {
  const root = op == O.OP_FSQRT_D;
  // A root is never tiny; that of a negative number is a NaN.
  const finite = op <= O.OP_FSUB_D || root;
  const result = f64Temporary(j, 0);
  beginF(j);
  getF(j, source1(record));
  if (!root) getF(j, source2(record));
  byte(j, root ? F64_SQRT : F64_ADD + (op - O.OP_FADD_D));
  teeLocal(j, result);
  byte(j, I64_REINTERPRET_F64);
  if (finite) unlessFinite64(j);
  else unlessNormal64(j);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  byte(j, F64_REINTERPRET_I64);
  setLocal(j, result);
  renewLimit(j, finite ? LOCAL_FINITE64 : LOCAL_NORMAL64);
  close(j);
  getLocal(j, result);
  endF(j, destinationF(record));
}

export function arithmetic32(j: u32, record: u32, op: i32): void {
  const root = op == O.OP_FSQRT_S;
  const finite = op <= O.OP_FSUB_S || root;
  beginF(j);
  getSingle(j, source1(record));
  if (!root) getSingle(j, source2(record));
  byte(j, root ? F32_SQRT : F32_ADD + (op - O.OP_FADD_S));
  byte(j, I32_REINTERPRET_F32);
  teeLocal(j, LOCAL_I32_A);
  boxSingle(j);
  setLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_I32_A);
  if (finite) unlessFinite32(j);
  else unlessNormal32(j);
  orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  setLocal(j, LOCAL_I64_A);
  renewLimit(j, finite ? LOCAL_FINITE32 : LOCAL_NORMAL32);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endFBits(j, destinationF(record));
}

/** WebAssembly orders zeros as RISC-V does, and makes a NaN of any NaN. */
export function extremum64(j: u32, record: u32, op: i32): void {
  const result = f64Temporary(j, 0);
  beginF(j);
  getF(j, source1(record));
  getF(j, source2(record));
  byte(j, op == O.OP_FMIN_D ? F64_MIN : F64_MAX);
  teeLocal(j, result);
  getLocal(j, result);
  byte(j, F64_NE);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  byte(j, F64_REINTERPRET_I64);
  setLocal(j, result);
  close(j);
  getLocal(j, result);
  endF(j, destinationF(record));
}

export function extremum32(j: u32, record: u32, op: i32): void {
  const result = f32Temporary(j, 0);
  beginF(j);
  getSingle(j, source1(record));
  getSingle(j, source2(record));
  byte(j, op == O.OP_FMIN_S ? F32_MIN : F32_MAX);
  teeLocal(j, result);
  byte(j, I32_REINTERPRET_F32);
  boxSingle(j);
  setLocal(j, LOCAL_I64_A);
  getLocal(j, result);
  getLocal(j, result);
  byte(j, F32_NE);
  orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  setLocal(j, LOCAL_I64_A);
  close(j);
  getLocal(j, LOCAL_I64_A);
  endFBits(j, destinationF(record));
}
