import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import { bump, map, MAP_LIMIT, mapCount, mapLength, mapOffset } from './dma';
import { addRange, clearFrame, copyOut, MAX_RANGES } from './frame';
import { get } from './state';

export const OK: u32 = B.DROP_NONE;

/** Adds a buffer to the frame at hand: ranges of guest memory, nothing is copied. OK, or a DROP_* reason. */
export function gather(s: u32, address: u64, length: u32): u32 {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) + length > <u32>B.MAX_LONG_FRAME_WITH_FCS) return B.DROP_OVERSIZE;
  while (length > 0) {
    const covered = map(address, min(length, MAP_LIMIT), false);
    if (covered == 0) {
      bump(s + L.CORE_STATE_DMA_FAILURES, 1);
      return B.DROP_DMA;
    }
    const ranges = mapCount(s);
    // Three ranges are kept for padding and for the tail of a range that a header cuts.
    if (get(s, L.CORE_STATE_FRAME_COUNT) + ranges + 3 > MAX_RANGES) compact(s);
    for (let i: u32 = 0; i < ranges; i++) addRange(s, mapOffset(s, i), mapLength(s, i));
    address += covered;
    length -= covered;
  }
  return OK;
}

/** A frame of very many ranges becomes one of few. */
function compact(s: u32): void {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  const staging = s + L.CORE_STATE_TX_STAGING;
  // What is staged already stays at its place: it is the first range.
  copyOut(s, 0, length, staging);
  bump(s + L.CORE_STATE_BYTES_COPIED, length);
  clearFrame(s);
  addRange(s, staging, length);
}
