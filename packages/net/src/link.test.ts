import { Clock, decodeSnapshot, encodeSnapshot, Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Frame } from './frame.js';
import { Link, MAX_FRAME } from './link.js';
import { Random } from './random.js';
import { etherFrame, macOf, randomFrame, Station } from './testing/index.js';

const frame = (size = 60): Uint8Array => etherFrame({ from: macOf(1), payload: new Uint8Array(size - 14) });
const MEGABIT = 1_000_000;

describe('a link without rate and delay', () => {
  it('passes the frame straight through, not copied', () => {
    const link = new Link();
    const b = new Station(link.b);
    const memory = new Uint8Array(200);
    const scattered = new Frame();
    scattered.clear(memory);
    scattered.add(10, 20);
    scattered.add(100, 44);
    memory.fill(7, 10, 30);
    memory.fill(8, 100, 144);
    expect(link.a.send(scattered)).toBe(true);
    expect(b.memories[0]).toBe(memory);
    expect(b.received[0]).toEqual(
      Uint8Array.from([...Array<number>(20).fill(7), ...Array<number>(44).fill(8)]),
    );
    expect(link.a.counters.sentBytes.value).toBe(64);
    expect(link.b.counters.receivedFrames.value).toBe(1);
  });

  it('pause: a refused frame stays with its sender, who is told when there is room', () => {
    const link = new Link();
    const a = new Station(link.a);
    const b = new Station(link.b);
    b.room = 0;
    expect(a.send(frame())).toBe(false);
    expect(a.writableCalls).toBe(0);
    a.onWritable = () => expect(a.send(frame())).toBe(true);
    b.admit(5);
    expect(a.writableCalls).toBe(1);
    expect(b.received).toHaveLength(1);
    expect(link.a.counters.dropped()).toBe(0);
  });

  it('drop: a refused frame is lost and counted', () => {
    const ledger = new Ledger();
    const link = new Link({ name: 'wire', policy: 'drop', ledger });
    const a = new Station(link.a);
    new Station(link.b).room = 0;
    expect(a.send(frame())).toBe(true);
    expect(ledger.total({ owner: 'wire.a', event: 'drop', reason: 'blocked' })).toBe(1);
  });

  it('a port that is down accepts and drops, counted by the port', () => {
    const link = new Link();
    const a = new Station(link.a);
    const b = new Station(link.b);
    link.up = false;
    expect(link.a.up).toBe(false);
    expect(a.send(frame())).toBe(true);
    link.up = true;
    expect([a.carrier, b.carrier]).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(b.received).toHaveLength(0);
    expect(link.a.counters.dropped('down')).toBe(1);
  });

  it('a frame to nobody or beyond the longest is dropped and counted', () => {
    const link = new Link();
    expect(link.a.send(Frame.of(frame()))).toBe(true);
    new Station(link.b);
    expect(link.a.send(Frame.of(new Uint8Array(MAX_FRAME + 1)))).toBe(true);
    expect([link.a.counters.dropped('unattached'), link.a.counters.dropped('oversize')]).toEqual([1, 1]);
  });
});

describe('a link with rate and delay', () => {
  const setup = (options: ConstructorParameters<typeof Link>[0] = {}) => {
    const clock = new Clock();
    const link = new Link({ clock, rate: 100 * MEGABIT, delay: 1000, ...options });
    const a = new Station(link.a);
    const b = new Station(link.b);
    const arrivals: number[] = [];
    b.onFrame = () => arrivals.push(clock.now);
    return { clock, link, a, b, arrivals };
  };

  it('802.3 4.4: a frame takes its bits, preamble, check sequence and gap at the rate, then the delay', () => {
    const { clock, a, arrivals } = setup();
    a.send(frame(60));
    a.send(frame(1514));
    a.send(frame(20));
    clock.runUntil(1e9);
    // (60 + 24), (1514 + 24) and, padded, (60 + 24) octets at 10 ns a bit.
    expect(arrivals).toEqual([6720 + 1000, 6720 + 123_040 + 1000, 6720 + 123_040 + 6720 + 1000]);
  });

  it('a send never delivers: the frame arrives by an event, copied', () => {
    const { clock, a, b } = setup({ rate: Infinity, delay: 5 });
    const bytes = frame();
    a.send(bytes);
    bytes.fill(0xee);
    expect(b.received).toHaveLength(0);
    clock.runUntil(5);
    expect(b.received[0]).toEqual(frame());
  });

  it('pause: the queue has its bound and the sender is told when the wire has taken a frame', () => {
    const { clock, a, b } = setup({ queueFrames: 3 });
    const unsent = Array.from({ length: 20 }, (_, index) => frame(60 + index));
    const push = (): void => {
      while (unsent.length > 0 && a.send(unsent[0])) unsent.shift();
    };
    a.onWritable = push;
    push();
    expect(unsent).toHaveLength(17);
    clock.runUntil(6720);
    expect(unsent).toHaveLength(16);
    clock.runUntil(1e9);
    expect(b.received.map((bytes) => bytes.length)).toEqual(
      Array.from({ length: 20 }, (_, index) => 60 + index),
    );
  });

  it('pause: the bound in bytes holds back a frame that would exceed it, without a busy loop', () => {
    const { clock, a, b } = setup({ queueBytes: 2000 });
    expect(a.send(frame(1500))).toBe(true);
    expect(a.send(frame(600))).toBe(false);
    a.onWritable = () => a.send(frame(600));
    expect(clock.runUntil(1e9)).toBeLessThan(10);
    expect(b.received.map((bytes) => bytes.length)).toEqual([1500, 600]);
  });

  it('drop: frames beyond the bound are lost and counted by the sending port', () => {
    const { clock, link, a, b } = setup({ queueFrames: 3, policy: 'drop' });
    for (let index = 0; index < 10; index++) expect(a.send(frame())).toBe(true);
    clock.runUntil(1e9);
    expect(b.received).toHaveLength(3);
    expect(link.a.counters.dropped('queue-full')).toBe(7);
  });

  it('pause: a receiver without room holds the frames in the link, in order, within the bound', () => {
    for (const rate of [100 * MEGABIT, Infinity]) {
      const { clock, link, a, b } = setup({ queueFrames: 4, rate });
      b.room = 1;
      let sent = 0;
      a.onWritable = () => {
        while (sent < 12 && a.send(frame(60 + sent))) sent++;
      };
      a.onWritable();
      clock.runUntil(1e9);
      expect(b.received).toHaveLength(1);
      expect(link.inFlight).toBeLessThanOrEqual(5);
      b.admit(Infinity);
      clock.runUntil(2e9);
      expect(b.received.map((bytes) => bytes.length)).toEqual(
        Array.from({ length: 12 }, (_, index) => 60 + index),
      );
    }
  });

  it('carrier off loses the frames under way and lets a waiting sender go on', () => {
    const { clock, link, a, b } = setup({ queueFrames: 2 });
    while (a.send(frame()));
    link.up = false;
    expect(link.a.counters.dropped('down')).toBe(2);
    expect(a.writableCalls).toBe(1);
    link.up = true;
    a.send(frame(99));
    clock.runUntil(1e9);
    expect(b.received.map((bytes) => bytes.length)).toEqual([99]);
  });

  it('loss is seeded: equal seeds lose the same frames', () => {
    const run = (seed: number): number[] => {
      const { clock, link, a, b } = setup({ loss: 0.3, seed });
      for (let index = 0; index < 200; index++) a.send(frame(60 + index));
      clock.runUntil(1e9);
      expect(link.a.counters.dropped('loss') + b.received.length).toBe(200);
      return b.received.map((bytes) => bytes.length);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(7).length).toBeGreaterThan(110);
    expect(run(7).length).toBeLessThan(170);
  });

  it('frames in flight and losses to come survive save and restore in mid-flight', () => {
    const options = { loss: 0.2, queueFrames: 50, delay: 40_000 };
    const run = (interrupted: boolean): Uint8Array[] => {
      let { clock, link, a, b } = setup(options);
      const random = new Random(3);
      const feed = (): void => {
        for (let index = 0; index < 20; index++) a.send(randomFrame(random, 4));
      };
      feed();
      clock.runUntil(300_000);
      const before = b.received;
      if (interrupted) {
        expect(link.inFlight).toBeGreaterThan(0);
        const saved = encodeSnapshot({ type: 'test', version: 1, clock: clock.save(), link: link.save() });
        ({ clock, link, a, b } = setup(options));
        const parts = decodeSnapshot(saved) as unknown as { clock: never; link: never };
        clock.restore(parts.clock);
        link.restore(parts.link);
        expect(link.a.counters.sentFrames.value).toBe(20);
      }
      feed();
      clock.runUntil(1e9);
      return interrupted ? [...before, ...b.received] : b.received;
    };
    expect(run(true)).toEqual(run(false));
  });
});

it('options out of range and a missing clock are NetErrors', () => {
  for (const options of [{ rate: 0 }, { delay: -1 }, { loss: 1.5 }, { queueFrames: 0 }, { queueBytes: 0 }]) {
    expect(() => new Link(options)).toThrow(
      expect.objectContaining({ name: 'NetError', code: 'bad-option' }),
    );
  }
  expect(() => new Link({ delay: 1 })).toThrow(expect.objectContaining({ code: 'no-clock' }));
});
