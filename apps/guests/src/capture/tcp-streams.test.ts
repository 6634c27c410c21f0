import { describe, expect, it } from 'vitest';
import { GuestsError } from '../error.js';
import { tcpStreams } from './tcp-streams.js';

const FIN = 1;
const SYN = 2;
const ACK = 16;

/** A frame of one connection with so many bytes of padding behind it. */
function segment(sequence: number, flags: number, data: number[], padding = 0): Uint8Array {
  const frame = new Uint8Array(54 + data.length + padding);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, 40 + data.length);
  view.setUint8(23, 6);
  frame.set([10, 0, 2, 15, 10, 0, 2, 2], 26);
  view.setUint16(34, 1000);
  view.setUint16(36, 80);
  view.setUint32(38, sequence);
  view.setUint8(46, 5 << 4);
  view.setUint8(47, flags);
  frame.set(data, 54);
  return frame;
}

const NAME = '10.0.2.15:1000>10.0.2.2:80';

describe('RFC 9293 3.4: data by sequence numbers', () => {
  it('in order, out of order, sent again, cut otherwise, past the end of the numbers', () => {
    const start = 0xffff_fffe;
    const frames = [
      segment(start, SYN, []),
      segment(1, ACK, [3, 4], 4),
      segment(0xffff_ffff, ACK, [1, 2]),
      segment(0xffff_ffff, ACK, [1, 2, 3]),
      segment(3, FIN | ACK, [5]),
    ];
    const expected = [{ name: NAME, bytes: Uint8Array.of(1, 2, 3, 4, 5), whole: true }];
    expect(tcpStreams(frames)).toEqual(expected);
    expect(tcpStreams([frames[0], segment(0xffff_ffff, FIN | ACK, [1, 2, 3, 4, 5])])).toEqual(expected);
  });

  it('a hole, or no FIN, is not whole; a connection that began before is left out', () => {
    const hole = [segment(0, SYN, []), segment(1, ACK, [1]), segment(3, FIN | ACK, [3])];
    expect(tcpStreams(hole)).toEqual([{ name: NAME, bytes: Uint8Array.of(1), whole: false }]);
    expect(tcpStreams(hole.slice(0, 2))[0].whole).toBe(false);
    expect(tcpStreams(hole.slice(1))).toEqual([]);
  });

  it('bytes that change when sent again are an error', () => {
    const frames = [segment(0, SYN, []), segment(1, ACK, [1, 2]), segment(2, ACK, [3, 4])];
    expect(() => tcpStreams(frames)).toThrow(GuestsError);
  });

  it('anything else is passed over', () => {
    expect(tcpStreams([new Uint8Array(10), new Uint8Array(100)])).toEqual([]);
  });
});
