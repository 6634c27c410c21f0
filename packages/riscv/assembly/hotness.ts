import {
  C_MERGE_THRESHOLD,
  C_QUEUE,
  C_QUEUE_COUNT,
  QUEUE_ENTRY_SIZE,
  QUEUE_LENGTH,
  R_DISTANCE,
  R_ENTRY,
  Q_FROM,
  Q_FROM_BASE,
  Q_HART,
  Q_OFFSET,
  Q_PC,
  Q_TO,
  Q_TO_BASE,
  REGION_COUNTDOWN,
  REGION_FAST,
  R_HEAT,
  R_OP,
  R_REGION,
  R_VISITS,
  S_COMPILED_CALLS,
  S_COMPILED_EXITS,
  S_COMPILED_RETIRED,
  S_CORE,
} from '../src/layout';
import { codeOffset } from './code-cache';
import { OP_COMPILED } from './ops';
import { regionAddress } from './regions';

/** Where the dispatch loop meets compiled code: what is hot asks for it, what is compiled is entered. */

/** A jump came to this record; true when it has now come often enough. */
// @ts-ignore: decorator
@inline
export function heats(record: u32, threshold: u32): bool {
  const heat: u32 = load<u8>(record, R_HEAT);
  if (heat >= threshold) return false;
  store<u8>(record, heat + 1, R_HEAT);
  return heat + 1 == threshold;
}

/** A place in the queue, 0 when it is full. */
function enqueue(s: u32, record: u32, pc: u64): u32 {
  const c = load<u32>(s, S_CORE);
  const count = load<u32>(c, C_QUEUE_COUNT);
  if (count == u32(QUEUE_LENGTH)) return 0;
  const entry = load<u32>(c, C_QUEUE) + count * QUEUE_ENTRY_SIZE;
  store<u32>(entry, codeOffset(c, record), Q_OFFSET);
  store<u32>(entry, s, Q_HART);
  store<u64>(entry, pc, Q_PC);
  store<u32>(entry, 0, Q_FROM);
  store<u32>(c, count + 1, C_QUEUE_COUNT);
  return entry;
}

/** Asks the host to compile what begins here. With a full queue it asks again later. */
export function request(s: u32, record: u32, pc: u64): void {
  if (enqueue(s, record, pc) == 0) store<u8>(record, 0, R_HEAT);
}

// @ts-ignore: decorator
@inline
function baseOf(record: u32, pagePc: u64): u64 {
  return pagePc - (i64(load<i16>(record, R_DISTANCE)) << 12);
}

function requestMerge(s: u32, from: u32, fromPc: u64, record: u32, pc: u64): void {
  const one = load<u32>(from, R_REGION);
  const other = load<u32>(record, R_REGION);
  // The region may have been dropped while it ran.
  if (i32(load<u16>(from, R_OP)) != OP_COMPILED || one == other) return;
  const entry = enqueue(s, record, pc);
  if (entry == 0) return store<u16>(record, 0, R_VISITS);
  store<u32>(entry, one, Q_FROM);
  store<u32>(entry, other, Q_TO);
  store<u64>(entry, baseOf(from, fromPc), Q_FROM_BASE);
  store<u64>(entry, baseOf(record, pc & ~0xfff), Q_TO_BASE);
}

/** One region led to an entry of another; when that is often so the two ask to be compiled as one. */
// @ts-ignore: decorator
@inline
export function noteTransition(s: u32, from: u32, fromPc: u64, record: u32, pc: u64): void {
  const visits: u32 = load<u16>(record, R_VISITS) + 1;
  store<u16>(record, visits, R_VISITS);
  if (visits == load<u32>(load<u32>(s, S_CORE), C_MERGE_THRESHOLD)) requestMerge(s, from, fromPc, record, pc);
}

/** Runs the region of an OP_COMPILED record: S_PC and S_LEFT are up to date when it answers. */
// @ts-ignore: decorator
@inline
export function enterCompiled(s: u32, record: u32, pagePc: u64): u32 {
  return call_indirect<u32>(load<u32>(record, R_REGION), s, baseOf(record, pagePc), load<u32>(record, R_ENTRY));
}

/** A region has retired so much that it shall be compiled for speed: it asks to take its own place. */
function requestFast(s: u32, region: u32, record: u32, pagePc: u64): void {
  const descriptor = regionAddress(load<u32>(s, S_CORE), region);
  store<i32>(descriptor, i32.MAX_VALUE, REGION_COUNTDOWN);
  if (load<u32>(descriptor, REGION_FAST) != 0 || i32(load<u16>(record, R_OP)) != OP_COMPILED) return;
  const entry = enqueue(s, record, pagePc);
  if (entry == 0) return;
  store<u32>(entry, region, Q_FROM);
  store<u32>(entry, region, Q_TO);
  store<u64>(entry, baseOf(record, pagePc), Q_FROM_BASE);
  store<u64>(entry, baseOf(record, pagePc), Q_TO_BASE);
}

/** What a region did, which was entered at a record. */
// @ts-ignore: decorator
@inline
export function noteCompiled(s: u32, region: u32, record: u32, pagePc: u64, retired: u32, answer: u32): void {
  store<u64>(s, load<u64>(s, S_COMPILED_RETIRED) + retired, S_COMPILED_RETIRED);
  store<u64>(s, load<u64>(s, S_COMPILED_CALLS) + 1, S_COMPILED_CALLS);
  const counter = s + (answer << 2);
  store<u32>(counter, load<u32>(counter, S_COMPILED_EXITS) + 1, S_COMPILED_EXITS);
  const descriptor = regionAddress(load<u32>(s, S_CORE), region);
  const left = load<i32>(descriptor, REGION_COUNTDOWN) - i32(retired);
  store<i32>(descriptor, left, REGION_COUNTDOWN);
  if (left < 0) requestFast(s, region, record, pagePc);
}
