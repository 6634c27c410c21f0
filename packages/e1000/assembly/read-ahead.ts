import * as L from '../src/layout-offsets';
import { bump, dmaRead } from './dma';

// 3.2.6 and 3.4: the controller reads descriptors ahead, up to the tail, into a cache of its own (64 of them
// in the real one).

/** Descriptors read by one request at most. */
export const AHEAD: u32 = 16;

/**
 * Where the block has descriptor `head` of a ring of `size` at `base` of which `pending` are the controller's;
 * 0 when the port refuses. `first` is the field of the index of the first one read ahead, followed by that of their
 * count; `cache` is where they lie.
 */
export function readAhead(s: u32, first: u32, cache: u32, base: u64, head: u32, size: u32, pending: u32): u32 {
  const index = load<u32>(s + first);
  const count = load<u32>(s + first, 4);
  if (head - index < count) return s + cache + ((head - index) << 4);
  const n = min(min(pending, size - head), AHEAD);
  if (!dmaRead(s, base + (head << 4), s + cache, n << 4)) {
    store<u32>(s + first, 0, 4);
    return 0;
  }
  bump(s + L.CORE_STATE_DESCRIPTORS_READ, n);
  store<u32>(s + first, head);
  store<u32>(s + first, n, 4);
  return s + cache;
}
