import { hostOffset, HostMemory } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { restoreRam, saveRam } from './ram-image.js';

describe('the image of RAM', () => {
  it('contract Snapshot: holds the pages that are not zero and brings all of RAM back', () => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0 });
    memory.writeU8(hostOffset(memory.ramOffset + 0x0fff), 1);
    memory.writeU8(hostOffset(memory.ramOffset + 0x1000), 2);
    memory.writeU8(hostOffset(memory.ramOffset + 0xffff), 3);
    const image = saveRam(memory);
    expect(image.map(({ at, bytes }) => [at, bytes.length])).toEqual([
      [0, 0x2000],
      [15, 0x1000],
    ]);
    const before = memory.read(memory.ramOffset, 0x10000).slice();
    memory.fill(memory.ramOffset, 0x10000, 0xee);
    restoreRam(memory, image);
    expect(memory.read(memory.ramOffset, 0x10000)).toEqual(before);
  });

  it('honours page flags while it restores', () => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0 });
    memory.flags.set((memory.ramOffset >>> 12) + 5, 1);
    let stores = 0;
    memory.flags.onStore(1, () => stores++);
    restoreRam(memory, []);
    expect(stores).toBe(1);
  });

  it('refuses an image of a larger machine', () => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0 });
    expect(() => restoreRam(memory, [{ at: 16, bytes: new Uint8Array(4096) }])).toThrow(/more RAM/);
  });
});
