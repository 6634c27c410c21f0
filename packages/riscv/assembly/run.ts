import { INTERPRET } from '../src/jit/layout';
import {
  C_THRESHOLD,
  R_IMM,
  R_OP,
  R_RD,
  R_REGION,
  R_RS1,
  R_RS2,
  R_STEP,
  S_CORE,
  S_CROSSING,
  S_EXIT,
  S_F,
  S_FETCH_TLB,
  S_INSIDE,
  S_LEFT,
  S_MSTATUS,
  S_PC,
  S_READ_TLB,
  S_RECORD,
  S_WAITING,
  S_MIE,
  S_WRITE_TLB,
  EXIT_BREAKPOINT,
  EXIT_BUDGET,
  EXIT_WFI,
} from '../src/layout';
import { raiseFault } from './access';
import { breakpointAt } from './breakpoint';
import { coveredRecord, crossingRecord } from './crossing';
import { decodeRecord } from './decode';
import { execute } from './execute';
import { floatInstruction } from './float';
import { isFloatOperation } from './float-operation';
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, orCombine, rem, remu, remuw, remw } from './integer';
import { enterCompiled, heats, noteCompiled, noteTransition, request } from './hotness';
import { AT_FAULT, fetchPage } from './mmu';
import * as O from './ops';
import { FS, LEAVE, NEXT, TRAPPED } from './status';
import { tlbEntry } from './tlb';
import { enabledInterrupts, takeInterrupt } from './trap';

/**
 * The dispatch loop. Here stand the instructions that are common, short and cannot trap on their fast path;
 * all others leave the switch and go to `execute`.
 */

// A data address matches its entry's tag only if it is a multiple of the width.
const PAGE_MASK: u64 = 0xfffffffffffff000;
const PAGE_MASK_2: u64 = 0xfffffffffffff001;
const PAGE_MASK_4: u64 = 0xfffffffffffff003;
const PAGE_MASK_8: u64 = 0xfffffffffffff007;
const BOX: u64 = 0xffffffff00000000;

// @ts-ignore: decorator
@inline
function rs1(s: u32, record: u32): i64 {
  return load<i64>(s + load<u8>(record, R_RS1));
}

// @ts-ignore: decorator
@inline
function rs2(s: u32, record: u32): i64 {
  return load<i64>(s + load<u8>(record, R_RS2));
}

// @ts-ignore: decorator
@inline
function imm(record: u32): i32 {
  return load<i32>(record, R_IMM);
}

// @ts-ignore: decorator
@inline
function step(record: u32): u32 {
  return load<u8>(record, R_STEP);
}

// @ts-ignore: decorator
@inline
function setRd(s: u32, record: u32, value: i64): void {
  store<i64>(s + load<u16>(record, R_RD), value);
}

// @ts-ignore: decorator
@inline
function bit(index: i64): i64 {
  return (<i64>1) << index;
}

// @ts-ignore: decorator
@inline
function dataAddress(s: u32, record: u32): u64 {
  return u64(rs1(s, record) + i64(imm(record)));
}

// @ts-ignore: decorator
@inline
function readEntry(s: u32, address: u64): u32 {
  return tlbEntry(load<u32>(s, S_READ_TLB), address);
}

// @ts-ignore: decorator
@inline
function writeEntry(s: u32, address: u64): u32 {
  return tlbEntry(load<u32>(s, S_WRITE_TLB), address);
}

// @ts-ignore: decorator
@inline
function programCounter(pagePc: u64, pageRecords: u32, record: u32): u64 {
  return pagePc + u64((record - pageRecords) >> 3);
}

function leaveAtBreakpoint(s: u32, left: u32): void {
  store<u32>(s, EXIT_BREAKPOINT, S_EXIT);
  store<u32>(s, left, S_LEFT);
}

/** Retires at most S_LEFT instructions, exactly; S_EXIT says why it stopped. */
export function run(s: u32): void {
  let left = load<u32>(s, S_LEFT);
  const threshold = load<u32>(load<u32>(s, S_CORE), C_THRESHOLD);
  store<u32>(s, EXIT_BUDGET, S_EXIT);
  if (load<u32>(s, S_WAITING) != 0) {
    if (enabledInterrupts(s) == 0) {
      store<u32>(s, EXIT_WFI, S_EXIT);
      return;
    }
    store<u32>(s, 0, S_WAITING);
  }
  // Where a slice begins says nothing about the guest.
  let cut = true;
  while (left != 0) {
    takeInterrupt(s);
    const start = load<u64>(s, S_PC);
    let pagePc = start & PAGE_MASK;
    let pageRecords = fetchPage(s, start);
    if (pageRecords == 0) {
      if (raiseFault(s) == LEAVE) return store<u32>(s, left, S_LEFT);
      continue;
    }
    let record = pageRecords + ((u32(start) & 0xfff) << 3);
    if (pageRecords == AT_FAULT) {
      if (breakpointAt(s, start)) return leaveAtBreakpoint(s, left);
      if (!crossingRecord(s, start)) {
        if (raiseFault(s) == LEAVE) return store<u32>(s, left, S_LEFT);
        continue;
      }
      record = s + S_CROSSING;
      pageRecords = record - ((u32(start) & 0xfff) << 3);
    } else if (!cut && heats(record, threshold)) request(s, record, start);
    cut = false;
    let target: u64 = 0;
    let far: u32 = 0;
    for (;;) {
      if (left == 0) {
        store<u64>(s, programCounter(pagePc, pageRecords, record), S_PC);
        break;
      }
      left--;
      switch (i32(load<u16>(record, R_OP))) {
        case 0:
          decodeRecord(s, record);
          left++;
          continue;
        case O.OP_PAGE_END:
          left++;
          target = programCounter(pagePc, pageRecords, record);
          far = 4;
          break;
        case O.OP_CROSSING: {
          left++;
          const at = programCounter(pagePc, pageRecords, record);
          store<u64>(s, at, S_PC);
          if (crossingRecord(s, at)) {
            record = s + S_CROSSING;
            pageRecords = record - ((u32(at) & 0xfff) << 3);
            continue;
          }
          if (raiseFault(s) == LEAVE) return store<u32>(s, left, S_LEFT);
          far = 2;
          break;
        }
        case O.OP_BREAKPOINT: {
          left++;
          const at = programCounter(pagePc, pageRecords, record);
          store<u64>(s, at, S_PC);
          if (breakpointAt(s, at)) return leaveAtBreakpoint(s, left);
          if (coveredRecord(s, record, at)) {
            record = s + S_CROSSING;
            pageRecords = record - ((u32(at) & 0xfff) << 3);
            continue;
          }
          if (raiseFault(s) == LEAVE) return store<u32>(s, left, S_LEFT);
          far = 2;
          break;
        }
        case O.OP_COMPILED: {
          const before = left + 1;
          store<u32>(s, before, S_LEFT);
          const region = load<u32>(record, R_REGION);
          const answer = enterCompiled(s, record, pagePc);
          left = load<u32>(s, S_LEFT);
          noteCompiled(s, region, record, pagePc, before - left, answer);
          if (answer != NEXT && answer != INTERPRET) {
            if (answer >= LEAVE) return;
            far = 2;
            break;
          }
          target = load<u64>(s, S_PC);
          const entry = tlbEntry(load<u32>(s, S_FETCH_TLB), target);
          if (load<u64>(entry) != (target & PAGE_MASK)) {
            far = 2;
            break;
          }
          const from = record;
          const fromPc = pagePc;
          pagePc = target & PAGE_MASK;
          pageRecords = load<u32>(entry, 8);
          record = pageRecords + ((u32(target) & 0xfff) << 3);
          if (i32(load<u16>(record, R_OP)) != O.OP_COMPILED) {
            if (answer == NEXT && heats(record, threshold)) request(s, record, target);
          } else if (answer == NEXT) {
            noteTransition(s, from, fromPc, record, target);
          } else if (left != 0) {
            if (!coveredRecord(s, record, target)) {
              // The second half of one that crosses a page.
              if (raiseFault(s) == LEAVE) return store<u32>(s, left, S_LEFT);
              far = 2;
              break;
            }
            record = s + S_CROSSING;
            pageRecords = record - ((u32(target) & 0xfff) << 3);
          }
          continue;
        }
        case O.OP_FENCE:
          record += step(record);
          continue;
        case O.OP_LUI:
          setRd(s, record, i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_AUIPC:
          setRd(s, record, i64(pagePc + ((record - pageRecords) >> 3)) + i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_ADDI:
          setRd(s, record, rs1(s, record) + i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_SLTI:
          setRd(s, record, i64(rs1(s, record) < i64(imm(record))));
          record += step(record);
          continue;
        case O.OP_SLTIU:
          setRd(s, record, i64(u64(rs1(s, record)) < u64(i64(imm(record)))));
          record += step(record);
          continue;
        case O.OP_XORI:
          setRd(s, record, rs1(s, record) ^ i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_ORI:
          setRd(s, record, rs1(s, record) | i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_ANDI:
          setRd(s, record, rs1(s, record) & i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_SLLI:
          setRd(s, record, rs1(s, record) << i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_SRLI:
          setRd(s, record, i64(u64(rs1(s, record)) >> u64(i64(imm(record)))));
          record += step(record);
          continue;
        case O.OP_SRAI:
          setRd(s, record, rs1(s, record) >> i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_ADD:
          setRd(s, record, rs1(s, record) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SUB:
          setRd(s, record, rs1(s, record) - rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SLL:
          setRd(s, record, rs1(s, record) << rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SLT:
          setRd(s, record, i64(rs1(s, record) < rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_SLTU:
          setRd(s, record, i64(u64(rs1(s, record)) < u64(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_XOR:
          setRd(s, record, rs1(s, record) ^ rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SRL:
          setRd(s, record, i64(u64(rs1(s, record)) >> u64(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_SRA:
          setRd(s, record, rs1(s, record) >> rs2(s, record));
          record += step(record);
          continue;
        case O.OP_OR:
          setRd(s, record, rs1(s, record) | rs2(s, record));
          record += step(record);
          continue;
        case O.OP_AND:
          setRd(s, record, rs1(s, record) & rs2(s, record));
          record += step(record);
          continue;
        case O.OP_ADDIW:
          setRd(s, record, i64(i32(rs1(s, record)) + imm(record)));
          record += step(record);
          continue;
        case O.OP_SLLIW:
          setRd(s, record, i64(i32(rs1(s, record)) << imm(record)));
          record += step(record);
          continue;
        case O.OP_SRLIW:
          setRd(s, record, i64(i32(u32(rs1(s, record)) >> u32(imm(record)))));
          record += step(record);
          continue;
        case O.OP_SRAIW:
          setRd(s, record, i64(i32(rs1(s, record)) >> imm(record)));
          record += step(record);
          continue;
        case O.OP_ADDW:
          setRd(s, record, i64(i32(rs1(s, record)) + i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_SUBW:
          setRd(s, record, i64(i32(rs1(s, record)) - i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_SLLW:
          setRd(s, record, i64(i32(rs1(s, record)) << i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_SRLW:
          setRd(s, record, i64(i32(u32(rs1(s, record)) >> u32(rs2(s, record)))));
          record += step(record);
          continue;
        case O.OP_SRAW:
          setRd(s, record, i64(i32(rs1(s, record)) >> i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_MUL:
          setRd(s, record, rs1(s, record) * rs2(s, record));
          record += step(record);
          continue;
        case O.OP_MULH:
          setRd(s, record, mulh(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MULHSU:
          setRd(s, record, mulhsu(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MULHU:
          setRd(s, record, mulhu(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_DIV:
          setRd(s, record, div(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_DIVU:
          setRd(s, record, divu(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_REM:
          setRd(s, record, rem(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_REMU:
          setRd(s, record, remu(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MULW:
          setRd(s, record, i64(i32(rs1(s, record)) * i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_DIVW:
          setRd(s, record, divw(i32(rs1(s, record)), i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_DIVUW:
          setRd(s, record, divuw(u32(rs1(s, record)), u32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_REMW:
          setRd(s, record, remw(i32(rs1(s, record)), i32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_REMUW:
          setRd(s, record, remuw(u32(rs1(s, record)), u32(rs2(s, record))));
          record += step(record);
          continue;
        case O.OP_ADD_UW:
          setRd(s, record, i64(u32(rs1(s, record))) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH1ADD:
          setRd(s, record, (rs1(s, record) << 1) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH2ADD:
          setRd(s, record, (rs1(s, record) << 2) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH3ADD:
          setRd(s, record, (rs1(s, record) << 3) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH1ADD_UW:
          setRd(s, record, (i64(u32(rs1(s, record))) << 1) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH2ADD_UW:
          setRd(s, record, (i64(u32(rs1(s, record))) << 2) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SH3ADD_UW:
          setRd(s, record, (i64(u32(rs1(s, record))) << 3) + rs2(s, record));
          record += step(record);
          continue;
        case O.OP_SLLI_UW:
          setRd(s, record, i64(u32(rs1(s, record))) << i64(imm(record)));
          record += step(record);
          continue;
        case O.OP_ANDN:
          setRd(s, record, rs1(s, record) & ~rs2(s, record));
          record += step(record);
          continue;
        case O.OP_ORN:
          setRd(s, record, rs1(s, record) | ~rs2(s, record));
          record += step(record);
          continue;
        case O.OP_XNOR:
          setRd(s, record, ~(rs1(s, record) ^ rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_CLZ:
          setRd(s, record, clz<i64>(rs1(s, record)));
          record += step(record);
          continue;
        case O.OP_CTZ:
          setRd(s, record, ctz<i64>(rs1(s, record)));
          record += step(record);
          continue;
        case O.OP_CPOP:
          setRd(s, record, popcnt<i64>(rs1(s, record)));
          record += step(record);
          continue;
        case O.OP_CLZW:
          setRd(s, record, i64(clz<i32>(i32(rs1(s, record)))));
          record += step(record);
          continue;
        case O.OP_CTZW:
          setRd(s, record, i64(ctz<i32>(i32(rs1(s, record)))));
          record += step(record);
          continue;
        case O.OP_CPOPW:
          setRd(s, record, i64(popcnt<i32>(i32(rs1(s, record)))));
          record += step(record);
          continue;
        case O.OP_MAX:
          setRd(s, record, max<i64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MAXU:
          setRd(s, record, max<u64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MIN:
          setRd(s, record, min<i64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_MINU:
          setRd(s, record, min<u64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_SEXT_B:
          setRd(s, record, i64(i8(rs1(s, record))));
          record += step(record);
          continue;
        case O.OP_SEXT_H:
          setRd(s, record, i64(i16(rs1(s, record))));
          record += step(record);
          continue;
        case O.OP_ZEXT_H:
          setRd(s, record, i64(u16(rs1(s, record))));
          record += step(record);
          continue;
        case O.OP_ROL:
          setRd(s, record, rotl<i64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_ROR:
          setRd(s, record, rotr<i64>(rs1(s, record), rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_RORI:
          setRd(s, record, rotr<i64>(rs1(s, record), i64(imm(record))));
          record += step(record);
          continue;
        case O.OP_ROLW:
          setRd(s, record, i64(rotl<i32>(i32(rs1(s, record)), i32(rs2(s, record)))));
          record += step(record);
          continue;
        case O.OP_RORW:
          setRd(s, record, i64(rotr<i32>(i32(rs1(s, record)), i32(rs2(s, record)))));
          record += step(record);
          continue;
        case O.OP_RORIW:
          setRd(s, record, i64(rotr<i32>(i32(rs1(s, record)), imm(record))));
          record += step(record);
          continue;
        case O.OP_ORC_B:
          setRd(s, record, orCombine(rs1(s, record)));
          record += step(record);
          continue;
        case O.OP_REV8:
          setRd(s, record, bswap<i64>(rs1(s, record)));
          record += step(record);
          continue;
        case O.OP_BCLR:
          setRd(s, record, rs1(s, record) & ~bit(rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_BEXT:
          setRd(s, record, (rs1(s, record) >> rs2(s, record)) & 1);
          record += step(record);
          continue;
        case O.OP_BINV:
          setRd(s, record, rs1(s, record) ^ bit(rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_BSET:
          setRd(s, record, rs1(s, record) | bit(rs2(s, record)));
          record += step(record);
          continue;
        case O.OP_BCLRI:
          setRd(s, record, rs1(s, record) & ~bit(i64(imm(record))));
          record += step(record);
          continue;
        case O.OP_BEXTI:
          setRd(s, record, (rs1(s, record) >> i64(imm(record))) & 1);
          record += step(record);
          continue;
        case O.OP_BINVI:
          setRd(s, record, rs1(s, record) ^ bit(i64(imm(record))));
          record += step(record);
          continue;
        case O.OP_BSETI:
          setRd(s, record, rs1(s, record) | bit(i64(imm(record))));
          record += step(record);
          continue;
        case O.OP_BEQ_NEAR: {
          if (!(rs1(s, record) == rs2(s, record))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BNE_NEAR: {
          if (!(rs1(s, record) != rs2(s, record))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BLT_NEAR: {
          if (!(rs1(s, record) < rs2(s, record))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BGE_NEAR: {
          if (!(rs1(s, record) >= rs2(s, record))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BLTU_NEAR: {
          if (!(u64(rs1(s, record)) < u64(rs2(s, record)))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BGEU_NEAR: {
          if (!(u64(rs1(s, record)) >= u64(rs2(s, record)))) {
            record += step(record);
            continue;
          }
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_BEQ:
          if (rs1(s, record) == rs2(s, record)) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_BNE:
          if (rs1(s, record) != rs2(s, record)) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_BLT:
          if (rs1(s, record) < rs2(s, record)) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_BGE:
          if (rs1(s, record) >= rs2(s, record)) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_BLTU:
          if (u64(rs1(s, record)) < u64(rs2(s, record))) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_BGEU:
          if (u64(rs1(s, record)) >= u64(rs2(s, record))) {
            target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
            far = 1;
            break;
          }
          record += step(record);
          continue;
        case O.OP_J_NEAR: {
          const distance = imm(record);
          record += distance;
          if (distance >= 0 || !heats(record, threshold)) continue;
          far = 3;
          break;
        }
        case O.OP_JAL_NEAR:
          setRd(s, record, i64(programCounter(pagePc, pageRecords, record + step(record))));
          record += imm(record);
          if (!heats(record, threshold)) continue;
          far = 3;
          break;
        case O.OP_JAL:
          setRd(s, record, i64(programCounter(pagePc, pageRecords, record + step(record))));
          target = programCounter(pagePc, pageRecords, record) + i64(imm(record));
          far = 1;
          break;
        case O.OP_JALR:
          target = (rs1(s, record) + i64(imm(record))) & ~1;
          setRd(s, record, i64(programCounter(pagePc, pageRecords, record + step(record))));
          far = 1;
          break;
        case O.OP_LB:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK)) break;
            setRd(s, record, i64(load<i8>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LBU:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK)) break;
            setRd(s, record, i64(load<u8>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LH:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_2)) break;
            setRd(s, record, i64(load<i16>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LHU:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_2)) break;
            setRd(s, record, i64(load<u16>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LW:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_4)) break;
            setRd(s, record, i64(load<i32>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LWU:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_4)) break;
            setRd(s, record, i64(load<u32>(load<u32>(entry, 8) + u32(address))));
            record += step(record);
            continue;
          }
        case O.OP_LD:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_8)) break;
            setRd(s, record, load<i64>(load<u32>(entry, 8) + u32(address)));
            record += step(record);
            continue;
          }
        case O.OP_SB:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<u8>(offset, u8(rs2(s, record)));
            record += step(record);
            continue;
          }
        case O.OP_SH:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_2)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<u16>(offset, u16(rs2(s, record)));
            record += step(record);
            continue;
          }
        case O.OP_SW:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_4)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<u32>(offset, u32(rs2(s, record)));
            record += step(record);
            continue;
          }
        case O.OP_SD:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_8)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<i64>(offset, rs2(s, record));
            record += step(record);
            continue;
          }
        case O.OP_FLW:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_4)) break;
            const status = load<u64>(s, S_MSTATUS);
            if ((status & FS) == 0) break;
            store<u64>(s, status | FS, S_MSTATUS);
            const offset = load<u32>(entry, 8) + u32(address);
            store<u64>(s + load<u16>(record, R_RD), load<u32>(offset) | BOX, S_F);
            record += step(record);
            continue;
          }
        case O.OP_FLD:
          {
            const address = dataAddress(s, record);
            const entry = readEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_8)) break;
            const status = load<u64>(s, S_MSTATUS);
            if ((status & FS) == 0) break;
            store<u64>(s, status | FS, S_MSTATUS);
            const offset = load<u32>(entry, 8) + u32(address);
            store<u64>(s + load<u16>(record, R_RD), load<u64>(offset), S_F);
            record += step(record);
            continue;
          }
        case O.OP_FSW:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_4)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0 || (load<u64>(s, S_MSTATUS) & FS) == 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<u32>(offset, load<u32>(s + load<u8>(record, R_RS2), S_F));
            record += step(record);
            continue;
          }
        case O.OP_FSD:
          {
            const address = dataAddress(s, record);
            const entry = writeEntry(s, address);
            if (load<u64>(entry) != (address & PAGE_MASK_8)) break;
            if (load<u8>(load<u32>(entry, 12)) != 0 || (load<u64>(s, S_MSTATUS) & FS) == 0) break;
            const offset = load<u32>(entry, 8) + u32(address);
            store<u64>(offset, load<u64>(s + load<u8>(record, R_RS2), S_F));
            record += step(record);
            continue;
          }
        default:
          // Only those that are illegal leave the loop.
          if (isFloatOperation(load<u16>(record, R_OP)) && floatInstruction(s, record)) {
            record += step(record);
            continue;
          }
      }
      if (far != 0) {
        if (far == 2) break;
        if (far == 3) {
          far = 0;
          request(s, record, programCounter(pagePc, pageRecords, record));
          continue;
        }
        // The end of a page is no jump, nor what follows an instruction that was carried out in a compiled one's place.
        const jumped = far == 1;
        far = 0;
        const entry = tlbEntry(load<u32>(s, S_FETCH_TLB), target);
        if (load<u64>(entry) == (target & PAGE_MASK)) {
          pagePc = target & PAGE_MASK;
          pageRecords = load<u32>(entry, 8);
          record = pageRecords + ((u32(target) & 0xfff) << 3);
          if (jumped && heats(record, threshold)) request(s, record, target);
          continue;
        }
        store<u64>(s, target, S_PC);
        break;
      }
      store<u64>(s, programCounter(pagePc, pageRecords, record), S_PC);
      store<u32>(s, left, S_LEFT);
      store<u32>(s, 1, S_INSIDE);
      store<u64>(s, load<u64>(record), S_RECORD);
      store<u64>(s, load<u64>(record, 8), S_RECORD + 8);
      const result = execute(s, s + S_RECORD);
      store<u32>(s, 0, S_INSIDE);
      left = load<u32>(s, S_LEFT);
      if (result == NEXT) {
        record += load<u8>(s, S_RECORD + R_STEP);
        continue;
      }
      if (result == TRAPPED || result == LEAVE) left++;
      if (result >= LEAVE) {
        return store<u32>(s, left, S_LEFT);
      }
      break;
    }
  }
  store<u32>(s, 0, S_LEFT);
}
