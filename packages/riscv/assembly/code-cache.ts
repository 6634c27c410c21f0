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
import { dropRegions, hasRegions, markEntries } from './regions';

// Metadata of a decoded page: its host page (u32), stores to it since it was last decoded into (u32), and how
// many of them may be (u32).
const META_FRAME = 0;
const META_STORES = 4;
const META_LIMIT = 8;
// After so many stores without a fetch, a page is taken for data and all its records are dropped. Where that
// was wrong, it takes more the next time.
const STORES_BEFORE_DROP: u32 = 64;
const MOST_STORES: u32 = 1 << 28;

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

function clearFlag(c: u32, frame: u32): void {
  const flag = flagOf(c, frame);
  store<u8>(flag, load<u8>(flag) & ~PAGE_CODE);
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
    if (!hasRegions(c, old)) clearFlag(c, old);
  }
  memory.fill(records, 0, DECODED_PAGE_SIZE);
  store<u16>(records + DECODED_PAGE_SIZE - 16, OP_PAGE_END, R_OP);
  store<u32>(meta, frame, META_FRAME);
  store<u32>(meta, 0, META_STORES);
  store<u32>(meta, STORES_BEFORE_DROP, META_LIMIT);
  store<u16>(slot, index + 1);
  markEntries(c, frame, records, 0);
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

/** Drops the records and the compiled regions of the instructions that hold a stored byte. */
export function dropCode(c: u32, offset: u32, length: u32): void {
  const end = u64(offset) + length;
  for (let page = u64(offset) & ~0xfff; page < end; page += 4096) {
    const known = load<u16>(mapSlot(c, u32(page)));
    const from: u32 = offset > page ? u32(offset - page) : 0;
    const to = u32(min<u64>(end - page, 4096));
    const compiled = dropRegions(c, u32(page), from, to);
    if (known == 0) {
      if (!compiled) clearFlag(c, u32(page));
      continue;
    }
    const records = load<u32>(c, C_POOL) + (known - 1) * DECODED_PAGE_SIZE;
    const meta = metaOf(c, known - 1);
    const stores = load<u32>(meta, META_STORES) + 1;
    if (stores >= load<u32>(meta, META_LIMIT)) {
      if (compiled) dropRegions(c, u32(page), 0, 4096);
      store<u32>(meta, min<u32>(load<u32>(meta, META_LIMIT) << 2, MOST_STORES), META_LIMIT);
      memory.fill(records, 0, DECODED_PAGE_SIZE - 16);
      store<u32>(meta, 0, META_STORES);
      clearFlag(c, u32(page));
      continue;
    }
    store<u32>(meta, stores, META_STORES);
    // An instruction of four bytes may begin one half-word earlier.
    let first = from >> 1;
    if (first != 0) first--;
    const last = (to - 1) >> 1;
    memory.fill(records + (first << 4), 0, (last - first + 1) << 4);
  }
}
