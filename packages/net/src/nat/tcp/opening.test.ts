import { describe, expect, it } from 'vitest';
import {
  ACK,
  FIN,
  MSS_1460,
  MSS_AND_SCALE,
  RST,
  SERVER,
  SYN,
  bytes,
  established,
  open,
  type Tcp,
} from '../../../test/tcp-scene.js';
import { setUpNat, type TcpFields } from '../../testing/index.js';
import { parseHostForward } from '../options.js';

describe('opening', () => {
  it('RFC 9293 3.5: the SYN is answered once the outside is connected, with MSS and an unscaled window', () => {
    const { outside, raw, flow, arrived, begin } = open();
    expect(outside.of('tcpConnect')).toEqual([{ call: 'tcpConnect', flow, address: SERVER, port: 80 }]);
    expect(begin()).toEqual([]);
    expect(outside.of('tcpConnect')).toHaveLength(1);
    outside.arrive('tcp-connected', { flow });
    const [answer] = arrived();
    expect(answer).toMatchObject({
      flags: SYN | ACK,
      acknowledgment: 1001,
      window: 65_535,
      fromPort: 80,
      toPort: 40_000,
    });
    expect([...answer.options]).toEqual([2, 4, 5, 0xb4]);
    expect(outside.of('tcpGrant')).toEqual([]);
    raw({ sequence: 1001, acknowledgment: answer.sequence + 1 });
    expect(outside.of('tcpGrant')).toHaveLength(1);
  });

  it('RFC 7323 2.2: the window is scaled only when the guest offers it', () => {
    const { answer, send } = established({}, { options: MSS_AND_SCALE });
    expect([...answer.options]).toEqual([2, 4, 5, 0xb4, 1, 3, 3, 5]);
    expect(answer.window).toBe(65_535);
    expect(send({ data: bytes(10) })[0].window << 5).toBeGreaterThan(900_000);
  });

  it("the gateway is the host's loopback, the name server the resolver", () => {
    const { guest, outside } = setUpNat();
    for (const [to, toPort] of [
      ['10.0.2.2', 80],
      ['10.0.2.3', 53],
    ] as const) {
      guest.tcp(to, { fromPort: 1, toPort, sequence: 1, flags: SYN });
    }
    expect(outside.of('tcpConnect').map(({ address, port }) => [address, port])).toEqual([
      ['127.0.0.1', 80],
      ['resolver', 53],
    ]);
  });

  it('RFC 9293 3.5.3: refused outside, reset here', () => {
    const { outside, flow, arrived, nat } = open();
    outside.fail(flow, 'refused');
    expect(arrived()).toMatchObject([{ flags: RST | ACK, sequence: 0, acknowledgment: 1001 }]);
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 792: unreachable outside, an ICMP error here that names the segment', () => {
    for (const [failure, code] of [
      ['host-unreachable', 1],
      ['net-unreachable', 0],
      ['timeout', 1],
      ['prohibited', 13],
    ] as const) {
      const { outside, flow, settle } = open();
      outside.fail(flow, failure);
      const [answer] = settle();
      expect(answer.icmp).toMatchObject({ type: 3, code });
      expect([...answer.icmp!.rest.slice(24, 32)]).toEqual([0x9c, 0x40, 0, 80, 0, 0, 3, 0xe8]);
    }
  });

  it('RFC 9293 3.8.1: SYN and ACK are sent again, at growing intervals, until the connection is given up', () => {
    const { clock, outside, flow, arrived, guest, nat } = open();
    outside.arrive('tcp-connected', { flow });
    arrived();
    const times: number[] = [];
    guest.onFrame = () => times.push(clock.now / 1e9);
    clock.runUntil(200e9);
    expect(times).toEqual([1, 3, 7, 15, 31]);
    expect(outside.of('tcpReset')).toHaveLength(1);
    expect(nat.tcp.count).toBe(0);
  });

  it('a reset before the outside answered ends the attempt', () => {
    const { outside, raw, flow, nat } = open();
    raw({ sequence: 1001, flags: RST });
    expect(outside.of('tcpReset')).toEqual([{ call: 'tcpReset', flow }]);
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 9293 3.10.7.1: segments of no connection are reset, resets are not answered', () => {
    const { guest, segments } = open();
    const stray = (fields: Partial<TcpFields>): Tcp[] =>
      segments(guest.tcp(SERVER, { fromPort: 9, toPort: 9, sequence: 500, flags: 0, ...fields }));
    expect(stray({ flags: ACK, acknowledgment: 77 })).toMatchObject([{ flags: RST, sequence: 77 }]);
    expect(stray({ flags: FIN, data: bytes(10) })).toMatchObject([
      { flags: RST | ACK, sequence: 0, acknowledgment: 511 },
    ]);
    expect(stray({ flags: RST })).toEqual([]);
    expect(stray({ flags: RST | ACK })).toEqual([]);
  });

  it('RFC 9293 3.10.7.4: an acknowledgment of what was never sent, before the opening is done, is reset', () => {
    const { outside, raw, flow, arrived } = open();
    outside.arrive('tcp-connected', { flow });
    arrived();
    expect(raw({ sequence: 1001, acknowledgment: 5 })).toMatchObject([{ flags: RST, sequence: 5 }]);
  });

  it('RFC 9293 3.1 MUST-7: options of illegal lengths do no harm', () => {
    for (const options of [
      [2, 0, 0, 0],
      [2, 1, 0, 0],
      [2, 200, 0, 0],
      [3, 3, 255, 0],
      [8, 10, 1, 1],
      [1, 1, 1, 2],
      [2, 4, 0, 0],
    ]) {
      const { outside, flow, arrived } = open({}, { options: Uint8Array.from(options) });
      outside.arrive('tcp-connected', { flow });
      expect(arrived()).toHaveLength(1);
    }
  });
});

describe('forwarded ports', () => {
  const forwards = [parseHostForward('tcp:127.0.0.1:2222-10.0.2.15:22')];

  it('an outside connection opens one to the guest; refused by the guest, it is reset outside', () => {
    const { guest, outside, settle } = setUpNat({ forwards });
    expect(outside.of('listen-tcp')).toEqual([
      { call: 'listen-tcp', forward: 0, address: '127.0.0.1', port: 2222 },
    ]);
    guest.arp('10.0.2.2');
    outside.arrive('tcp-accepted', { forward: 0, flow: 1, address: '127.0.0.1', port: 5555 });
    const [syn] = settle();
    expect(syn.ip!.from).toBe('10.0.2.2');
    expect(syn.tcp).toMatchObject({ flags: SYN, fromPort: 5555, toPort: 22 });
    expect([...syn.tcp!.options]).toEqual([2, 4, 5, 0xb4, 1, 3, 3, 5]);
    const acknowledgment = (syn.tcp!.sequence + 1) >>> 0;
    guest.tcp('10.0.2.2', { fromPort: 22, toPort: 5555, sequence: 0, acknowledgment, flags: RST | ACK });
    expect(outside.of('tcpReset')).toEqual([{ call: 'tcpReset', flow: 1 }]);
  });

  it('data flows both ways; equal peers as the guest sees them get different ports', () => {
    const { guest, outside, settle } = setUpNat({ forwards });
    guest.arp('10.0.2.2');
    outside.arrive('tcp-accepted', { forward: 0, flow: 1, address: '127.0.0.1', port: 5555 });
    outside.arrive('tcp-accepted', { forward: 0, flow: 3, address: '127.0.0.2', port: 5555 });
    const [one, two] = settle().map((frame) => frame.tcp!);
    expect(one.fromPort).toBe(5555);
    expect(two.fromPort).not.toBe(5555);
    const acknowledgment = (one.sequence + 1) >>> 0;
    const answer = guest.tcp('10.0.2.2', {
      fromPort: 22,
      toPort: 5555,
      sequence: 9000,
      acknowledgment,
      flags: SYN | ACK,
      options: MSS_1460,
    });
    expect(answer.map((frame) => frame.tcp)).toMatchObject([{ flags: ACK, acknowledgment: 9001 }]);
    guest.tcp('10.0.2.2', {
      fromPort: 22,
      toPort: 5555,
      sequence: 9001,
      acknowledgment,
      flags: ACK,
      data: bytes(20),
    });
    expect(outside.written(1)).toEqual(bytes(20));
    outside.arrive('tcp-data', { flow: 1, bytes: bytes(30) });
    expect(settle()[0].tcp!.data).toEqual(bytes(30));
  });

  it('a guest whose address is not known yet is asked for; the SYN comes again when it has answered', () => {
    const { guest, outside, settle, clock } = setUpNat({ forwards });
    outside.arrive('tcp-accepted', { forward: 0, flow: 1, address: '127.0.0.1', port: 5555 });
    expect(settle()[0].arp).toMatchObject({ operation: 1, targetIp: '10.0.2.15' });
    guest.arp('10.0.2.2');
    clock.runUntil(1.1e9);
    expect(guest.take().some((frame) => frame.tcp?.flags === SYN)).toBe(true);
  });
});
