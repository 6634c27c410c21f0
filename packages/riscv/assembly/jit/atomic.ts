import { PAGE_RESERVED } from '@vmloom/memory/assembly/constants';
import {
  J_CORE,
  LOCAL_I32_A,
  LOCAL_I32_B,
  LOCAL_I64_B,
  LOCAL_I64_C,
  LOCAL_READ_TLB,
  LOCAL_STATE,
  LOCAL_WRITE_TLB,
} from '../../src/jit/layout';
import { C_FLAGS, C_HART_COUNT, S_RESERVATION } from '../../src/layout';
import * as O from '../ops';
import { RESERVED_SET } from '../reservation';
import { lookUp, pushFlags, pushHostAddress } from './access';
import { emitGeneric } from './generic';
import * as W from './opcodes';
import { beginX, destination, endX, getX2 } from './registers';
import { byte, close, constI32, constI64, getLocal, hint, memoryOp, open, setLocal, teeLocal } from './writer';

/**
 * The A extension on RAM that the translation buffer knows; the interpreter's own functions do the rest: faults, MMIO,
 * misalignment, watched pages, reservations of several harts.
 */

// @ts-ignore: decorator
@inline
function isDouble(op: i32): bool {
  return ((op - O.OP_LR_W) & 1) != 0;
}

/** Code for what is usual, then for the rest. */
function otherwise(j: u32, record: u32, op: i32): void {
  byte(j, W.ELSE);
  emitGeneric(j, record, op);
  close(j);
}

function begin(j: u32): void {
  hint(j, true);
  open(j, W.IF, W.EMPTY);
}

/** Two copies of the old value and the operand are compared by `opcode`: the old one stays if it holds. */
function pick(j: u32, record: u32, double: bool, opcode: u32): void {
  getLocal(j, LOCAL_I64_B);
  operand(j, record, double);
  getLocal(j, LOCAL_I64_B);
  operand(j, record, double);
  byte(j, opcode);
  byte(j, W.SELECT);
}

/** The second source; of a word its low half, sign-extended, which keeps the order of unsigned words too. */
function operand(j: u32, record: u32, double: bool): void {
  getX2(j, record);
  if (!double) byte(j, W.I64_EXTEND32_S);
}

/** Pushes what the memory gets; the old value is in LOCAL_I64_B. */
function combine(j: u32, record: u32, op: i32, double: bool): void {
  switch (double ? op - 1 : op) {
    case O.OP_AMOSWAP_W:
      return getX2(j, record);
    case O.OP_AMOADD_W:
      return simple(j, record, W.I64_ADD);
    case O.OP_AMOXOR_W:
      return simple(j, record, W.I64_XOR);
    case O.OP_AMOAND_W:
      return simple(j, record, W.I64_AND);
    case O.OP_AMOOR_W:
      return simple(j, record, W.I64_OR);
    case O.OP_AMOMIN_W:
      return pick(j, record, double, W.I64_LT_S);
    case O.OP_AMOMAX_W:
      return pick(j, record, double, W.I64_GT_S);
    case O.OP_AMOMINU_W:
      return pick(j, record, double, W.I64_LT_U);
    default:
      return pick(j, record, double, W.I64_GT_U);
  }
}

function simple(j: u32, record: u32, opcode: u32): void {
  getLocal(j, LOCAL_I64_B);
  getX2(j, record);
  byte(j, opcode);
}

/** A page without flags is neither watched nor reserved in nor holds code. */
function emitOperation(j: u32, record: u32, op: i32): void {
  const double = isDouble(op);
  lookUp(j, record, op, LOCAL_WRITE_TLB);
  pushFlags(j);
  byte(j, W.I32_EQZ);
  byte(j, W.I32_AND);
  begin(j);
  pushHostAddress(j);
  teeLocal(j, LOCAL_I32_A);
  memoryOp(j, double ? W.I64_LOAD : W.I64_LOAD32_S, 0);
  setLocal(j, LOCAL_I64_B);
  getLocal(j, LOCAL_I32_A);
  combine(j, record, op, double);
  memoryOp(j, double ? W.I64_STORE : W.I64_STORE32, 0);
  if (destination(record) != 0) {
    beginX(j, record);
    getLocal(j, LOCAL_I64_B);
    endX(j, record);
  }
  otherwise(j, record, op);
}

/** Puts the host offset into LOCAL_I32_A and pushes that of the set which it is in. */
function pushSet(j: u32): void {
  pushHostAddress(j);
  teeLocal(j, LOCAL_I32_A);
  constI32(j, -i32(RESERVED_SET));
  byte(j, W.I32_AND);
}

/** Pushes the address of the page's flags less `C_FLAGS`, for the host offset in LOCAL_I32_A. */
function pushPage(j: u32): void {
  getLocal(j, LOCAL_I32_A);
  constI32(j, 12);
  byte(j, W.I32_SHR_U);
}

/** LR of a hart that holds no reservation, which is how a program that ends each with SC meets it. */
function emitReserve(j: u32, record: u32, op: i32): void {
  const flags = load<u32>(load<u32>(j, J_CORE), C_FLAGS);
  lookUp(j, record, op, LOCAL_READ_TLB);
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I32_LOAD, S_RESERVATION);
  byte(j, W.I32_EQZ);
  byte(j, W.I32_AND);
  begin(j);
  getLocal(j, LOCAL_STATE);
  pushSet(j);
  memoryOp(j, W.I32_STORE, S_RESERVATION);
  pushPage(j);
  teeLocal(j, LOCAL_I32_B);
  getLocal(j, LOCAL_I32_B);
  memoryOp(j, W.I32_LOAD8_U, flags);
  constI32(j, PAGE_RESERVED);
  byte(j, W.I32_OR);
  memoryOp(j, W.I32_STORE8, flags);
  getLocal(j, LOCAL_I32_A);
  memoryOp(j, isDouble(op) ? W.I64_LOAD : W.I64_LOAD32_S, 0);
  setLocal(j, LOCAL_I64_B);
  if (destination(record) != 0) {
    beginX(j, record);
    getLocal(j, LOCAL_I64_B);
    endX(j, record);
  }
  otherwise(j, record, op);
}

/** SC of the only hart, with a reservation that holds, in a page that has no other flag. */
function emitConditional(j: u32, record: u32, op: i32): void {
  const core = load<u32>(j, J_CORE);
  const flags = load<u32>(core, C_FLAGS);
  lookUp(j, record, op, LOCAL_WRITE_TLB);
  pushFlags(j);
  constI32(j, PAGE_RESERVED);
  byte(j, W.I32_EQ);
  byte(j, W.I32_AND);
  pushSet(j);
  getLocal(j, LOCAL_STATE);
  memoryOp(j, W.I32_LOAD, S_RESERVATION);
  byte(j, W.I32_EQ);
  byte(j, W.I32_AND);
  constI32(j, core);
  memoryOp(j, W.I32_LOAD, C_HART_COUNT);
  constI32(j, 1);
  byte(j, W.I32_EQ);
  byte(j, W.I32_AND);
  begin(j);
  getLocal(j, LOCAL_STATE);
  constI32(j, 0);
  memoryOp(j, W.I32_STORE, S_RESERVATION);
  pushPage(j);
  constI32(j, 0);
  memoryOp(j, W.I32_STORE8, flags);
  getLocal(j, LOCAL_I32_A);
  getX2(j, record);
  memoryOp(j, isDouble(op) ? W.I64_STORE : W.I64_STORE32, 0);
  if (destination(record) != 0) {
    beginX(j, record);
    constI64(j, 0);
    endX(j, record);
  }
  otherwise(j, record, op);
}

export function emitAtomic(j: u32, record: u32, op: i32): void {
  if (op <= O.OP_LR_D) emitReserve(j, record, op);
  else if (op <= O.OP_SC_D) emitConditional(j, record, op);
  else emitOperation(j, record, op);
}
