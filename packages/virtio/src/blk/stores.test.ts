import { Random } from '@vmloom/net';
import { describe, expect, it } from 'vitest';
import { RecordingStore } from '../testing/recording-store.js';
import type { BlockStore } from './block-store.js';
import { MemoryStore } from './memory-store.js';
import { OverlayStore } from './overlay-store.js';
import { PowerLossStore } from './power-loss-store.js';
import { MAP_PAGE_SECTORS, SectorMap } from './sector-map.js';

const SIZE = 512 * 1024;

const read = (store: BlockStore, at: number, length: number): Uint8Array => {
  const target = new Uint8Array(length).fill(0xee);
  void store.read(at, target);
  return target;
};

/** `toEqual` takes seconds for a megabyte. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const content = (store: BlockStore): Uint8Array => read(store, 0, store.size);

/** The same random work on a store and on plain bytes. */
function work(store: BlockStore, seed: number, rounds: number): Uint8Array {
  const random = new Random(seed);
  const plain = content(store);
  for (let round = 0; round < rounds; round++) {
    const sector = random.below(store.size / 512);
    const sectors = 1 + random.below(Math.min(300, store.size / 512 - sector));
    const at = 512 * sector;
    const length = 512 * sectors;
    switch (random.below(4)) {
      case 0:
        void store.zero(at, length, random.below(2) === 0);
        plain.fill(0, at, at + length);
        break;
      case 1:
        void store.flush();
        expect(same(read(store, at, length), plain.subarray(at, at + length))).toBe(true);
        break;
      default: {
        const bytes = random.fill(new Uint8Array(length));
        void store.write(at, bytes);
        plain.set(bytes, at);
      }
    }
  }
  return plain;
}

const image = (): Uint8Array => new Random(1).fill(new Uint8Array(SIZE - 700));

describe('stores against plain bytes', () => {
  it.each([
    ['memory', () => new MemoryStore({ size: SIZE })],
    ['memory with an image', () => new MemoryStore({ image: image(), size: SIZE })],
    ['overlay', () => new OverlayStore(new MemoryStore({ image: image(), size: SIZE }))],
    ['overlay on overlay', () => new OverlayStore(new OverlayStore(new MemoryStore({ image: image() })))],
    ['power loss', () => new PowerLossStore(new MemoryStore({ size: SIZE }), { seed: 1 })],
    [
      'power loss, small cache',
      () => new PowerLossStore(new MemoryStore({ size: SIZE }), { seed: 1, cache: 90_000 }),
    ],
  ])('%s', (_name, make) => {
    const store = make();
    expect(same(work(store, 42, 400), content(store))).toBe(true);
  });
});

describe('memory', () => {
  it('the image is never written', () => {
    const first = image();
    const copy = first.slice();
    work(new MemoryStore({ image: first, size: SIZE }), 3, 50);
    expect(same(first, copy)).toBe(true);
  });

  it('room is taken as it is written, and given back by a discard', () => {
    const store = new MemoryStore({ size: 1024 ** 4 });
    store.write(1024 ** 4 - 512, new Uint8Array(512).fill(1));
    expect(store.allocated).toBe(65_536);
    store.discard(1024 ** 4 - 65_536, 65_536);
    expect(store.allocated).toBe(0);
  });

  it('a snapshot brings back what was written', () => {
    const store = new MemoryStore({ image: image(), size: SIZE });
    const then = work(store, 5, 60);
    const saved = store.save();
    work(store, 6, 60);
    store.restore(saved);
    expect(same(content(store), then)).toBe(true);
  });

  it('a size that is no multiple of 512 is refused', () => {
    expect(() => new MemoryStore({ size: 1000 })).toThrow('multiple of 512');
  });
});

describe('overlay', () => {
  it('the base is untouched', () => {
    const base = new MemoryStore({ image: image(), size: SIZE });
    const before = content(base);
    const overlay = new OverlayStore(base);
    work(overlay, 9, 200);
    void overlay.discard(0, SIZE);
    expect(same(content(base), before)).toBe(true);
    expect(base.allocated).toBe(0);
  });

  it('a snapshot brings the layer back', () => {
    const overlay = new OverlayStore(new MemoryStore({ image: image(), size: SIZE }));
    const then = work(overlay, 5, 60);
    const saved = overlay.save!();
    work(overlay, 6, 60);
    overlay.restore!(saved);
    expect(same(content(overlay), then)).toBe(true);
  });
});

describe('sector map', () => {
  it('runs agree with single bits, across pages too', () => {
    const map = new SectorMap();
    const random = new Random(4);
    const limit = 3 * MAP_PAGE_SECTORS;
    const plain = new Uint8Array(limit);
    for (let round = 0; round < 200; round++) {
      const at = random.below(limit - 400);
      const count = 1 + random.below(400);
      map.add(at, count);
      plain.fill(1, at, at + count);
    }
    map.add(MAP_PAGE_SECTORS - 5, 10);
    plain.fill(1, MAP_PAGE_SECTORS - 5, MAP_PAGE_SECTORS + 5);
    let sum = 0;
    for (let at = 0; at < limit;) {
      const run = map.run(at, limit - at);
      expect(new Set(plain.subarray(at, at + run))).toEqual(new Set([Number(map.has(at))]));
      if (at + run < limit) expect(plain[at + run]).not.toBe(plain[at]);
      sum += map.has(at) ? run : 0;
      at += run;
    }
    expect(sum).toBe(plain.reduce((total, bit) => total + bit, 0));
  });
});

describe('power loss', () => {
  const sector = (value: number): Uint8Array => new Uint8Array(512).fill(value);

  it('what was flushed survives, whatever the seed', () => {
    for (let seed = 0; seed < 40; seed++) {
      const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed });
      const stable = work(store, seed, 30);
      store.flush();
      store.cut();
      expect(same(content(store.medium), stable)).toBe(true);
    }
  });

  it('of unflushed writes some survive, some are lost, some are torn, and older ones may win', () => {
    const seen = { lost: 0, whole: 0, torn: 0, older: 0 };
    for (let seed = 0; seed < 200; seed++) {
      const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed });
      store.write(0, new Uint8Array(4096).fill(1));
      store.write(8192, sector(2));
      store.write(8192, sector(3));
      store.cut();
      const first = read(store.medium, 0, 4096);
      const sum = first.reduce((total, byte) => total + byte, 0);
      seen[sum === 0 ? 'lost' : sum === 4096 ? 'whole' : 'torn']++;
      // 512 bytes are never torn.
      for (let at = 0; at < 4096; at += 512) expect(new Set(first.subarray(at, at + 512)).size).toBe(1);
      if (read(store.medium, 8192, 512)[0] === 2) seen.older++;
    }
    expect(seen.lost).toBeGreaterThan(40);
    expect(seen.whole).toBeGreaterThan(40);
    expect(seen.torn).toBeGreaterThan(5);
    expect(seen.older).toBeGreaterThan(20);
  });

  it('equal seeds lose the same', () => {
    const lose = (seed: number): Uint8Array => {
      const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed, cutAt: 90 });
      expect(() => work(store, 11, 200)).toThrow('no power');
      return content(store.medium);
    };
    expect(same(lose(7), lose(7))).toBe(true);
    expect(same(lose(7), lose(8))).toBe(false);
  });

  it('a load that was recorded is lost at any point; what was flushed before it is whole', () => {
    const load = new RecordingStore(new MemoryStore({ size: SIZE }));
    work(load, 21, 120);
    const flushes = load.changes.flatMap(({ kind }, index) => (kind === 'flush' ? [index] : []));
    expect(flushes.length).toBeGreaterThan(10);
    for (const flush of flushes) {
      const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed: flush });
      load.replay(store, flush + 1);
      store.cut();
      const whole = new MemoryStore({ size: SIZE });
      load.replay(whole, flush + 1);
      expect(same(content(store.medium), content(whole))).toBe(true);
    }
  });

  it('after the cut nothing reaches the medium and nothing is answered', () => {
    const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed: 1, cutAt: 2 });
    store.write(0, sector(1));
    store.flush();
    expect(() => store.write(0, sector(2))).toThrow('no power');
    expect(store.isOff).toBe(true);
    expect(() => store.read(0, sector(0))).toThrow('no power');
    expect(() => store.flush()).toThrow('no power');
    expect(read(store.medium, 0, 512)).toEqual(sector(1));
  });

  it('beyond its size the cache writes back the oldest, and reads stay right', () => {
    const store = new PowerLossStore(new MemoryStore({ size: SIZE }), { seed: 1, cache: 1024 });
    for (let value = 1; value <= 5; value++) store.write(512 * (value % 3), sector(value));
    expect(store.held).toBe(2);
    expect([0, 512, 1024].map((at) => read(store, at, 512)[0])).toEqual([3, 4, 5]);
  });
});
