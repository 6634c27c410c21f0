import {
  BLOCK_SIZE,
  B_AT,
  B_CELL,
  B_COUNT,
  B_ENTRY,
  B_KIND,
  B_NEXT,
  B_NEXT_AT,
  B_TAKEN,
  B_TAKEN_AT,
  CELLS_PER_PAGE,
  CELL_ENTRY,
  CELL_LEADER,
  CELL_QUEUED,
  CELL_SEEN,
  J_BASE,
  J_BLOCKS,
  J_BLOCK_COUNT,
  J_BLOCK_OF,
  J_CORE,
  J_ENTRY_COUNT,
  J_HART,
  J_INSTRUCTIONS,
  J_MARKS,
  J_MAX_INSTRUCTIONS,
  J_MAX_PAGES,
  J_PAGES,
  J_PAGE_COUNT,
  J_PAGE_SIZE,
  J_QUEUED,
  J_RECORDS,
  J_WORK,
  KIND_BRANCH,
  KIND_FALL,
  KIND_INDIRECT,
  KIND_JUMP,
  MAX_BLOCKS,
  MAX_ENTRIES,
  NO_BLOCK,
} from '../../src/jit/layout';
import { RECORD_SIZE, R_IMM, R_OP, R_STEP, S_FETCH_TLB } from '../../src/layout';
import { breakpointInPage } from '../breakpoint';
import { decodeInto } from '../decode';
import { OP_BEQ, OP_BGEU, OP_BREAKPOINT, OP_COMPILED, OP_JAL, OP_JALR } from '../ops';
import { recordsOf } from '../regions';
import { tlbEntry } from '../tlb';
import { compiles, isCsr } from './classes';
import { compilesCsr } from './csr-kinds';
import { destination } from './registers';

/**
 * Which instructions a region holds, and its basic blocks. From the entry the walk follows branches, calls
 * within the region's pages and what comes behind them, as far as the interpreter has met the code before.
 */

export const NO_CELL: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function cellRecord(j: u32, cell: u32): u32 {
  return load<u32>(j, J_RECORDS) + (cell << 4);
}

// @ts-ignore: decorator
@inline
function markOf(j: u32, cell: u32): u32 {
  return load<u32>(j, J_MARKS) + cell;
}

// @ts-ignore: decorator
@inline
export function pageOf(j: u32, index: u32): u32 {
  return j + J_PAGES + index * J_PAGE_SIZE;
}

// @ts-ignore: decorator
@inline
export function blockAddress(j: u32, block: u32): u32 {
  return load<u32>(j, J_BLOCKS) + block * BLOCK_SIZE;
}

/** Where a cell lies, relative to the region's base. */
export function positionOf(j: u32, cell: u32): i32 {
  const page = pageOf(j, cell / CELLS_PER_PAGE);
  return load<i32>(page, 4) + ((cell & (CELLS_PER_PAGE - 1)) << 1);
}

/** The cell at a position, NO_CELL outside the region's pages. */
export function cellAt(j: u32, position: i32): u32 {
  for (let index: u32 = 0; index < load<u32>(j, J_PAGE_COUNT); index++) {
    const inPage = position - load<i32>(pageOf(j, index), 4);
    if (inPage >= 0 && inPage < 4096) return index * CELLS_PER_PAGE + (u32(inPage) >>> 1);
  }
  return NO_CELL;
}

/**
 * The cell at a position, whose page becomes one of the region's if there is room: it is the one to which the
 * hart's fetch table leads now.
 */
function reach(j: u32, position: i32): u32 {
  const known = cellAt(j, position);
  const count = load<u32>(j, J_PAGE_COUNT);
  if (known != NO_CELL || count == load<u32>(j, J_MAX_PAGES)) return known;
  const distance = position & ~0xfff;
  const address = load<u64>(j, J_BASE) + i64(distance);
  const entry = tlbEntry(load<u32>(load<u32>(j, J_HART), S_FETCH_TLB), address);
  if (load<u64>(entry) != address) return NO_CELL;
  const frame = load<u32>(entry, 12);
  for (let index: u32 = 0; index < count; index++) {
    if (load<u32>(pageOf(j, index)) == frame) return NO_CELL;
  }
  addRegionPage(j, frame, distance);
  return cellAt(j, position);
}

/** Whether a host page is one of the region's at a distance from its base. */
export function hasPage(j: u32, frame: u32, distance: i32): bool {
  for (let index: u32 = 0; index < load<u32>(j, J_PAGE_COUNT); index++) {
    const page = pageOf(j, index);
    if (load<u32>(page) == frame && load<i32>(page, 4) == distance) return true;
  }
  return false;
}

/** Whether it cannot become one: it is one at another distance, or another page is there. */
export function pageConflicts(j: u32, frame: u32, distance: i32): bool {
  for (let index: u32 = 0; index < load<u32>(j, J_PAGE_COUNT); index++) {
    const page = pageOf(j, index);
    if ((load<u32>(page) == frame) != (load<i32>(page, 4) == distance)) return true;
  }
  return false;
}

/** A host page becomes one of the region's, `distance` bytes behind its base. */
export function addRegionPage(j: u32, frame: u32, distance: i32): void {
  const index = load<u32>(j, J_PAGE_COUNT);
  const page = pageOf(j, index);
  store<u32>(page, frame);
  store<i32>(page, distance, 4);
  store<u32>(page, recordsOf(load<u32>(j, J_CORE), frame), 8);
  memory.fill(load<u32>(j, J_MARKS) + index * CELLS_PER_PAGE, 0, CELLS_PER_PAGE);
  store<u32>(j, index + 1, J_PAGE_COUNT);
}

/** The host offset of a cell's instruction. */
export function hostOffsetOf(j: u32, cell: u32): u32 {
  return load<u32>(pageOf(j, cell / CELLS_PER_PAGE)) + ((cell & (CELLS_PER_PAGE - 1)) << 1);
}

/** A block of the region begins at the cell already, or will. */
// @ts-ignore: decorator
@inline
function isQueued(j: u32, cell: u32): bool {
  return (load<u8>(markOf(j, cell)) & CELL_QUEUED) != 0;
}

/** What the interpreter has in place of a cell's instruction; 0 where it has not been. */
function interpreted(j: u32, cell: u32): i32 {
  const records = load<u32>(pageOf(j, cell / CELLS_PER_PAGE), 8);
  return records == 0 ? 0 : load<u16>(records + ((cell & (CELLS_PER_PAGE - 1)) << 4), R_OP);
}

/** The page that holds the second half of the instruction at a cell, which crosses a page; NO_CELL if it does not. */
export function secondPage(j: u32, cell: u32): u32 {
  if ((cell & (CELLS_PER_PAGE - 1)) != CELLS_PER_PAGE - 1 || load<u8>(cellRecord(j, cell), R_STEP) != 32) return NO_CELL;
  return cellAt(j, positionOf(j, cell) + 2) / CELLS_PER_PAGE;
}

/** Decodes a cell's instruction; false where none can be compiled. */
function decodeCell(j: u32, cell: u32): bool {
  const c = load<u32>(j, J_CORE);
  const offset = hostOffsetOf(j, cell);
  if (breakpointInPage(c, offset & 0xfff)) return false;
  const half: u32 = load<u16>(offset);
  const record = cellRecord(j, cell);
  if ((half & 3) != 3) decodeInto(c, record, half, -1);
  else if ((offset & 0xfff) == 0xffe) {
    const second = reach(j, positionOf(j, cell) + 2);
    store<u16>(record, 0, R_OP);
    if (second == NO_CELL) return false;
    decodeInto(c, record, half | (u32(load<u16>(hostOffsetOf(j, second))) << 16), -1);
  } else decodeInto(c, record, load<u32>(offset), -1);
  const op: i32 = load<u16>(record, R_OP);
  return compiles(op) && (!isCsr(op) || compilesCsr(record));
}

/** A place where a block begins, if the walk may go there. */
function enqueue(j: u32, position: i32, mark: u32): void {
  const cell = reach(j, position);
  if (cell != NO_CELL && isOurs(j, cell)) enqueueCell(j, cell, mark);
}

/** The walk may jump to a cell: the interpreter has been there, and no other region is entered there. */
function isOurs(j: u32, cell: u32): bool {
  const known = interpreted(j, cell);
  return isQueued(j, cell) || (known != 0 && known != OP_BREAKPOINT && known != OP_COMPILED);
}

function enqueueCell(j: u32, cell: u32, mark: u32): void {
  const at = markOf(j, cell);
  const old: u32 = load<u8>(at);
  store<u8>(at, old | mark | CELL_LEADER | CELL_QUEUED);
  if ((old & CELL_QUEUED) != 0) return;
  const tail = load<u32>(j, J_QUEUED);
  store<u16>(load<u32>(j, J_WORK) + (tail << 1), cell);
  store<u32>(j, tail + 1, J_QUEUED);
}

/** The region shall be entered at a position, in one of its pages. */
export function addSeed(j: u32, position: i32): void {
  enqueueCell(j, cellAt(j, position), CELL_ENTRY);
}

/** Marks the instructions that are reached from the seeds, the nearest first; false when they are too many. */
function walk(j: u32): bool {
  let head: u32 = 0;
  let left = load<u32>(j, J_MAX_INSTRUCTIONS);
  while (head < load<u32>(j, J_QUEUED)) {
    if (left == 0) return false;
    let cell: u32 = load<u16>(load<u32>(j, J_WORK) + (head << 1));
    head++;
    for (; left != 0; left--) {
      const at = markOf(j, cell);
      const mark: u32 = load<u8>(at);
      if ((mark & CELL_SEEN) != 0) {
        store<u8>(at, mark | CELL_LEADER);
        break;
      }
      const position = positionOf(j, cell);
      const record = cellRecord(j, cell);
      if (!decodeCell(j, cell)) {
        // What follows a CSR instruction or a call of the system is entered from outside.
        const known = load<u16>(record, R_OP);
        if (known != 0) enqueue(j, position + (load<u8>(record, R_STEP) >> 3), CELL_ENTRY);
        break;
      }
      // One that crosses a page is a block of its own, which looks whether it is still the same two pages.
      store<u8>(at, mark | CELL_SEEN | (secondPage(j, cell) == NO_CELL ? 0 : CELL_LEADER));
      const op: i32 = load<u16>(record, R_OP);
      const next = position + (load<u8>(record, R_STEP) >> 3);
      if (op >= OP_BEQ && op <= OP_BGEU) {
        enqueue(j, position + load<i32>(record, R_IMM), 0);
        enqueue(j, next, 0);
        break;
      }
      if (op == OP_JAL || op == OP_JALR) {
        if (op == OP_JAL) enqueue(j, position + load<i32>(record, R_IMM), 0);
        if (destination(record) != 0) enqueue(j, next, CELL_ENTRY);
        break;
      }
      if (((position ^ next) & ~0xfff) != 0) {
        // A block does not cross pages.
        enqueue(j, next, 0);
        break;
      }
      cell = cellAt(j, next);
      // There another region is entered: what it holds is not compiled twice.
      if (!isQueued(j, cell) && interpreted(j, cell) == OP_COMPILED) break;
    }
  }
  return left != 0;
}

function blockAt(j: u32, position: i32): u32 {
  const cell = cellAt(j, position);
  return cell == NO_CELL ? NO_BLOCK : load<u16>(load<u32>(j, J_BLOCK_OF) + (cell << 1));
}

/** Makes blocks of the instructions seen; false when there are too many. */
function formBlocks(j: u32): bool {
  const cells = load<u32>(j, J_PAGE_COUNT) * CELLS_PER_PAGE;
  memory.fill(load<u32>(j, J_BLOCK_OF), 0xff, cells << 1);
  let count: u32 = 1;
  let entries: u32 = 0;
  for (let cell: u32 = 0; cell < cells; cell++) {
    if ((cell & 7) == 0 && load<u64>(markOf(j, cell)) == 0) {
      cell += 7;
      continue;
    }
    const mark: u32 = load<u8>(markOf(j, cell));
    if ((mark & (CELL_SEEN | CELL_LEADER)) != (CELL_SEEN | CELL_LEADER)) continue;
    if (count == MAX_BLOCKS) return false;
    const block = blockAddress(j, count);
    memory.fill(block, 0, BLOCK_SIZE);
    store<u32>(block, cell, B_CELL);
    store<i32>(block, positionOf(j, cell), B_AT);
    if ((mark & CELL_ENTRY) != 0 && entries < u32(MAX_ENTRIES)) store<u32>(block, ++entries, B_ENTRY);
    store<u16>(load<u32>(j, J_BLOCK_OF) + (cell << 1), count);
    count++;
  }
  if (entries == 0) return false;
  store<u32>(j, count, J_BLOCK_COUNT);
  store<u32>(j, entries, J_ENTRY_COUNT);
  let total: u32 = 0;
  for (let index: u32 = 1; index < count; index++) total += measure(j, blockAddress(j, index));
  store<u32>(j, total, J_INSTRUCTIONS);
  return true;
}

/** Finds a block's end and its successors; the number of its instructions. */
function measure(j: u32, block: u32): u32 {
  let position = load<i32>(block, B_AT);
  let cell = load<u32>(block, B_CELL);
  store<u32>(block, NO_BLOCK, B_TAKEN);
  store<u32>(block, NO_BLOCK, B_NEXT);
  let count: u32 = 0;
  for (;;) {
    const record = cellRecord(j, cell);
    const op: i32 = load<u16>(record, R_OP);
    count++;
    const next = position + (load<u8>(record, R_STEP) >> 3);
    store<i32>(block, next, B_NEXT_AT);
    if (op == OP_JALR) {
      store<u32>(block, KIND_INDIRECT, B_KIND);
      break;
    }
    if (op >= OP_JAL && op <= OP_BGEU) {
      const target = position + load<i32>(record, R_IMM);
      store<i32>(block, target, B_TAKEN_AT);
      store<u32>(block, blockAt(j, target), B_TAKEN);
      store<u32>(block, op == OP_JAL ? KIND_JUMP : KIND_BRANCH, B_KIND);
      if (op != OP_JAL) store<u32>(block, blockAt(j, next), B_NEXT);
      break;
    }
    cell = cellAt(j, next);
    const mark: u32 = cell == NO_CELL ? 0 : load<u8>(markOf(j, cell));
    if ((mark & CELL_SEEN) == 0 || (mark & CELL_LEADER) != 0 || ((position ^ next) & ~0xfff) != 0) {
      store<u32>(block, KIND_FALL, B_KIND);
      store<u32>(block, blockAt(j, next), B_NEXT);
      break;
    }
    position = next;
  }
  store<u32>(block, count, B_COUNT);
  return count;
}

/** Begins anew, without pages and seeds. */
export function beginDiscovery(j: u32): void {
  store<u32>(j, 0, J_PAGE_COUNT);
  store<u32>(j, 0, J_QUEUED);
}

/**
 * Finds the region that begins at the seeds: false when there is nothing to compile or, if it has to be
 * `whole`, when it is too large; else what is nearest to the seeds counts.
 */
export function discover(j: u32, whole: bool): bool {
  if (!walk(j) && whole) return false;
  return formBlocks(j);
}
