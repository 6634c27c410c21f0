import { describe, expect, it } from 'vitest';
import { Random } from '../../random.js';
import { Connection } from './connection.js';
import { ReceiveQueue } from './receive-queue.js';
import { ACK, Segment, SYN } from './segment.js';
import { SendBuffer } from './send-buffer.js';
import { advance, distance } from './sequence.js';
import { OUR_SHIFT, RECEIVE_LIMIT, SEND_LIMIT, type ConnectionHost } from './state.js';

const MSS = 1000;

interface Flying {
  readonly at: number;
  readonly order: number;
  readonly to: End;
  readonly segment: Segment;
}

/** One end of a simulated connection: sends a known stream, checks the one that it receives. */
class End implements ConnectionHost {
  readonly mss = MSS;
  readonly received: Uint8Array[] = [];
  granted = 0;
  ended = false;
  aborted = false;
  peer!: End;
  connection!: Connection;
  #sent = 0;

  constructor(
    readonly net: Net,
    readonly stream: Uint8Array,
  ) {}

  get now(): number {
    return this.net.now;
  }

  transmit(connection: Connection, flags: number, sequence: number, offset: number, length: number): boolean {
    const segment = new Segment();
    segment.sequence = sequence;
    segment.acknowledgment = flags & ACK ? connection.receiveNext : 0;
    segment.flags = flags;
    segment.window = connection.windowField(flags);
    segment.mss = flags & SYN ? MSS : 0;
    segment.windowShift = flags & SYN ? OUR_SHIFT : -1;
    segment.bytes = new Uint8Array(length);
    connection.buffer.copyTo(segment.bytes, 0, offset, length);
    segment.dataLength = length;
    this.net.fly(this.peer, segment);
    connection.acknowledge = false;
    return true;
  }

  deliver(connection: Connection, bytes: Uint8Array): void {
    this.received.push(bytes);
    // The outside takes it a little later.
    this.net.later(1e6, () => connection.drained(bytes.length));
  }

  deliverEnd(): void {
    this.ended = true;
  }

  grant(_connection: Connection, bytes: number): void {
    this.granted += bytes;
  }

  abort(): void {
    this.aborted = true;
  }

  /** The outside writes what it was granted, then ends. */
  feed(): void {
    const next = Math.min(this.stream.length, this.#sent + Math.min(this.granted, 30_000));
    if (next === this.#sent) {
      if (next === this.stream.length && this.connection.state !== 'connecting') this.connection.end();
      return;
    }
    this.connection.write(this.stream.subarray(this.#sent, next));
    this.granted -= next - this.#sent;
    this.#sent = next;
  }
}

/** A wire that loses, doubles, delays and reorders segments, by a seed. */
class Net {
  now = 0;
  readonly random: Random;
  readonly #flying: (Flying | { at: number; order: number; work: () => void })[] = [];
  #order = 0;

  constructor(
    seed: number,
    readonly loss: number,
  ) {
    this.random = new Random(seed);
  }

  fly(to: End, segment: Segment): void {
    if (this.random.chance(this.loss)) return;
    const copies = this.random.chance(this.loss / 4) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const jitter = this.random.chance(this.loss) ? this.random.below(8e6) : 0;
      const twin = Object.assign(new Segment(), segment);
      this.#flying.push({ at: this.now + 2e6 + jitter, order: this.#order++, to, segment: twin });
    }
  }

  later(delay: number, work: () => void): void {
    this.#flying.push({ at: this.now + delay, order: this.#order++, work });
  }

  /** The next thing that happens; false when nothing will. */
  step(ends: readonly End[]): boolean {
    this.#flying.sort((a, b) => a.at - b.at || a.order - b.order);
    const timer = Math.min(...ends.map(({ connection }) => connection.deadline));
    const next = this.#flying[0];
    if (next === undefined && timer === Infinity) return false;
    if (next === undefined || timer < next.at) {
      this.now = Math.max(this.now, timer);
      for (const { connection } of ends) if (connection.deadline <= this.now) connection.timeout();
    } else {
      this.#flying.shift();
      this.now = Math.max(this.now, next.at);
      if ('work' in next) next.work();
      else {
        const { connection } = next.to;
        if (connection.state === 'connecting' && next.segment.has(SYN) && connection.receiveNext === 0) {
          connection.begin(next.segment);
          connection.connected();
        } else if (!connection.closed) connection.receive(next.segment);
      }
    }
    for (const end of ends) {
      end.feed();
      while (end.connection.output() === 'again');
    }
    return true;
  }
}

function run(seed: number, loss: number, lengths: readonly [number, number]) {
  const net = new Net(seed, loss);
  const random = new Random(seed + 1000);
  const client = new End(net, random.fill(new Uint8Array(lengths[0])));
  const server = new End(net, random.fill(new Uint8Array(lengths[1])));
  client.peer = server;
  server.peer = client;
  // Near the turn of the sequence numbers.
  client.connection = new Connection(client, 1, 1, 1, 2, 2, 0xffff_ff00, 'outside');
  server.connection = new Connection(server, 2, 2, 2, 1, 1, 0xffff_fff0, 'guest');
  const done = (end: End): boolean => end.connection.closed || end.connection.state === 'time-wait';
  client.connection.output();
  let steps = 0;
  let most = 0;
  while (!(done(client) && done(server)) && net.step([client, server])) {
    most = Math.max(most, client.connection.buffer.length, server.connection.buffer.length);
    if (++steps > 400_000) break;
  }
  return { net, client, server, steps, most };
}

describe('two ends over a wire that loses, doubles and reorders', () => {
  for (const loss of [0, 0.01, 0.1, 0.3]) {
    it(`RFC 9293 2.2: both streams arrive whole and in order, both ends close (${loss * 100} % of segments hurt)`, () => {
      for (let seed = 1; seed <= 8; seed++) {
        const { client, server, most, steps } = run(seed, loss, [60_000 + seed, 45_000]);
        expect({ seed, aborted: [client.aborted, server.aborted], steps: steps < 400_000 }).toEqual({
          seed,
          aborted: [false, false],
          steps: true,
        });
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          expect(Buffer.concat(to.received).equals(from.stream)).toBe(true);
          expect(to.ended).toBe(true);
        }
        expect(most).toBeLessThanOrEqual(SEND_LIMIT);
      }
    });
  }

  it('a long stream keeps the pipe full: the window grows beyond 64 KiB', () => {
    const { net, client, server } = run(1, 0, [3_000_000, 0]);
    expect(Buffer.concat(server.received).equals(client.stream)).toBe(true);
    // 64 KiB a round trip of 4 ms would take 190 ms.
    expect(net.now).toBeLessThan(150e6);
    expect(RECEIVE_LIMIT).toBeGreaterThan(65_535);
  });
});

describe('parts', () => {
  it('RFC 9293 3.4: sequence numbers compare modulo 2^32', () => {
    expect(distance(5, 0xffff_fffb)).toBe(10);
    expect(distance(0xffff_fffb, 5)).toBe(-10);
    expect(advance(0xffff_ffff, 2)).toBe(1);
  });

  it('a send buffer is a ring: what goes in comes out, at any place and size', () => {
    const random = new Random(4);
    const buffer = new SendBuffer();
    let model = new Uint8Array(0);
    for (let round = 0; round < 2000; round++) {
      if (random.chance(0.5)) {
        const bytes = random.fill(new Uint8Array(random.below(3000)));
        buffer.append(bytes);
        model = new Uint8Array([...model, ...bytes]);
      } else {
        const length = random.below(model.length + 1);
        buffer.drop(length);
        model = model.slice(length);
      }
      if (model.length > 40_000) {
        buffer.drop(model.length);
        model = new Uint8Array(0);
      }
      expect(buffer.length).toBe(model.length);
      const offset = random.below(model.length + 1);
      const length = random.below(model.length - offset + 1);
      const out = new Uint8Array(length + 2);
      buffer.copyTo(out, 1, offset, length);
      expect(Buffer.compare(out.subarray(1, length + 1), model.subarray(offset, offset + length))).toBe(0);
    }
  });

  it('pieces out of order, overlapping and repeated, give the stream; their memory is what they cover', () => {
    const random = new Random(5);
    for (let round = 0; round < 200; round++) {
      const base = 0xffff_ff00;
      const stream = random.fill(new Uint8Array(1000));
      const queue = new ReceiveQueue();
      const covered = new Uint8Array(1000);
      for (let piece = 0; piece < 30; piece++) {
        const from = 1 + random.below(990);
        const length = 1 + random.below(Math.min(80, 1000 - from));
        queue.add(advance(base, from), stream, from, length);
        covered.fill(1, from, from + length);
      }
      expect(queue.bytes).toBe(covered.reduce((sum, bit) => sum + bit, 0));
      let next = 1 + random.below(40);
      for (let bytes = queue.take(advance(base, next)); bytes !== undefined;) {
        expect(Buffer.compare(bytes, stream.subarray(next, next + bytes.length))).toBe(0);
        next += bytes.length;
        bytes = queue.take(advance(base, next));
      }
      const gap = covered.indexOf(0, next);
      if (next > 1 && covered[next] === 1) expect(gap).toBe(next);
    }
  });
});
