import {
  B_AT,
  B_CELL,
  B_COUNT,
  B_ENTRY,
  CELLS_PER_PAGE,
  J_BLOCK_COUNT,
  J_BASE,
  J_BODY,
  J_CORE,
  J_HART,
  J_LOCALS,
  J_MAX_PAGES,
  J_HINT_COUNT,
  J_OUT,
  J_OUT_LIMIT,
  J_PAGE_COUNT,
  J_SLOT,
} from '../../src/jit/layout';
import {
  C_REGION_PAGES,
  NODE_NEXT_IN_PAGE,
  NODE_NO_ENTRY,
  NODE_OFFSET,
  NODE_REGION,
  REGION_INSTALLED,
  REGION_PAGES,
  REGION_PAGE_COUNT,
  REGION_PAGE_SIZE,
  REGION_STATE,
  R_OP,
  R_STEP,
} from '../../src/layout';
import { OP_COMPILED } from '../ops';
import { addEntry, addPage, beginRegion, dropRegion, recordsOf, regionAddress } from '../regions';
import { addRegionPage, addSeed, beginDiscovery, blockAddress, cellRecord, discover, hasPage, pageConflicts, pageOf, secondPage } from './discover';
import { emitRegion } from './region';

/** From a hot instruction to the bytes of a function. */

/** The bytes that the region holds of one of its pages, first and end, in a u32; 0 for none. */
function extent(j: u32, page: u32): u32 {
  let first: u32 = 4096;
  let end: u32 = 0;
  for (let index: u32 = 1; index < load<u32>(j, J_BLOCK_COUNT); index++) {
    const block = blockAddress(j, index);
    let cell = load<u32>(block, B_CELL);
    if (secondPage(j, cell) == page) {
      first = 0;
      end = max<u32>(end, 2);
    }
    if (cell / CELLS_PER_PAGE != page) continue;
    const offset = (cell & (CELLS_PER_PAGE - 1)) << 1;
    let bytes: u32 = 0;
    for (let left = load<u32>(block, B_COUNT); left != 0; left--) {
      const step: u32 = load<u8>(cellRecord(j, cell), R_STEP);
      bytes += step >> 3;
      cell += step >> 4;
    }
    first = min(first, offset);
    end = min<u32>(max(end, offset + bytes), 4096);
  }
  return first | (end << 16);
}

/** Tells the core which code the region holds and where it is entered; false when its lists are full. */
function describe(j: u32, region: u32): bool {
  const c = load<u32>(j, J_CORE);
  beginRegion(c, region, load<u32>(j, J_LOCALS) != 0);
  for (let page: u32 = 0; page < load<u32>(j, J_PAGE_COUNT); page++) {
    const bytes = extent(j, page);
    const at = pageOf(j, page);
    const frame = load<u32>(at);
    if (bytes >>> 16 != 0 && !addPage(c, region, frame, load<i32>(at, 4) >> 12, bytes & 0xffff, bytes >>> 16))
      return false;
  }
  for (let index: u32 = 1; index < load<u32>(j, J_BLOCK_COUNT); index++) {
    const block = blockAddress(j, index);
    const entry = load<u32>(block, B_ENTRY);
    if (entry == 0) continue;
    const cell = load<u32>(block, B_CELL);
    const frame = load<u32>(pageOf(j, cell / CELLS_PER_PAGE));
    if (!addEntry(c, region, frame, (cell & (CELLS_PER_PAGE - 1)) << 1, entry - 1)) return false;
  }
  return true;
}

/** A region begins: `hart` is the state of one that asks for it, `base` the virtual address of its first page. */
export function beginSeeds(j: u32, hart: u32, base: u64): void {
  store<u32>(j, hart, J_HART);
  store<u64>(j, base, J_BASE);
  beginDiscovery(j);
}

/** It is entered at a host offset in its first page; false where that is compiled already. */
export function seedOffset(j: u32, offset: u32): bool {
  const records = recordsOf(load<u32>(j, J_CORE), offset & ~0xfff);
  const inPage = offset & 0xfff;
  if (records != 0 && i32(load<u16>(records + (inPage << 3), R_OP)) == OP_COMPILED) return false;
  if (!hasPage(j, offset & ~0xfff, 0)) addRegionPage(j, offset & ~0xfff, 0);
  addSeed(j, inPage);
  return true;
}

/**
 * It takes the place of a region whose base lies `distance` bytes behind its own; false when the pages are too
 * many or the old region is gone.
 */
export function seedRegion(j: u32, old: u32, distance: i32): bool {
  const c = load<u32>(j, J_CORE);
  const descriptor = regionAddress(c, old);
  if (load<u32>(descriptor, REGION_STATE) != REGION_INSTALLED) return false;
  for (let index: u32 = 0; index < load<u32>(descriptor, REGION_PAGE_COUNT); index++) {
    const page = descriptor + REGION_PAGES + index * REGION_PAGE_SIZE;
    const frame = load<u32>(page);
    const at = distance + (load<i32>(page, 8) << 12);
    if (pageConflicts(j, frame, at)) return false;
    if (!hasPage(j, frame, at)) {
      if (load<u32>(j, J_PAGE_COUNT) >= load<u32>(j, J_MAX_PAGES)) return false;
      addRegionPage(j, frame, at);
    }
    let node = load<u32>(load<u32>(c, C_REGION_PAGES) + ((frame >>> 12) << 2));
    for (; node != 0; node = load<u32>(node, NODE_NEXT_IN_PAGE)) {
      const offset = i32(load<u16>(node, NODE_OFFSET));
      if (load<u32>(node, NODE_REGION) == old && offset != NODE_NO_ENTRY) addSeed(j, at + offset);
    }
  }
  return true;
}

/**
 * Compiles what the seeds lead to, for the slot `region`: the function's body is written at `out`, which has room
 * up to `limit`. A `fast` one keeps registers in locals, which takes the engine much longer to compile. The length of the body, 0 when there is nothing to compile, or too much for a `whole` one.
 */
export function compileSeeds(j: u32, region: u32, whole: bool, fast: bool, out: u32, limit: u32): u32 {
  const c = load<u32>(j, J_CORE);
  store<u32>(j, region, J_SLOT);
  store<u32>(j, out, J_OUT);
  store<u32>(j, out, J_BODY);
  store<u32>(j, 0, J_HINT_COUNT);
  store<u32>(j, limit, J_OUT_LIMIT);
  if (!discover(j, whole)) return 0;
  store<u32>(j, fast ? 1 : 0, J_LOCALS);
  if (!emitRegion(j)) return 0;
  if (!describe(j, region)) {
    dropRegion(c, region);
    return 0;
  }
  return load<u32>(j, J_OUT) - out;
}
