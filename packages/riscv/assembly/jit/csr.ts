import * as N from '../../src/csr-numbers';
import {
  CALL_CSR,
  J_FLOAT,
  J_FLOAT_READY,
  J_MEMORY_ACCESS,
  LOCAL_I64_A,
  LOCAL_STATE,
} from '../../src/jit/layout';
import {
  R_IMM,
  R_RS1,
  S_PRIVILEGE,
} from '../../src/layout';
import * as O from '../ops';
import { isStatus, storage, writes } from './csr-kinds';
import { enterFloat, enterMemory } from './entry';
import { emitGenericCall } from './generic';
import * as W from './opcodes';
import { beginX, destination, endX, getX } from './registers';
import { byte, close, constI32, constI64, getLocal, hint, memoryOp, open, setLocal } from './writer';

/**
 * Zicsr in compiled code. CSRs that are mere storage are read and written in place once the mode is seen to allow it;
 * others go through the interpreter's function, and the region goes on unless an interrupt may be due or the
 * translation of its own page changed.
 */

/** Pushes the operand: a register, or the number in its place. */
function pushOperand(j: u32, record: u32, op: i32): void {
  const source = u32(load<u8>(record, R_RS1)) >> 3;
  if (op >= O.OP_CSRRWI) constI64(j, source);
  else getX(j, source);
}

function pushOld(j: u32, field: u32): void {
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I64_LOAD, field);
}

/** The new value of a CSR at `field`, whose old one is in LOCAL_I64_A. */
function emitWrite(j: u32, record: u32, op: i32, number: u32, field: u32): void {
  getLocal(j, LOCAL_STATE);
  const replaces = op == O.OP_CSRRW || op == O.OP_CSRRWI;
  if (!replaces) getLocal(j, LOCAL_I64_A);
  pushOperand(j, record, op);
  if (op == O.OP_CSRRS || op == O.OP_CSRRSI) byte(j, W.I64_OR);
  else if (!replaces) {
    constI64(j, -1);
    byte(j, W.I64_XOR);
    byte(j, W.I64_AND);
  }
  if (number == u32(N.CSR_SEPC) || number == u32(N.CSR_MEPC)) {
    constI64(j, -2);
    byte(j, W.I64_AND);
  }
  memoryOp(j, W.I64_STORE, field);
}

function emitStorage(j: u32, record: u32, op: i32, number: u32, field: u32): void {
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I32_LOAD, S_PRIVILEGE);
  constI32(j, (number >> 8) & 3);
  byte(j, W.I32_GE_U);
  hint(j, true);
  open(j, W.IF, W.EMPTY);
  pushOld(j, field);
  setLocal(j, LOCAL_I64_A);
  if (writes(record)) emitWrite(j, record, op, number, field);
  if (destination(record) != 0) {
    beginX(j, record);
    getLocal(j, LOCAL_I64_A);
    endX(j, record);
  }
  byte(j, W.ELSE);
  emitGenericCall(j, record, op, CALL_CSR);
  close(j);
}

export function emitCsr(j: u32, record: u32, op: i32): void {
  const number = load<u32>(record, R_IMM);
  const field = storage(number);
  if (field != 0) return emitStorage(j, record, op, number, field);
  emitGenericCall(j, record, op, CALL_CSR);
  if (!writes(record)) return;
  // What the region keeps of the state it holds in locals.
  if (isStatus(number) && load<u32>(j, J_MEMORY_ACCESS) != 0) enterMemory(j);
  if (load<u32>(j, J_FLOAT) != 0) {
    enterFloat(j);
    store<u32>(j, 0, J_FLOAT_READY);
  }
}
