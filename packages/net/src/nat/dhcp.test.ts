import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { bytesOf, setUpNat, udpDatagram, type Decoded } from '../testing/index.js';
import { formatIpv4, get32, parseIpv4, put16, put32 } from './bytes.js';

const OFFER = 2;
const ACK = 5;
const NAK = 6;

interface Message {
  readonly type: number;
  readonly chaddr?: number;
  readonly xid?: number;
  readonly ciaddr?: string;
  readonly flags?: number;
  readonly options?: readonly (readonly [number, ...number[]])[];
}

const ip = (text: string): number[] => {
  const bytes = new Uint8Array(4);
  put32(bytes, 0, parseIpv4(text));
  return [...bytes];
};

function message(fields: Message): Uint8Array {
  const fixed = new Uint8Array(240);
  fixed.set([1, 1, 6, 0]);
  put32(fixed, 4, fields.xid ?? 0x1234_5678);
  put16(fixed, 10, fields.flags ?? 0);
  fixed.set(ip(fields.ciaddr ?? '0.0.0.0'), 12);
  fixed.set([0x52, 0x54, 0, 0, 0, fields.chaddr ?? 1], 28);
  put32(fixed, 236, 0x6382_5363);
  const options = (fields.options ?? []).map(([code, ...value]) => [code, value.length, ...value]);
  return bytesOf(fixed, [53, 1, fields.type], ...options, [255]);
}

function client(options: Parameters<typeof setUpNat>[0] = {}) {
  const parts = setUpNat(options);
  const { guest } = parts;
  const raw = (payload: Uint8Array, from = '0.0.0.0', to = '255.255.255.255'): Decoded[] =>
    guest.sendIp({ from, to, protocol: 17, payload: udpDatagram(from, 68, to, 67, payload) });
  const send = (fields: Message, from?: string, to?: string) => {
    const [frame] = raw(message(fields), from, to);
    if (frame === undefined) return undefined;
    const data = frame.udp!.data;
    const found = new Map<number, Uint8Array>();
    for (let at = 240; data[at] !== 255; at += 2 + data[at + 1]) {
      found.set(data[at], data.slice(at + 2, at + 2 + data[at + 1]));
    }
    const address = (code: number): string | undefined => {
      const value = found.get(code);
      return value === undefined ? undefined : formatIpv4(get32(value, 0));
    };
    return {
      frame,
      data,
      options: found,
      address,
      type: found.get(53)![0],
      yiaddr: formatIpv4(get32(data, 16)),
    };
  };
  const bind = (chaddr: number): string => {
    const { yiaddr } = send({ type: 1, chaddr })!;
    expect(
      send({
        type: 3,
        chaddr,
        options: [
          [54, ...ip('10.0.2.2')],
          [50, ...ip(yiaddr)],
        ],
      })!.type,
    ).toBe(ACK);
    return yiaddr;
  };
  return { ...parts, raw, send, bind };
}

describe('DHCP', () => {
  it('RFC 2131 4.3.1: DISCOVER is answered by an OFFER with address, lease, mask, router and name server', () => {
    const { send } = client();
    const offer = send({ type: 1, xid: 0xcafe_f00d })!;
    expect(offer.type).toBe(OFFER);
    expect(offer.yiaddr).toBe('10.0.2.15');
    expect([1, 3, 6, 28, 54].map(offer.address)).toEqual([
      '255.255.255.0',
      '10.0.2.2',
      '10.0.2.3',
      '10.0.2.255',
      '10.0.2.2',
    ]);
    expect(get32(offer.options.get(51)!, 0)).toBe(86_400);
    expect(get32(offer.data, 4)).toBe(0xcafe_f00d);
    expect([...offer.data.slice(0, 4)]).toEqual([2, 1, 6, 0]);
    expect(offer.frame.udp).toMatchObject({ fromPort: 67, toPort: 68, sound: true });
  });

  it('RFC 2131 4.1: the answer goes to the offered address and hardware, or by broadcast where the flag asks', () => {
    const { send } = client();
    const unicast = send({ type: 1 })!;
    expect([unicast.frame.to, unicast.frame.ip!.to]).toEqual(['52:54:00:00:00:01', '10.0.2.15']);
    const broadcast = send({ type: 1, flags: 0x8000 })!;
    expect([broadcast.frame.to, broadcast.frame.ip!.to]).toEqual(['ff:ff:ff:ff:ff:ff', '255.255.255.255']);
  });

  it("RFC 2131 4.3.2: REQUEST for the offer is acknowledged; the lease is the client's", () => {
    const { send, bind, nat } = client();
    expect(bind(1)).toBe('10.0.2.15');
    expect(nat.dhcp.addressOf('525400000001')).toBe('10.0.2.15');
    expect(send({ type: 1, chaddr: 2 })!.yiaddr).toBe('10.0.2.16');
    expect(send({ type: 1, chaddr: 1 })!.yiaddr).toBe('10.0.2.15');
  });

  it("RFC 2131 4.3.2: a REQUEST for somebody else's or a foreign address is refused by broadcast", () => {
    const { send, bind } = client();
    bind(1);
    const taken = send({ type: 3, chaddr: 2, options: [[50, ...ip('10.0.2.15')]] })!;
    expect([taken.type, taken.frame.ip!.to, taken.yiaddr]).toEqual([NAK, '255.255.255.255', '0.0.0.0']);
    expect(send({ type: 3, chaddr: 2, options: [[50, ...ip('192.168.1.5')]] })!.type).toBe(NAK);
  });

  it('RFC 2131 4.3.2: INIT-REBOOT with a free address of the pool is acknowledged, renewal by unicast too', () => {
    const { send } = client();
    expect(send({ type: 3, chaddr: 3, options: [[50, ...ip('10.0.2.40')]] })!.type).toBe(ACK);
    const renewed = send({ type: 3, chaddr: 3, ciaddr: '10.0.2.40' }, '10.0.2.40', '10.0.2.2')!;
    expect([renewed.type, renewed.frame.ip!.to]).toEqual([ACK, '10.0.2.40']);
  });

  it("RFC 2131 3.1.5: a REQUEST for another server's offer is not answered and frees ours", () => {
    const { send } = client();
    send({ type: 1, chaddr: 1 });
    expect(
      send({
        type: 3,
        chaddr: 1,
        options: [
          [54, 9, 9, 9, 9],
          [50, ...ip('10.0.2.15')],
        ],
      }),
    ).toBeUndefined();
    expect(send({ type: 1, chaddr: 2, options: [[50, ...ip('10.0.2.15')]] })!.yiaddr).toBe('10.0.2.15');
  });

  it('RFC 2131 4.3.3, 4.3.4: a declined address is set aside, a released one is free', () => {
    const { send, bind } = client();
    const first = bind(1);
    send({
      type: 4,
      chaddr: 1,
      options: [
        [54, ...ip('10.0.2.2')],
        [50, ...ip(first)],
      ],
    });
    expect(send({ type: 1, chaddr: 1 })!.yiaddr).toBe('10.0.2.16');
    const second = bind(2);
    send({ type: 7, chaddr: 2, ciaddr: second, options: [[54, ...ip('10.0.2.2')]] }, second, '10.0.2.2');
    expect(send({ type: 1, chaddr: 3, options: [[50, ...ip(second)]] })!.yiaddr).toBe(second);
  });

  it('RFC 2131 4.3.5: INFORM is answered with parameters and no lease', () => {
    const { send } = client();
    const answer = send({ type: 8, ciaddr: '10.0.2.50' }, '10.0.2.50', '10.0.2.2')!;
    expect([answer.type, answer.yiaddr, answer.options.has(51)]).toEqual([ACK, '0.0.0.0', false]);
    expect(answer.address(3)).toBe('10.0.2.2');
  });

  it('RFC 2131 4.2: a client identifier names the client, whatever its hardware address', () => {
    const { send } = client();
    const offer = (chaddr: number): string => send({ type: 1, chaddr, options: [[61, 0, 7, 7]] })!.yiaddr;
    expect([offer(1), offer(2)]).toEqual(['10.0.2.15', '10.0.2.15']);
  });

  it('RFC 2131 4.4.5: a lease ends on the virtual clock; a full pool offers nothing until then', () => {
    const { clock, send, bind } = client({ dhcpCount: 2, leaseTime: 3600 });
    bind(1);
    bind(2);
    expect(send({ type: 1, chaddr: 3 })).toBeUndefined();
    clock.runUntil(3601e9);
    expect(send({ type: 1, chaddr: 3 })!.type).toBe(OFFER);
  });

  it('options for name and MTU are sent where they are set', () => {
    const { send } = client({ hostname: 'box', domain: 'lan', mtu: 9000 });
    const offer = send({ type: 1 })!;
    expect(new TextDecoder().decode(offer.options.get(12))).toBe('box');
    expect(new TextDecoder().decode(offer.options.get(15))).toBe('lan');
    expect([...offer.options.get(26)!]).toEqual([9000 >> 8, 9000 & 0xff]);
  });

  it('RFC 2131 2: messages that are not sound are ignored, whatever their options say', () => {
    const { raw } = client();
    const sound = message({ type: 1 });
    for (const [at, value] of [
      [0, 2],
      [1, 6],
      [2, 16],
      [236, 0],
      [242, 99],
    ] as const) {
      const broken = sound.slice();
      broken[at] = value;
      expect(raw(broken)).toEqual([]);
    }
    expect(raw(sound.subarray(0, 239))).toEqual([]);
    const random = new Random(11);
    for (let round = 0; round < 500; round++) {
      const noise = sound.slice();
      for (let change = 0; change < 8; change++) noise[random.below(noise.length)] = random.next();
      raw(noise.subarray(0, 200 + random.below(noise.length - 199)));
    }
  });
});
