import type { Virtqueue } from '../queue/queue.js';

const PAGE = 4096;

/** 2.7.2: a legacy driver names the page of the descriptor table; the other parts follow at fixed places. */
export function layLegacyQueue(queue: Virtqueue, page: number): void {
  const descriptors = page * PAGE;
  const driver = descriptors + 16 * queue.maxSize;
  // The available ring ends with used_event.
  const device = Math.ceil((driver + 6 + 2 * queue.maxSize) / PAGE) * PAGE;
  const set = (area: 'descriptors' | 'driver' | 'device', address: number): void =>
    queue.setAddress(area, address >>> 0, Math.floor(address / 0x1_0000_0000));
  set('descriptors', descriptors);
  set('driver', driver);
  set('device', device);
}

export const legacyPage = (queue: Virtqueue): number =>
  (queue.address('descriptors', 1) * 0x1_0000_0000 + queue.address('descriptors', 0)) / PAGE;
