import { describe, expect, it } from 'vitest';
import { GuestsError } from '../error.js';
import { readPcap } from './pcap.js';

const HEADER = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
const record = (kept: number, whole: number, bytes: number[]): number[] => [
  ...[0, 0, 0, 0, 0, 0, 0, 0, kept, 0, 0, 0, whole, 0, 0, 0],
  ...bytes,
];

describe('draft-ietf-opsawg-pcap', () => {
  it('4 and 5: a file header, then records of frames', () => {
    const file = Uint8Array.from([...HEADER, ...record(3, 3, [1, 2, 3]), ...record(1, 1, [9])]);
    expect(readPcap(file)).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(9)]);
    expect(readPcap(Uint8Array.from(HEADER))).toEqual([]);
  });

  it('refuses other formats, cut frames and a file that breaks off', () => {
    const nanoseconds = HEADER.with(0, 0x4d);
    const otherLink = HEADER.with(20, 113);
    for (const file of [
      [],
      nanoseconds,
      otherLink,
      [...HEADER, 0],
      [...HEADER, ...record(3, 3, [1, 2])],
      [...HEADER, ...record(2, 3, [1, 2])],
    ]) {
      expect(() => readPcap(Uint8Array.from(file))).toThrow(GuestsError);
    }
  });
});
