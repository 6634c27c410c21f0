import {
  B_AT,
  B_BACK,
  B_CELL,
  B_CHILDREN,
  B_COUNT,
  B_ENTRY,
  B_KIND,
  B_LABEL,
  B_LOOP_LABEL,
  B_NEED,
  B_NEXT,
  B_NEXT_AT,
  B_SIBLING,
  B_TAKEN,
  B_TAKEN_AT,
  CELLS_PER_PAGE,
  J_AFTER,
  J_AT,
  J_BLOCK_OF,
  J_ENTRY_COUNT,
  J_FLOAT_BOXED,
  J_FLOAT_READY,
  J_LABEL_DISPATCH,
  J_LABEL_INTERPRET,
  J_LABEL_NEAR,
  J_ORDER_COUNT,
  J_OUT,
  J_OUT_LIMIT,
  KIND_BRANCH,
  KIND_FALL,
  KIND_INDIRECT,
  LOCAL_ENTRY,
  LOCAL_LEFT,
  LOCAL_NEAR,
  NO_BLOCK,
} from '../../src/jit/layout';
import { R_STEP } from '../../src/layout';
import { blockAddress, cellRecord, NO_CELL, secondPage } from './discover';
import { blockInOrder, checksBudget, isIrreducible, leadsBack, needsLabel } from './graph';
import { emitInstruction } from './instruction';
import { emitIndirect, emitLink, emitPageCheck, pushCondition } from './jumps';
import * as W from './opcodes';
import { branch, branchIf, branchUnlikely, byte, close, constI32, depthOf, getLocal, hint, open, setLocal, unsigned } from './writer';

/**
 * Structured control flow from the dominator tree (Ramsey, "Beyond Relooper"): a block stands inside its
 * dominator; where paths meet, it follows a wasm block that the paths branch out of; the head of a loop opens
 * a wasm loop.
 */

/** Writes all code; false when the output is full. `single`: there is one entry and no way back to the root. */
export function emitTree(j: u32, single: bool): bool {
  if (single) return within(j, 0, load<u32>(blockAddress(j, 0), B_CHILDREN), true);
  return within(j, 0, load<u32>(blockAddress(j, 0), B_CHILDREN), false);
}

/** A block's code, with the children that need labels, from `child` on, behind it. */
function within(j: u32, block: u32, child: u32, single: bool): bool {
  if (child == 0) return block == 0 ? emitRoot(j, single) : emitBlock(j, block, single);
  const at = blockAddress(j, child);
  store<u32>(at, open(j, W.BLOCK, W.EMPTY), B_LABEL);
  if (!within(j, block, load<u32>(at, B_SIBLING), single)) return false;
  close(j);
  return subtree(j, child, single);
}

function subtree(j: u32, block: u32, single: bool): bool {
  const at = blockAddress(j, block);
  if (load<u32>(at, B_BACK) == 0) return within(j, block, load<u32>(at, B_CHILDREN), single);
  store<u32>(at, open(j, W.LOOP, W.EMPTY), B_LOOP_LABEL);
  if (!within(j, block, load<u32>(at, B_CHILDREN), single)) return false;
  close(j);
  return true;
}

function emitRoot(j: u32, single: bool): bool {
  const entries = load<u32>(j, J_BLOCK_OF);
  const count = load<u32>(j, J_ENTRY_COUNT);
  if (single) {
    const first: u32 = load<u16>(entries, 2);
    const at = blockAddress(j, first);
    if (!needsLabel(at, true)) return subtree(j, first, true);
    branch(j, load<u32>(at, B_LABEL));
    return true;
  }
  getLocal(j, LOCAL_ENTRY);
  byte(j, W.BR_TABLE);
  unsigned(j, count - 1);
  for (let entry: u32 = 1; entry <= count; entry++) {
    const block: u32 = load<u16>(entries + (entry << 1));
    unsigned(j, depthOf(j, load<u32>(blockAddress(j, block), B_LABEL)));
  }
  return true;
}

function emitBlock(j: u32, block: u32, single: bool): bool {
  const at = blockAddress(j, block);
  const count = load<u32>(at, B_COUNT);
  let position = load<i32>(at, B_AT);
  if (checksBudget(at)) {
    constI32(j, position);
    setLocal(j, LOCAL_NEAR);
    getLocal(j, LOCAL_LEFT);
    constI32(j, load<u32>(at, B_NEED));
    byte(j, W.I32_LT_U);
    branchUnlikely(j, load<u32>(j, J_LABEL_INTERPRET));
  }
  const second = secondPage(j, load<u32>(at, B_CELL));
  // The interpreter fetches it by halves, and finds the fault of the second one.
  if (second != NO_CELL) emitPageCheck(j, second, position, load<u32>(j, J_LABEL_INTERPRET));
  getLocal(j, LOCAL_LEFT);
  constI32(j, count);
  byte(j, W.I32_SUB);
  setLocal(j, LOCAL_LEFT);
  store<u32>(j, 0, J_FLOAT_READY);
  store<u32>(j, 0, J_FLOAT_BOXED);
  const kind = load<u32>(at, B_KIND);
  let cell = load<u32>(at, B_CELL);
  const plain = kind == KIND_FALL ? count : count - 1;
  for (let index: u32 = 0; index < count; index++) {
    const record = cellRecord(j, cell);
    store<i32>(j, position, J_AT);
    store<u32>(j, count - 1 - index, J_AFTER);
    if (load<u32>(j, J_OUT) >= load<u32>(j, J_OUT_LIMIT)) return false;
    if (index == plain) return emitEnd(j, block, record, single);
    emitInstruction(j, record);
    const step: u32 = load<u8>(record, R_STEP);
    position += step >> 3;
    cell += step >> 4;
  }
  return goTo(j, block, load<u32>(at, B_NEXT), load<i32>(at, B_NEXT_AT), single);
}

/** The jump or branch at a block's end. */
function emitEnd(j: u32, block: u32, record: u32, single: bool): bool {
  const at = blockAddress(j, block);
  const kind = load<u32>(at, B_KIND);
  const taken = load<u32>(at, B_TAKEN);
  const takenAt = load<i32>(at, B_TAKEN_AT);
  if (kind == KIND_INDIRECT) {
    emitIndirect(j, record);
    return true;
  }
  if (kind != KIND_BRANCH) {
    emitLink(j, record);
    return goTo(j, block, taken, takenAt, single);
  }
  const next = load<u32>(at, B_NEXT);
  const nextAt = load<i32>(at, B_NEXT_AT);
  const takenLabel = directLabel(j, block, taken, single);
  if (takenLabel != 0) {
    pushCondition(j, record, false);
    // What the interpreter has not met is seldom done.
    if (next == NO_BLOCK) hint(j, true);
    branchIf(j, takenLabel);
    return goTo(j, block, next, nextAt, single);
  }
  const nextLabel = directLabel(j, block, next, single);
  if (nextLabel != 0) {
    pushCondition(j, record, true);
    if (taken == NO_BLOCK) hint(j, true);
    branchIf(j, nextLabel);
    return goTo(j, block, taken, takenAt, single);
  }
  pushCondition(j, record, false);
  if (taken == NO_BLOCK || next == NO_BLOCK) hint(j, next == NO_BLOCK);
  open(j, W.IF, W.EMPTY);
  if (!goTo(j, block, taken, takenAt, single)) return false;
  close(j);
  return goTo(j, block, next, nextAt, single);
}

/** The label by which a block is reached with a mere branch, 0 where it takes more. */
function directLabel(j: u32, from: u32, to: u32, single: bool): u32 {
  if (to == NO_BLOCK || isIrreducible(j, from, to) || crossesPage(j, from, to)) return 0;
  return labelOf(j, from, to, single);
}

/** The label of a block as seen from another, 0 where it follows inline. */
function labelOf(j: u32, from: u32, to: u32, single: bool): u32 {
  const at = blockAddress(j, to);
  if (leadsBack(j, from, to)) return load<u32>(at, B_LOOP_LABEL);
  return needsLabel(at, single) ? load<u32>(at, B_LABEL) : 0;
}

function crossesPage(j: u32, from: u32, to: u32): bool {
  const cells = load<u32>(blockAddress(j, from), B_CELL) ^ load<u32>(blockAddress(j, to), B_CELL);
  return cells >= u32(CELLS_PER_PAGE);
}

/** Control goes from a block to another, or leaves the region for a position. */
function goTo(j: u32, from: u32, to: u32, position: i32, single: bool): bool {
  if (to == NO_BLOCK) {
    constI32(j, position);
    setLocal(j, LOCAL_NEAR);
    branch(j, load<u32>(j, J_LABEL_NEAR));
    return true;
  }
  if (crossesPage(j, from, to)) emitPageCheck(j, load<u32>(blockAddress(j, to), B_CELL) / CELLS_PER_PAGE, position, load<u32>(j, J_LABEL_NEAR));
  if (!isIrreducible(j, from, to)) {
    const label = labelOf(j, from, to, single);
    if (label == 0) return subtree(j, to, single);
    branch(j, label);
    return true;
  }
  constI32(j, load<u32>(blockAddress(j, to), B_ENTRY) - 1);
  setLocal(j, LOCAL_ENTRY);
  branch(j, load<u32>(j, J_LABEL_DISPATCH));
  return true;
}
