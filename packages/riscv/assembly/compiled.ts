import {
  C_DROP_COUNT,
  R_OP,
  R_STEP,
  S_CORE,
  S_FETCH_TLB,
  S_INSIDE,
  S_LEFT,
  S_PC,
  S_RECORD,
  S_VALUE,
} from '../src/layout';
import { slowLoad, slowStore } from './access';
import { execute, slowWidth } from './execute';
import { LEAVE, NEXT, RESYNC, TRAPPED } from './status';
import { OP_FLW, OP_LB, OP_LH, OP_LW } from './ops';
import { csrInstruction } from './system';
import { tlbEntry } from './tlb';
import { enabledInterrupts } from './trap';

/**
 * What compiled code calls for everything off its fast path. `pc` is the instruction's address, `left` S_LEFT
 * without it. NEXT: the region goes on; anything else: it leaves, S_PC and S_LEFT are up to date.
 */

const BOX: u64 = 0xffffffff00000000;

// @ts-ignore: decorator
@inline
function begin(s: u32, pc: u64, left: u32): void {
  store<u64>(s, pc, S_PC);
  store<u32>(s, left, S_LEFT);
  store<u32>(s, 1, S_INSIDE);
}

/** A region that may have changed, or whose slice became shorter, is left behind the instruction. */
function finish(s: u32, pc: u64, left: u32, drops: u32, step: u32, result: u32): u32 {
  store<u32>(s, 0, S_INSIDE);
  if (result == NEXT) {
    if (load<u32>(s, S_LEFT) == left && load<u32>(load<u32>(s, S_CORE), C_DROP_COUNT) == drops) return NEXT;
    store<u64>(s, pc + (step >> 3), S_PC);
    return RESYNC;
  }
  if (result == TRAPPED || result == LEAVE) store<u32>(s, load<u32>(s, S_LEFT) + 1, S_LEFT);
  return result;
}

// @ts-ignore: decorator
@inline
function dropCount(s: u32): u32 {
  return load<u32>(load<u32>(s, S_CORE), C_DROP_COUNT);
}

/**
 * A load: the register's new value is in S_VALUE, its old one after a trap. `kind` is the op number and, from
 * bit 16, the record's step.
 */
export function compiledLoad(s: u32, pc: u64, left: u32, address: u64, old: u64, kind: u32): u32 {
  const drops = dropCount(s);
  begin(s, pc, left);
  const op = i32(kind & 0xffff);
  const result = slowLoad(s, address, slowWidth(op), kind >>> 16);
  const value = load<u64>(s, S_VALUE);
  if (result > RESYNC) store<u64>(s, old, S_VALUE);
  else if (op == OP_LB) store<u64>(s, i64(i8(value)), S_VALUE);
  else if (op == OP_LH) store<u64>(s, i64(i16(value)), S_VALUE);
  else if (op == OP_LW) store<u64>(s, i64(i32(value)), S_VALUE);
  else if (op == OP_FLW) store<u64>(s, value | BOX, S_VALUE);
  return finish(s, pc, left, drops, kind >>> 16, result);
}

export function compiledStore(s: u32, pc: u64, left: u32, address: u64, value: u64, kind: u32): u32 {
  const drops = dropCount(s);
  begin(s, pc, left);
  const result = slowStore(s, address, slowWidth(i32(kind & 0xffff)), value, kind >>> 16);
  return finish(s, pc, left, drops, kind >>> 16, result);
}

/** Any other instruction, by the two halves of its record; its registers are in the state block. */
export function compiledExecute(s: u32, pc: u64, left: u32, low: u64, high: u64): u32 {
  const drops = dropCount(s);
  begin(s, pc, left);
  store<u64>(s, low, S_RECORD);
  store<u64>(s, high, S_RECORD + 8);
  const result = execute(s, s + S_RECORD);
  return finish(s, pc, left, drops, load<u8>(s, S_RECORD + R_STEP), result);
}

/**
 * An instruction of Zicsr. The region goes on after a write that makes the interpreter look at interrupts and at its page again,
 * unless one of them is due or the page changed.
 */
export function compiledCsr(s: u32, pc: u64, left: u32, low: u64, high: u64): u32 {
  const drops = dropCount(s);
  begin(s, pc, left);
  store<u64>(s, low, S_RECORD);
  store<u64>(s, high, S_RECORD + 8);
  const table = load<u32>(s, S_FETCH_TLB);
  const entry = tlbEntry(table, pc);
  const frame = load<u32>(entry, 12);
  let result = csrInstruction(s, s + S_RECORD, load<u16>(s, S_RECORD + R_OP));
  if (result == RESYNC && load<u32>(s, S_FETCH_TLB) == table && load<u64>(entry) == (pc & ~0xfff)) {
    if (load<u32>(entry, 12) == frame && enabledInterrupts(s) == 0) result = NEXT;
  }
  return finish(s, pc, left, drops, load<u8>(s, S_RECORD + R_STEP), result);
}
