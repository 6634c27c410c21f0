import * as L from '../src/layout-offsets';
import { bump, dmaRead } from './dma';

// 7.1.6 and 7.2.3: the controller reads descriptors ahead, up to the tail, into caches of its own.

/** Descriptors of the caches of a receive and of a transmit queue. */
export const RX_AHEAD: u32 = 16;
export const TX_AHEAD: u32 = 64;

/**
 * Where the block has descriptor `index` of a ring of `size` at `base`, of which `pending` from there on are the
 * controller's; 0 when the port refuses. `queue` begins with the index of the first one read ahead and their count;
 * `cache` has room for `room` of them.
 */
export function readAhead(
  s: u32,
  queue: u32,
  cache: u32,
  room: u32,
  base: u64,
  index: u32,
  size: u32,
  pending: u32,
): u32 {
  const first = load<u32>(queue);
  if (index - first < load<u32>(queue, 4)) return cache + ((index - first) << 4);
  const n = min(min(pending, size - index), room);
  if (!dmaRead(s, base + (index << 4), cache, n << 4)) {
    store<u32>(queue, 0, 4);
    return 0;
  }
  bump(s + L.CORE_STATE_DESCRIPTORS_READ, n);
  store<u32>(queue, index);
  store<u32>(queue, n, 4);
  return cache;
}
