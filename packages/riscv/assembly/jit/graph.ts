import {
  B_BACK,
  B_CHILDREN,
  B_COUNT,
  B_DOMINATOR,
  B_ENTRY,
  B_FORWARD,
  B_NEED,
  B_NEXT,
  B_RANK,
  B_SIBLING,
  B_TAKEN,
  J_BLOCK_COUNT,
  J_BLOCK_OF,
  J_ENTRY_COUNT,
  J_ORDER,
  J_ORDER_COUNT,
  J_WORK,
  MAX_ENTRIES,
  NO_BLOCK,
} from '../../src/jit/layout';
import { blockAddress } from './discover';

/**
 * The flow graph: reverse postorder, dominators, loops. Block 0 is the root, before every entry. A jump back
 * to a block that does not dominate it (an irreducible loop) makes that block an entry: it is reached
 * through the root.
 */

// @ts-ignore: decorator
@inline
function rank(j: u32, block: u32): u32 {
  return load<u32>(blockAddress(j, block), B_RANK);
}

// @ts-ignore: decorator
@inline
export function blockInOrder(j: u32, index: u32): u32 {
  return load<u16>(load<u32>(j, J_ORDER) + (index << 1));
}

/** A block's successor number `index`, NO_BLOCK where it leaves the region; the root's are the entries. */
// @ts-ignore: decorator
@inline
function successor(j: u32, block: u32, index: u32): u32 {
  return load<u32>(blockAddress(j, block) + (index << 2), B_TAKEN);
}

/** Numbers the blocks in reverse postorder. The entries' blocks stand in J_BLOCK_OF by number. */
function order(j: u32): void {
  const count = load<u32>(j, J_BLOCK_COUNT);
  const entries = load<u32>(j, J_BLOCK_OF);
  for (let block: u32 = 0; block < count; block++) {
    const at = blockAddress(j, block);
    store<u32>(at, 0, B_RANK);
    const entry = load<u32>(at, B_ENTRY);
    if (block != 0 && entry != 0) store<u16>(entries + (entry << 1), block);
  }
  // A stack of blocks (u16) and how many of their successors have been followed (u16).
  const stack = load<u32>(j, J_WORK);
  const sequence = load<u32>(j, J_ORDER);
  let depth: u32 = 1;
  let place = count;
  store<u32>(stack, 0);
  store<u32>(blockAddress(j, 0), 1, B_RANK);
  while (depth != 0) {
    const top = stack + ((depth - 1) << 2);
    const block: u32 = load<u16>(top);
    const followed: u32 = load<u16>(top, 2);
    const limit: u32 = block == 0 ? load<u32>(j, J_ENTRY_COUNT) : 2;
    if (followed == limit) {
      store<u16>(sequence + (--place << 1), block);
      depth--;
      continue;
    }
    store<u16>(top, followed + 1, 2);
    const next: u32 = block == 0 ? load<u16>(entries + ((followed + 1) << 1)) : successor(j, block, followed);
    if (next == NO_BLOCK || rank(j, next) != 0) continue;
    store<u32>(blockAddress(j, next), 1, B_RANK);
    store<u32>(stack + (depth << 2), next);
    depth++;
  }
  memory.copy(sequence, sequence + (place << 1), (count - place) << 1);
  store<u32>(j, count - place, J_ORDER_COUNT);
  for (let index: u32 = 0; index < count - place; index++) {
    store<u32>(blockAddress(j, blockInOrder(j, index)), index + 1, B_RANK);
  }
}

function common(j: u32, a: u32, b: u32): u32 {
  while (a != b) {
    if (rank(j, a) > rank(j, b)) a = load<u32>(blockAddress(j, a), B_DOMINATOR);
    else b = load<u32>(blockAddress(j, b), B_DOMINATOR);
  }
  return a;
}

/** `to` is reached from `from`: one step towards the dominators (Cooper, Harvey, Kennedy). */
// @ts-ignore: decorator
@inline
function narrow(j: u32, from: u32, to: u32): bool {
  const at = blockAddress(j, to);
  const old = load<u32>(at, B_DOMINATOR);
  const found = old == NO_BLOCK ? from : common(j, old, from);
  if (found == old) return false;
  store<u32>(at, found, B_DOMINATOR);
  return true;
}

function dominators(j: u32): void {
  const count = load<u32>(j, J_ORDER_COUNT);
  for (let index: u32 = 0; index < count; index++) {
    const at = blockAddress(j, blockInOrder(j, index));
    store<u32>(at, load<u32>(at, B_ENTRY) != 0 || index == 0 ? 0 : NO_BLOCK, B_DOMINATOR);
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let index: u32 = 1; index < count; index++) {
      const block = blockInOrder(j, index);
      for (let which: u32 = 0; which < 2; which++) {
        const next = successor(j, block, which);
        if (next != NO_BLOCK && narrow(j, block, next)) changed = true;
      }
    }
  }
}

export function dominates(j: u32, above: u32, block: u32): bool {
  while (rank(j, block) > rank(j, above)) block = load<u32>(blockAddress(j, block), B_DOMINATOR);
  return block == above;
}

/** Whether an edge is a jump back to a loop's head. */
export function leadsBack(j: u32, from: u32, to: u32): bool {
  return rank(j, to) <= rank(j, from) && dominates(j, to, from);
}

/** Whether an edge goes through the root. */
export function isIrreducible(j: u32, from: u32, to: u32): bool {
  return rank(j, to) <= rank(j, from) && !dominates(j, to, from);
}

/** Makes entries of the targets of irreducible edges; 0 there were none, 1 there were, 2 too many. */
function makeEntries(j: u32): u32 {
  let result: u32 = 0;
  for (let index: u32 = 1; index < load<u32>(j, J_ORDER_COUNT); index++) {
    const block = blockInOrder(j, index);
    for (let which: u32 = 0; which < 2; which++) {
      const next = successor(j, block, which);
      if (next == NO_BLOCK || !isIrreducible(j, block, next)) continue;
      const at = blockAddress(j, next);
      if (load<u32>(at, B_ENTRY) != 0) continue;
      const entries = load<u32>(j, J_ENTRY_COUNT) + 1;
      if (entries > u32(MAX_ENTRIES)) return 2;
      store<u32>(at, entries, B_ENTRY);
      store<u32>(j, entries, J_ENTRY_COUNT);
      result = 1;
    }
  }
  return result;
}

function countEdges(j: u32): void {
  const count = load<u32>(j, J_ORDER_COUNT);
  for (let index: u32 = 1; index < count; index++) {
    const block = blockInOrder(j, index);
    for (let which: u32 = 0; which < 2; which++) {
      const next = successor(j, block, which);
      if (next == NO_BLOCK || isIrreducible(j, block, next)) continue;
      const at = blockAddress(j, next);
      const field: u32 = leadsBack(j, block, next) ? B_BACK : B_FORWARD;
      store<u32>(at + field, load<u32>(at + field) + 1);
    }
  }
}

/** A block that is reached by a branch to its label: where paths meet, and every one of several entries. */
// @ts-ignore: decorator
@inline
export function needsLabel(at: u32, single: bool): bool {
  if (load<u32>(at, B_ENTRY) != 0) return !single || load<u32>(at, B_FORWARD) != 0;
  return load<u32>(at, B_FORWARD) > 1;
}

/** Lists of the children that need a label: the last in reverse postorder stands first. */
function linkChildren(j: u32, single: bool): void {
  const count = load<u32>(j, J_ORDER_COUNT);
  for (let index: u32 = 1; index < count; index++) {
    const block = blockInOrder(j, index);
    const at = blockAddress(j, block);
    if (!needsLabel(at, single)) continue;
    const parent = blockAddress(j, load<u32>(at, B_DOMINATOR));
    store<u32>(at, load<u32>(parent, B_CHILDREN), B_SIBLING);
    store<u32>(parent, block, B_CHILDREN);
  }
}

/** Where the budget is looked at: at heads of loops and at entries. */
// @ts-ignore: decorator
@inline
export function checksBudget(at: u32): bool {
  return load<u32>(at, B_BACK) != 0 || load<u32>(at, B_ENTRY) != 0;
}

/** The longest path of every block to the next check. */
function measurePaths(j: u32): void {
  for (let index = load<u32>(j, J_ORDER_COUNT) - 1; index > 0; index--) {
    const block = blockInOrder(j, index);
    const at = blockAddress(j, block);
    let longest: u32 = 0;
    for (let which: u32 = 0; which < 2; which++) {
      const next = successor(j, block, which);
      if (next == NO_BLOCK || rank(j, next) <= rank(j, block)) continue;
      const target = blockAddress(j, next);
      if (!checksBudget(target)) longest = max<u32>(longest, load<u32>(target, B_NEED));
    }
    store<u32>(at, load<u32>(at, B_COUNT) + longest, B_NEED);
  }
}

/** Whether all code is reached from one entry, without a way back through the root. */
export function hasSingleEntry(j: u32, indirect: bool): bool {
  return load<u32>(j, J_ENTRY_COUNT) == 1 && !indirect;
}

/** Analyses the graph; false when it takes too many entries. */
export function analyse(j: u32, indirect: bool): bool {
  const root = blockAddress(j, 0);
  memory.fill(root, 0, 72);
  store<u32>(root, NO_BLOCK, B_TAKEN);
  store<u32>(root, NO_BLOCK, B_NEXT);
  for (;;) {
    order(j);
    dominators(j);
    const made = makeEntries(j);
    if (made == 2) return false;
    if (made == 0) break;
  }
  countEdges(j);
  linkChildren(j, hasSingleEntry(j, indirect));
  measurePaths(j);
  return true;
}
