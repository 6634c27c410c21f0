import { expect, it } from 'vitest';
import { Frame } from '../frame.js';
import { Random } from '../random.js';
import {
  expectedSegments,
  transportPacket,
  undoneFrame,
  type TransportFields,
  type TransportPacket,
} from '../testing/index.js';
import { OFFLOAD_ALL, OFFLOAD_CHECKSUM, OFFLOAD_TCP4, OFFLOAD_TCP6, OFFLOAD_UDP4 } from './codes.js';
import { eachPlainFrame, soundSegmentation } from './segmenter.js';

/** The plain frames; undefined where the frame is refused. */
function plain(frame: Frame): Uint8Array[] | undefined {
  const frames: Uint8Array[] = [];
  const sound = eachPlainFrame(frame, (one) => {
    expect(one.needs).toBe(0);
    return frames.push(one.toBytes()) > 0;
  });
  return sound ? frames : undefined;
}

const random = new Random(11);
const payload = (length: number): Uint8Array => random.fill(new Uint8Array(length));

const FORMS: readonly TransportFields[] = [
  { ip: 4, protocol: 'tcp', payload: payload(5000), flags: 0x99 },
  { ip: 6, protocol: 'tcp', payload: payload(5001), flags: 0x99, tags: [7] },
  { ip: 4, protocol: 'udp', payload: payload(4321), options: 8, tags: [3, 0xe004] },
  { ip: 6, protocol: 'udp', payload: payload(6000), options: 16 },
];

it.each(FORMS)('RFC 1071: the checksum left undone is made ($protocol over IPv$ip)', (fields) => {
  const packet = transportPacket({ ...fields, payload: fields.payload.subarray(0, 1001) });
  expect(plain(undoneFrame(packet))).toEqual([packet.bytes]);
});

it.each(FORMS)(
  '$protocol over IPv$ip is cut: each segment is what the sender would have sent by itself',
  (fields) => {
    for (const size of [1, 48, 536, 1000, 1448, 4999, 5000, 65535].filter(
      (one) => fields.payload.length / one < 2048,
    )) {
      const frame = undoneFrame(transportPacket(fields), size);
      expect(soundSegmentation(frame)).toBe(true);
      expect(plain(frame)).toEqual(expectedSegments(fields, size));
    }
  },
);

it('RFC 768: a checksum that comes to zero is sent as ones, whole or cut', () => {
  // The last two octets of the payload are what makes the sum come to ones.
  for (const size of [0, 10]) {
    const fields: TransportFields = { ip: 4, protocol: 'udp', payload: new Uint8Array(10) };
    const { bytes, transport } = transportPacket(fields);
    fields.payload.set(bytes.subarray(transport + 6, transport + 8), 8);
    const [first] = plain(undoneFrame(transportPacket(fields), size))!;
    expect([...first.subarray(transport + 6, transport + 8)]).toEqual([0xff, 0xff]);
  }
});

it('a frame of 64 KiB in ranges comes out whole', () => {
  const fields: TransportFields = { ip: 4, protocol: 'tcp', payload: payload(65_480) };
  const whole = undoneFrame(transportPacket(fields), 1460);
  const scattered = new Frame();
  scattered.clear(whole.memory);
  for (let at = 0; at < whole.length; at += 4097) scattered.add(at, Math.min(4097, whole.length - at));
  scattered.needLike(whole, 0);
  expect(plain(scattered)).toEqual(expectedSegments(fields, 1460));
});

it('headers that are not what the frame says are refused, never believed', () => {
  const packet = transportPacket({ ip: 4, protocol: 'tcp', payload: payload(3000) });
  const wrong = (
    change: (frame: Frame, bytes: Uint8Array, at: TransportPacket) => void,
    base = packet,
  ): void => {
    const frame = undoneFrame(base, 1000);
    change(frame, frame.memory, base);
    expect([soundSegmentation(frame), plain(frame)]).toEqual([false, undefined]);
  };
  wrong((frame) => (frame.needs = OFFLOAD_TCP4));
  wrong((frame) => (frame.needs = OFFLOAD_CHECKSUM | OFFLOAD_TCP6));
  wrong((frame) => (frame.needs = OFFLOAD_CHECKSUM | OFFLOAD_UDP4));
  wrong((frame) => (frame.segmentSize = 0));
  wrong((frame) => (frame.segmentSize = 1));
  wrong((frame) => (frame.checksumOffset = 6));
  wrong((frame) => (frame.checksumStart = 0));
  wrong((frame) => (frame.checksumStart = 65_535));
  wrong((frame) => frame.checksumStart++);
  wrong((_, bytes, at) => (bytes[at.transport + 12] = 0x40));
  wrong((_, bytes, at) => (bytes[at.network] = 0x44));
  wrong((_, bytes, at) => (bytes[at.network + 6] = 0x20));
  wrong((_, bytes, at) => (bytes[at.network + 9] = 17));
  const six = transportPacket({ ip: 6, protocol: 'tcp', payload: payload(3000), options: 8 });
  wrong((_, bytes, at) => (bytes[at.network + 6] = 44), six);
  wrong((_, bytes, at) => (bytes[at.network + 41] = 9), six);
  const short = undoneFrame(packet, 1000);
  short.clear(short.memory);
  short.add(0, packet.transport + 19);
  short.needLike(undoneFrame(packet, 1000), 0);
  expect(plain(short)).toBeUndefined();
});

it('random frames with random wishes: an answer each time, and never a frame longer than the headers and one segment', () => {
  const bytes = new Uint8Array(4000);
  for (let round = 0; round < 20_000; round++) {
    random.fill(bytes.subarray(0, 100));
    const ip = round % 2 === 0 ? 4 : 6;
    if (random.chance(0.8)) {
      const protocol = random.chance(0.5) ? 'tcp' : 'udp';
      bytes.set(transportPacket({ ip, protocol, payload: new Uint8Array(4) }).bytes);
      for (let flips = random.below(4); flips > 0; flips--) bytes[random.below(100)] = random.below(256);
    }
    const frame = Frame.of(bytes.subarray(0, random.below(bytes.length)));
    frame.needs = random.below(OFFLOAD_ALL + 1);
    frame.checksumStart = random.chance(0.7) ? (ip === 4 ? 34 : 54) : random.below(65_536);
    frame.checksumOffset = [16, 6, random.below(65_536)][random.below(3)];
    frame.segmentSize = random.below(3000);
    let total = 0;
    const sound = eachPlainFrame(frame, (one) => {
      expect(one.length).toBeLessThanOrEqual(frame.length);
      total += one.length;
      return true;
    });
    if (sound) expect(total).toBeGreaterThanOrEqual(frame.length);
    else expect(total).toBe(0);
  }
});

it('a receiver that ends early gets no more, and one that cuts within a cut has its own copy', () => {
  const outer = undoneFrame(transportPacket({ ip: 4, protocol: 'tcp', payload: payload(3000) }), 1000);
  const inner: TransportFields = { ip: 6, protocol: 'udp', payload: payload(2000) };
  const expected = expectedSegments({ ...inner }, 500);
  let seen = 0;
  eachPlainFrame(outer, (one) => {
    const before = one.toBytes();
    expect(plain(undoneFrame(transportPacket(inner), 500))).toEqual(expected);
    expect(one.toBytes()).toEqual(before);
    return ++seen < 2;
  });
  expect(seen).toBe(2);
});
