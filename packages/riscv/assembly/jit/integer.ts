import {
  CALL_MULH,
  CALL_MULHSU,
  CALL_MULHU,
  LOCAL_I64_A,
} from '../../src/jit/layout';
import { R_IMM, R_RS1 } from '../../src/layout';
import * as O from '../ops';
import { divide32, divide64 } from './division';
import * as W from './opcodes';
import { beginX, destination, endX, getX1, getX2, pushPc } from './registers';
import { byte, call, constI32, constI64, getLocal, setLocal, teeLocal } from './writer';

/** Integer instructions that only compute: I, M, Zba, Zbb and Zbs. */

// @ts-ignore: decorator
@inline
function immediate(record: u32): i32 {
  return load<i32>(record, R_IMM);
}

function binary(j: u32, record: u32, opcode: u32): void {
  getX1(j, record);
  getX2(j, record);
  byte(j, opcode);
}

function withImmediate(j: u32, record: u32, opcode: u32): void {
  getX1(j, record);
  constI64(j, immediate(record));
  byte(j, opcode);
}

function compare(j: u32): void {
  byte(j, W.I64_EXTEND_I32_U);
}

function low1(j: u32, record: u32): void {
  getX1(j, record);
  byte(j, W.I32_WRAP_I64);
}

function low2(j: u32, record: u32): void {
  getX2(j, record);
  byte(j, W.I32_WRAP_I64);
}

/** A word operation of two registers: 32 bits, sign-extended. */
function word(j: u32, record: u32, opcode: u32): void {
  low1(j, record);
  low2(j, record);
  byte(j, opcode);
  byte(j, W.I64_EXTEND_I32_S);
}

function wordImmediate(j: u32, record: u32, opcode: u32): void {
  low1(j, record);
  constI32(j, immediate(record));
  byte(j, opcode);
  byte(j, W.I64_EXTEND_I32_S);
}

/** The low word of x[rs1], zero-extended. */
function unsignedWord(j: u32, record: u32): void {
  low1(j, record);
  byte(j, W.I64_EXTEND_I32_U);
}

function shiftedAdd(j: u32, record: u32, shift: i64, isWord: bool): void {
  if (isWord) unsignedWord(j, record);
  else getX1(j, record);
  if (shift != 0) {
    constI64(j, shift);
    byte(j, W.I64_SHL);
  }
  getX2(j, record);
  byte(j, W.I64_ADD);
}

function inverted2(j: u32, record: u32, opcode: u32): void {
  getX1(j, record);
  getX2(j, record);
  constI64(j, -1);
  byte(j, W.I64_XOR);
  byte(j, opcode);
}

function unary(j: u32, record: u32, opcode: u32): void {
  getX1(j, record);
  byte(j, opcode);
}

function unaryWord(j: u32, record: u32, opcode: u32): void {
  low1(j, record);
  byte(j, opcode);
  byte(j, W.I64_EXTEND_I32_U);
}

/** The larger or smaller operand, by a comparison that chooses the first. */
function choose(j: u32, record: u32, comparison: u32): void {
  getX1(j, record);
  getX2(j, record);
  getX1(j, record);
  getX2(j, record);
  byte(j, comparison);
  byte(j, W.SELECT);
}

/** A mask with the bit that x[rs2] or the immediate names. */
function bit(j: u32, record: u32, immediateBit: bool): void {
  if (immediateBit) {
    constI64(j, (<i64>1) << immediate(record));
    return;
  }
  constI64(j, 1);
  getX2(j, record);
  byte(j, W.I64_SHL);
}

function changeBit(j: u32, record: u32, opcode: u32, immediateBit: bool, inverted: bool): void {
  getX1(j, record);
  bit(j, record, immediateBit);
  if (inverted) {
    constI64(j, -1);
    byte(j, W.I64_XOR);
  }
  byte(j, opcode);
}

function extractBit(j: u32, record: u32, immediateBit: bool): void {
  getX1(j, record);
  if (immediateBit) constI64(j, immediate(record));
  else getX2(j, record);
  byte(j, W.I64_SHR_U);
  constI64(j, 1);
  byte(j, W.I64_AND);
}

// Swaps halves of each group of bits that `mask` selects in every other place.
function swapGroups(j: u32, shift: i64, mask: i64): void {
  setLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_I64_A);
  constI64(j, shift);
  byte(j, W.I64_SHR_U);
  constI64(j, mask);
  byte(j, W.I64_AND);
  getLocal(j, LOCAL_I64_A);
  constI64(j, mask);
  byte(j, W.I64_AND);
  constI64(j, shift);
  byte(j, W.I64_SHL);
  byte(j, W.I64_OR);
}

function reverseBytes(j: u32, record: u32): void {
  getX1(j, record);
  swapGroups(j, 8, 0x00ff00ff00ff00ff);
  swapGroups(j, 16, 0x0000ffff0000ffff);
  constI64(j, 32);
  byte(j, W.I64_ROTL);
}

function orCombine(j: u32, record: u32): void {
  getX1(j, record);
  teeLocal(j, LOCAL_I64_A);
  constI64(j, 0x7f7f7f7f7f7f7f7f);
  byte(j, W.I64_AND);
  constI64(j, 0x7f7f7f7f7f7f7f7f);
  byte(j, W.I64_ADD);
  getLocal(j, LOCAL_I64_A);
  byte(j, W.I64_OR);
  constI64(j, 7);
  byte(j, W.I64_SHR_U);
  constI64(j, 0x0101010101010101);
  byte(j, W.I64_AND);
  constI64(j, 255);
  byte(j, W.I64_MUL);
}

function addImmediate(j: u32, record: u32): void {
  if (load<u8>(record, R_RS1) == 0) {
    constI64(j, immediate(record));
    return;
  }
  getX1(j, record);
  if (immediate(record) == 0) return;
  constI64(j, immediate(record));
  byte(j, W.I64_ADD);
}

/** Pushes the value of x[rd]; false for an op that is not one of these. */
function value(j: u32, record: u32, op: i32): bool {
  switch (op) {
    case O.OP_LUI:
      constI64(j, immediate(record));
      break;
    case O.OP_AUIPC:
      pushPc(j, immediate(record));
      break;
    case O.OP_ADDI:
      addImmediate(j, record);
      break;
    case O.OP_SLTI:
      withImmediate(j, record, W.I64_LT_S);
      compare(j);
      break;
    case O.OP_SLTIU:
      withImmediate(j, record, W.I64_LT_U);
      compare(j);
      break;
    case O.OP_XORI:
      withImmediate(j, record, W.I64_XOR);
      break;
    case O.OP_ORI:
      withImmediate(j, record, W.I64_OR);
      break;
    case O.OP_ANDI:
      withImmediate(j, record, W.I64_AND);
      break;
    case O.OP_SLLI:
      withImmediate(j, record, W.I64_SHL);
      break;
    case O.OP_SRLI:
      withImmediate(j, record, W.I64_SHR_U);
      break;
    case O.OP_SRAI:
      withImmediate(j, record, W.I64_SHR_S);
      break;
    case O.OP_ADD:
      binary(j, record, W.I64_ADD);
      break;
    case O.OP_SUB:
      binary(j, record, W.I64_SUB);
      break;
    case O.OP_SLL:
      binary(j, record, W.I64_SHL);
      break;
    case O.OP_SLT:
      binary(j, record, W.I64_LT_S);
      compare(j);
      break;
    case O.OP_SLTU:
      binary(j, record, W.I64_LT_U);
      compare(j);
      break;
    case O.OP_XOR:
      binary(j, record, W.I64_XOR);
      break;
    case O.OP_SRL:
      binary(j, record, W.I64_SHR_U);
      break;
    case O.OP_SRA:
      binary(j, record, W.I64_SHR_S);
      break;
    case O.OP_OR:
      binary(j, record, W.I64_OR);
      break;
    case O.OP_AND:
      binary(j, record, W.I64_AND);
      break;
    case O.OP_ADDIW:
      if (immediate(record) == 0) {
        getX1(j, record);
        byte(j, W.I64_EXTEND32_S);
      } else wordImmediate(j, record, W.I32_ADD);
      break;
    case O.OP_SLLIW:
      wordImmediate(j, record, W.I32_SHL);
      break;
    case O.OP_SRLIW:
      wordImmediate(j, record, W.I32_SHR_U);
      break;
    case O.OP_SRAIW:
      wordImmediate(j, record, W.I32_SHR_S);
      break;
    case O.OP_ADDW:
      word(j, record, W.I32_ADD);
      break;
    case O.OP_SUBW:
      word(j, record, W.I32_SUB);
      break;
    case O.OP_SLLW:
      word(j, record, W.I32_SHL);
      break;
    case O.OP_SRLW:
      word(j, record, W.I32_SHR_U);
      break;
    case O.OP_SRAW:
      word(j, record, W.I32_SHR_S);
      break;
    case O.OP_MUL:
      binary(j, record, W.I64_MUL);
      break;
    case O.OP_MULH:
    case O.OP_MULHSU:
    case O.OP_MULHU:
      getX1(j, record);
      getX2(j, record);
      call(j, op == O.OP_MULH ? CALL_MULH : op == O.OP_MULHSU ? CALL_MULHSU : CALL_MULHU);
      break;
    case O.OP_DIV:
      divide64(j, record, W.I64_DIV_S, true, false);
      break;
    case O.OP_DIVU:
      divide64(j, record, W.I64_DIV_U, false, false);
      break;
    case O.OP_REM:
      divide64(j, record, W.I64_REM_S, true, true);
      break;
    case O.OP_REMU:
      divide64(j, record, W.I64_REM_U, false, true);
      break;
    case O.OP_MULW:
      word(j, record, W.I32_MUL);
      break;
    case O.OP_DIVW:
      divide32(j, record, W.I32_DIV_S, true, false);
      break;
    case O.OP_DIVUW:
      divide32(j, record, W.I32_DIV_U, false, false);
      break;
    case O.OP_REMW:
      divide32(j, record, W.I32_REM_S, true, true);
      break;
    case O.OP_REMUW:
      divide32(j, record, W.I32_REM_U, false, true);
      break;
    case O.OP_ADD_UW:
    case O.OP_SH1ADD_UW:
    case O.OP_SH2ADD_UW:
    case O.OP_SH3ADD_UW:
      shiftedAdd(j, record, op == O.OP_ADD_UW ? 0 : op - O.OP_SH1ADD_UW + 1, true);
      break;
    case O.OP_SH1ADD:
    case O.OP_SH2ADD:
    case O.OP_SH3ADD:
      shiftedAdd(j, record, op - O.OP_SH1ADD + 1, false);
      break;
    case O.OP_SLLI_UW:
      unsignedWord(j, record);
      constI64(j, immediate(record));
      byte(j, W.I64_SHL);
      break;
    case O.OP_ANDN:
      inverted2(j, record, W.I64_AND);
      break;
    case O.OP_ORN:
      inverted2(j, record, W.I64_OR);
      break;
    case O.OP_XNOR:
      inverted2(j, record, W.I64_XOR);
      break;
    case O.OP_CLZ:
      unary(j, record, W.I64_CLZ);
      break;
    case O.OP_CTZ:
      unary(j, record, W.I64_CTZ);
      break;
    case O.OP_CPOP:
      unary(j, record, W.I64_POPCNT);
      break;
    case O.OP_CLZW:
      unaryWord(j, record, W.I32_CLZ);
      break;
    case O.OP_CTZW:
      unaryWord(j, record, W.I32_CTZ);
      break;
    case O.OP_CPOPW:
      unaryWord(j, record, W.I32_POPCNT);
      break;
    case O.OP_MAX:
      choose(j, record, W.I64_GT_S);
      break;
    case O.OP_MAXU:
      choose(j, record, W.I64_GT_U);
      break;
    case O.OP_MIN:
      choose(j, record, W.I64_LT_S);
      break;
    case O.OP_MINU:
      choose(j, record, W.I64_LT_U);
      break;
    case O.OP_SEXT_B:
      unary(j, record, W.I64_EXTEND8_S);
      break;
    case O.OP_SEXT_H:
      unary(j, record, W.I64_EXTEND16_S);
      break;
    case O.OP_ZEXT_H:
      getX1(j, record);
      constI64(j, 0xffff);
      byte(j, W.I64_AND);
      break;
    case O.OP_ROL:
      binary(j, record, W.I64_ROTL);
      break;
    case O.OP_ROR:
      binary(j, record, W.I64_ROTR);
      break;
    case O.OP_RORI:
      withImmediate(j, record, W.I64_ROTR);
      break;
    case O.OP_ROLW:
      word(j, record, W.I32_ROTL);
      break;
    case O.OP_RORW:
      word(j, record, W.I32_ROTR);
      break;
    case O.OP_RORIW:
      wordImmediate(j, record, W.I32_ROTR);
      break;
    case O.OP_ORC_B:
      orCombine(j, record);
      break;
    case O.OP_REV8:
      reverseBytes(j, record);
      break;
    case O.OP_BCLR:
    case O.OP_BCLRI:
      changeBit(j, record, W.I64_AND, op == O.OP_BCLRI, true);
      break;
    case O.OP_BINV:
    case O.OP_BINVI:
      changeBit(j, record, W.I64_XOR, op == O.OP_BINVI, false);
      break;
    case O.OP_BSET:
    case O.OP_BSETI:
      changeBit(j, record, W.I64_OR, op == O.OP_BSETI, false);
      break;
    case O.OP_BEXT:
    case O.OP_BEXTI:
      extractBit(j, record, op == O.OP_BEXTI);
      break;
    default:
      return false;
  }
  return true;
}

/** An instruction that computes x[rd]; false for an op that is not one of these. */
export function emitInteger(j: u32, record: u32, op: i32): bool {
  if (op == O.OP_FENCE || op == O.OP_FENCE_I) return true;
  const computes = op == O.OP_LUI || op == O.OP_AUIPC || (op >= O.OP_ADDI && op <= O.OP_SRAW);
  const extended = (op >= O.OP_MUL && op <= O.OP_REMUW) || (op >= O.OP_ADD_UW && op <= O.OP_BSETI);
  if (!computes && !extended) return false;
  if (destination(record) == 0) return true;
  beginX(j, record);
  value(j, record, op);
  endX(j, record);
  return true;
}
