import { PAGE_CODE } from '@vmloom/memory/assembly/constants';
import {
  C_FLAGS,
  C_HARTS,
  C_HART_COUNT,
  C_PAGE_MAP,
  C_POOL,
  C_POOL_META,
  C_POOL_NEXT,
  C_POOL_PAGES,
  DECODED_PAGE_SIZE,
  META_SIZE,
  R_OP,
  S_TLB_BASE,
  TLB_ENTRIES,
  TLB_ENTRY_SIZE,
  TLB_SETS,
  TLB_SET_SIZE,
} from '../src/layout';
import { OP_PAGE_END } from './ops';

// Metadata of a decoded page: its host page (u32), stores to it since it was last decoded into (u32).
const META_FRAME = 0;
const META_STORES = 4;
// After so many stores without a fetch, a page is taken for data and all its records are dropped.
const STORES_BEFORE_DROP: u32 = 64;

// @ts-ignore: decorator
@inline
function metaOf(c: u32, index: u32): u32 {
  return load<u32>(c, C_POOL_META) + index * META_SIZE;
}

// @ts-ignore: decorator
@inline
function mapSlot(c: u32, offset: u32): u32 {
  return load<u32>(c, C_PAGE_MAP) + ((offset >>> 12) << 1);
}

function flagOf(c: u32, offset: u32): u32 {
  return load<u32>(c, C_FLAGS) + (offset >>> 12);
}

/** Takes the records away from every hart's fetch tables. */
function forget(c: u32, records: u32): void {
  for (let hart: u32 = 0; hart < load<u32>(c, C_HART_COUNT); hart++) {
    const base = load<u32>(load<u32>(c + (hart << 2), C_HARTS), S_TLB_BASE);
    for (let set: u32 = 0; set < u32(TLB_SETS); set++) {
      const first = base + set * TLB_SET_SIZE;
      for (let entry = first; entry < first + TLB_ENTRIES * TLB_ENTRY_SIZE; entry += TLB_ENTRY_SIZE) {
        if (load<u32>(entry, 8) == records) store<u64>(entry, 1);
      }
    }
  }
}

/** The records of a host page, taken from the pool if it has none; the page used longest may lose its own. */
export function codePage(c: u32, frame: u32): u32 {
  const slot = mapSlot(c, frame);
  const known = load<u16>(slot);
  if (known != 0) return load<u32>(c, C_POOL) + (known - 1) * DECODED_PAGE_SIZE;
  const index = load<u32>(c, C_POOL_NEXT);
  store<u32>(c, index + 1 == load<u32>(c, C_POOL_PAGES) ? 0 : index + 1, C_POOL_NEXT);
  const records = load<u32>(c, C_POOL) + index * DECODED_PAGE_SIZE;
  const meta = metaOf(c, index);
  const old = load<u32>(meta, META_FRAME);
  if (old != 0) {
    forget(c, records);
    store<u16>(mapSlot(c, old), 0);
    const flag = flagOf(c, old);
    store<u8>(flag, load<u8>(flag) & ~PAGE_CODE);
  }
  memory.fill(records, 0, DECODED_PAGE_SIZE);
  store<u16>(records + DECODED_PAGE_SIZE - 16, OP_PAGE_END, R_OP);
  store<u32>(meta, frame, META_FRAME);
  store<u32>(meta, 0, META_STORES);
  store<u16>(slot, index + 1);
  return records;
}

/** The host offset of the instruction that a record stands for. */
export function codeOffset(c: u32, record: u32): u32 {
  const at = record - load<u32>(c, C_POOL);
  const index = at / DECODED_PAGE_SIZE;
  return load<u32>(metaOf(c, index), META_FRAME) + ((at - index * DECODED_PAGE_SIZE) >> 3);
}

/** A record is about to be written: stores to its page must be seen from now on. */
export function noteDecoded(c: u32, record: u32): void {
  const index = (record - load<u32>(c, C_POOL)) / DECODED_PAGE_SIZE;
  const meta = metaOf(c, index);
  store<u32>(meta, 0, META_STORES);
  const flag = flagOf(c, load<u32>(meta, META_FRAME));
  store<u8>(flag, load<u8>(flag) | PAGE_CODE);
}

/** Drops the records of all instructions that begin at a byte offset in their page, in every decoded page. */
export function dropInstruction(c: u32, inPage: u32): void {
  for (let index: u32 = 0; index < load<u32>(c, C_POOL_PAGES); index++) {
    if (load<u32>(metaOf(c, index), META_FRAME) == 0) continue;
    store<u16>(load<u32>(c, C_POOL) + index * DECODED_PAGE_SIZE + (inPage << 3), 0, R_OP);
  }
}

/** Drops the records of the instructions that hold a stored byte. */
export function dropCode(c: u32, offset: u32, length: u32): void {
  const end = u64(offset) + length;
  for (let page = u64(offset) & ~0xfff; page < end; page += 4096) {
    const known = load<u16>(mapSlot(c, u32(page)));
    if (known == 0) continue;
    const records = load<u32>(c, C_POOL) + (known - 1) * DECODED_PAGE_SIZE;
    const meta = metaOf(c, known - 1);
    const stores = load<u32>(meta, META_STORES) + 1;
    if (stores >= STORES_BEFORE_DROP) {
      memory.fill(records, 0, DECODED_PAGE_SIZE - 16);
      store<u32>(meta, 0, META_STORES);
      const flag = flagOf(c, u32(page));
      store<u8>(flag, load<u8>(flag) & ~PAGE_CODE);
      continue;
    }
    store<u32>(meta, stores, META_STORES);
    // An instruction of four bytes may begin one half-word earlier.
    let first = (offset > page ? u32(offset - page) : 0) >> 1;
    if (first != 0) first--;
    const last = (min<u64>(end - page, 4096) - 1) >> 1;
    memory.fill(records + (first << 4), 0, (u32(last) - first + 1) << 4);
  }
}
