import {
  C_QUEUE,
  C_QUEUE_COUNT,
  QUEUE_ENTRY_SIZE,
  QUEUE_LENGTH,
  R_ENTRY,
  R_HEAT,
  R_REGION,
  S_COMPILED_CALLS,
  S_COMPILED_EXITS,
  S_COMPILED_RETIRED,
  S_CORE,
} from '../src/layout';
import { codeOffset } from './code-cache';

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

/** Asks the host to compile what begins here. With a full queue it asks again later. */
export function request(s: u32, record: u32, pc: u64): void {
  const c = load<u32>(s, S_CORE);
  const count = load<u32>(c, C_QUEUE_COUNT);
  if (count == u32(QUEUE_LENGTH)) {
    store<u8>(record, 0, R_HEAT);
    return;
  }
  const entry = load<u32>(c, C_QUEUE) + count * QUEUE_ENTRY_SIZE;
  store<u32>(entry, codeOffset(c, record));
  store<u32>(entry, s, 4);
  store<u64>(entry, pc, 8);
  store<u32>(c, count + 1, C_QUEUE_COUNT);
}

/** Runs the region of an OP_COMPILED record: S_PC and S_LEFT are up to date when it answers. */
// @ts-ignore: decorator
@inline
export function enterCompiled(s: u32, record: u32, pagePc: u64): u32 {
  return call_indirect<u32>(load<u32>(record, R_REGION), s, pagePc, load<u32>(record, R_ENTRY));
}

// @ts-ignore: decorator
@inline
export function noteCompiled(s: u32, retired: u32, answer: u32): void {
  store<u64>(s, load<u64>(s, S_COMPILED_RETIRED) + retired, S_COMPILED_RETIRED);
  store<u64>(s, load<u64>(s, S_COMPILED_CALLS) + 1, S_COMPILED_CALLS);
  const counter = s + (answer << 2);
  store<u32>(counter, load<u32>(counter, S_COMPILED_EXITS) + 1, S_COMPILED_EXITS);
}
