import * as L from '../src/layout-offsets';
import * as C from '../src/queue/codes';
import { bump, get, set } from './state';

// Asks the device's DMA port. Fills mapRanges with the host's ranges, in order; the answer is the number of
// bytes that they cover (fewer than asked when there are many ranges), 0 when the request failed.
@external("env", "dmaMap")
declare function dmaMap(q: u32, low: u32, high: u32, length: u32, write: u32): u32;

/** Begins the chain at hand anew. */
export function clearChain(q: u32): void {
  set(q, L.QUEUE_STATE_READABLE_SEGMENTS, 0);
  set(q, L.QUEUE_STATE_SEGMENT_COUNT, 0);
  set(q, L.QUEUE_STATE_READABLE_RANGES, 0);
  set(q, L.QUEUE_STATE_RANGE_COUNT, 0);
  set(q, L.QUEUE_STATE_READABLE_LENGTH, 0);
  set(q, L.QUEUE_STATE_WRITABLE_LENGTH, 0);
}

/** The host offset of a range inside a window (a field of the block); 0 where it does not lie in it. */
// @ts-ignore: decorator
@inline
function within(q: u32, area: u32, address: u64, length: u32): u32 {
  const at = address - load<u64>(q + area);
  const bytes = load<u64>(q + area, L.QUEUE_STATE_READ_WINDOW_BYTES - L.QUEUE_STATE_READ_WINDOW);
  if (at >= bytes || bytes - at < <u64>length) return 0;
  return load<u32>(q + area, L.QUEUE_STATE_READ_WINDOW_OFFSET - L.QUEUE_STATE_READ_WINDOW) + <u32>at;
}

/** Adds a piece of the host's memory to the ranges of the chain; false when there is no room. */
// @ts-ignore: decorator
@inline
function addRange(q: u32, offset: u32, length: u32, first: u32): bool {
  const count = get(q, L.QUEUE_STATE_RANGE_COUNT);
  const offsets = get(q, L.QUEUE_STATE_RANGE_OFFSETS);
  const lengths = get(q, L.QUEUE_STATE_RANGE_LENGTHS);
  const last = count - 1;
  if (count > first && load<u32>(offsets + (last << 2)) + load<u32>(lengths + (last << 2)) == offset) {
    store<u32>(lengths + (last << 2), load<u32>(lengths + (last << 2)) + length);
    return true;
  }
  if (count == get(q, L.QUEUE_STATE_RANGE_LIMIT)) return false;
  store<u32>(offsets + (count << 2), offset);
  store<u32>(lengths + (count << 2), length);
  set(q, L.QUEUE_STATE_RANGE_COUNT, count + 1);
  return true;
}

/** Maps a segment piece by piece. */
function addScattered(q: u32, address: u64, length: u32, write: bool, first: u32): u32 {
  while (length > 0) {
    bump(q, L.QUEUE_STATE_TRANSLATIONS, 1);
    const covered = dmaMap(q, <u32>address, <u32>(address >> 32), length, write ? 1 : 0);
    if (covered == 0) return C.FAULT_ADDRESS;
    const count = get(q, L.QUEUE_STATE_MAP_COUNT);
    for (let i: u32 = 0; i < count; i++) {
      const at = q + L.QUEUE_STATE_MAP_RANGES + (i << 3);
      if (!addRange(q, load<u32>(at), load<u32>(at, 4), first)) return C.FAULT_TOO_LONG;
    }
    address += covered;
    length -= covered;
  }
  return C.POP_CHAIN;
}

/** True when the segment has a byte in common with a part of the queue. */
// @ts-ignore: decorator
@inline
function overlaps(q: u32, area: u32, address: u64, length: u32): bool {
  const start = load<u64>(q + area);
  const bytes = load<u32>(q + area, L.QUEUE_STATE_DRIVER_BYTES - L.QUEUE_STATE_DRIVER);
  return address < start + <u64>bytes && start < address + <u64>length;
}

/** Adds what a descriptor says to the chain at hand; POP_CHAIN, or a fault. */
// @ts-ignore: decorator
@inline
export function addSegment(q: u32, address: u64, length: u32, write: bool): u32 {
  const count = get(q, L.QUEUE_STATE_SEGMENT_COUNT);
  if (count == get(q, L.QUEUE_STATE_SEGMENT_LIMIT)) return C.FAULT_TOO_LONG;
  const end = address + <u64>length;
  if (end < address) return C.FAULT_ADDRESS;
  const total = write ? L.QUEUE_STATE_WRITABLE_LENGTH : L.QUEUE_STATE_READABLE_LENGTH;
  const sum = get(q, total) + length;
  if (sum < length) return C.FAULT_LENGTH;
  set(q, total, sum);
  if (write) {
    if (
      overlaps(q, L.QUEUE_STATE_DESCRIPTORS, address, length) ||
      overlaps(q, L.QUEUE_STATE_DRIVER, address, length) ||
      overlaps(q, L.QUEUE_STATE_DEVICE, address, length)
    ) {
      return C.FAULT_OVER_RING;
    }
  } else if (get(q, L.QUEUE_STATE_READABLE_SEGMENTS) != count) return C.FAULT_ORDER;
  const at = get(q, L.QUEUE_STATE_SEGMENTS) + (count << 4);
  store<u64>(at, address);
  store<u32>(at, length, L.SEGMENT_LENGTH);
  set(q, L.QUEUE_STATE_SEGMENT_COUNT, count + 1);
  if (!write) set(q, L.QUEUE_STATE_READABLE_SEGMENTS, count + 1);
  if (length == 0) return C.POP_CHAIN;
  const first = write ? get(q, L.QUEUE_STATE_READABLE_RANGES) : 0;
  const area = write ? L.QUEUE_STATE_WRITE_WINDOW : L.QUEUE_STATE_READ_WINDOW;
  const offset = within(q, area, address, length);
  let answer: u32 = C.POP_CHAIN;
  if (offset == 0) answer = addScattered(q, address, length, write, first);
  else if (!addRange(q, offset, length, first)) answer = C.FAULT_TOO_LONG;
  if (!write) set(q, L.QUEUE_STATE_READABLE_RANGES, get(q, L.QUEUE_STATE_RANGE_COUNT));
  return answer;
}

/** Where 16 bytes of an indirect table lie, copied together when they are in two places; 0 when nothing answers. */
export function tableEntry(q: u32, address: u64): u32 {
  const offset = within(q, L.QUEUE_STATE_READ_WINDOW, address, 16);
  if (offset != 0) return offset;
  const to = q + L.QUEUE_STATE_DESCRIPTOR;
  let have: u32 = 0;
  while (have < 16) {
    bump(q, L.QUEUE_STATE_TRANSLATIONS, 1);
    const at = address + <u64>have;
    const covered = dmaMap(q, <u32>at, <u32>(at >> 32), 16 - have, 0);
    if (covered == 0) return 0;
    const count = get(q, L.QUEUE_STATE_MAP_COUNT);
    for (let i: u32 = 0; i < count; i++) {
      const range = q + L.QUEUE_STATE_MAP_RANGES + (i << 3);
      memory.copy(to + have, load<u32>(range), load<u32>(range, 4));
      have += load<u32>(range, 4);
    }
  }
  return to;
}

/**
 * Maps the segments at hand again: those of a chain that was held, in a later event. The block says how many
 * there are and how many of them are readable.
 */
export function remap(q: u32): u32 {
  const count = get(q, L.QUEUE_STATE_SEGMENT_COUNT);
  const readable = get(q, L.QUEUE_STATE_READABLE_SEGMENTS);
  const segments = get(q, L.QUEUE_STATE_SEGMENTS);
  clearChain(q);
  for (let i: u32 = 0; i < count; i++) {
    const at = segments + (i << 4);
    const answer = addSegment(q, load<u64>(at), load<u32>(at, L.SEGMENT_LENGTH), i >= readable);
    if (answer != C.POP_CHAIN) return answer;
  }
  return C.POP_CHAIN;
}
