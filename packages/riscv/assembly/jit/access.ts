import {
  CALL_LOAD,
  CALL_STORE,
  J_LABEL_SPILL,
  LOCAL_I64_A,
  LOCAL_READ_TLB,
  LOCAL_SLOT,
  LOCAL_STATE,
  LOCAL_STATUS,
  LOCAL_WRITE_TLB,
} from '../../src/jit/layout';
import { R_IMM, R_RD, R_RS2, R_STEP, S_VALUE, TLB_ENTRIES } from '../../src/layout';
import * as O from '../ops';
import { isAtomic } from './classes';
import * as W from './opcodes';
import { beginF, beginX, destination, endF, endFBits, endX, getF, getFBits, getX, getX1, getX2, pushLeft, pushPc } from './registers';
import {
  branchUnlikely,
  byte,
  call,
  close,
  constI32,
  constI64,
  getLocal,
  hint,
  memoryOp,
  open,
  setLocal,
  teeLocal,
} from './writer';

/**
 * Loads and stores: the translation buffer is looked up inline, everything else is a call. The addresses of
 * registers in the record are those of `decode.ts`.
 */

const BOX: i64 = 0xffffffff00000000;

/** The widths as the alignment that a fast access needs. */
function alignment(op: i32): i64 {
  if (isAtomic(op)) return ((op - O.OP_LR_W) & 1) != 0 ? 7 : 3;
  switch (op) {
    case O.OP_LB:
    case O.OP_LBU:
    case O.OP_SB:
      return 0;
    case O.OP_LH:
    case O.OP_LHU:
    case O.OP_SH:
      return 1;
    case O.OP_LD:
    case O.OP_SD:
    case O.OP_FLD:
    case O.OP_FSD:
      return 7;
    default:
      return 3;
  }
}

function loadOpcode(op: i32): u32 {
  switch (op) {
    case O.OP_LB:
      return W.I64_LOAD8_S;
    case O.OP_LBU:
      return W.I64_LOAD8_U;
    case O.OP_LH:
      return W.I64_LOAD16_S;
    case O.OP_LHU:
      return W.I64_LOAD16_U;
    case O.OP_LW:
      return W.I64_LOAD32_S;
    case O.OP_LWU:
    case O.OP_FLW:
      return W.I64_LOAD32_U;
    case O.OP_FLD:
      return W.F64_LOAD;
    default:
      return W.I64_LOAD;
  }
}

function storeOpcode(op: i32): u32 {
  switch (op) {
    case O.OP_SB:
      return W.I64_STORE8;
    case O.OP_SH:
      return W.I64_STORE16;
    case O.OP_SW:
    case O.OP_FSW:
      return W.I64_STORE32;
    case O.OP_FSD:
      return W.F64_STORE;
    default:
      return W.I64_STORE;
  }
}

// @ts-ignore: decorator
@inline
function kind(record: u32, op: i32): i32 {
  return op | (i32(load<u8>(record, R_STEP)) << 16);
}

/** Puts the address into LOCAL_I64_A, the entry's into LOCAL_SLOT, and pushes whether its tag matches. */
export function lookUp(j: u32, record: u32, op: i32, tableLocal: u32): void {
  const imm = load<i32>(record, R_IMM);
  getX1(j, record);
  if (imm != 0) {
    constI64(j, imm);
    byte(j, W.I64_ADD);
  }
  teeLocal(j, LOCAL_I64_A);
  byte(j, W.I32_WRAP_I64);
  constI32(j, 8);
  byte(j, W.I32_SHR_U);
  constI32(j, (TLB_ENTRIES - 1) << 4);
  byte(j, W.I32_AND);
  getLocal(j, tableLocal);
  byte(j, W.I32_ADD);
  teeLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I64_LOAD, 0);
  getLocal(j, LOCAL_I64_A);
  constI64(j, -4096 | alignment(op));
  byte(j, W.I64_AND);
  byte(j, W.I64_EQ);
}

export function pushHostAddress(j: u32): void {
  getLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I32_LOAD, 8);
  getLocal(j, LOCAL_I64_A);
  byte(j, W.I32_WRAP_I64);
  byte(j, W.I32_ADD);
}

/** Behind a look-up in the table for stores: pushes the flags of the page. */
export function pushFlags(j: u32): void {
  getLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I32_LOAD, 12);
  memoryOp(j, W.I32_LOAD8_U, 0);
}

/** Before and after the value of the destination is made: an f64 by FLD, else 64 bits as an i64. */
function begin(j: u32, record: u32, float: bool): void {
  if (float) beginF(j);
  else beginX(j, record);
}

function end(j: u32, record: u32, op: i32): void {
  const register = u32(load<u16>(record, R_RD)) >> 3;
  if (op == O.OP_FLD) endF(j, register);
  else if (op == O.OP_FLW) endFBits(j, register);
  else endX(j, record);
}

export function emitLoad(j: u32, record: u32, op: i32): void {
  const float = op == O.OP_FLW || op == O.OP_FLD;
  lookUp(j, record, op, LOCAL_READ_TLB);
  hint(j, true);
  open(j, W.IF, W.EMPTY);
  begin(j, record, float);
  pushHostAddress(j);
  memoryOp(j, loadOpcode(op), 0);
  if (op == O.OP_FLW) {
    constI64(j, BOX);
    byte(j, W.I64_OR);
  }
  end(j, record, op);
  byte(j, W.ELSE);
  getLocal(j, LOCAL_STATE);
  pushPc(j, 0);
  pushLeft(j);
  getLocal(j, LOCAL_I64_A);
  // What the register keeps after a trap.
  if (float) getFBits(j, u32(load<u16>(record, R_RD)) >> 3);
  else getX(j, destination(record));
  constI32(j, kind(record, op));
  call(j, CALL_LOAD);
  setLocal(j, LOCAL_STATUS);
  begin(j, record, float);
  getLocal(j, LOCAL_STATE);
  memoryOp(j, op == O.OP_FLD ? W.F64_LOAD : W.I64_LOAD, S_VALUE);
  end(j, record, op);
  getLocal(j, LOCAL_STATUS);
  branchUnlikely(j, load<u32>(j, J_LABEL_SPILL));
  close(j);
}

/** Pushes the bits that are stored. */
function pushValue(j: u32, record: u32, op: i32): void {
  if (op == O.OP_FSW || op == O.OP_FSD) getFBits(j, u32(load<u8>(record, R_RS2)) >> 3);
  else getX2(j, record);
}

export function emitStore(j: u32, record: u32, op: i32): void {
  lookUp(j, record, op, LOCAL_WRITE_TLB);
  pushFlags(j);
  byte(j, W.I32_EQZ);
  byte(j, W.I32_AND);
  hint(j, true);
  open(j, W.IF, W.EMPTY);
  pushHostAddress(j);
  if (op == O.OP_FSD) getF(j, u32(load<u8>(record, R_RS2)) >> 3);
  else pushValue(j, record, op);
  memoryOp(j, storeOpcode(op), 0);
  byte(j, W.ELSE);
  getLocal(j, LOCAL_STATE);
  pushPc(j, 0);
  pushLeft(j);
  getLocal(j, LOCAL_I64_A);
  pushValue(j, record, op);
  constI32(j, kind(record, op));
  call(j, CALL_STORE);
  teeLocal(j, LOCAL_STATUS);
  branchUnlikely(j, load<u32>(j, J_LABEL_SPILL));
  close(j);
}
