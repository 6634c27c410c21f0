import { PAGE_CODE } from '@vmloom/memory/assembly/constants';
import {
  C_DROPPED,
  C_DROP_COUNT,
  C_FAST_THRESHOLD,
  C_FLAGS,
  C_NODES_FREE,
  C_PAGE_MAP,
  C_POOL,
  C_REGIONS,
  C_REGION_LIMIT,
  C_REGION_PAGES,
  DECODED_PAGE_SIZE,
  NODE_ENTRY,
  NODE_NEXT_IN_PAGE,
  NODE_NEXT_IN_REGION,
  NODE_NO_ENTRY,
  NODE_OFFSET,
  NODE_REGION,
  REGION_COUNTDOWN,
  REGION_DROPPED,
  REGION_FAST,
  REGION_INSTALLED,
  REGION_NEXT_DROPPED,
  REGION_NODES,
  REGION_PAGES,
  REGION_PAGE_COUNT,
  REGION_PAGE_SIZE,
  REGION_PENDING,
  REGION_SIZE,
  REGION_STATE,
  R_DISTANCE,
  R_ENTRY,
  R_OP,
  R_REGION,
  R_VISITS,
} from '../src/layout';
import { OP_COMPILED } from './ops';

/**
 * Which guest code is compiled. A region is known from its emission on: a store to its bytes drops it, even
 * while the host still compiles it. The records of an installed region's entries are OP_COMPILED.
 */

// @ts-ignore: decorator
@inline
export function regionAddress(c: u32, region: u32): u32 {
  return load<u32>(c, C_REGIONS) + region * REGION_SIZE;
}

// @ts-ignore: decorator
@inline
function pageList(c: u32, frame: u32): u32 {
  return load<u32>(c, C_REGION_PAGES) + ((frame >>> 12) << 2);
}

export function hasRegions(c: u32, frame: u32): bool {
  return load<u32>(c, C_REGION_PAGES) != 0 && load<u32>(pageList(c, frame)) != 0;
}

/** The records of a host page, 0 if it has none. */
// @ts-ignore: decorator
@inline
export function recordsOf(c: u32, frame: u32): u32 {
  const known = load<u16>(load<u32>(c, C_PAGE_MAP) + ((frame >>> 12) << 1));
  return known == 0 ? 0 : load<u32>(c, C_POOL) + (known - 1) * DECODED_PAGE_SIZE;
}

function addNode(c: u32, region: u32, frame: u32, offset: u32, entry: u32): bool {
  const node = load<u32>(c, C_NODES_FREE);
  if (node == 0) return false;
  store<u32>(c, load<u32>(node, NODE_NEXT_IN_PAGE), C_NODES_FREE);
  const descriptor = regionAddress(c, region);
  const list = pageList(c, frame);
  store<u16>(node, offset, NODE_OFFSET);
  store<u16>(node, entry, NODE_ENTRY);
  store<u32>(node, region, NODE_REGION);
  store<u32>(node, load<u32>(list), NODE_NEXT_IN_PAGE);
  store<u32>(list, node);
  store<u32>(node, load<u32>(descriptor, REGION_NODES), NODE_NEXT_IN_REGION);
  store<u32>(descriptor, node, REGION_NODES);
  return true;
}

/** A region comes to be, without pages. */
export function beginRegion(c: u32, region: u32, fast: bool): void {
  const descriptor = regionAddress(c, region);
  memory.fill(descriptor, 0, REGION_SIZE);
  store<u32>(descriptor, REGION_PENDING, REGION_STATE);
  store<u32>(descriptor, u32(fast), REGION_FAST);
  store<i32>(descriptor, fast ? i32.MAX_VALUE : load<i32>(c, C_FAST_THRESHOLD), REGION_COUNTDOWN);
}

/**
 * It holds code of a host page, `distance` pages behind its base, from byte `first` to `end`: stores there are
 * seen from now on.
 */
export function addPage(c: u32, region: u32, frame: u32, distance: i32, first: u32, end: u32): bool {
  const descriptor = regionAddress(c, region);
  const count = load<u32>(descriptor, REGION_PAGE_COUNT);
  const page = descriptor + REGION_PAGES + count * REGION_PAGE_SIZE;
  store<u32>(page, frame);
  store<u16>(page, first, 4);
  store<u16>(page, end, 6);
  store<i32>(page, distance, 8);
  store<u32>(descriptor, count + 1, REGION_PAGE_COUNT);
  const flag = load<u32>(c, C_FLAGS) + (frame >>> 12);
  store<u8>(flag, load<u8>(flag) | PAGE_CODE);
  return addNode(c, region, frame, NODE_NO_ENTRY, 0);
}

export function addEntry(c: u32, region: u32, frame: u32, offset: u32, entry: u32): bool {
  return addNode(c, region, frame, offset, entry);
}

/** How many pages a host page lies behind the region's base. */
function distanceOf(c: u32, region: u32, frame: u32): i32 {
  const descriptor = regionAddress(c, region);
  for (let index: u32 = 0; index < load<u32>(descriptor, REGION_PAGE_COUNT); index++) {
    const page = descriptor + REGION_PAGES + index * REGION_PAGE_SIZE;
    if (load<u32>(page) == frame) return load<i32>(page, 8);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function mark(record: u32, node: u32, distance: i32): void {
  store<u16>(record, OP_COMPILED, R_OP);
  store<i16>(record, distance, R_DISTANCE);
  store<u16>(record, 0, R_VISITS);
  store<u32>(record, load<u16>(node, NODE_ENTRY), R_ENTRY);
  store<u32>(record, load<u32>(node, NODE_REGION), R_REGION);
}

/** A region's code is in the table: its entries are compiled from now on. False if it was dropped meanwhile. */
export function installRegion(c: u32, region: u32): bool {
  const descriptor = regionAddress(c, region);
  if (load<u32>(descriptor, REGION_STATE) != REGION_PENDING) return false;
  store<u32>(descriptor, REGION_INSTALLED, REGION_STATE);
  for (let index: u32 = 0; index < load<u32>(descriptor, REGION_PAGE_COUNT); index++) {
    const frame = load<u32>(descriptor + REGION_PAGES + index * REGION_PAGE_SIZE);
    const records = recordsOf(c, frame);
    if (records != 0) markEntries(c, frame, records, region);
  }
  return true;
}

/** Marks the entries of a page in its records: of one region, or of all that are installed (0). */
export function markEntries(c: u32, frame: u32, records: u32, region: u32): void {
  if (!hasRegions(c, frame)) return;
  for (let node = load<u32>(pageList(c, frame)); node != 0; node = load<u32>(node, NODE_NEXT_IN_PAGE)) {
    const offset: u32 = load<u16>(node, NODE_OFFSET);
    const owner = load<u32>(node, NODE_REGION);
    if (offset == NODE_NO_ENTRY || (region != 0 && owner != region)) continue;
    if (load<u32>(regionAddress(c, owner), REGION_STATE) != REGION_INSTALLED) continue;
    const record = records + (offset << 3);
    // Of several regions that enter here the newest stands first in the list.
    if (region != 0 || load<u16>(record, R_OP) != OP_COMPILED) {
      mark(record, node, distanceOf(c, owner, frame));
    }
  }
}

function unlink(c: u32, frame: u32, node: u32): void {
  const list = pageList(c, frame);
  let before: u32 = 0;
  for (let at = load<u32>(list); at != 0; at = load<u32>(at, NODE_NEXT_IN_PAGE)) {
    if (at == node) {
      const next = load<u32>(node, NODE_NEXT_IN_PAGE);
      if (before == 0) store<u32>(list, next);
      else store<u32>(before, next, NODE_NEXT_IN_PAGE);
      return;
    }
    before = at;
  }
}

function unmark(records: u32, node: u32): void {
  const offset: u32 = load<u16>(node, NODE_OFFSET);
  if (records == 0 || offset == NODE_NO_ENTRY) return;
  const record = records + (offset << 3);
  if (load<u16>(record, R_OP) != OP_COMPILED) return;
  if (load<u32>(record, R_REGION) != load<u32>(node, NODE_REGION)) return;
  store<u64>(record, 0);
  store<u64>(record, 0, 8);
}

/** The region is entered no more; its number may be used again when the host has taken it from the list. */
export function dropRegion(c: u32, region: u32): void {
  const descriptor = regionAddress(c, region);
  const state = load<u32>(descriptor, REGION_STATE);
  if (state != REGION_PENDING && state != REGION_INSTALLED) return;
  for (let index: u32 = 0; index < load<u32>(descriptor, REGION_PAGE_COUNT); index++) {
    const frame = load<u32>(descriptor + REGION_PAGES + index * REGION_PAGE_SIZE);
    const records = recordsOf(c, frame);
    let node = load<u32>(pageList(c, frame));
    while (node != 0) {
      const next = load<u32>(node, NODE_NEXT_IN_PAGE);
      if (load<u32>(node, NODE_REGION) == region) {
        unmark(records, node);
        unlink(c, frame, node);
        store<u32>(node, load<u32>(c, C_NODES_FREE), NODE_NEXT_IN_PAGE);
        store<u32>(c, node, C_NODES_FREE);
      }
      node = next;
    }
  }
  store<u32>(descriptor, REGION_DROPPED, REGION_STATE);
  store<u32>(descriptor, load<u32>(c, C_DROPPED), REGION_NEXT_DROPPED);
  store<u32>(c, region, C_DROPPED);
  store<u32>(c, load<u32>(c, C_DROP_COUNT) + 1, C_DROP_COUNT);
}

// @ts-ignore: decorator
@inline
function holds(c: u32, region: u32, frame: u32, first: u32, end: u32): bool {
  const descriptor = regionAddress(c, region);
  for (let index: u32 = 0; index < load<u32>(descriptor, REGION_PAGE_COUNT); index++) {
    const page = descriptor + REGION_PAGES + index * REGION_PAGE_SIZE;
    if (load<u32>(page) == frame && u32(load<u16>(page, 4)) < end && u32(load<u16>(page, 6)) > first) return true;
  }
  return false;
}

/** Drops what holds bytes `first` to `end` of a host page. True while regions of the page remain. */
export function dropRegions(c: u32, frame: u32, first: u32, end: u32): bool {
  if (!hasRegions(c, frame)) return false;
  const list = pageList(c, frame);
  let node = load<u32>(list);
  while (node != 0) {
    const region = load<u32>(node, NODE_REGION);
    if (load<u16>(node, NODE_OFFSET) == NODE_NO_ENTRY && holds(c, region, frame, first, end)) {
      dropRegion(c, region);
      node = load<u32>(list);
    } else node = load<u32>(node, NODE_NEXT_IN_PAGE);
  }
  return load<u32>(list) != 0;
}

/** Drops every region (breakpoints changed). */
export function dropAllRegions(c: u32): void {
  for (let region: u32 = 1; region < load<u32>(c, C_REGION_LIMIT); region++) dropRegion(c, region);
}
