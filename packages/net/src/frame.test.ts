import { expect, it } from 'vitest';
import { Frame } from './frame.js';
import { EthernetHeader } from './ethernet.js';
import { formatMac, parseMac } from './ethernet.js';
import { Random } from './random.js';
import { etherFrame, macOf } from './testing/index.js';

function scatter(bytes: Uint8Array, random: Random): Frame {
  const memory = new Uint8Array(4096);
  const frame = new Frame();
  frame.clear(memory);
  for (let at = 0, place = 0; at < bytes.length;) {
    const part = Math.min(bytes.length - at, random.below(9));
    memory.set(bytes.subarray(at, at + part), place);
    frame.add(place, part);
    at += part;
    place += part + random.below(20);
  }
  return frame;
}

it('scattered frames read like flat ones: bytes, copies, parts and headers, at every cut', () => {
  const random = new Random(9);
  for (let round = 0; round < 200; round++) {
    const bytes = etherFrame({ to: macOf(random.below(1e6)), from: macOf(5), vlan: random.below(4096) });
    const frame = scatter(bytes, random);
    expect(frame.toBytes()).toEqual(bytes);
    const from = random.below(bytes.length);
    const length = random.below(bytes.length - from + 1);
    const copy = new Uint8Array(length);
    expect(frame.copyTo(copy, 0, from, length)).toBe(length);
    expect(copy).toEqual(bytes.subarray(from, from + length));
    expect(frame.byte(from)).toBe(bytes[from]);
    const part = new Frame();
    part.clear(frame.memory);
    part.addPart(frame, from, length);
    expect(part.toBytes()).toEqual(copy);
    const flat = new EthernetHeader();
    const scattered = new EthernetHeader();
    expect([flat.read(Frame.of(bytes)), scattered.read(frame)]).toEqual([true, true]);
    expect(scattered).toEqual(flat);
  }
});

it('a header of 14 bytes ends there: what lies behind in memory is not read', () => {
  const memory = new Uint8Array(64).fill(0x81);
  memory[13] = 0;
  const frame = new Frame();
  frame.clear(memory);
  frame.add(0, 14);
  const header = new EthernetHeader();
  expect(header.read(frame)).toBe(true);
  expect([header.type, header.tci]).toEqual([0x8100, 0]);
  frame.clear(memory);
  frame.add(0, 13);
  expect(header.read(frame)).toBe(false);
});

it('MAC addresses in text', () => {
  expect(formatMac(parseMac('52-54-00-AB-cd-ef'))).toBe('52:54:00:ab:cd:ef');
  for (const text of ['', '52:54:00:12:34', '52:54:00:12:34:567', '52:54:00:12:34:5g']) {
    expect(() => parseMac(text)).toThrow(expect.objectContaining({ code: 'bad-address' }));
  }
});
