import {
  F32_TEMPORARIES,
  F64_TEMPORARIES,
  INTERPRET,
  J_DEPTH,
  J_FLOAT,
  J_F_USED,
  J_F_WRITTEN,
  J_INDIRECT,
  J_LABEL_DISPATCH,
  J_LABEL_EXIT,
  J_LABEL_INTERPRET,
  J_LABEL_NEAR,
  J_LABEL_SPILL,
  J_LOCALS,
  J_MEMORY_ACCESS,
  J_X_LOCAL,
  J_F_LOCAL,
  J_X_USED,
  J_X_WRITTEN,
  LOCAL_BASE,
  LOCAL_LEFT,
  LOCAL_NEAR,
  LOCAL_REGISTERS,
  LOCAL_STATE,
  LOCAL_STATUS,
  LOCAL_TARGET,
} from '../../src/jit/layout';
import { S_F, S_LEFT, S_PC, S_X } from '../../src/layout';
import { enterFloat, enterMemory, loadField } from './entry';
import { analyse, hasSingleEntry } from './graph';
import * as W from './opcodes';
import { emitTree } from './structure';
import { assignLocals, noteUsage } from './usage';
import { byte, close, constI32, constI64, getLocal, memoryOp, open, setLocal, unsigned } from './writer';

/** The whole function of a region: locals, the way in, its blocks, the way out. */

function declareLocals(j: u32): void {
  const inLocals = load<u32>(j, J_LOCALS) != 0;
  const float = load<u32>(j, J_FLOAT) != 0;
  const integers = inLocals ? popcnt(load<u32>(j, J_X_USED)) : 0;
  const floats = inLocals ? popcnt(load<u32>(j, J_F_USED)) : 0;
  unsigned(j, float ? 4 : 2);
  unsigned(j, LOCAL_TARGET - LOCAL_LEFT);
  byte(j, W.I32);
  unsigned(j, LOCAL_REGISTERS - LOCAL_TARGET + integers);
  byte(j, W.I64);
  if (!float) return;
  unsigned(j, F64_TEMPORARIES + floats);
  byte(j, W.F64);
  unsigned(j, F32_TEMPORARIES);
  byte(j, W.F32);
}

function enter(j: u32): void {
  loadField(j, LOCAL_LEFT, W.I32_LOAD, S_LEFT);
  if (load<u32>(j, J_MEMORY_ACCESS) != 0) enterMemory(j);
  if (load<u32>(j, J_FLOAT) != 0) enterFloat(j);
  if (load<u32>(j, J_LOCALS) == 0) return;
  for (let register: u32 = 0; register < 32; register++) {
    if ((load<u32>(j, J_X_USED) & (1 << register)) != 0) {
      loadField(j, load<u8>(j + register, J_X_LOCAL), W.I64_LOAD, S_X + (register << 3));
    }
    if ((load<u32>(j, J_F_USED) & (1 << register)) != 0) {
      loadField(j, load<u8>(j + register, J_F_LOCAL), W.F64_LOAD, S_F + (register << 3));
    }
  }
}

function leave(j: u32): void {
  if (load<u32>(j, J_LOCALS) == 0) return;
  for (let register: u32 = 0; register < 32; register++) {
    if ((load<u32>(j, J_X_WRITTEN) & (1 << register)) != 0) {
      getLocal(j, LOCAL_STATE);
      getLocal(j, load<u8>(j + register, J_X_LOCAL));
      memoryOp(j, W.I64_STORE, S_X + (register << 3));
    }
    if ((load<u32>(j, J_F_WRITTEN) & (1 << register)) != 0) {
      getLocal(j, LOCAL_STATE);
      getLocal(j, load<u8>(j + register, J_F_LOCAL));
      memoryOp(j, W.F64_STORE, S_F + (register << 3));
    }
  }
}

/** Writes the body of the region that `discover` found, at J_OUT, with registers as J_LOCALS says; false when it grew too large. */
export function emitRegion(j: u32): bool {
  noteUsage(j);
  const indirect = load<u32>(j, J_INDIRECT) != 0;
  if (!analyse(j, indirect)) return false;
  assignLocals(j);
  store<u32>(j, 0, J_DEPTH);
  declareLocals(j);
  enter(j);
  store<u32>(j, open(j, W.BLOCK, W.EMPTY), J_LABEL_SPILL);
  store<u32>(j, open(j, W.BLOCK, W.EMPTY), J_LABEL_EXIT);
  store<u32>(j, open(j, W.BLOCK, W.EMPTY), J_LABEL_NEAR);
  store<u32>(j, open(j, W.BLOCK, W.EMPTY), J_LABEL_INTERPRET);
  const single = hasSingleEntry(j, indirect);
  if (!single) store<u32>(j, open(j, W.LOOP, W.EMPTY), J_LABEL_DISPATCH);
  if (!emitTree(j, single)) return false;
  if (!single) close(j);
  byte(j, W.UNREACHABLE);
  close(j);
  constI32(j, INTERPRET);
  setLocal(j, LOCAL_STATUS);
  close(j);
  getLocal(j, LOCAL_BASE);
  getLocal(j, LOCAL_NEAR);
  byte(j, W.I64_EXTEND_I32_S);
  byte(j, W.I64_ADD);
  setLocal(j, LOCAL_TARGET);
  close(j);
  getLocal(j, LOCAL_STATE);
  getLocal(j, LOCAL_TARGET);
  memoryOp(j, W.I64_STORE, S_PC);
  getLocal(j, LOCAL_STATE);
  getLocal(j, LOCAL_LEFT);
  memoryOp(j, W.I32_STORE, S_LEFT);
  close(j);
  leave(j);
  getLocal(j, LOCAL_STATUS);
  byte(j, W.END);
  return true;
}
