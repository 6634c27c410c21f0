import {
  C_BUCKETS,
  C_COMPRESSED,
  IMM_B,
  IMM_CSR,
  IMM_I,
  IMM_J,
  IMM_RM,
  IMM_S,
  IMM_SHAMT,
  IMM_U,
  ROW_SIZE,
  R_IMM,
  R_OP,
  R_RAW,
  R_RD,
  R_RS1,
  R_RS2,
  R_STEP,
  S_CORE,
  S_X_SINK,
} from '../src/layout';
import { breakpointInPage } from './breakpoint';
import { codeOffset, noteDecoded } from './code-cache';
import {
  OP_BEQ,
  OP_BEQ_NEAR,
  OP_BGEU,
  OP_BREAKPOINT,
  OP_CROSSING,
  OP_FLD,
  OP_FLW,
  OP_ILLEGAL,
  OP_JAL,
  OP_JAL_NEAR,
  OP_J_NEAR,
} from './ops';

// @ts-ignore: decorator
@inline
function immediate(word: u32, kind: u32): i32 {
  const signed = i32(word);
  switch (kind) {
    case IMM_I:
      return signed >> 20;
    case IMM_S:
      return ((signed >> 25) << 5) | ((word >> 7) & 31);
    case IMM_B:
      return ((signed >> 31) << 12) | (((word >> 7) & 1) << 11) | (((word >> 25) & 63) << 5) | (((word >> 8) & 15) << 1);
    case IMM_U:
      return word & 0xfffff000;
    case IMM_J:
      return (
        ((signed >> 31) << 20) | (word & 0xff000) | (((word >> 20) & 1) << 11) | (((word >> 21) & 0x3ff) << 1)
      );
    case IMM_SHAMT:
      return (word >> 20) & 63;
    case IMM_CSR:
      return word >> 20;
    case IMM_RM:
      return ((word >> 12) & 7) | ((word >> 27) << 3);
    default:
      return 0;
  }
}

/**
 * Writes the record of an instruction. `raw` is the whole encoding, of two bytes or four; `inPage` is the
 * instruction's byte offset in its page, or -1 where no branch target may count as near.
 */
export function decodeInto(c: u32, record: u32, raw: u32, inPage: i32): void {
  const compressed = (raw & 3) != 3;
  const half = raw & 0xffff;
  const word = compressed ? load<u32>(load<u32>(c, C_COMPRESSED) + (half << 2)) : raw;
  let op: i32 = OP_ILLEGAL;
  let imm: i32 = 0;
  if (word != 0) {
    const bucket = load<u32>(c, C_BUCKETS) + ((((word >> 2) & 31) | ((word >> 7) & 0xe0)) << 2);
    for (let row = load<u32>(bucket); load<u32>(row) != 0; row += ROW_SIZE) {
      if ((word & load<u32>(row)) != load<u32>(row, 4)) continue;
      op = load<u16>(row, 8);
      imm = immediate(word, load<u8>(row, 10));
      break;
    }
  }
  const rd = (word >> 7) & 31;
  const target = inPage + imm;
  if (inPage >= 0 && target >= 0 && target < 4096) {
    if (op >= OP_BEQ && op <= OP_BGEU) {
      op += OP_BEQ_NEAR - OP_BEQ;
      imm <<= 3;
    } else if (op == OP_JAL) {
      op = rd == 0 ? OP_J_NEAR : OP_JAL_NEAR;
      imm <<= 3;
    }
  }
  store<u16>(record, op, R_OP);
  const floatLoad = op == OP_FLW || op == OP_FLD;
  store<u16>(record, rd == 0 && !floatLoad ? S_X_SINK : rd << 3, R_RD);
  store<u8>(record, ((word >> 15) & 31) << 3, R_RS1);
  store<u8>(record, ((word >> 20) & 31) << 3, R_RS2);
  store<u8>(record, compressed ? 16 : 32, R_STEP);
  store<i32>(record, imm, R_IMM);
  store<u32>(record, compressed ? half : raw, R_RAW);
}

/** Decodes the instruction of an empty record. */
export function decodeRecord(s: u32, record: u32): void {
  const c = load<u32>(s, S_CORE);
  const offset = codeOffset(c, record);
  noteDecoded(c, record);
  if (breakpointInPage(c, offset & 0xfff)) {
    store<u16>(record, OP_BREAKPOINT, R_OP);
    return;
  }
  const half = load<u16>(offset);
  if ((half & 3) != 3) decodeInto(c, record, half, offset & 0xfff);
  else if ((offset & 0xfff) == 0xffe) store<u16>(record, OP_CROSSING, R_OP);
  else decodeInto(c, record, load<u32>(offset), offset & 0xfff);
}
