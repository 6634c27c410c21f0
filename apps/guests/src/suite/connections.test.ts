import { bytesOf, ipv4Packet, tcpSegment, type TcpFields } from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import { connectionsTo, progressOf, withoutTag } from './connections.js';

const HOST = '10.0.2.2';
const GUEST = '10.0.2.15';
const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16];

function frame(fields: Partial<TcpFields> & { id?: number; back?: boolean; tci?: number }): Uint8Array {
  const { id = 1, back = false, tci, ...rest } = fields;
  const [from, to] = back ? [HOST, GUEST] : [GUEST, HOST];
  const ports = back ? { fromPort: 80, toPort: 4000 } : { fromPort: 4000, toPort: 80 };
  const payload = tcpSegment(from, to, { ...ports, sequence: 0, flags: ACK, ...rest });
  const tag = tci === undefined ? [] : [0x81, 0, tci >> 8, tci & 0xff];
  const packet = ipv4Packet({ from, to, protocol: 6, identification: id, payload });
  return bytesOf(new Uint8Array(12), tag, [8, 0], packet);
}

const data = (length: number): Uint8Array => new Uint8Array(length).fill(7);

describe('connections in a capture', () => {
  it('IEEE 802.1Q 9.6: the VLAN is the low 12 bits of the tag, which is left out', () => {
    const tagged = frame({ tci: 0x6005 });
    expect(withoutTag(tagged)).toEqual({ vlan: 5, frame: frame({}) });
    expect(withoutTag(frame({}))).toEqual({ frame: frame({}) });
    expect(withoutTag(new Uint8Array(4))).toEqual({ frame: new Uint8Array(4) });
  });

  it('both directions, tagged or not; those without a SYN and what is no TCP are left out', () => {
    const frames = [
      frame({ sequence: 9, flags: ACK, fromPort: 3999 }),
      frame({ flags: SYN, tci: 5 }),
      frame({ flags: SYN | ACK, back: true }),
      new Uint8Array(60),
    ];
    const connections = connectionsTo(HOST, frames);
    expect(connections).toHaveLength(1);
    const [{ port, sent, received }] = connections;
    expect([port, sent.length, sent[0].vlan, sent[0].length]).toEqual([4000, 1, 5, 58]);
    expect(received.map(({ vlan, tcp }) => [vlan, tcp.sound])).toEqual([[undefined, true]]);
  });

  it('RFC 9293 3.4: segments follow each other modulo 2^32, identifications modulo 2^16', () => {
    const frames = [
      frame({ sequence: 0xffff_fffe, flags: SYN, id: 0xfffe }),
      frame({ sequence: 0xffff_ffff, data: data(3), id: 0xffff }),
      frame({ sequence: 2, flags: ACK | PSH, data: data(5), id: 0 }),
      frame({ sequence: 7, flags: ACK | FIN, id: 1 }),
      frame({ sequence: 8, id: 77 }),
    ];
    const [{ sent }] = connectionsTo(HOST, frames);
    expect(progressOf(sent)).toEqual({ gap: undefined, strayIdentification: undefined, pushes: [7] });
    expect(progressOf([sent[0], sent[2]])).toMatchObject({ gap: sent[2], strayIdentification: sent[2] });
  });
});
