import { expect, it } from 'vitest';
import { MAX_FRAME } from './link.js';
import { Random } from './random.js';
import { FrameDecoder, framed } from './stream-framing.js';

it('QEMU stream framing: frames cut at any place come out whole; empty ones are skipped', () => {
  const random = new Random(6);
  for (let round = 0; round < 50; round++) {
    const frames = Array.from({ length: 20 }, () => random.fill(new Uint8Array(random.below(3000))));
    const stream = Buffer.concat(
      frames.map((bytes) => {
        const out = framed(bytes.length);
        out.set(bytes, 4);
        return out;
      }),
    );
    const decoder = new FrameDecoder();
    const seen: Uint8Array[] = [];
    for (let at = 0; at < stream.length;) {
      const part = 1 + random.below(random.chance(0.5) ? 6 : 5000);
      expect(decoder.push(stream.subarray(at, at + part), (bytes) => seen.push(bytes.slice()))).toBe(true);
      at += part;
    }
    expect(seen.map((bytes) => bytes.length)).toEqual(
      frames.map((bytes) => bytes.length).filter((length) => length > 0),
    );
    expect(Buffer.concat(seen).equals(Buffer.concat(frames))).toBe(true);
  }
});

it('QEMU stream framing: a length beyond the longest frame ends the stream, in one piece or byte by byte', () => {
  for (const length of [MAX_FRAME + 1, 0x7fff_ffff, 0xffff_ffff]) {
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setUint32(0, length);
    expect(new FrameDecoder().push(prefix, () => undefined)).toBe(false);
    const decoder = new FrameDecoder();
    const results = [...prefix].map((byte) => decoder.push(Uint8Array.of(byte), () => undefined));
    expect(results.slice(0, 3)).toEqual([true, true, true]);
    expect(results.at(-1)).toBe(false);
  }
  const most = framed(MAX_FRAME);
  let count = 0;
  expect(new FrameDecoder().push(most, (bytes) => (count += bytes.length))).toBe(true);
  expect(count).toBe(MAX_FRAME);
});
