import { describe, expect, it } from 'vitest';
import { DeviceError } from './error.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot.js';

describe('snapshots as text', () => {
  it('contract Snapshot: named plain data comes back as it was', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index * 31);
    const snapshot = {
      type: 'x',
      version: 3,
      bytes,
      list: [1n << 63n, -1n, null, true],
      inner: { a: 'b', n: -0.5 },
    };
    expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
  });

  it.each(['', '{', '[]', 'null', '5', '{"version":1}'])('refuses %j with a sentence', (text) => {
    expect(() => decodeSnapshot(text)).toThrow(DeviceError);
  });

  it('refuses bytes that are not base64 and integers that are none', () => {
    expect(() => decodeSnapshot('{"type":"x","b":{"$bytes":"*"}}')).toThrow(DeviceError);
    expect(() => decodeSnapshot('{"type":"x","b":{"$bigint":"1.5"}}')).toThrow(DeviceError);
  });
});
