import { RECORD_SIZE, R_OP, S_CORE, S_CROSSING } from '../src/layout';
import { decodeInto } from './decode';
import { AT_FAULT, fetchOffset } from './mmu';
import { OP_PAGE_END } from './ops';

/**
 * Fetches and decodes one instruction outside the cache: one that crosses a page, or that lies in a page
 * which is not all RAM under one PMP rule. False is a fault.
 */
export function crossingRecord(s: u32, pc: u64): bool {
  const record = s + S_CROSSING;
  const first = fetchOffset(s, pc);
  if (first == AT_FAULT) return false;
  let raw: u32 = load<u16>(first);
  if ((raw & 3) == 3) {
    const second = fetchOffset(s, pc + 2);
    if (second == AT_FAULT) return false;
    raw |= u32(load<u16>(second)) << 16;
  }
  decodeInto(load<u32>(s, S_CORE), record, raw, -1);
  store<u16>(record + RECORD_SIZE, OP_PAGE_END, R_OP);
  store<u16>(record + 2 * RECORD_SIZE, OP_PAGE_END, R_OP);
  return true;
}
