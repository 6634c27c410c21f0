import {
  J_AFTER,
  J_AT,
  J_FLOAT_READY,
  J_LABEL_INTERPRET,
  LOCAL_FLOAT_ON,
  LOCAL_LEFT,
  LOCAL_NEAR,
} from '../../src/jit/layout';
import { R_OP } from '../../src/layout';
import { OP_FLW } from '../ops';
import { emitLoad, emitStore } from './access';
import { emitAtomic } from './atomic';
import { isAtomic, isCsr, isFloat, isLoad, isStore } from './classes';
import { emitCsr } from './csr';
import { emitFloat } from './float';
import { setBoxed } from './float-check';
import { emitGeneric } from './generic';
import { emitInteger } from './integer';
import * as W from './opcodes';
import { floatDestination } from './usage';
import { branch, byte, close, constI32, getLocal, openUnlikely, setLocal } from './writer';

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
  } else if (isCsr(op)) {
    emitCsr(j, record, op);
  } else if (isAtomic(op)) {
    emitAtomic(j, record, op);
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
