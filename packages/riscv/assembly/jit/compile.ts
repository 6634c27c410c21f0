import {
  B_AT,
  B_CELL,
  B_COUNT,
  B_ENTRY,
  CELLS_PER_PAGE,
  J_BLOCK_COUNT,
  J_CORE,
  J_OUT,
  J_OUT_LIMIT,
  J_PAGES,
  J_PAGE_COUNT,
  J_PAGE_SIZE,
  J_SLOT,
} from '../../src/jit/layout';
import { R_STEP } from '../../src/layout';
import { addEntry, addPage, beginRegion, dropRegion, recordsOf } from '../regions';
import { blockAddress, cellRecord, discover } from './discover';
import { emitRegion } from './region';

/** From a hot instruction to the bytes of a function. */

/** The bytes that the region holds of one of its pages, first and end, in a u32; 0 for none. */
function extent(j: u32, page: u32): u32 {
  let first: u32 = 4096;
  let end: u32 = 0;
  for (let index: u32 = 1; index < load<u32>(j, J_BLOCK_COUNT); index++) {
    const block = blockAddress(j, index);
    let cell = load<u32>(block, B_CELL);
    if (cell / CELLS_PER_PAGE != page) continue;
    const offset = (cell & (CELLS_PER_PAGE - 1)) << 1;
    let bytes: u32 = 0;
    for (let left = load<u32>(block, B_COUNT); left != 0; left--) {
      const step: u32 = load<u8>(cellRecord(j, cell), R_STEP);
      bytes += step >> 3;
      cell += step >> 4;
    }
    first = min(first, offset);
    end = max(end, offset + bytes);
  }
  return first | (end << 16);
}

/** Tells the core which code the region holds and where it is entered; false when its lists are full. */
function describe(j: u32, region: u32): bool {
  const c = load<u32>(j, J_CORE);
  beginRegion(c, region);
  for (let page: u32 = 0; page < load<u32>(j, J_PAGE_COUNT); page++) {
    const bytes = extent(j, page);
    const frame = load<u32>(j + J_PAGES + page * J_PAGE_SIZE);
    if (bytes >>> 16 != 0 && !addPage(c, region, frame, bytes & 0xffff, bytes >>> 16)) return false;
  }
  for (let index: u32 = 1; index < load<u32>(j, J_BLOCK_COUNT); index++) {
    const block = blockAddress(j, index);
    const entry = load<u32>(block, B_ENTRY);
    if (entry == 0) continue;
    const cell = load<u32>(block, B_CELL);
    const frame = load<u32>(j + J_PAGES + (cell / CELLS_PER_PAGE) * J_PAGE_SIZE);
    if (!addEntry(c, region, frame, (cell & (CELLS_PER_PAGE - 1)) << 1, entry - 1)) return false;
  }
  return true;
}

/**
 * Compiles the region that is entered at a host offset, for the slot `region`: its function's body is written
 * at `out`, which has room up to `limit`. The length of the body, 0 when there is nothing to compile.
 */
export function compileRegion(j: u32, region: u32, offset: u32, out: u32, limit: u32): u32 {
  const c = load<u32>(j, J_CORE);
  const page = j + J_PAGES;
  store<u32>(page, offset & ~0xfff);
  store<u32>(page, 0, 4);
  store<u32>(page, recordsOf(c, offset & ~0xfff), 8);
  store<u32>(j, 1, J_PAGE_COUNT);
  store<u32>(j, region, J_SLOT);
  store<u32>(j, out, J_OUT);
  store<u32>(j, limit, J_OUT_LIMIT);
  if (!discover(j, (offset & 0xfff) >>> 1)) return 0;
  if (!emitRegion(j)) return 0;
  if (!describe(j, region)) {
    dropRegion(c, region);
    return 0;
  }
  return load<u32>(j, J_OUT) - out;
}
