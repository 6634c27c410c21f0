import { noteAlignedStore, noteStore } from '@vmloom/memory/assembly/store';
import * as L from '../src/layout-offsets';
import * as C from '../src/queue/codes';
import { addSegment, clearChain, tableEntry } from './segment';
import { bump, get, ringAt, set } from './state';

// 2.8: packed virtqueues. `nextAvailable` and `nextUsed` are positions in the ring, each with a wrap counter;
// the size is any number.

/** 2.8.1: the AVAIL flag is the driver's wrap counter, the USED flag its inverse. */
// @ts-ignore: decorator
@inline
function isAvailable(flags: u32, wrap: u32): bool {
  const expected: u32 = wrap != 0 ? C.DESC_AVAIL : C.DESC_USED;
  return (flags & (C.DESC_AVAIL | C.DESC_USED)) == expected;
}

/** 1 when a chain waits. */
export function packedWaiting(q: u32): u32 {
  const at = ringAt(q, L.QUEUE_STATE_DESCRIPTORS, get(q, L.QUEUE_STATE_NEXT_AVAILABLE) << 4);
  const flags = load<u16>(at, L.PACKED_DESCRIPTOR_FLAGS);
  return isAvailable(flags, get(q, L.QUEUE_STATE_AVAILABLE_WRAP)) ? 1 : 0;
}

export function packedPop(q: u32): u32 {
  const size = get(q, L.QUEUE_STATE_QUEUE_SIZE);
  let next = get(q, L.QUEUE_STATE_NEXT_AVAILABLE);
  let wrap = get(q, L.QUEUE_STATE_AVAILABLE_WRAP);
  let at = ringAt(q, L.QUEUE_STATE_DESCRIPTORS, next << 4);
  let flags: u32 = load<u16>(at, L.PACKED_DESCRIPTOR_FLAGS);
  if (!isAvailable(flags, wrap)) return C.POP_EMPTY;
  if (get(q, L.QUEUE_STATE_IN_FLIGHT) >= size) return C.FAULT_IN_FLIGHT;
  clearChain(q);
  let count: u32 = 0;
  for (;;) {
    count++;
    bump(q, L.QUEUE_STATE_DESCRIPTORS_READ, 1);
    const address = load<u64>(at);
    const length = load<u32>(at, L.PACKED_DESCRIPTOR_LENGTH);
    let answer: u32;
    if ((flags & C.DESC_INDIRECT) != 0) {
      // 2.8.6: a list is direct or indirect, never both.
      if (count > 1 || (flags & C.DESC_NEXT) != 0) return C.FAULT_INDIRECT_NEXT;
      answer = walkTable(q, address, length);
    } else answer = addSegment(q, address, length, (flags & C.DESC_WRITE) != 0);
    if (answer != C.POP_CHAIN) return answer;
    if (++next == size) {
      next = 0;
      wrap ^= 1;
    }
    if ((flags & C.DESC_NEXT) == 0) break;
    if (count == size) return C.FAULT_LOOP;
    at = ringAt(q, L.QUEUE_STATE_DESCRIPTORS, next << 4);
    flags = load<u16>(at, L.PACKED_DESCRIPTOR_FLAGS);
    // 2.8.6: the first descriptor is made available after the rest of the list.
    if (!isAvailable(flags, wrap)) return C.FAULT_PARTIAL;
  }
  // 2.8.6: the buffer ID is that of the last descriptor.
  set(q, L.QUEUE_STATE_TOKEN, <u32>load<u16>(at, L.PACKED_DESCRIPTOR_ID) | (count << 16));
  set(q, L.QUEUE_STATE_NEXT_AVAILABLE, next);
  set(q, L.QUEUE_STATE_AVAILABLE_WRAP, wrap);
  return C.POP_CHAIN;
}

/** 2.8.7: the descriptors of a table follow each other; of their flags WRITE alone counts. */
function walkTable(q: u32, table: u64, bytes: u32): u32 {
  if (get(q, L.QUEUE_STATE_INDIRECT) == 0) return C.FAULT_INDIRECT;
  if (bytes == 0 || (bytes & 15) != 0) return C.FAULT_TABLE_LENGTH;
  if (table + <u64>bytes < table) return C.FAULT_ADDRESS;
  if (bytes >> 4 > get(q, L.QUEUE_STATE_SEGMENT_LIMIT)) return C.FAULT_TOO_LONG;
  for (let offset: u32 = 0; offset < bytes; offset += 16) {
    const at = tableEntry(q, table + <u64>offset);
    if (at == 0) return C.FAULT_ADDRESS;
    bump(q, L.QUEUE_STATE_DESCRIPTORS_READ, 1);
    const flags: u32 = load<u16>(at, L.PACKED_DESCRIPTOR_FLAGS);
    const length = load<u32>(at, L.PACKED_DESCRIPTOR_LENGTH);
    const answer = addSegment(q, load<u64>(at), length, (flags & C.DESC_WRITE) != 0);
    if (answer != C.POP_CHAIN) return answer;
  }
  return C.POP_CHAIN;
}

/** Writes the used descriptor of a chain, and skips what the chain took of the ring. */
export function packedPush(q: u32, token: u32, written: u32): void {
  let next = get(q, L.QUEUE_STATE_NEXT_USED);
  const wrap = get(q, L.QUEUE_STATE_USED_WRAP);
  const at = ringAt(q, L.QUEUE_STATE_DESCRIPTORS, next << 4);
  const flags: u32 = (wrap != 0 ? C.DESC_AVAIL | C.DESC_USED : 0) | (written != 0 ? C.DESC_WRITE : 0);
  store<u32>(at, written, L.PACKED_DESCRIPTOR_LENGTH);
  store<u16>(at, <u16>token, L.PACKED_DESCRIPTOR_ID);
  store<u16>(at, <u16>flags, L.PACKED_DESCRIPTOR_FLAGS);
  noteAlignedStore(get(q, L.QUEUE_STATE_PAGE_FLAGS), at + L.PACKED_DESCRIPTOR_LENGTH, 8);
  const slots = token >>> 16;
  next += slots;
  const size = get(q, L.QUEUE_STATE_QUEUE_SIZE);
  if (next >= size) {
    next -= size;
    set(q, L.QUEUE_STATE_USED_WRAP, wrap ^ 1);
  }
  set(q, L.QUEUE_STATE_NEXT_USED, next);
  bump(q, L.QUEUE_STATE_UNSIGNALLED, slots);
}

/** 2.8.10: whether the driver wants to hear of what was used since it was asked last. */
export function packedNeedsInterrupt(q: u32): bool {
  const used = get(q, L.QUEUE_STATE_UNSIGNALLED);
  if (used == 0) return false;
  set(q, L.QUEUE_STATE_UNSIGNALLED, 0);
  const at = ringAt(q, L.QUEUE_STATE_DRIVER, 0);
  const flags: u32 = load<u16>(at, L.EVENT_SUPPRESSION_FLAGS) & 3;
  if (flags == C.EVENT_DISABLE) return false;
  if (flags != C.EVENT_DESCRIPTOR || get(q, L.QUEUE_STATE_EVENT_INDEX) == 0) return true;
  const event: u32 = load<u16>(at, L.EVENT_SUPPRESSION_OFFSET);
  const size = get(q, L.QUEUE_STATE_QUEUE_SIZE);
  const next = get(q, L.QUEUE_STATE_NEXT_USED);
  // Positions since the ring began, modulo two rounds: those of one wrap counter lie `size` above the other's.
  const here = next + (get(q, L.QUEUE_STATE_USED_WRAP) != 0 ? 0 : size);
  const wanted = (event & (C.EVENT_WRAP - 1)) + ((event & C.EVENT_WRAP) != 0 ? 0 : size);
  if (wanted >= size << 1) return true;
  const behind = here > wanted ? here - wanted : here + (size << 1) - wanted;
  return behind <= used;
}

/** 2.8.10: asks the driver for doorbells, or asks it to spare them; true when chains are waiting already. */
export function packedNotify(q: u32, wanted: bool): bool {
  const at = ringAt(q, L.QUEUE_STATE_DEVICE, 0);
  let mode: u32 = wanted ? C.EVENT_ENABLE : C.EVENT_DISABLE;
  if (wanted && get(q, L.QUEUE_STATE_EVENT_INDEX) != 0) {
    const wrap: u32 = get(q, L.QUEUE_STATE_AVAILABLE_WRAP) != 0 ? C.EVENT_WRAP : 0;
    store<u16>(at, <u16>(get(q, L.QUEUE_STATE_NEXT_AVAILABLE) | wrap), L.EVENT_SUPPRESSION_OFFSET);
    mode = C.EVENT_DESCRIPTOR;
  }
  store<u16>(at, <u16>mode, L.EVENT_SUPPRESSION_FLAGS);
  noteStore(get(q, L.QUEUE_STATE_PAGE_FLAGS), at, 4);
  return wanted && packedWaiting(q) != 0;
}
