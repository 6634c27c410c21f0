import { Clock, decodeSnapshot, encodeSnapshot, OutsideIo, type OutsideRecord } from '@vmloom/device';
import { Random } from '@vmloom/net';
import { describe, expect, it } from 'vitest';
import { DeviceBench, type DeviceBenchOptions } from '../testing/device-bench.js';
import { P9Client, refusal } from '../testing/p9-client.js';
import { EIO, ENAMETOOLONG } from './errno.js';
import { MemoryFileSystem } from './memory-file-system.js';
import { Virtio9p } from './p9.js';
import * as R from './registers.js';
import { P9Server } from './server.js';
import { MessageWriter } from './wire.js';

const FILES = { 'hello.txt': 'hello world', 'docs/a.txt': 'a' };
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function setUp(options: DeviceBenchOptions = {}) {
  const files = new MemoryFileSystem({ files: FILES });
  const device = new Virtio9p({ files, tag: 'share' });
  const bench = new DeviceBench(device, options);
  bench.start();
  const { mark } = bench.memory;
  const client = new P9Client((message) => {
    bench.memory.mark = mark;
    return bench.request(0, { out: [message], in: [4096, 65_536] })!.bytes;
  });
  return { files, device, bench, client };
}

/** The same files, as if they were the host's: answers come by OutsideIo. */
function setUpOutside() {
  const files = Object.assign(new MemoryFileSystem({ files: FILES }), { outside: true as boolean as false });
  const clock = new Clock();
  const io = new OutsideIo(clock);
  const bench = new DeviceBench(new Virtio9p({ files, tag: 'share', io }), { clock });
  bench.start();
  const turn = async (): Promise<void> => {
    for (let turns = 0; turns < 8; turns++) await Promise.resolve();
    io.deliver();
    bench.run();
  };
  const submit = (type: number, fill: (message: MessageWriter) => void): void => {
    const message = new MessageWriter();
    fill(message);
    bench.submit(0, { out: [message.finish(type, 1).slice()], in: [8192] });
    bench.run();
  };
  const begin = async (): Promise<void> => {
    submit(R.TVERSION, (m) => m.u32(8192).string('9P2000.L'));
    submit(R.TATTACH, (m) => m.u32(0).u32(R.NO_FID).string('').string('').u32(0));
    await turn();
    bench.queues[0].poll();
    bench.queues[0].poll();
  };
  return { bench, io, files, clock, turn, submit, begin };
}

describe('the device', () => {
  it('the tag stands in configuration space: its length, then its bytes', () => {
    const { bench, device } = setUp();
    expect(bench.endpoint.features & 1n).toBe(1n);
    expect(bench.endpoint.readConfig(0, 2)).toBe(5);
    expect(text(Uint8Array.from({ length: 5 }, (_, at) => bench.endpoint.readConfig(2 + at, 1)))).toBe(
      'share',
    );
    expect(device.configSize).toBe(7);
    expect(() => new Virtio9p({ files: new MemoryFileSystem(), tag: '' })).toThrow('tag');
  });

  it.each([false, true])('a file is read and written; packed rings: %s', (packed) => {
    const { client, files, bench } = setUp({ packed });
    client.version();
    client.attach(0);
    client.walk(0, 1, 'hello.txt');
    client.open(1, R.O_RDWR);
    expect(text(client.read(1))).toBe('hello world');
    client.write(1, 'HELLO');
    expect(text(files.readFile('hello.txt')!)).toBe('HELLO world');
    expect(bench.count('request', '9P')).toBe(6);
    expect(() => client.walk(0, 2, 'none')).toThrow('2');
    expect(bench.count('error', 'Rlerror')).toBe(1);
  });

  it('2.7.4.1: message and answer may be cut as the driver likes', () => {
    const { bench } = setUp();
    const message = new MessageWriter().u32(8192).string('9P2000.L').finish(R.TVERSION, R.NO_TAG);
    const used = bench.request(0, {
      out: [message.slice(0, 3), message.slice(3, 9), message.slice(9)],
      in: [5, 1, 90],
    })!;
    expect(used.written).toBe(21);
    expect(text(used.bytes.slice(13))).toBe('9P2000.L');
  });

  it('an answer is never longer than its room', () => {
    const { client, bench } = setUp();
    client.version();
    client.attach(0);
    client.walk(0, 1, 'hello.txt');
    client.open(1);
    const read = new MessageWriter().u32(1).u64(0).u32(4096).finish(R.TREAD, 3).slice();
    expect(text(bench.request(0, { out: [read], in: [16] })!.bytes.slice(11))).toBe('hello');
    const getattr = new MessageWriter().u32(1).u64(0).finish(R.TGETATTR, 3).slice();
    expect([...bench.request(0, { out: [getattr], in: [16] })!.bytes]).toEqual([
      11, 0, 0, 0, 7, 3, 0, 90, 0, 0, 0,
    ]);
  });

  it('2.4: a reset ends the session', () => {
    const { client, bench, device } = setUp();
    client.version();
    client.attach(0);
    expect(device.server.fids).toBe(1);
    bench.endpoint.reset();
    expect(device.server.fids).toBe(0);
  });

  it('what is no message, or has no room for an answer, needs a reset', () => {
    const bad: [Uint8Array, number][] = [
      [Uint8Array.of(6, 0, 0, 0, 100, 0, 0), 100],
      [Uint8Array.of(8, 0, 0, 0, 100, 0, 0), 100],
      [Uint8Array.of(7, 0, 0), 100],
      [Uint8Array.of(7, 0, 0, 0, 100, 0, 0), 10],
    ];
    for (const [message, room] of bad) {
      const { bench } = setUp();
      expect(bench.request(0, { out: [message], in: [room] })).toBeUndefined();
      expect(bench.endpoint.status & 64).toBe(64);
      bench.start();
      expect(bench.endpoint.status & 64).toBe(0);
    }
  });
});

describe('files outside', () => {
  it('are asked by submission, and answer by an event', async () => {
    const { bench, begin, submit, turn } = setUpOutside();
    await begin();
    submit(R.TWALK, (m) => m.u32(0).u32(1).u16(1).string('hello.txt'));
    expect(bench.queues[0].poll()).toBeUndefined();
    await turn();
    expect(bench.queues[0].poll()?.bytes[4]).toBe(R.TWALK + 1);
    expect(
      () =>
        new Virtio9p({
          files: Object.assign(new MemoryFileSystem(), { outside: true as boolean as false }),
          tag: 'x',
        }),
    ).toThrow('io');
  });

  it('a request in flight at a snapshot is carried out once, and answered in the restored machine', async () => {
    const { bench, begin, submit, turn, io, clock } = setUpOutside();
    await begin();
    submit(R.TMKDIR, (m) => m.u32(0).string('made').u32(0o755).u32(0));
    const saved = decodeSnapshot(encodeSnapshot(bench.endpoint.save()));
    const other = setUpOutside();
    other.clock.restore(clock.save());
    const ram = bench.host.ramOffset;
    other.bench.host.bytes.set(bench.host.bytes.subarray(ram), other.bench.host.ramOffset);
    other.bench.endpoint.restore(saved);
    await other.turn();
    bench.host.bytes.set(other.bench.host.bytes.subarray(other.bench.host.ramOffset), ram);
    const used = bench.queues[0].poll()!;
    expect([used.bytes[4], used.written]).toEqual([R.TMKDIR + 1, 20]);
    await turn();
    expect(io.outstanding).toBe(0);
  });

  it('a recorded run repeats without the files', async () => {
    const run = async (replay?: readonly OutsideRecord[]) => {
      const made = setUpOutside();
      const { io, clock, bench, files } = made;
      if (replay !== undefined) io.replay(replay, (name) => clock.owner(name));
      const record = io.record();
      await made.begin();
      const log: unknown[] = [];
      for (const name of ['x', 'y', 'x']) {
        made.submit(R.TMKDIR, (m) => m.u32(0).string(name).u32(0o755).u32(0));
        await made.turn();
        log.push(clock.now, bench.queues[0].poll());
      }
      return { log, record, files };
    };
    const live = await run();
    const again = await run(live.record);
    expect(again.log).toEqual(live.log);
    expect(live.log[5]).toMatchObject({ written: 11 });
    expect(again.files.list({ parent: undefined } as never)).toEqual(['hello.txt', 'docs']);
  });
});

describe('hostile clients', () => {
  const TYPES = [
    8, 12, 14, 16, 18, 20, 22, 24, 26, 30, 32, 40, 50, 52, 54, 70, 72, 74, 76, 104, 108, 110, 116, 118, 120,
    122,
  ];
  const NAMES = ['hello.txt', 'docs', 'a.txt', '..', '.', '', 'a/b', 'x', 'y', 'new'];

  /** Fields of any message: fids that exist and others, names, numbers of all sizes. */
  function fill(message: MessageWriter, random: Random): void {
    for (let fields = random.below(9); fields > 0; fields--) {
      const kind = random.below(6);
      if (kind < 2) message.u32(random.below(12));
      else if (kind === 2) message.string(NAMES[random.below(NAMES.length)]);
      else if (kind === 3) message.u32(random.next());
      else if (kind === 4) message.u64(BigInt(random.next()) << BigInt(random.below(40)));
      else message.u16(random.below(random.chance(0.5) ? 20 : 65_536));
    }
  }

  it.each([1, 2, 3, 4, 5])('random messages are answered, seed %i', (seed) => {
    const random = new Random(seed);
    const files = new MemoryFileSystem({ files: FILES, limit: 1024 * 1024, maxObjects: 500 });
    const server = new P9Server({ files, maxFids: 50, maxFiles: 20 });
    const send = (type: number, write: (message: MessageWriter) => void): Uint8Array => {
      const message = new MessageWriter();
      write(message);
      return server.handle(message.finish(type, 1).slice(), 8192);
    };
    const begin = (): void => {
      send(R.TVERSION, (m) => m.u32(8192).string('9P2000.L'));
      for (let fid = 0; fid < 8; fid++) {
        send(R.TATTACH, (m) => m.u32(fid).u32(R.NO_FID).string('').string('').u32(0));
      }
    };
    begin();
    let refused = 0;
    let done = 0;
    for (let round = 0; round < 6000; round++) {
      if (random.chance(0.002)) begin();
      const type = TYPES[random.below(TYPES.length)];
      const answer = send(type, (m) => fill(m, random));
      const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
      const whole = answer.length <= 8192 && view.getUint32(0, true) === answer.length;
      if (answer[4] === R.RLERROR) refused++;
      else done++;
      // Never "something went wrong inside".
      const inside = answer[4] === R.RLERROR && view.getUint32(7, true) === EIO;
      if (!whole || inside || server.fids > 50)
        expect.fail(`message ${round} of type ${type}: ${answer.join(' ')}`);
    }
    expect(done).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(2000);
  });

  it('directories below each other without end are refused', () => {
    const server = new P9Server({ files: new MemoryFileSystem() });
    const client = new P9Client((message) => server.handle(message, 8192));
    client.version();
    client.attach(0);
    const dive = (): void => {
      client.mkdir(0, 'd');
      client.walk(0, 0, 'd');
    };
    for (let depth = 0; depth < 1024; depth++) dive();
    expect(refusal(dive)).toBe(ENAMETOOLONG);
    expect(client.getattr(0).mode & R.S_IFMT).toBe(R.S_IFDIR);
    server.reset();
    expect(server.fids).toBe(0);
  });

  it('a queue full of the longest messages is worked on in portions', () => {
    const { bench, client } = setUp();
    client.version(524_288);
    const address = 0x8020_0000;
    const message = new MessageWriter().u32(0).finish(R.TCLUNK, 0).slice();
    bench.memory.write(address, message);
    bench.memory.setU32(address, 524_288);
    const { mark } = bench.memory;
    for (let index = 0; index < 60; index++) {
      bench.queues[0].addSegments([
        { address, length: 524_288, write: false },
        { address: mark, length: 11, write: true },
      ]);
    }
    bench.endpoint.ring(0);
    bench.clock.runUntil(bench.clock.now);
    let answered = 0;
    while (bench.queues[0].poll() !== undefined) answered++;
    expect(answered).toBe(32);
    bench.run(5_000_000);
    while (bench.queues[0].poll() !== undefined) answered++;
    expect(answered).toBe(60);
  });

  it('the memory of a tree in memory is bounded', () => {
    const files = new MemoryFileSystem({ limit: 100_000 });
    const server = new P9Server({ files });
    const client = new P9Client((message) => server.handle(message, 8192));
    client.version();
    client.attach(0);
    client.walk(0, 1);
    client.create(1, 'big');
    expect(() => client.write(1, 'x', 2 ** 40)).toThrow('27');
    client.write(1, 'x', 99_000);
    client.walk(0, 2);
    client.create(2, 'more');
    expect(() => client.write(2, new Uint8Array(2000))).toThrow('28');
    client.write(2, new Uint8Array(900));
  });
});
