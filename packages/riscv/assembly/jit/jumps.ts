import {
  J_LABEL_DISPATCH,
  J_LABEL_EXIT,
  J_SLOT,
  LOCAL_BASE,
  LOCAL_ENTRY,
  LOCAL_I32_A,
  LOCAL_I64_A,
  LOCAL_NEAR,
  LOCAL_SLOT,
  LOCAL_STATE,
  LOCAL_TARGET,
} from '../../src/jit/layout';
import { R_DISTANCE, R_ENTRY, R_IMM, R_OP, R_REGION, R_STEP, S_FETCH_TLB, TLB_ENTRIES } from '../../src/layout';
import { OP_BEQ, OP_COMPILED } from '../ops';
import { pageOf } from './discover';
import * as W from './opcodes';
import { beginX, destination, endX, getX1, getX2, pushPc } from './registers';
import { branch, branchUnlikely, byte, close, constI32, constI64, getLocal, hint, memoryOp, open, setLocal, teeLocal } from './writer';

/** Jumps and the conditions of branches. */

/** In the order of the branches' op numbers. */
function comparison(which: u32): u32 {
  switch (which) {
    case 0:
      return W.I64_EQ;
    case 1:
      return W.I64_NE;
    case 2:
      return W.I64_LT_S;
    case 3:
      return W.I64_GE_S;
    case 4:
      return W.I64_LT_U;
    default:
      return W.I64_GE_U;
  }
}

/** Pushes whether the branch is taken, or whether it is not. */
export function pushCondition(j: u32, record: u32, inverted: bool): void {
  // Each comparison and its inverse stand side by side.
  const which = u32(i32(load<u16>(record, R_OP)) - OP_BEQ) ^ u32(inverted);
  getX1(j, record);
  getX2(j, record);
  byte(j, comparison(which));
}

/** The link of JAL and JALR. */
export function emitLink(j: u32, record: u32): void {
  if (destination(record) == 0) return;
  beginX(j, record);
  pushPc(j, u32(load<u8>(record, R_STEP)) >> 3);
  endX(j, record);
}

/** Pushes the entry of the fetch table for the page address in LOCAL_TARGET, which may have low bits. */
function fetchEntry(j: u32): void {
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I32_LOAD, S_FETCH_TLB);
  getLocal(j, LOCAL_TARGET);
  byte(j, W.I32_WRAP_I64);
  constI32(j, 8);
  byte(j, W.I32_SHR_U);
  constI32(j, (TLB_ENTRIES - 1) << 4);
  byte(j, W.I32_AND);
  byte(j, W.I32_ADD);
}

/**
 * Before another page of the region is needed: leaves for `position` by way of `label` unless the fetch table leads to
 * the page that was compiled. Nothing that a region does changes the table.
 */
export function emitPageCheck(j: u32, page: u32, position: i32, label: u32): void {
  const at = pageOf(j, page);
  getLocal(j, LOCAL_BASE);
  constI64(j, load<i32>(at, 4));
  byte(j, W.I64_ADD);
  setLocal(j, LOCAL_TARGET);
  fetchEntry(j);
  teeLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I64_LOAD, 0);
  getLocal(j, LOCAL_TARGET);
  byte(j, W.I64_NE);
  getLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I32_LOAD, 12);
  constI32(j, load<i32>(at));
  byte(j, W.I32_NE);
  byte(j, W.I32_OR);
  constI32(j, position);
  setLocal(j, LOCAL_NEAR);
  branchUnlikely(j, label);
}

/**
 * JALR: to an entry of this region if the target is one, in a page at its distance from the base; else the
 * region is left. Which instructions are entries stands in the pages' records, to which the fetch table leads.
 */
export function emitIndirect(j: u32, record: u32): void {
  const imm = load<i32>(record, R_IMM);
  getX1(j, record);
  if (imm != 0) {
    constI64(j, imm);
    byte(j, W.I64_ADD);
  }
  constI64(j, -2);
  byte(j, W.I64_AND);
  setLocal(j, LOCAL_TARGET);
  emitLink(j, record);
  fetchEntry(j);
  teeLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I64_LOAD, 0);
  getLocal(j, LOCAL_TARGET);
  constI64(j, -4096);
  byte(j, W.I64_AND);
  teeLocal(j, LOCAL_I64_A);
  byte(j, W.I64_EQ);
  hint(j, true);
  open(j, W.IF, W.EMPTY);
  getLocal(j, LOCAL_SLOT);
  memoryOp(j, W.I32_LOAD, 8);
  getLocal(j, LOCAL_TARGET);
  byte(j, W.I32_WRAP_I64);
  constI32(j, 0xfff);
  byte(j, W.I32_AND);
  constI32(j, 3);
  byte(j, W.I32_SHL);
  byte(j, W.I32_ADD);
  teeLocal(j, LOCAL_I32_A);
  memoryOp(j, W.I32_LOAD16_U, R_OP);
  constI32(j, OP_COMPILED);
  byte(j, W.I32_EQ);
  getLocal(j, LOCAL_I32_A);
  memoryOp(j, W.I32_LOAD, R_REGION);
  constI32(j, load<u32>(j, J_SLOT));
  byte(j, W.I32_EQ);
  byte(j, W.I32_AND);
  getLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_BASE);
  byte(j, W.I64_SUB);
  getLocal(j, LOCAL_I32_A);
  memoryOp(j, W.I64_LOAD16_S, R_DISTANCE);
  constI64(j, 12);
  byte(j, W.I64_SHL);
  byte(j, W.I64_EQ);
  byte(j, W.I32_AND);
  open(j, W.IF, W.EMPTY);
  getLocal(j, LOCAL_I32_A);
  memoryOp(j, W.I32_LOAD, R_ENTRY);
  setLocal(j, LOCAL_ENTRY);
  branch(j, load<u32>(j, J_LABEL_DISPATCH));
  close(j);
  close(j);
  branch(j, load<u32>(j, J_LABEL_EXIT));
}
