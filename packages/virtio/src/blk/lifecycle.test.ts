import { Clock, decodeSnapshot, encodeSnapshot, OutsideIo, type OutsideRecord } from '@vmloom/device';
import { Random } from '@vmloom/net';
import { describe, expect, it } from 'vitest';
import { BlkDriver, blockHeader, blockSegment } from '../testing/blk-driver.js';
import { DeviceBench } from '../testing/device-bench.js';
import { SlowStore } from '../testing/slow-store.js';
import { VirtioBlk } from './blk.js';
import { MemoryStore } from './memory-store.js';
import { OverlayStore } from './overlay-store.js';

const sector = (value: number, count = 1): Uint8Array => new Uint8Array(512 * count).fill(value);
const first = (store: MemoryStore, at = 0): number => {
  const bytes = sector(0);
  store.read(512 * at, bytes);
  return bytes[0];
};

function setUp(options: { packed?: boolean; queues?: number; inOrder?: boolean } = {}) {
  const { queues = 1, ...ring } = options;
  const store = new MemoryStore({ size: 8 * 1024 * 1024 });
  const slow = new SlowStore(store);
  const clock = new Clock();
  const io = new OutsideIo(clock);
  const disk = new VirtioBlk({ store: slow, io, queues });
  const bench = new DeviceBench(disk, { clock, ...ring });
  bench.start();
  /** Lets the store answer, and the events happen. */
  const turn = async (count?: number, reversed = false): Promise<void> => {
    await slow.answer(count, reversed);
    io.deliver();
    bench.run();
  };
  const submit = (type: number, at: number, data: Uint8Array[] = [], room = 0, queue = 0): number => {
    const id = bench.submit(queue, { out: [blockHeader(type, at), ...data], in: room > 0 ? [room, 1] : [1] });
    bench.run();
    return id;
  };
  return { store, slow, clock, io, disk, bench, turn, submit };
}

describe('requests in flight', () => {
  it('5.2.6: they are used in the order in which they end', async () => {
    const { bench, slow, turn, submit } = setUp();
    const ids = [submit(1, 0, [sector(1)]), submit(1, 1, [sector(2)]), submit(1, 2, [sector(3)])];
    expect(slow.waiting).toHaveLength(3);
    await turn(3, true);
    expect([0, 1, 2].map(() => bench.queues[0].poll()?.id)).toEqual(ids.reverse());
  });

  it('IN_ORDER: they are used in the order in which they came', async () => {
    const { bench, turn, submit } = setUp({ inOrder: true });
    submit(1, 0, [sector(1)]);
    submit(1, 1, [sector(2)]);
    await turn(1, true);
    expect(bench.queues[0].poll()).toBeUndefined();
    await turn();
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(0));
  });

  it('a driver that changes header and data after the doorbell changes nothing', async () => {
    const { bench, store, turn } = setUp();
    const { memory } = bench;
    const from = memory.mark;
    bench.submit(0, { out: [blockHeader(1, 5), sector(7)], in: [1] });
    bench.run();
    memory.write(from, blockHeader(1, 9));
    memory.write(from + 16, sector(8));
    await turn();
    expect([first(store, 5), first(store, 9)]).toEqual([7, 0]);
  });

  it('at most 64 are with the host, the rest waits in the queue', async () => {
    const { bench, slow, turn, submit } = setUp();
    for (let index = 0; index < 80; index++) submit(1, index, [sector(1)]);
    expect(slow.waiting).toHaveLength(64);
    for (let turns = 0; turns < 10; turns++) await turn();
    let done = 0;
    while (bench.queues[0].poll() !== undefined) done++;
    expect(done).toBe(80);
  });

  it('large requests are worked on in pieces of 1 MiB', async () => {
    const { bench, slow, turn } = setUp();
    const { memory } = bench;
    const at = memory.allocate(16);
    memory.write(at, blockHeader(0, 0));
    const data = memory.mark;
    // The same megabyte four times over.
    const piece = { address: data, length: 1024 * 1024, write: true };
    const status = { address: at + 16, length: 1, write: true };
    memory.allocate(16);
    bench.queues[0].addSegments([{ address: at, length: 16, write: false }, piece, piece, piece, status]);
    bench.endpoint.ring(0);
    bench.run();
    for (let turns = 0; turns < 3; turns++) {
      expect(slow.waiting).toHaveLength(1);
      await turn();
    }
    expect(slow.waiting).toHaveLength(0);
    expect(bench.queues[0].poll()?.written).toBe(3 * 1024 * 1024 + 1);
  });
});

describe('reset in mid-request', () => {
  it.each([false, true])(
    '2.4: requests are forgotten, and later ones do not overtake them; packed: %s',
    async (packed) => {
      const { bench, store, slow, turn, submit } = setUp({ packed });
      submit(1, 0, [sector(1)]);
      submit(0, 0, [], 512);
      bench.start();
      submit(1, 0, [sector(2)]);
      expect(slow.waiting).toHaveLength(2);
      expect(bench.queues[0].poll()).toBeUndefined();
      await turn();
      expect(first(store)).toBe(1);
      expect(bench.queues[0].poll()).toBeUndefined();
      await turn();
      expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(0));
      expect(first(store)).toBe(2);
    },
  );

  it('2.6.1: a reset of one queue leaves the requests of others', async () => {
    const { bench, turn, submit } = setUp({ queues: 2 });
    submit(1, 0, [sector(1)], 0, 0);
    submit(1, 1, [sector(2)], 0, 1);
    bench.endpoint.resetQueue(bench.endpoint.queues[0]);
    await turn();
    expect(bench.queues[1].poll()?.bytes).toEqual(Uint8Array.of(0));
    bench.queues[0] = bench.setUpQueue(0);
    submit(1, 2, [sector(3)], 0, 0);
    await turn();
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(0));
  });
});

describe('snapshot', () => {
  it('requests in flight go on in the machine that is restored', async () => {
    const made = setUp({ queues: 2 });
    const { bench, turn, submit, clock, io } = made;
    submit(1, 0, [sector(1, 4)], 0, 0);
    await turn();
    bench.queues[0].poll();
    bench.endpoint.writeConfig(32, 1, 0);
    submit(0, 0, [], 512 * 4, 1);
    submit(1, 9, [sector(5)], 0, 0);
    const saved = decodeSnapshot(encodeSnapshot({ ...bench.endpoint.save() }));
    const savedClock = clock.save();
    const ram = bench.host.bytes.slice(bench.host.ramOffset);

    const other = setUp({ queues: 2 });
    other.store.write(0, sector(1, 4));
    other.bench.host.bytes.set(ram, other.bench.host.ramOffset);
    other.clock.restore(savedClock);
    other.bench.endpoint.restore(saved);
    other.bench.queues = bench.queues;
    expect(other.slow.waiting).toHaveLength(0);
    other.io.deliver();
    other.bench.run();
    expect(other.slow.waiting).toHaveLength(2);
    await other.turn();
    await other.turn();
    expect(first(other.store, 9)).toBe(5);
    // The driver's view is the memory of the restored machine.
    bench.host.bytes.set(other.bench.host.bytes.subarray(other.bench.host.ramOffset), bench.host.ramOffset);
    expect(bench.queues[1].poll()?.bytes).toEqual(Uint8Array.from([...sector(1, 4), 0]));
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(0));
    expect(other.bench.endpoint.readConfig(32, 1)).toBe(0);
    expect(io.outstanding).toBe(2);
  });

  it('what was asked for before a restore in the same process is not answered twice', async () => {
    const { bench, turn, submit } = setUp();
    submit(0, 0, [], 512);
    const saved = bench.endpoint.save();
    bench.endpoint.restore(saved);
    await turn();
    for (let turns = 0; turns < 3; turns++) await turn();
    expect(bench.queues[0].poll()?.written).toBe(513);
    expect(bench.queues[0].poll()).toBeUndefined();
  });

  it('the layer of an overlay is part of it', async () => {
    const base = new MemoryStore({ size: 65_536 });
    const disk = new VirtioBlk({ store: new OverlayStore(base) });
    const bench = new DeviceBench(disk);
    bench.start();
    const driver = new BlkDriver(bench);
    await driver.write(1, sector(1));
    const saved = bench.endpoint.save();
    await driver.write(1, sector(2));
    // The rings in memory have moved on; a driver begins anew.
    bench.endpoint.restore(saved);
    bench.start();
    expect((await driver.read(1, 1)).data[0]).toBe(1);
  });

  it('another size is refused', () => {
    const bench = new DeviceBench(new VirtioBlk({ store: new MemoryStore({ size: 512 }) }));
    const other = new DeviceBench(new VirtioBlk({ store: new MemoryStore({ size: 1024 }) }));
    bench.start();
    expect(() => other.endpoint.restore(bench.endpoint.save())).toThrow('a disk of 512 bytes');
  });
});

describe('recorded runs', () => {
  const run = async (replay?: readonly OutsideRecord[]) => {
    const { bench, io, store, slow, clock, turn, submit } = setUp();
    if (replay === undefined) store.write(0, sector(9, 8));
    else io.replay(replay, (name) => clock.owner(name));
    const record = io.record();
    const log: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      submit(0, round, [], 512);
      submit(1, round + 20, [sector(round)]);
      await turn(replay === undefined ? 2 : 0, round % 2 === 0);
      for (let used = bench.queues[0].poll(); used !== undefined; used = bench.queues[0].poll()) {
        log.push([clock.now, used]);
      }
    }
    expect(slow.waiting).toHaveLength(0);
    return { log, record };
  };

  it('repeat without the store', async () => {
    const live = await run();
    expect(live.log).toHaveLength(10);
    expect(live.record).toHaveLength(10);
    expect((await run(live.record)).log).toEqual(live.log);
  });
});

describe('hostile drivers', () => {
  it('a request of gigabytes is worked on in portions, so that the machine goes on', () => {
    const store = new MemoryStore({ size: 512 * 1024 * 1024 });
    const disk = new VirtioBlk({ store });
    const bench = new DeviceBench(disk);
    bench.start();
    const { memory } = bench;
    const at = memory.allocate(32);
    memory.write(at, blockHeader(0, 0));
    const piece = { address: 0x8020_0000, length: 0x10_0000, write: true };
    const header = { address: at, length: 16, write: false };
    const pieces = Array.from({ length: 100 }, () => piece);
    bench.queues[0].addSegments([header, ...pieces, { address: at + 16, length: 1, write: true }]);
    bench.endpoint.ring(0);
    bench.clock.runUntil(bench.clock.now);
    // 8 MiB, then the clock moves on.
    expect(bench.clock.nextEvent).toBeGreaterThan(bench.clock.now);
    expect(bench.queues[0].poll()).toBeUndefined();
    const saved = bench.endpoint.save();
    bench.endpoint.restore(saved);
    bench.run(20_000_000);
    expect(bench.queues[0].poll()?.written).toBe(100 * 0x10_0000 + 1);
  });

  it('a reset while such a request waits leaves a disk that works', async () => {
    const bench = new DeviceBench(new VirtioBlk({ store: new MemoryStore({ size: 512 * 1024 * 1024 }) }));
    bench.start();
    const driver = new BlkDriver(bench);
    const segment = blockSegment(0, 0x8_0000);
    bench.submit(0, { out: [blockHeader(13), segment], in: [1] });
    bench.clock.runUntil(bench.clock.now);
    expect(bench.queues[0].poll()).toBeUndefined();
    bench.start();
    expect(await driver.write(0, sector(1))).toBe(0);
  });

  it.each([1, 2, 3, 4])('random requests end in a status or a reset, seed %i', async (seed) => {
    const random = new Random(seed);
    const outside = seed % 2 === 0;
    const { slow, io, bench, store } = setUp({ packed: seed > 2, queues: 2 });
    const immediate = outside
      ? bench
      : new DeviceBench(new VirtioBlk({ store, queues: 2 }), { packed: seed > 2 });
    if (!outside) immediate.start();
    let statuses = 0;
    let resets = 0;
    const types = [0, 0, 1, 1, 4, 8, 11, 13, 2, 99];
    const start = immediate.memory.mark;
    for (let round = 0; round < 3000; round++) {
      if ((immediate.endpoint.status & 64) !== 0) {
        resets++;
        immediate.memory.mark = 0x8000_0000;
        immediate.start();
      }
      const queue = random.below(2);
      if (random.chance(0.001)) immediate.endpoint.reset();
      const mark = immediate.memory.mark;
      if (mark - start > 0x20_0000) {
        immediate.memory.mark = 0x8000_0000;
        immediate.start();
      }
      const header = blockHeader(
        types[random.below(types.length)],
        random.chance(0.9) ? random.below(20_000) : random.next(),
      );
      const data = random.fill(
        new Uint8Array(random.chance(0.5) ? 512 * random.below(9) : random.below(600)),
      );
      const room = random.chance(0.7) ? 512 * random.below(9) : random.below(700);
      const out = random.chance(0.97) ? [header, data] : [header.slice(0, random.below(17))];
      const back = random.chance(0.99) ? [room, 1] : [];
      immediate.submit(queue, {
        out: out.filter(({ length }) => length > 0),
        in: back.filter((length) => length > 0),
      });
      immediate.run(10_000);
      if (outside && random.chance(0.5)) {
        await slow.answer();
        io.deliver();
        immediate.run(1000);
      }
      for (const mock of immediate.queues) {
        for (let used = mock.poll(); used !== undefined; used = mock.poll()) {
          expect([0, 1, 2]).toContain(used.bytes.at(-1));
          statuses++;
        }
      }
    }
    expect(statuses).toBeGreaterThan(800);
    expect(resets).toBeGreaterThan(5);
  });
});
