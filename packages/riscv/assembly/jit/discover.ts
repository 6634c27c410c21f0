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
  J_BLOCKS,
  J_BLOCK_COUNT,
  J_BLOCK_OF,
  J_CORE,
  J_ENTRY_COUNT,
  J_FOLLOW_ALL,
  J_INSTRUCTIONS,
  J_MARKS,
  J_MAX_INSTRUCTIONS,
  J_PAGES,
  J_PAGE_COUNT,
  J_PAGE_SIZE,
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
import { RECORD_SIZE, R_IMM, R_OP, R_STEP } from '../../src/layout';
import { breakpointInPage } from '../breakpoint';
import { decodeInto } from '../decode';
import { OP_BEQ, OP_BGEU, OP_BREAKPOINT, OP_JAL, OP_JALR } from '../ops';
import { compiles } from './classes';
import { destination } from './registers';

/**
 * Which instructions a region holds, and its basic blocks. From the entry the walk follows branches, calls
 * within the region's pages and what comes behind them, as far as the interpreter has met the code before.
 */

const NO_CELL: u32 = 0xffffffff;

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
function pageOf(j: u32, index: u32): u32 {
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

/** The host offset of a cell's instruction. */
export function hostOffsetOf(j: u32, cell: u32): u32 {
  return load<u32>(pageOf(j, cell / CELLS_PER_PAGE)) + ((cell & (CELLS_PER_PAGE - 1)) << 1);
}

/** The interpreter has come to this instruction. */
function met(j: u32, cell: u32): bool {
  if (load<u32>(j, J_FOLLOW_ALL) != 0) return true;
  const records = load<u32>(pageOf(j, cell / CELLS_PER_PAGE), 8);
  if (records == 0) return false;
  const known: i32 = load<u16>(records + ((cell & (CELLS_PER_PAGE - 1)) << 4), R_OP);
  return known != 0 && known != OP_BREAKPOINT;
}

/** Decodes a cell's instruction; false where none can be compiled. */
function decodeCell(j: u32, cell: u32): bool {
  const c = load<u32>(j, J_CORE);
  const offset = hostOffsetOf(j, cell);
  if (breakpointInPage(c, offset & 0xfff)) return false;
  const half: u32 = load<u16>(offset);
  const record = cellRecord(j, cell);
  if ((half & 3) != 3) decodeInto(c, record, half, -1);
  else if ((offset & 0xfff) == 0xffe) return false;
  else decodeInto(c, record, load<u32>(offset), -1);
  return compiles(load<u16>(record, R_OP));
}

/** A place where a block begins, if the walk may go there. */
function enqueue(j: u32, position: i32, tail: u32, mark: u32): u32 {
  const cell = cellAt(j, position);
  if (cell == NO_CELL || !met(j, cell)) return tail;
  const at = markOf(j, cell);
  const old: u32 = load<u8>(at);
  store<u8>(at, old | mark | CELL_LEADER | CELL_QUEUED);
  if ((old & CELL_QUEUED) != 0) return tail;
  store<u16>(load<u32>(j, J_WORK) + (tail << 1), cell);
  return tail + 1;
}

/** Marks the instructions of the region that begins at a cell. */
function walkFrom(j: u32, start: u32): void {
  let head: u32 = 0;
  let tail: u32 = enqueue(j, positionOf(j, start), 0, CELL_ENTRY);
  let left = load<u32>(j, J_MAX_INSTRUCTIONS);
  while (head < tail && left != 0) {
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
        if (known != 0) tail = enqueue(j, position + (load<u8>(record, R_STEP) >> 3), tail, CELL_ENTRY);
        break;
      }
      store<u8>(at, mark | CELL_SEEN);
      const op: i32 = load<u16>(record, R_OP);
      const next = position + (load<u8>(record, R_STEP) >> 3);
      if (op >= OP_BEQ && op <= OP_BGEU) {
        tail = enqueue(j, position + load<i32>(record, R_IMM), tail, 0);
        tail = enqueue(j, next, tail, 0);
        break;
      }
      if (op == OP_JAL || op == OP_JALR) {
        if (op == OP_JAL) tail = enqueue(j, position + load<i32>(record, R_IMM), tail, 0);
        if (destination(record) != 0) tail = enqueue(j, next, tail, CELL_ENTRY);
        break;
      }
      cell = cellAt(j, next);
      if (cell == NO_CELL) break;
    }
  }
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
    if ((mark & CELL_SEEN) == 0 || (mark & CELL_LEADER) != 0) {
      store<u32>(block, KIND_FALL, B_KIND);
      store<u32>(block, blockAt(j, next), B_NEXT);
      break;
    }
    position = next;
  }
  store<u32>(block, count, B_COUNT);
  return count;
}

/** Finds the region that begins at a cell: false when there is nothing to compile. */
export function discover(j: u32, start: u32): bool {
  memory.fill(load<u32>(j, J_MARKS), 0, load<u32>(j, J_PAGE_COUNT) * CELLS_PER_PAGE);
  walkFrom(j, start);
  if ((load<u8>(markOf(j, start)) & CELL_SEEN) == 0) return false;
  return formBlocks(j);
}
