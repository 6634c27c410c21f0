import { RECORD_SIZE, R_OP, S_CORE, S_CROSSING, S_FETCH_TLB } from '../src/layout';
import { codeOffset } from './code-cache';
import { decodeInto } from './decode';
import { AT_FAULT, fetchOffset } from './mmu';
import { OP_PAGE_END } from './ops';
import { tlbEntry } from './tlb';

/** The host offset of a half-word of code: by the fetch table if it knows the page, as compiled code does. */
function halfAt(s: u32, address: u64): u32 {
  const entry = tlbEntry(load<u32>(s, S_FETCH_TLB), address);
  if (load<u64>(entry) == (address & ~0xfff)) return load<u32>(entry, 12) + (u32(address) & 0xfff);
  return fetchOffset(s, address);
}

/**
 * Fetches and decodes one instruction outside the cache: one that crosses a page, or that lies in a page
 * which is not all RAM under one PMP rule. False is a fault.
 */
export function crossingRecord(s: u32, pc: u64): bool {
  const record = s + S_CROSSING;
  const first = halfAt(s, pc);
  if (first == AT_FAULT) return false;
  let raw: u32 = load<u16>(first);
  if ((raw & 3) == 3) {
    const second = halfAt(s, pc + 2);
    if (second == AT_FAULT) return false;
    raw |= u32(load<u16>(second)) << 16;
  }
  decodeAlone(s, raw);
  return true;
}

/** Decodes the instruction whose place in the cache a breakpoint's record takes. False is a fault. */
export function coveredRecord(s: u32, cached: u32, pc: u64): bool {
  const offset = codeOffset(load<u32>(s, S_CORE), cached);
  const half = load<u16>(offset);
  if ((half & 3) != 3) decodeAlone(s, half);
  else if ((offset & 0xfff) == 0xffe) return crossingRecord(s, pc);
  else decodeAlone(s, load<u32>(offset));
  return true;
}

/** Into S_CROSSING, with the page's end behind it, of whichever length it is. */
function decodeAlone(s: u32, raw: u32): void {
  const record = s + S_CROSSING;
  decodeInto(load<u32>(s, S_CORE), record, raw, -1);
  store<u16>(record + RECORD_SIZE, OP_PAGE_END, R_OP);
  store<u16>(record + 2 * RECORD_SIZE, OP_PAGE_END, R_OP);
}
