import { noteStore } from '@vmloom/memory/assembly/store';
import * as L from '../src/layout-offsets';

// Asks the function's DMA port. Fills mapRanges with the host's ranges, in order; the answer is the number
// of bytes that they cover (fewer than asked when there are many ranges), 0 when the request failed.
@external("env", "dmaMap")
declare function dmaMap(low: u32, high: u32, length: u32, write: u32): u32;

export const MAP_LIMIT: u32 = 16384;

/** Maps up to `length` bytes at `address`; the count of bytes that mapRanges now covers, 0 on failure. */
// @ts-ignore: decorator
@inline
export function map(address: u64, length: u32, write: bool): u32 {
  return dmaMap(<u32>address, <u32>(address >> 32), length, write ? 1 : 0);
}

// @ts-ignore: decorator
@inline
export function mapOffset(s: u32, index: u32): u32 {
  return load<u32>(s + L.CORE_STATE_MAP_RANGES + (index << 3));
}

// @ts-ignore: decorator
@inline
export function mapLength(s: u32, index: u32): u32 {
  return load<u32>(s + L.CORE_STATE_MAP_RANGES + (index << 3), 4);
}

// @ts-ignore: decorator
@inline
export function mapCount(s: u32): u32 {
  return load<u32>(s + L.CORE_STATE_MAP_COUNT);
}

export function bump(at: u32, by: u32): void {
  store<u32>(at, load<u32>(at) + by);
}

/** Reads guest memory into the state block; false when the port refuses. */
export function dmaRead(s: u32, address: u64, to: u32, length: u32): bool {
  while (length > 0) {
    const covered = map(address, length, false);
    if (covered == 0) {
      bump(s + L.CORE_STATE_DMA_FAILURES, 1);
      return false;
    }
    const count = mapCount(s);
    for (let i: u32 = 0; i < count; i++) {
      const n = mapLength(s, i);
      memory.copy(to, mapOffset(s, i), n);
      to += n;
    }
    address += covered;
    length -= covered;
  }
  return true;
}

/** Writes bytes of the state block to guest memory; false when the port refuses. */
export function dmaWrite(s: u32, address: u64, from: u32, length: u32): bool {
  const flags = load<u32>(s + L.CORE_STATE_PAGE_FLAGS);
  while (length > 0) {
    const covered = map(address, length, true);
    if (covered == 0) {
      bump(s + L.CORE_STATE_DMA_FAILURES, 1);
      return false;
    }
    const count = mapCount(s);
    for (let i: u32 = 0; i < count; i++) {
      const n = mapLength(s, i);
      const at = mapOffset(s, i);
      memory.copy(at, from, n);
      noteStore(flags, at, n);
      from += n;
    }
    address += covered;
    length -= covered;
  }
  return true;
}
