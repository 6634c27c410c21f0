import {
  J_AFTER,
  J_AT,
  J_F64_TEMPORARIES,
  J_F32_TEMPORARIES,
  J_F_LOCAL,
  J_LOCALS,
  J_X_LOCAL,
  LOCAL_BASE,
  LOCAL_LEFT,
  LOCAL_STATE,
} from '../../src/jit/layout';
import { R_RD, R_RS1, R_RS2, S_F, S_X, S_X_SINK } from '../../src/layout';
import {
  DROP,
  F64_LOAD,
  F64_REINTERPRET_I64,
  F64_STORE,
  I32_ADD,
  I64_ADD,
  I64_LOAD,
  I64_REINTERPRET_F64,
  I64_STORE,
} from './opcodes';
import { byte, constI32, constI64, getLocal, memoryOp, setLocal } from './writer';

/**
 * The interface that the emitter of an instruction builds on.
 *
 * An emitter takes `j`, the decoded `record` and its `op`; it writes code that reads the operands, and
 * leaves the wasm stack as it found it. Registers are reached through the functions of this file alone: in a
 * region with loops they live in locals (x in i64, f in f64), else in the state block.
 *
 *   beginX(j, record); getX1(j, record); getX2(j, record); op(j, I64_ADD); endX(j, record);
 *
 * Between `begin` and `end` the value is made on the stack; nothing may leave the region there, and of the
 * stack only what was pushed since may be taken. x0 reads as a constant and is not written.
 *
 * Free for use within one instruction: LOCAL_I64_A to D, LOCAL_I32_A, B, TARGET, SLOT, and where the region
 * has floating point (J_FLOAT) the f64 and f32 temporaries. Before the first
 * floating-point instruction of a block the region has made sure that mstatus.FS is Dirty and frm is 0
 * (nearest-even); otherwise it left, and the interpreter goes on there.
 */

// @ts-ignore: decorator
@inline
function xLocal(j: u32, register: u32): u32 {
  return load<u8>(j + register, J_X_LOCAL);
}

// @ts-ignore: decorator
@inline
function fLocal(j: u32, register: u32): u32 {
  return load<u8>(j + register, J_F_LOCAL);
}

/** Pushes x[register]. */
export function getX(j: u32, register: u32): void {
  if (register == 0) constI64(j, 0);
  else if (load<u32>(j, J_LOCALS) != 0) getLocal(j, xLocal(j, register));
  else {
    getLocal(j, LOCAL_STATE);
    memoryOp(j, I64_LOAD, S_X + (register << 3));
  }
}

export function getX1(j: u32, record: u32): void {
  getX(j, u32(load<u8>(record, R_RS1)) >> 3);
}

export function getX2(j: u32, record: u32): void {
  getX(j, u32(load<u8>(record, R_RS2)) >> 3);
}

/** The number of an integer destination, 0 for none. */
export function destination(record: u32): u32 {
  const offset: u32 = load<u16>(record, R_RD);
  return offset == S_X_SINK ? 0 : offset >> 3;
}

/** Before the value of x[rd] is made. */
export function beginX(j: u32, record: u32): void {
  if (load<u32>(j, J_LOCALS) == 0 && destination(record) != 0) getLocal(j, LOCAL_STATE);
}

/** Takes the value of x[rd]. */
export function endX(j: u32, record: u32): void {
  const register = destination(record);
  if (register == 0) byte(j, DROP);
  else if (load<u32>(j, J_LOCALS) != 0) setLocal(j, xLocal(j, register));
  else memoryOp(j, I64_STORE, S_X + (register << 3));
}

/** Pushes f[register] as f64: its 64 bits, whatever the format. */
export function getF(j: u32, register: u32): void {
  if (load<u32>(j, J_LOCALS) != 0) getLocal(j, fLocal(j, register));
  else {
    getLocal(j, LOCAL_STATE);
    memoryOp(j, F64_LOAD, S_F + (register << 3));
  }
}

/** Pushes the 64 bits of f[register] as i64. */
export function getFBits(j: u32, register: u32): void {
  if (load<u32>(j, J_LOCALS) != 0) {
    getLocal(j, fLocal(j, register));
    byte(j, I64_REINTERPRET_F64);
  } else {
    getLocal(j, LOCAL_STATE);
    memoryOp(j, I64_LOAD, S_F + (register << 3));
  }
}

/** Before the value of f[register] is made. */
export function beginF(j: u32): void {
  if (load<u32>(j, J_LOCALS) == 0) getLocal(j, LOCAL_STATE);
}

/** Takes an f64. */
export function endF(j: u32, register: u32): void {
  if (load<u32>(j, J_LOCALS) != 0) setLocal(j, fLocal(j, register));
  else memoryOp(j, F64_STORE, S_F + (register << 3));
}

/** Takes an i64. */
export function endFBits(j: u32, register: u32): void {
  if (load<u32>(j, J_LOCALS) != 0) {
    byte(j, F64_REINTERPRET_I64);
    setLocal(j, fLocal(j, register));
  } else memoryOp(j, I64_STORE, S_F + (register << 3));
}

/** The floating-point temporaries, 0 to F64_TEMPORARIES - 1 and 0 to F32_TEMPORARIES - 1. */
export function f64Temporary(j: u32, index: u32): u32 {
  return load<u32>(j, J_F64_TEMPORARIES) + index;
}

export function f32Temporary(j: u32, index: u32): u32 {
  return load<u32>(j, J_F32_TEMPORARIES) + index;
}

/** Pushes the virtual address `offset` bytes behind the present instruction (0: its own). */
export function pushPc(j: u32, offset: i32): void {
  getLocal(j, LOCAL_BASE);
  // The sum of a place before the base and AUIPC's least immediate needs more than 32 bits.
  const at = i64(i32(load<u32>(j, J_AT))) + i64(offset);
  if (at == 0) return;
  constI64(j, at);
  byte(j, I64_ADD);
}

/** Pushes S_LEFT as it is while the present instruction is carried out: without that one. */
export function pushLeft(j: u32): void {
  getLocal(j, LOCAL_LEFT);
  const after = load<u32>(j, J_AFTER);
  if (after == 0) return;
  constI32(j, after);
  byte(j, I32_ADD);
}
