import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock, OutsideIo } from '@vmloom/device';
import { HostMemory } from '@vmloom/memory';
import { Random } from '@vmloom/net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockStore } from '../blk/block-store.js';
import { OverlayStore } from '../blk/overlay-store.js';
import { VirtioBlk } from '../blk/blk.js';
import { BlkDriver, blockSegment } from '../testing/blk-driver.js';
import { DeviceBench } from '../testing/device-bench.js';
import { FileStore } from './file-store.js';
import { OverlayFile } from './overlay-file.js';

const SIZE = 4 * 1024 * 1024;
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'vmloom-disk-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const image = (name = 'base.img'): string => {
  const path = join(folder, name);
  writeFileSync(path, new Random(1).fill(new Uint8Array(SIZE)));
  return path;
};
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

async function read(store: BlockStore, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await store.read(at, bytes);
  return bytes;
}

/** The same random work on a store and on plain bytes. */
async function work(store: BlockStore, seed: number): Promise<Uint8Array> {
  const random = new Random(seed);
  const plain = await read(store, 0, SIZE);
  for (let round = 0; round < 60; round++) {
    const sector = random.below(SIZE / 512);
    const length = 512 * (1 + random.below(Math.min(round % 10 === 0 ? 6000 : 100, SIZE / 512 - sector)));
    const at = 512 * sector;
    if (random.chance(0.3)) {
      await store.zero(at, length, random.chance(0.7));
      plain.fill(0, at, at + length);
    } else {
      const bytes = random.fill(new Uint8Array(length));
      await store.write(at, bytes);
      plain.set(bytes, at);
    }
    if (random.chance(0.2)) await store.flush();
  }
  return plain;
}

describe.each([false, true])('files, blocking: %s', (blocking) => {
  it('hold what was written', async () => {
    const path = image();
    const store = new FileStore(path, { blocking });
    const plain = await work(store, 2);
    expect(same(await read(store, 0, SIZE), plain)).toBe(true);
    store.close();
    expect(same(readFileSync(path), plain)).toBe(true);
  });

  it('5.2.6.2: a discard of megabytes frees the room of the host', async () => {
    const path = image();
    const store = new FileStore(path, { blocking });
    const before = statSync(path).blocks;
    await store.discard(0, SIZE);
    await store.flush();
    expect(statSync(path).blocks).toBeLessThan(before / 2);
    expect(statSync(path).size).toBe(SIZE);
    store.close();
  });

  it('an overlay leaves the base untouched and is there after it was closed', async () => {
    const path = image();
    const before = readFileSync(path);
    const layer = join(folder, 'layer');
    const make = (file: OverlayFile): OverlayStore =>
      new OverlayStore(new FileStore(path, { blocking, readOnly: true }), file);
    const overlay = make(OverlayFile.create(layer, SIZE, { blocking }));
    const plain = await work(overlay, 3);
    await overlay.flush();
    expect(same(readFileSync(path), before)).toBe(true);
    const again = make(OverlayFile.open(layer, SIZE, { blocking }));
    expect(same(await read(again, 0, SIZE), plain)).toBe(true);
    (again.layer as OverlayFile).close();
    (overlay.layer as OverlayFile).close();
  });

  it('what was not flushed of an overlay is as it was before, or as it was written', async () => {
    const layer = join(folder, 'layer');
    const path = image();
    const base = new FileStore(path, { blocking, readOnly: true });
    const file = OverlayFile.create(layer, SIZE, { blocking });
    const overlay = new OverlayStore(base, file);
    await overlay.write(0, new Uint8Array(512).fill(1));
    await overlay.flush();
    await overlay.write(512, new Uint8Array(512).fill(2));
    // As if the host had failed here: the file is opened without a flush.
    const again = new OverlayStore(base, OverlayFile.open(layer, SIZE, { blocking }));
    expect(same(await read(again, 0, 512), new Uint8Array(512).fill(1))).toBe(true);
    expect(same(await read(again, 512, 512), readFileSync(path).subarray(512, 1024))).toBe(true);
  });

  it('an overlay file is sparse', async () => {
    const layer = join(folder, 'layer');
    const size = 8 * 1024 ** 3;
    const file = OverlayFile.create(layer, size, { blocking });
    await file.data.write(size - 512, new Uint8Array(512).fill(1));
    file.sectors.add(size / 512 - 1, 1);
    await file.flush();
    expect(statSync(layer).blocks * 512).toBeLessThan(256 * 1024);
    expect(OverlayFile.open(layer, size).sectors.has(size / 512 - 1)).toBe(true);
  });

  it('a disk in a file serves a driver', async () => {
    const clock = new Clock();
    const io = new OutsideIo(clock);
    const path = image();
    const before = readFileSync(path);
    const disk = new VirtioBlk({ store: new FileStore(path, { blocking }), io });
    const bench = new DeviceBench(disk, { clock, packed: blocking });
    bench.start();
    const driver = new BlkDriver(bench, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      io.deliver();
    });
    expect(same((await driver.read(7, 900)).data, before.subarray(512 * 7, 512 * 907))).toBe(true);
    expect(await driver.write(7, new Uint8Array(5120).fill(3))).toBe(0);
    expect(await driver.writeZeroes(blockSegment(8, 2), blockSegment(2048, 4096, 1))).toBe(0);
    expect(await driver.flush()).toBe(0);
    before
      .fill(3, 512 * 7, 512 * 17)
      .fill(0, 4096, 5120)
      .fill(0, 1024 * 1024, 1024 * 1024 * 3);
    expect(same(readFileSync(path), before)).toBe(true);
    expect(io.outstanding).toBe(0);
  });

  it('data moves between a file and a memory that workers share', async () => {
    const clock = new Clock();
    const io = new OutsideIo(clock);
    const store = new FileStore(image(), { blocking });
    const memory = new HostMemory({ ram: 4 * 1024 * 1024, reserve: 4 * 1024 * 1024, shared: true });
    const bench = new DeviceBench(new VirtioBlk({ store, io }), { clock, memory });
    bench.start();
    const driver = new BlkDriver(bench, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      io.deliver();
    });
    expect(await driver.write(9, new Uint8Array(1024).fill(6))).toBe(0);
    expect(same((await driver.read(9, 2)).data, new Uint8Array(1024).fill(6))).toBe(true);
  });

  it('a file that shrinks under a disk reads as zeros behind its end', async () => {
    const path = image();
    const store = new FileStore(path, { blocking });
    truncateSync(path, 1000);
    const bytes = await read(store, 512, 1024);
    expect(same(bytes.subarray(488), new Uint8Array(536))).toBe(true);
  });
});

describe('what is refused', () => {
  it('files that are missing, are none, or hold no sector', () => {
    expect(() => new FileStore(join(folder, 'none'))).toThrow('cannot be opened');
    expect(() => new FileStore(folder, { readOnly: true })).toThrow('no regular file');
    writeFileSync(join(folder, 'short'), 'x');
    expect(() => new FileStore(join(folder, 'short'))).toThrow('no sector');
  });

  it('overlays of other disks, other things, and existing files', () => {
    const path = join(folder, 'layer');
    OverlayFile.create(path, SIZE);
    expect(() => OverlayFile.create(path, SIZE)).toThrow('cannot be opened');
    expect(() => OverlayFile.open(path, SIZE + 512)).toThrow(`of a disk of ${SIZE} bytes`);
    expect(() => OverlayFile.open(image(), SIZE)).toThrow('no overlay');
  });

  it('writes to a file that is read-only fail', () => {
    const store = new FileStore(image(), { readOnly: true, blocking: true });
    expect(store.readOnly).toBe(true);
    expect(() => store.write(0, new Uint8Array(512))).toThrow();
  });
});
