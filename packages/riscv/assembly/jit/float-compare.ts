import { LOCAL_I32_A, LOCAL_I32_B } from '../../src/jit/layout';
import * as O from '../ops';
import { exactOperation, getSingle, orUnboxed, source1, source2 } from './float-check';
import {
  F32_GE,
  F32_GT,
  F32_LE,
  F32_LT,
  F64_GE,
  F64_GT,
  F64_LE,
  F64_LT,
  I32_AND,
  I32_EQZ,
  I32_OR,
  I32_WRAP_I64,
  I64_EXTEND_I32_U,
} from './opcodes';
import { beginX, endX, f32Temporary, f64Temporary, getF } from './registers';
import { byte, close, getLocal, openUnlikely, setLocal, teeLocal } from './writer';

/**
 * FEQ, FLT and FLE: two comparisons of which at least one holds for numbers. When neither does, or an
 * operand is not boxed, the exact operation finds the flags.
 */
export function comparison(j: u32, record: u32, op: i32): void {
  const narrow = op <= O.OP_FLE_S;
  const equal = op == O.OP_FEQ_S || op == O.OP_FEQ_D;
  const less = op == O.OP_FLT_S || op == O.OP_FLT_D;
  const a = narrow ? f32Temporary(j, 0) : f64Temporary(j, 0);
  const b = a + 1;
  beginX(j, record);
  if (narrow) {
    getSingle(j, source1(record));
    teeLocal(j, a);
    getSingle(j, source2(record));
    teeLocal(j, b);
  } else {
    getF(j, source1(record));
    teeLocal(j, a);
    getF(j, source2(record));
    teeLocal(j, b);
  }
  byte(j, narrow ? (less ? F32_LT : F32_LE) : less ? F64_LT : F64_LE);
  teeLocal(j, LOCAL_I32_A);
  getLocal(j, a);
  getLocal(j, b);
  byte(j, narrow ? (less || equal ? F32_GE : F32_GT) : less || equal ? F64_GE : F64_GT);
  if (equal) teeLocal(j, LOCAL_I32_B);
  byte(j, I32_OR);
  byte(j, I32_EQZ);
  if (equal) {
    getLocal(j, LOCAL_I32_A);
    getLocal(j, LOCAL_I32_B);
    byte(j, I32_AND);
    setLocal(j, LOCAL_I32_A);
  }
  if (narrow) orUnboxed(j, record, op);
  openUnlikely(j);
  exactOperation(j, record, op, 0);
  byte(j, I32_WRAP_I64);
  setLocal(j, LOCAL_I32_A);
  close(j);
  getLocal(j, LOCAL_I32_A);
  byte(j, I64_EXTEND_I32_U);
  endX(j, record);
}
