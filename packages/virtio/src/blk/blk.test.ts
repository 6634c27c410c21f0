import { Clock, OutsideIo } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { hasFeature } from '../features.js';
import { BlkDriver, blockHeader, blockSegment } from '../testing/blk-driver.js';
import { DeviceBench, type DeviceBenchOptions } from '../testing/device-bench.js';
import { VirtioBlk, type VirtioBlkOptions } from './blk.js';
import type { BlockStore } from './block-store.js';
import { MemoryStore } from './memory-store.js';
import * as R from './registers.js';
import { SlowStore } from '../testing/slow-store.js';

const SECTORS = 256;
const pattern = (sectors: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length: 512 * sectors }, (_, index) => (index * 7 + (index >> 9) * 31 + seed) & 0xff);

interface Setup {
  readonly disk: VirtioBlk;
  readonly bench: DeviceBench;
  readonly driver: BlkDriver;
  readonly store: MemoryStore;
}

type Options = Partial<VirtioBlkOptions> & { bench?: DeviceBenchOptions; without?: readonly number[] };

function setUp(options: Options = {}): Setup {
  const { bench: benchOptions, without = [], ...rest } = options;
  const store = new MemoryStore({ size: 512 * SECTORS });
  const disk = new VirtioBlk({ store, ...rest });
  const bench = new DeviceBench(disk, benchOptions);
  expect(bench.start(without.reduce((set, bit) => set | (1n << BigInt(bit)), 0n))).toBe(true);
  return { disk, bench, driver: new BlkDriver(bench), store };
}

/** The same disk over a store that answers in the host's own time. */
function setUpOutside(options: Options = {}): Setup & { slow: SlowStore; io: OutsideIo } {
  const bench = { ...options.bench };
  const store = new MemoryStore({ size: 512 * SECTORS });
  const slow = new SlowStore(store);
  const clock = bench.clock ?? new Clock();
  const io = new OutsideIo(clock);
  const made = setUp({ ...options, store: slow, io, bench: { ...bench, clock } });
  const driver = new BlkDriver(made.bench, async () => {
    await slow.answer();
    io.deliver();
  });
  return { ...made, driver, store, slow, io };
}

const field = (bench: DeviceBench, offset: number, width: 1 | 2 | 4): number =>
  bench.endpoint.readConfig(offset, width);

describe.each([
  ['at once', setUp],
  ['outside', setUpOutside],
] as const)('requests to a store that answers %s', (_name, make) => {
  it.each([false, true])('5.2.6: what was written is read back, packed rings: %s', async (packed) => {
    const { driver, store } = make({ bench: { packed } });
    expect(await driver.write(3, pattern(5))).toBe(0);
    const answer = await driver.read(3, 5);
    expect(answer).toEqual({ status: 0, data: pattern(5) });
    const bytes = new Uint8Array(512 * 5);
    store.read(512 * 3, bytes);
    expect(bytes).toEqual(pattern(5));
    expect((await driver.read(2, 1)).data).toEqual(new Uint8Array(512));
  });

  it('2.7.4.1: the driver may cut a request as it likes', async () => {
    const { bench, driver } = make();
    const whole = Uint8Array.from([...blockHeader(1, 0), ...pattern(2)]);
    bench.submit(0, { out: [whole.slice(0, 5), whole.slice(5, 300), whole.slice(300)], in: [1] });
    bench.run();
    await driver.turn();
    bench.run();
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(0));
    bench.submit(0, { out: [blockHeader(0, 0)], in: [100, 413, 512] });
    bench.run();
    await driver.turn();
    bench.run();
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.from([...pattern(2), 0]));
  });

  it('5.2.6.1: beyond the capacity, and lengths that are no multiple of 512, are I/O errors', async () => {
    const { driver, store } = make();
    expect((await driver.read(SECTORS - 1, 2)).status).toBe(R.VIRTIO_BLK_S_IOERR);
    expect((await driver.read(2 ** 60, 1)).status).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.write(SECTORS, pattern(1))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.write(0, pattern(1).slice(1))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect((await driver.request(blockHeader(0), [], 513)).status).toBe(R.VIRTIO_BLK_S_IOERR);
    expect((await driver.read(SECTORS - 1, 1)).status).toBe(0);
    expect(store.allocated).toBe(0);
  });

  it('2.7.8.2: what comes before the status of a failed read is written, with zeros', async () => {
    const { driver } = make();
    expect(await driver.read(SECTORS, 2)).toEqual({ status: 1, data: new Uint8Array(1024) });
  });

  it('5.2.6.2: a read-only disk fails writes and writes nothing', async () => {
    const { driver, bench, store } = make({ readOnly: true });
    expect(hasFeature(bench.endpoint.features, R.VIRTIO_BLK_F_RO)).toBe(true);
    expect(hasFeature(bench.endpoint.offered(), R.VIRTIO_BLK_F_DISCARD)).toBe(false);
    expect(await driver.write(0, pattern(1))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.writeZeroes(blockSegment(0, 1))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.discard(blockSegment(0, 1))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect((await driver.read(0, 1)).status).toBe(0);
    expect(store.allocated).toBe(0);
  });

  it('5.2.6: GET_ID answers 20 bytes padded with NUL', async () => {
    const { driver } = make({ serial: 'vmloom-7' });
    const answer = await driver.request(blockHeader(R.VIRTIO_BLK_T_GET_ID), [], 20);
    expect(answer.status).toBe(0);
    expect(answer.data).toEqual(
      Uint8Array.from({ length: 20 }, (_, index) => 'vmloom-7'.charCodeAt(index) || 0),
    );
    expect(await driver.id()).toBe('vmloom-7');
    expect((await driver.request(blockHeader(R.VIRTIO_BLK_T_GET_ID), [], 4)).data).toEqual(
      answer.data.slice(0, 4),
    );
  });

  it('5.2.6.2: write zeroes reads as zeros, with unmap and without', async () => {
    const { driver } = make();
    await driver.write(0, pattern(200));
    expect(await driver.writeZeroes(blockSegment(1, 3), blockSegment(10, 150, R.FLAG_UNMAP))).toBe(0);
    const { data } = await driver.read(0, 200);
    const expected = pattern(200)
      .fill(0, 512, 512 * 4)
      .fill(0, 5120, 512 * 160);
    expect(Buffer.compare(data, expected)).toBe(0);
  });

  it('5.2.6.2: unknown flags, and unmap in a discard, are unsupported', async () => {
    const { driver } = make();
    await driver.write(0, pattern(4));
    expect(await driver.discard(blockSegment(0, 4, R.FLAG_UNMAP))).toBe(R.VIRTIO_BLK_S_UNSUPP);
    expect(await driver.discard(blockSegment(0, 4, 2))).toBe(R.VIRTIO_BLK_S_UNSUPP);
    expect(await driver.writeZeroes(blockSegment(0, 2), blockSegment(2, 2, 0x8000_0001))).toBe(
      R.VIRTIO_BLK_S_UNSUPP,
    );
    expect((await driver.read(0, 4)).data).toEqual(pattern(4));
  });

  it('5.2.6.1: discards of wrong length, number or place are I/O errors', async () => {
    const { driver } = make();
    expect(await driver.discard()).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.discard(new Uint8Array(15))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.discard(new Uint8Array(16 * 17))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.discard(blockSegment(SECTORS - 1, 2))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.writeZeroes(blockSegment(0, 0x40_0001))).toBe(R.VIRTIO_BLK_S_IOERR);
    expect(await driver.discard(blockSegment(0, SECTORS), blockSegment(4, 0))).toBe(0);
  });

  it('5.2.6.2: unknown types, and those of features that were not agreed on, are unsupported', async () => {
    const { driver } = make({ without: [R.VIRTIO_BLK_F_DISCARD, R.VIRTIO_BLK_F_WRITE_ZEROES] });
    for (const type of [2, 10, 14, 15, 16, 26, 0xffff_ffff]) {
      expect((await driver.request(blockHeader(type))).status).toBe(R.VIRTIO_BLK_S_UNSUPP);
    }
    expect(await driver.discard(blockSegment(0, 1))).toBe(R.VIRTIO_BLK_S_UNSUPP);
    expect(await driver.writeZeroes(blockSegment(0, 1))).toBe(R.VIRTIO_BLK_S_UNSUPP);
  });

  it('a header that is too short is an I/O error, a chain without room for a status needs a reset', async () => {
    const { bench, driver } = make();
    expect((await driver.request(new Uint8Array(15))).status).toBe(R.VIRTIO_BLK_S_IOERR);
    bench.submit(0, { out: [blockHeader(4)] });
    bench.run();
    expect(bench.endpoint.status & 64).toBe(64);
    expect(bench.count('fault', 'no room for a status')).toBe(1);
    bench.start();
    expect(await driver.flush()).toBe(0);
  });

  it('5.2.3: MQ: every queue serves, and num_queues says how many', async () => {
    const { bench, driver } = make({ queues: 4 });
    expect(field(bench, R.CONFIG_NUM_QUEUES, 2)).toBe(4);
    for (let queue = 0; queue < 4; queue++)
      expect(await driver.write(queue, pattern(1, queue), queue)).toBe(0);
    for (let queue = 0; queue < 4; queue++) {
      expect((await driver.read(queue, 1, 3 - queue)).data).toEqual(pattern(1, queue));
    }
    expect(bench.count('request', 'write')).toBe(4);
    expect(bench.count('bytes', 'written')).toBe(2048);
  });

  it('a store that fails is an I/O error, and the next request goes on', async () => {
    const { disk, driver } = make();
    const { store } = disk as { store: BlockStore };
    const write = store.write.bind(store);
    store.write = () => {
      throw new Error('the medium is scratched');
    };
    expect(await driver.write(0, pattern(1))).toBe(R.VIRTIO_BLK_S_IOERR);
    store.write = write;
    expect(await driver.write(0, pattern(1))).toBe(0);
  });
});

describe('stable writes', () => {
  const flushes = (disk: Setup): (() => number) => {
    let count = 0;
    const flush = disk.store.flush.bind(disk.store);
    disk.store.flush = () => {
      count++;
      flush();
    };
    return () => count;
  };

  it('5.2.6.2: writeback: a write is volatile until a flush', async () => {
    const made = setUp();
    const count = flushes(made);
    await made.driver.write(0, pattern(1));
    expect(count()).toBe(0);
    await made.driver.flush();
    expect(count()).toBe(1);
  });

  it('5.2.6.2 case 1: neither FLUSH nor CONFIG_WCE was agreed on: each write is flushed', async () => {
    const made = setUp({ without: [R.VIRTIO_BLK_F_FLUSH, R.VIRTIO_BLK_F_CONFIG_WCE] });
    const count = flushes(made);
    await made.driver.write(0, pattern(1));
    await made.driver.writeZeroes(blockSegment(0, 1));
    await made.driver.read(0, 1);
    expect(count()).toBe(2);
  });

  it('5.2.6.2 case 2: the driver writes 0 to writeback: each write is flushed', async () => {
    const made = setUp();
    const count = flushes(made);
    expect(field(made.bench, R.CONFIG_WRITEBACK, 1)).toBe(1);
    made.bench.endpoint.writeConfig(R.CONFIG_WRITEBACK, 1, 0);
    expect(field(made.bench, R.CONFIG_WRITEBACK, 1)).toBe(0);
    await made.driver.write(0, pattern(1));
    expect(count()).toBe(1);
    made.bench.endpoint.writeConfig(R.CONFIG_WRITEBACK, 1, 1);
    await made.driver.write(0, pattern(1));
    expect(count()).toBe(1);
  });

  it('5.2.5.2: CONFIG_WCE without FLUSH: writeback begins as 0', () => {
    const { bench } = setUp({ without: [R.VIRTIO_BLK_F_FLUSH] });
    expect(field(bench, R.CONFIG_WRITEBACK, 1)).toBe(0);
  });

  it('5.2.5.2: writeback cannot be written without CONFIG_WCE', () => {
    const { bench } = setUp({ without: [R.VIRTIO_BLK_F_CONFIG_WCE] });
    bench.endpoint.writeConfig(R.CONFIG_WRITEBACK, 1, 0);
    expect(field(bench, R.CONFIG_WRITEBACK, 1)).toBe(1);
  });
});

describe('configuration space', () => {
  it('5.2.4: capacity, geometry, blocks, topology and limits', () => {
    const { bench } = setUp({
      store: new MemoryStore({ size: 512 * 63 * 16 * 100 }),
      logicalBlockSize: 512,
      physicalBlockSize: 4096,
      alignmentOffset: 1,
      minIoSize: 4096,
      optIoSize: 65_536,
    });
    expect(field(bench, R.CONFIG_CAPACITY, 4)).toBe(100_800);
    expect(field(bench, R.CONFIG_CAPACITY + 4, 4)).toBe(0);
    expect(field(bench, R.CONFIG_SEG_MAX, 4)).toBe(254);
    expect([field(bench, 16, 2), field(bench, 18, 1), field(bench, 19, 1)]).toEqual([100, 16, 63]);
    expect(field(bench, R.CONFIG_BLK_SIZE, 4)).toBe(512);
    expect([field(bench, 24, 1), field(bench, 25, 1)]).toEqual([3, 1]);
    expect([field(bench, R.CONFIG_MIN_IO_SIZE, 2), field(bench, R.CONFIG_OPT_IO_SIZE, 4)]).toEqual([8, 128]);
    expect(field(bench, R.CONFIG_MAX_DISCARD_SECTORS, 4)).toBe(0x40_0000);
    expect(field(bench, R.CONFIG_MAX_DISCARD_SEG, 4)).toBe(16);
    expect(field(bench, R.CONFIG_WRITE_ZEROES_MAY_UNMAP, 1)).toBe(1);
  });

  it('5.2.5.2: FLUSH is offered, padding is 0', () => {
    const { bench } = setUp({ configWce: false });
    expect(hasFeature(bench.endpoint.offered(), R.VIRTIO_BLK_F_FLUSH)).toBe(true);
    expect(hasFeature(bench.endpoint.offered(), R.VIRTIO_BLK_F_CONFIG_WCE)).toBe(false);
    expect(field(bench, 33, 1)).toBe(0);
    expect([57, 58, 59].map((at) => field(bench, at, 1))).toEqual([0, 0, 0]);
  });

  it('5.2.6.2: a change of capacity is announced', () => {
    const store = new MemoryStore({ size: 512 * 10 });
    const { bench, disk } = setUp({ store });
    Object.assign(store, { size: 512 * 20 });
    disk.resized();
    expect(bench.configInterrupts).toBe(1);
    expect(field(bench, R.CONFIG_CAPACITY, 4)).toBe(20);
  });

  it('options that make no sense are refused', () => {
    const store = new MemoryStore({ size: 512 });
    expect(() => new VirtioBlk({ store, serial: 'a serial that is too long' })).toThrow('20 ASCII');
    expect(() => new VirtioBlk({ store, queues: 0 })).toThrow('queues');
    expect(() => new VirtioBlk({ store, logicalBlockSize: 4096, physicalBlockSize: 512 })).toThrow('blocks');
    expect(() => new VirtioBlk({ store: new SlowStore(store) })).toThrow('io');
  });
});
