import { Clock, Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { capture } from '../capture.js';
import type { Frame } from '../frame.js';
import { Hub } from '../hub.js';
import { Link, type LinkOptions } from '../link.js';
import { PcapngWriter } from '../pcapng.js';
import { MemorySink } from '../sink.js';
import { Switch } from '../switch.js';
import type { Port, PortOwner } from '../port.js';
import {
  etherFrame,
  expectedSegments,
  readPcapng,
  Station,
  transportPacket,
  undoneFrame,
  type TransportFields,
} from '../testing/index.js';
import { OFFLOAD_ALL, OFFLOAD_CHECKSUM } from './codes.js';

const FIELDS: TransportFields = {
  ip: 4,
  protocol: 'tcp',
  payload: Uint8Array.from({ length: 4000 }, (_, index) => index * 7),
};
const SEGMENTS = expectedSegments(FIELDS, 1000);
const undone = (): Frame => undoneFrame(transportPacket(FIELDS), 1000);

/** Takes frames undone, by the very object. */
class Taker implements PortOwner {
  readonly frames: { bytes: Uint8Array; needs: number; start: number; memory: Uint8Array }[] = [];
  constructor(
    readonly port: Port,
    readonly offloads: number,
  ) {
    port.attach(this);
  }
  receive(frame: Frame): boolean {
    const { needs, checksumStart: start, memory } = frame;
    this.frames.push({ bytes: frame.toBytes(), needs, start, memory });
    return true;
  }
}

describe('a wire without delay', () => {
  it('hands an undone frame to an owner that takes it, not copied', () => {
    const { a, b } = new Link();
    const taker = new Taker(b, OFFLOAD_ALL);
    const frame = undone();
    expect(a.send(frame)).toBe(true);
    expect(taker.frames).toHaveLength(1);
    expect(taker.frames[0].memory).toBe(frame.memory);
    expect(taker.frames[0].needs).toBe(frame.needs);
    expect([a.counters.sentFrames.value, b.counters.receivedFrames.value]).toEqual([1, 1]);
  });

  it('cuts it for any other owner, and for one that takes checksums alone', () => {
    for (const offloads of [undefined, OFFLOAD_CHECKSUM]) {
      const { a, b } = new Link();
      const received: Uint8Array[] = [];
      const owner = { receive: (frame: Frame) => received.push(frame.toBytes()) > 0 };
      b.attach(offloads === undefined ? owner : { ...owner, offloads });
      expect(a.send(undone())).toBe(true);
      expect(received).toEqual(SEGMENTS);
      expect([a.counters.sentFrames.value, b.counters.receivedFrames.value]).toEqual([4, 4]);
    }
  });

  it('keeps the segments for which the receiver has no room; nothing is lost or overtaken', () => {
    const { a, b } = new Link();
    const sender = new Station(a);
    const station = new Station(b);
    station.room = 1;
    expect(a.send(undone())).toBe(true);
    expect(station.received).toHaveLength(1);
    const next = etherFrame({ from: '02:00:00:00:00:01' });
    station.room = 1;
    expect(sender.send(next)).toBe(false);
    expect(a.send(undone())).toBe(false);
    station.admit(1);
    expect([station.received.length, sender.writableCalls]).toEqual([2, 0]);
    sender.onWritable = () => sender.send(next);
    station.admit(3);
    expect(sender.writableCalls).toBe(1);
    expect(station.received).toEqual([...SEGMENTS, next]);
  });

  it('loses them with the policy to drop, counted', () => {
    const { a, b } = new Link({ policy: 'drop' });
    const station = new Station(b);
    station.room = 1;
    expect(a.send(undone())).toBe(true);
    expect(a.counters.dropped('blocked')).toBe(3);
    station.admit(9);
    expect(station.received).toHaveLength(1);
  });

  it('segments that wait are part of a snapshot, and go with the carrier', () => {
    const link = new Link();
    const station = new Station(link.b);
    station.room = 1;
    link.a.send(undone());
    const saved = link.save();
    const other = new Link();
    const heir = new Station(other.b);
    other.restore(saved);
    heir.admit(9);
    expect(heir.received).toEqual(SEGMENTS.slice(1));
    link.up = false;
    expect(link.a.counters.dropped('down')).toBe(3);
    expect(link.inFlight).toBe(0);
  });

  it('drops a frame whose wishes do not fit its headers, counted', () => {
    const { a, b } = new Link();
    const station = new Station(b);
    const frame = undone();
    frame.checksumStart = 35;
    expect(a.send(frame)).toBe(true);
    expect(a.counters.dropped('offload')).toBe(1);
    expect(station.received).toEqual([]);
  });
});

it.each<LinkOptions>([{ delay: 5 }, { rate: 1e9 }, { rate: 1e9, delay: 5, policy: 'drop' }])(
  'a wire with a delay or a rate carries plain frames, each with its own time ($rate, $delay)',
  (options) => {
    const clock = new Clock();
    const { a, b } = new Link({ ...options, clock });
    const taker = new Taker(b, OFFLOAD_ALL);
    const times: number[] = [];
    const receive = taker.receive.bind(taker);
    b.attach({ offloads: OFFLOAD_ALL, receive: (frame) => times.push(clock.now) > 0 && receive(frame) });
    expect(a.send(undone())).toBe(true);
    clock.runUntil(1e9);
    expect(taker.frames.map(({ bytes }) => bytes)).toEqual(SEGMENTS);
    expect(new Set(times).size).toBe(options.rate === undefined ? 1 : 4);
  },
);

it('a wire that loses frames loses single segments', () => {
  const { a, b } = new Link({ loss: 0.5, seed: 3 });
  const taker = new Taker(b, OFFLOAD_ALL);
  for (let count = 0; count < 100; count++) a.send(undone());
  const lost = a.counters.dropped('loss');
  expect(lost).toBeGreaterThan(150);
  expect(taker.frames).toHaveLength(400 - lost);
  expect(taker.frames.every(({ needs }) => needs === 0)).toBe(true);
});

it('a switch and a hub hand undone frames on; each way out does what its peer wants', () => {
  for (const device of [new Switch(), new Hub()]) {
    const from = device.port();
    const taker = new Taker(device.port(), OFFLOAD_ALL);
    const station = new Station(device.port());
    expect(from.send(undone())).toBe(true);
    expect(taker.frames.map(({ bytes }) => bytes)).toEqual([undone().toBytes()]);
    expect(station.received).toEqual(SEGMENTS);
  }
});

it('802.1Q: a tag that comes or goes moves where the checksum begins', () => {
  const lan = new Switch({ vlanAware: true });
  const from = lan.port({ vlan: { access: 5 } });
  const trunk = lan.port({ vlan: { trunk: [5] } });
  const taker = new Taker(trunk, OFFLOAD_ALL);
  const other = new Station(lan.port({ vlan: { trunk: 'all' } }));
  const plain = new Station(lan.port({ vlan: { access: 5 } }));
  from.send(undone());
  expect(taker.frames[0].start).toBe(38);
  const tagged = expectedSegments({ ...FIELDS, tags: [5] }, 1000);
  expect(other.received).toEqual(tagged);
  expect(plain.received).toEqual(SEGMENTS);
  plain.received.length = 0;
  const back = undoneFrame(
    transportPacket({ ...FIELDS, tags: [5], from: '02:00:00:00:00:02', to: '02:00:00:00:00:09' }),
    1000,
  );
  trunk.send(back);
  expect(plain.received).toEqual(
    expectedSegments({ ...FIELDS, from: '02:00:00:00:00:02', to: '02:00:00:00:00:09' }, 1000),
  );
});

it('a capture shows the plain frames of one that passes undone, or of none when it is refused', () => {
  const clock = new Clock();
  const ledger = new Ledger();
  const sink = new MemorySink();
  const writer = new PcapngWriter(sink);
  const link = new Link({ ledger });
  const a = capture(link.a, writer, clock, 'a');
  const b = capture(link.b, writer, clock, 'b');
  const taker = new Taker(b, OFFLOAD_ALL);
  a.send(undone());
  expect(taker.frames).toHaveLength(1);
  const { packets } = readPcapng(sink.toBytes());
  expect(packets.map(({ bytes }) => bytes)).toEqual([...SEGMENTS, ...SEGMENTS]);
  b.attach({ offloads: OFFLOAD_ALL, receive: () => false });
  expect(a.send(undone())).toBe(false);
  expect(readPcapng(sink.toBytes()).packets).toHaveLength(8);
});
