import {
  CALL_EXECUTE,
  J_AFTER,
  J_AT,
  J_FLOAT_READY,
  J_F_LOCAL,
  J_LABEL_INTERPRET,
  J_LABEL_SPILL,
  J_LOCALS,
  J_X_LOCAL,
  LOCAL_FLOAT_ON,
  LOCAL_LEFT,
  LOCAL_NEAR,
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
import { R_OP, R_RAW, R_RS1, R_RS2, S_F, S_X } from '../../src/layout';
import { OP_FLW } from '../ops';
import { emitLoad, emitStore } from './access';
import { isFloat, isLoad, isStore } from './classes';
import { emitFloat } from './float';
import { setBoxed } from './float-check';
import { emitInteger } from './integer';
import * as W from './opcodes';
import { destination, pushLeft, pushPc } from './registers';
import { floatDestination, operandsOf } from './usage';
import { branch, branchUnlikely, byte, call, close, constI32, constI64, getLocal, memoryOp, openUnlikely, setLocal, teeLocal } from './writer';

/** One instruction that does not end its block. */
export function emitInstruction(j: u32, record: u32): void {
  const op: i32 = load<u16>(record, R_OP);
  if (emitInteger(j, record, op)) return;
  const float = isFloat(op);
  if (isLoad(op)) {
    if (float) requireFloat(j);
    emitLoad(j, record, op);
    if (float) setBoxed(j, floatDestination(record, op), op == OP_FLW);
  } else if (isStore(op)) {
    if (float) requireFloat(j);
    emitStore(j, record, op);
  } else {
    if (float) requireFloat(j);
    if (!float || !emitFloat(j, record, op)) emitGeneric(j, record, op);
  }
}

/** Before the first floating-point instruction of a block: leaves unless floating point is on. */
function requireFloat(j: u32): void {
  if (load<u32>(j, J_FLOAT_READY) != 0) return;
  store<u32>(j, 1, J_FLOAT_READY);
  getLocal(j, LOCAL_FLOAT_ON);
  byte(j, W.I32_EQZ);
  openUnlikely(j);
  getLocal(j, LOCAL_LEFT);
  constI32(j, load<u32>(j, J_AFTER) + 1);
  byte(j, W.I32_ADD);
  setLocal(j, LOCAL_LEFT);
  constI32(j, load<i32>(j, J_AT));
  setLocal(j, LOCAL_NEAR);
  branch(j, load<u32>(j, J_LABEL_INTERPRET));
  close(j);
}

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
function emitGeneric(j: u32, record: u32, op: i32): void {
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
  call(j, CALL_EXECUTE);
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
