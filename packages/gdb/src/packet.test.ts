import { describe, expect, it } from 'vitest';
import { bytesOf, latin1 } from './hex.js';
import { framed, PacketReader, type Received } from './packet.js';

function read(bytes: Uint8Array | string, most = 100): (Received | string)[] {
  const reader = new PacketReader(most);
  const all = [...reader.feed(typeof bytes === 'string' ? bytesOf(bytes) : bytes)];
  return all.map((received) =>
    received.kind === 'packet' ? `packet ${latin1(received.data)}` : received.kind,
  );
}

describe('packets (GDB manual, E.1)', () => {
  it('a packet is $data#checksum, the sum of its bytes modulo 256 in two digits', () => {
    expect(latin1(framed('OK'))).toBe('$OK#9a');
    expect(latin1(framed(''))).toBe('$#00');
    expect(read('$OK#9A')).toEqual(['packet OK']);
  });

  it('}, $, # and * are escaped as } and the byte XOR 0x20, and come back', () => {
    expect(latin1(framed('a}b'))).toMatch(/^\$a}\]b#/);
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const wire = framed(all);
    expect(
      [...wire.subarray(1, -3)].filter((byte) => byte === 0x24 || byte === 0x23 || byte === 0x2a),
    ).toEqual([]);
    const [received] = new PacketReader(1000).feed(wire);
    expect(received).toEqual({ kind: 'packet', data: all });
  });

  it('characters between packets: +, -, Ctrl-C; others mean nothing', () => {
    expect(read('+-\x03xyz+$?#3f')).toEqual(['ack', 'nack', 'interrupt', 'ack', 'packet ?']);
  });

  it('0x03 within a packet is data', () => {
    expect(read(framed('X\x03'))).toEqual(['packet X\x03']);
  });

  it('a stream may be cut anywhere', () => {
    const reader = new PacketReader(100);
    const kinds = [...'+$g#67$m0,4#fd']
      .flatMap((byte) => [...reader.feed(bytesOf(byte))])
      .map(({ kind }) => kind);
    expect(kinds).toEqual(['ack', 'packet', 'packet']);
  });

  it.each([
    ['a wrong checksum', '$g#00'],
    ['a checksum that is no number', '$g#zz'],
    ['a packet beyond the limit', `$${'a'.repeat(101)}#${((0x61 * 101) & 0xff).toString(16)}`],
  ])('%s is bad, and the next packet is read', (_, text) => {
    expect(read(`${text}$g#67`)).toEqual(['bad', 'packet g']);
  });

  it('$ within a packet begins another', () => {
    expect(read('$abc$g#67')).toEqual(['packet g']);
  });
});
