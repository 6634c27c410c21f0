import { noteStore } from '@vmloom/memory/assembly/store';
import * as L from '../src/layout-offsets';
import * as C from '../src/queue/codes';
import { addSegment, clearChain, tableEntry } from './segment';
import { bump, get, ringAt, set } from './state';

// 2.7: split virtqueues. `nextAvailable` and `nextUsed` run through all 16 bits; the size is a power of two.

/** Chains that the driver has made available and the device has not taken; more than the size: nonsense. */
// @ts-ignore: decorator
@inline
export function splitWaiting(q: u32): u32 {
  const index = load<u16>(ringAt(q, L.QUEUE_STATE_DRIVER, L.AVAILABLE_RING_INDEX));
  return (<u32>index - get(q, L.QUEUE_STATE_NEXT_AVAILABLE)) & 0xffff;
}

export function splitPop(q: u32): u32 {
  const waiting = splitWaiting(q);
  if (waiting == 0) return C.POP_EMPTY;
  const size = get(q, L.QUEUE_STATE_QUEUE_SIZE);
  if (waiting > size) return C.FAULT_INDEX;
  if (get(q, L.QUEUE_STATE_IN_FLIGHT) >= size) return C.FAULT_IN_FLIGHT;
  const next = get(q, L.QUEUE_STATE_NEXT_AVAILABLE);
  const slot = next & (size - 1);
  const head: u32 = load<u16>(ringAt(q, L.QUEUE_STATE_DRIVER, L.AVAILABLE_RING_SIZE + (slot << 1)));
  const answer = walk(q, head, size);
  if (answer != C.POP_CHAIN) return answer;
  set(q, L.QUEUE_STATE_TOKEN, head | (1 << 16));
  set(q, L.QUEUE_STATE_NEXT_AVAILABLE, (next + 1) & 0xffff);
  return C.POP_CHAIN;
}

function walk(q: u32, head: u32, size: u32): u32 {
  clearChain(q);
  let index = head;
  let count: u32 = 0;
  let flags: u32;
  do {
    if (index >= size) return C.FAULT_DESCRIPTOR;
    if (++count > size) return C.FAULT_LOOP;
    const at = ringAt(q, L.QUEUE_STATE_DESCRIPTORS, index << 4);
    bump(q, L.QUEUE_STATE_DESCRIPTORS_READ, 1);
    flags = load<u16>(at, L.SPLIT_DESCRIPTOR_FLAGS);
    const address = load<u64>(at);
    const length = load<u32>(at, L.SPLIT_DESCRIPTOR_LENGTH);
    if ((flags & C.DESC_INDIRECT) != 0) {
      // 2.7.5.3.1: never with NEXT. 2.7.5.3.2: descriptors may come before it, and WRITE means nothing here.
      if ((flags & C.DESC_NEXT) != 0) return C.FAULT_INDIRECT_NEXT;
      return walkTable(q, address, length);
    }
    const answer = addSegment(q, address, length, (flags & C.DESC_WRITE) != 0);
    if (answer != C.POP_CHAIN) return answer;
    index = load<u16>(at, L.SPLIT_DESCRIPTOR_NEXT);
  } while ((flags & C.DESC_NEXT) != 0);
  return C.POP_CHAIN;
}

function walkTable(q: u32, table: u64, bytes: u32): u32 {
  if (get(q, L.QUEUE_STATE_INDIRECT) == 0) return C.FAULT_INDIRECT;
  if (bytes == 0 || (bytes & 15) != 0) return C.FAULT_TABLE_LENGTH;
  if (table + <u64>bytes < table) return C.FAULT_ADDRESS;
  const size = bytes >> 4;
  let index: u32 = 0;
  let count: u32 = 0;
  let flags: u32;
  do {
    if (index >= size) return C.FAULT_DESCRIPTOR;
    if (++count > size) return C.FAULT_LOOP;
    const at = tableEntry(q, table + (<u64>index << 4));
    if (at == 0) return C.FAULT_ADDRESS;
    bump(q, L.QUEUE_STATE_DESCRIPTORS_READ, 1);
    flags = load<u16>(at, L.SPLIT_DESCRIPTOR_FLAGS);
    if ((flags & C.DESC_INDIRECT) != 0) return C.FAULT_NESTED;
    const length = load<u32>(at, L.SPLIT_DESCRIPTOR_LENGTH);
    const answer = addSegment(q, load<u64>(at), length, (flags & C.DESC_WRITE) != 0);
    if (answer != C.POP_CHAIN) return answer;
    index = load<u16>(at, L.SPLIT_DESCRIPTOR_NEXT);
  } while ((flags & C.DESC_NEXT) != 0);
  return C.POP_CHAIN;
}

/** Puts a chain into the used ring. */
export function splitPush(q: u32, token: u32, written: u32): void {
  const next = get(q, L.QUEUE_STATE_NEXT_USED);
  const flags = get(q, L.QUEUE_STATE_PAGE_FLAGS);
  const slot = next & (get(q, L.QUEUE_STATE_QUEUE_SIZE) - 1);
  const offset: u32 = L.USED_RING_SIZE + (slot << 3);
  // The two halves of an entry may lie in different pages.
  const id = ringAt(q, L.QUEUE_STATE_DEVICE, offset);
  store<u32>(id, token & 0xffff);
  noteStore(flags, id, 4);
  const length = ringAt(q, L.QUEUE_STATE_DEVICE, offset + 4);
  store<u32>(length, written);
  noteStore(flags, length, 4);
  const index = ringAt(q, L.QUEUE_STATE_DEVICE, L.USED_RING_INDEX);
  store<u16>(index, <u16>(next + 1));
  noteStore(flags, index, 2);
  set(q, L.QUEUE_STATE_NEXT_USED, (next + 1) & 0xffff);
  bump(q, L.QUEUE_STATE_UNSIGNALLED, 1);
}

/** 2.7.7.2: whether the driver wants to hear of what was used since it was asked last. */
export function splitNeedsInterrupt(q: u32): bool {
  const used = min(get(q, L.QUEUE_STATE_UNSIGNALLED), 0xffff);
  if (used == 0) return false;
  set(q, L.QUEUE_STATE_UNSIGNALLED, 0);
  if (get(q, L.QUEUE_STATE_EVENT_INDEX) == 0) {
    const flags = load<u16>(ringAt(q, L.QUEUE_STATE_DRIVER, L.AVAILABLE_RING_FLAGS));
    return (flags & C.AVAIL_NO_INTERRUPT) == 0;
  }
  const at: u32 = L.AVAILABLE_RING_SIZE + (get(q, L.QUEUE_STATE_QUEUE_SIZE) << 1);
  const event: u32 = load<u16>(ringAt(q, L.QUEUE_STATE_DRIVER, at));
  // The entry at `event` is among those just used.
  return ((get(q, L.QUEUE_STATE_NEXT_USED) - event - 1) & 0xffff) < used;
}

/** 2.7.10: asks the driver for doorbells, or asks it to spare them; true when chains are waiting already. */
export function splitNotify(q: u32, wanted: bool): bool {
  const flags = get(q, L.QUEUE_STATE_PAGE_FLAGS);
  if (get(q, L.QUEUE_STATE_EVENT_INDEX) == 0) {
    const at = ringAt(q, L.QUEUE_STATE_DEVICE, L.USED_RING_FLAGS);
    store<u16>(at, wanted ? 0 : C.USED_NO_NOTIFY);
    noteStore(flags, at, 2);
  } else {
    // Without doorbells: an index that the driver reaches after all others.
    const offset: u32 = L.USED_RING_SIZE + (get(q, L.QUEUE_STATE_QUEUE_SIZE) << 3);
    const at = ringAt(q, L.QUEUE_STATE_DEVICE, offset);
    const next = get(q, L.QUEUE_STATE_NEXT_AVAILABLE);
    store<u16>(at, <u16>(wanted ? next : next - 1));
    noteStore(flags, at, 2);
  }
  return wanted && splitWaiting(q) != 0;
}
