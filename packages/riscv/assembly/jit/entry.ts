import { LOCAL_FLOAT_ON, LOCAL_READ_TLB, LOCAL_STATE, LOCAL_WRITE_TLB } from '../../src/jit/layout';
import { S_FRM, S_MSTATUS, S_READ_TLB, S_WRITE_TLB } from '../../src/layout';
import { FS } from '../status';
import { emitFloatEntry } from './float-check';
import * as W from './opcodes';
import { byte, constI64, getLocal, memoryOp, setLocal } from './writer';

/** What a region takes from the hart's state into locals: at its entry, and after CSRs on which it depends are written. */

export function loadField(j: u32, local: u32, opcode: u32, offset: u32): void {
  getLocal(j, LOCAL_STATE);
  memoryOp(j, opcode, offset);
  setLocal(j, local);
}

/** The tables for loads and stores. */
export function enterMemory(j: u32): void {
  loadField(j, LOCAL_READ_TLB, W.I32_LOAD, S_READ_TLB);
  loadField(j, LOCAL_WRITE_TLB, W.I32_LOAD, S_WRITE_TLB);
}

/** Whether floating point is on and rounds to nearest, and the limits that depend on fflags. */
export function enterFloat(j: u32): void {
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I64_LOAD, S_MSTATUS);
  constI64(j, FS);
  byte(j, W.I64_AND);
  constI64(j, FS);
  byte(j, W.I64_EQ);
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I32_LOAD, S_FRM);
  byte(j, W.I32_EQZ);
  byte(j, W.I32_AND);
  setLocal(j, LOCAL_FLOAT_ON);
  emitFloatEntry(j);
}
