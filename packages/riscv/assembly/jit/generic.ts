import {
  CALL_EXECUTE,
  J_F_LOCAL,
  J_LABEL_SPILL,
  J_LOCALS,
  J_X_LOCAL,
  LOCAL_STATE,
  LOCAL_STATUS,
  READS_F1,
  READS_F2,
  READS_F3,
  READS_X1,
  READS_X2,
  WRITES_F,
  WRITES_X,
} from '../../src/jit/layout';
import { R_RAW, R_RS1, R_RS2, S_F, S_X } from '../../src/layout';
import * as W from './opcodes';
import { destination, pushLeft, pushPc } from './registers';
import { floatDestination, operandsOf } from './usage';
import { branchUnlikely, call, constI64, getLocal, memoryOp, setLocal, teeLocal } from './writer';

function spillX(j: u32, register: u32): void {
  if (register == 0) return;
  getLocal(j, LOCAL_STATE);
  getLocal(j, load<u8>(j + register, J_X_LOCAL));
  memoryOp(j, W.I64_STORE, S_X + (register << 3));
}

function spillF(j: u32, register: u32): void {
  getLocal(j, LOCAL_STATE);
  getLocal(j, load<u8>(j + register, J_F_LOCAL));
  memoryOp(j, W.F64_STORE, S_F + (register << 3));
}

/** By the interpreter's own function: operands and the old destination go to the state block and come back. */
export function emitGeneric(j: u32, record: u32, op: i32): void {
  emitGenericCall(j, record, op, CALL_EXECUTE);
}

/** The same by another function with the parameters of CALL_EXECUTE. */
export function emitGenericCall(j: u32, record: u32, op: i32, imported: u32): void {
  const kinds = operandsOf(j, op);
  const inLocals = load<u32>(j, J_LOCALS) != 0;
  if (inLocals) {
    if ((kinds & READS_X1) != 0) spillX(j, u32(load<u8>(record, R_RS1)) >> 3);
    if ((kinds & READS_X2) != 0) spillX(j, u32(load<u8>(record, R_RS2)) >> 3);
    if ((kinds & WRITES_X) != 0) spillX(j, destination(record));
    if ((kinds & READS_F1) != 0) spillF(j, u32(load<u8>(record, R_RS1)) >> 3);
    if ((kinds & READS_F2) != 0) spillF(j, u32(load<u8>(record, R_RS2)) >> 3);
    if ((kinds & READS_F3) != 0) spillF(j, load<u32>(record, R_RAW) >> 27);
    if ((kinds & WRITES_F) != 0) spillF(j, floatDestination(record, op));
  }
  getLocal(j, LOCAL_STATE);
  pushPc(j, 0);
  pushLeft(j);
  constI64(j, load<i64>(record));
  constI64(j, load<i64>(record, 8));
  call(j, imported);
  teeLocal(j, LOCAL_STATUS);
  if (inLocals) {
    const register = destination(record);
    if ((kinds & WRITES_X) != 0 && register != 0) {
      getLocal(j, LOCAL_STATE);
      memoryOp(j, W.I64_LOAD, S_X + (register << 3));
      setLocal(j, load<u8>(j + register, J_X_LOCAL));
    }
    if ((kinds & WRITES_F) != 0) {
      const target = floatDestination(record, op);
      getLocal(j, LOCAL_STATE);
      memoryOp(j, W.F64_LOAD, S_F + (target << 3));
      setLocal(j, load<u8>(j + target, J_F_LOCAL));
    }
  }
  branchUnlikely(j, load<u32>(j, J_LABEL_SPILL));
}
