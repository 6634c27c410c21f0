import { describe, expect, it } from 'vitest';
import { Random } from '../../random.js';
import { setUpNat, type Decoded, type TcpFields } from '../../testing/index.js';
import type { UserNatOptions } from '../options.js';
import { parseHostForward } from '../options.js';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const SERVER = '192.0.2.80';
const MSS_1460 = Uint8Array.of(2, 4, 5, 0xb4);
/** MSS 1460 and a window scale of 7. */
const MSS_AND_SCALE = Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7);

type Tcp = NonNullable<Decoded['tcp']>;

function open(options: Partial<UserNatOptions> = {}, syn: Partial<TcpFields> = {}) {
  const parts = setUpNat(options);
  const { guest, outside, settle } = parts;
  const segments = (frames: Decoded[]): Tcp[] => {
    for (const frame of frames) {
      if (frame.tcp !== undefined) expect([frame.ip!.sound, frame.tcp.sound]).toEqual([true, true]);
    }
    return frames.flatMap((frame) => frame.tcp ?? []);
  };
  const raw = (fields: Partial<TcpFields>): Tcp[] =>
    segments(guest.tcp(SERVER, { fromPort: 40_000, toPort: 80, sequence: 0, flags: ACK, ...fields }));
  const begin = (): Tcp[] => raw({ sequence: 1000, flags: SYN, options: MSS_1460, ...syn });
  expect(begin()).toEqual([]);
  const { flow } = outside.of('tcpConnect').at(-1)!;
  const arrived = (): Tcp[] => segments(settle());
  return { ...parts, raw, begin, flow: flow!, arrived, segments };
}

function established(options: Partial<UserNatOptions> = {}, syn: Partial<TcpFields> = {}) {
  const parts = open(options, syn);
  const { outside, raw, flow, arrived } = parts;
  outside.arrive('tcp-connected', { flow });
  const [answer] = arrived();
  const iss = answer!.sequence;
  let sequence = 1001;
  let acknowledgment = (iss + 1) >>> 0;
  /** A segment in order; data moves the guest's sequence on. */
  const send = (fields: Partial<TcpFields> = {}): Tcp[] => {
    const at = sequence;
    if (fields.sequence === undefined) {
      sequence += (fields.data?.length ?? 0) + ((fields.flags ?? 0) & FIN ? 1 : 0);
    }
    return raw({ sequence: at, acknowledgment, ...fields, flags: ACK | (fields.flags ?? 0) });
  };
  /** Acknowledges everything up to the end of these segments. */
  const take = (segments: Tcp[]): void => {
    for (const { sequence: at, data, flags } of segments) {
      acknowledgment = (at + data.length + (flags & FIN ? 1 : 0)) >>> 0;
    }
  };
  expect(send()).toEqual([]);
  return { ...parts, answer: answer!, iss, send, take, next: () => sequence };
}

const bytes = (length: number, seed = 1): Uint8Array => new Random(seed).fill(new Uint8Array(length));
const join = (segments: Tcp[]): Uint8Array => Uint8Array.from(segments.flatMap(({ data }) => [...data]));

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
    expect([...answer!.options]).toEqual([2, 4, 5, 0xb4]);
    expect(outside.of('tcpGrant')).toEqual([]);
    raw({ sequence: 1001, acknowledgment: answer!.sequence + 1 });
    expect(outside.of('tcpGrant')).toHaveLength(1);
  });

  it('RFC 7323 2.2: the window is scaled only when the guest offers it', () => {
    const { answer, send } = established({}, { options: MSS_AND_SCALE });
    expect([...answer.options]).toEqual([2, 4, 5, 0xb4, 1, 3, 3, 5]);
    expect(answer.window).toBe(65_535);
    expect(send({ data: bytes(10) })[0]!.window << 5).toBeGreaterThan(900_000);
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
      expect(answer!.icmp).toMatchObject({ type: 3, code });
      expect([...answer!.icmp!.rest.slice(24, 32)]).toEqual([0x9c, 0x40, 0, 80, 0, 0, 3, 0xe8]);
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

describe('from the guest', () => {
  it('RFC 9293 3.10.7.4: data goes out in order and is acknowledged once for all that came together', () => {
    const { outside, send, flow } = established();
    expect(send({ data: bytes(1460, 1) })).toMatchObject([{ flags: ACK, acknowledgment: 1001 + 1460 }]);
    send({ data: bytes(700, 2) });
    expect(outside.written(flow)).toEqual(Uint8Array.from([...bytes(1460, 1), ...bytes(700, 2)]));
  });

  it('RFC 9293 3.10.7.4, RFC 5681 4.2: out of order data is kept, each piece acknowledged at once; then all goes out', () => {
    const { outside, send, flow } = established();
    const all = bytes(5000);
    const piece = (from: number, end: number): Tcp[] =>
      send({ sequence: 1001 + from, data: all.slice(from, end) });
    expect(piece(3000, 4000)).toMatchObject([{ acknowledgment: 1001 }]);
    expect(piece(1000, 2000)).toMatchObject([{ acknowledgment: 1001 }]);
    expect(piece(1800, 3200)).toMatchObject([{ acknowledgment: 1001 }]);
    expect(outside.written(flow)).toHaveLength(0);
    expect(piece(0, 1200)).toMatchObject([{ acknowledgment: 1001 + 4000 }]);
    expect(piece(3900, 5000)).toMatchObject([{ acknowledgment: 1001 + 5000 }]);
    expect(outside.written(flow)).toEqual(all);
    expect(piece(0, 1000)).toMatchObject([{ acknowledgment: 1001 + 5000 }]);
    expect(outside.written(flow)).toHaveLength(5000);
  });

  it('RFC 9293 3.8.6: the window closes while the outside takes nothing, and an update opens it again', () => {
    const { outside, send, flow, arrived, next } = established({}, { options: MSS_AND_SCALE });
    let window = 1 << 20;
    let sent = 0;
    while (window >= 1460) {
      const [answer] = send({ data: new Uint8Array(1460) });
      sent += 1460;
      window = answer!.window << 5;
      expect(sent).toBeLessThanOrEqual(1024 * 1024 + 1460);
    }
    const last = send({ data: new Uint8Array(window) });
    expect(last[0]!.window).toBe(0);
    const beyond = next();
    // The scaled field rounds down: less than its unit may still be taken.
    const [refused] = send({ sequence: beyond, data: new Uint8Array(1000) });
    expect(refused!.window).toBe(0);
    expect(refused!.acknowledgment - beyond).toBeLessThan(32);
    const total = outside.written(flow).length;
    expect(total).toBe(sent + window + refused!.acknowledgment - beyond);
    outside.arrive('tcp-drained', { flow, bytes: 1000 });
    expect(arrived()).toEqual([]);
    outside.arrive('tcp-drained', { flow, bytes: total - 1000 });
    const [update] = arrived();
    expect([update!.acknowledgment, update!.window << 5]).toEqual([refused!.acknowledgment, 1024 * 1024]);
  }, 20_000);

  it('RFC 9293 3.10.7.4: segments outside the window are answered with the right numbers and change nothing', () => {
    const { outside, send, flow } = established();
    for (const sequence of [1001 + 70_000, 500, 0x8000_0000]) {
      expect(send({ sequence, data: bytes(10) })).toMatchObject([{ flags: ACK, acknowledgment: 1001 }]);
    }
    expect(outside.written(flow)).toHaveLength(0);
  });

  it('RFC 5961 3.2, 4.2: only a reset with the exact number ends the connection; others and a SYN are challenged', () => {
    const { outside, send, raw, flow, nat } = established();
    expect(raw({ sequence: 1500, flags: RST })).toMatchObject([{ flags: ACK, acknowledgment: 1001 }]);
    expect(send({ sequence: 1001, flags: SYN })).toMatchObject([{ flags: ACK, acknowledgment: 1001 }]);
    expect(raw({ sequence: 90_000, flags: RST })).toEqual([]);
    expect(nat.tcp.count).toBe(1);
    raw({ sequence: 1001, flags: RST });
    expect([nat.tcp.count, outside.of('tcpReset')]).toEqual([0, [{ call: 'tcpReset', flow }]]);
  });

  it('RFC 9293 3.1: a segment with a wrong checksum or an impossible header is dropped', () => {
    const { outside, guest, ledger, flow } = established();
    for (const [at, value] of [
      [17, 1],
      [12, 0x40],
      [12, 0xf0],
    ] as const) {
      const before = ledger.total({ reason: 'malformed' });
      const segment = Uint8Array.from([
        156, 64, 0, 80, 0, 0, 3, 233, 0, 0, 0, 0, 0x50, 16, 255, 255, 0, 0, 0, 0, 7,
      ]);
      segment[at] = value;
      guest.sendIp({ to: SERVER, protocol: 6, payload: segment });
      expect(ledger.total({ reason: 'malformed' })).toBe(before + 1);
    }
    expect(outside.written(flow)).toHaveLength(0);
  });
});

describe('to the guest', () => {
  it("RFC 9293 3.7.1: data is cut to the guest's MSS; a guest that names none gets 536 octets", () => {
    for (const [options, mss] of [
      [Uint8Array.of(2, 4, 2, 0), 512],
      [new Uint8Array(0), 536],
      [Uint8Array.of(2, 4, 255, 255), 1460],
      [Uint8Array.of(2, 4, 0, 1), 64],
    ] as const) {
      const { outside, flow, arrived } = established({}, { options });
      outside.arrive('tcp-data', { flow, bytes: bytes(mss * 2 + 10) });
      const sent = arrived();
      expect(sent.map(({ data }) => data.length)).toEqual([mss, mss, 10]);
      expect(join(sent)).toEqual(bytes(mss * 2 + 10));
      expect(sent.map(({ flags }) => flags)).toEqual([ACK, ACK, ACK | 8]);
    }
  });

  it('RFC 6928, RFC 5681 3.1: ten segments at first, then two more for each acknowledged', () => {
    const { outside, flow, arrived, send, take, iss } = established();
    outside.arrive('tcp-data', { flow, bytes: bytes(200_000) });
    const first = arrived();
    expect(first).toHaveLength(10);
    take(first.slice(0, 1));
    expect(send()).toHaveLength(2);
    expect(first[0]!.sequence).toBe((iss + 1) >>> 0);
  });

  it("RFC 9293 3.8.6: no byte beyond the guest's window", () => {
    const { outside, flow, arrived, send } = established();
    send({ window: 3000 });
    outside.arrive('tcp-data', { flow, bytes: bytes(20_000) });
    expect(join(arrived())).toHaveLength(2920);
  });

  it('RFC 9293 3.8.6.1: a closed window is probed with one byte, as long as the guest answers; then data goes on', () => {
    const { clock, outside, flow, arrived, send, take, guest, nat, segments } = established();
    send({ window: 0 });
    outside.arrive('tcp-data', { flow, bytes: bytes(4000) });
    expect(arrived()).toEqual([]);
    for (let probe = 0; probe < 20; probe++) {
      clock.runUntil(clock.now + 61e9);
      const probes = segments(guest.take());
      expect(probes.length).toBeGreaterThan(0);
      expect(new Set(probes.map(({ data }) => data.length))).toEqual(new Set([1]));
      send({ window: 0 });
    }
    const rest = send({ window: 65_535 });
    expect(join(rest)).toEqual(bytes(4000));
    take(rest);
    send();
    expect(nat.tcp.connections()[0]!.buffer.length).toBe(0);
  });

  it('RFC 6298 5: what is not acknowledged is sent again after the timeout, doubled each time, and then given up', () => {
    const { clock, outside, flow, arrived, guest, nat } = established();
    outside.arrive('tcp-data', { flow, bytes: bytes(100) });
    arrived();
    const times: number[] = [];
    guest.onFrame = () => times.push(Math.round(clock.now / 1e6));
    clock.runUntil(3e9);
    expect(times).toEqual([200, 600, 1400, 3000]);
    clock.runUntil(1000e9);
    expect([nat.tcp.count, outside.of('tcpReset').length]).toEqual([0, 1]);
  });

  it('RFC 5681 3.2: three duplicate acknowledgments bring the missing segment at once', () => {
    const { outside, flow, arrived, send, take, clock } = established();
    outside.arrive('tcp-data', { flow, bytes: bytes(14_600) });
    const first = arrived();
    take(first.slice(0, 1));
    send();
    const before = clock.now;
    expect([send(), send()]).toEqual([[], []]);
    const again = send();
    expect(again[0]).toMatchObject({ sequence: first[1]!.sequence, data: first[1]!.data });
    expect(clock.now).toBe(before);
    take(first);
    expect(send()).toEqual([]);
  });

  it('the outside is granted more only as the guest acknowledges: what waits is bounded', () => {
    const { outside, flow, arrived, send, take } = established();
    const granted = (): number => outside.of('tcpGrant').reduce((sum, { amount }) => sum + amount!, 0);
    expect(granted()).toBe(1024 * 1024);
    for (let sent = 0; sent < 1024 * 1024; sent += 65_536) {
      outside.arrive('tcp-data', { flow, bytes: new Uint8Array(65_536) });
    }
    let last = arrived();
    expect(granted()).toBe(1024 * 1024);
    for (let round = 0; round < 60; round++) {
      take(last);
      last = send();
    }
    expect(granted()).toBeGreaterThan(1024 * 1024 + 500_000);
  });

  it('RFC 9293 3.4: sequence numbers pass 2^32', () => {
    // The initial number follows the clock by 4 us: wait until it is just below the turn.
    const probe = established();
    const ahead = 0x1_0000_0000 - probe.iss - 20_000;
    const parts = setUpNat();
    parts.clock.runUntil(ahead * 4000);
    const { guest, outside, settle, clock } = parts;
    guest.tcp(SERVER, { fromPort: 40_000, toPort: 80, sequence: 0xffff_fff0, flags: SYN, options: MSS_1460 });
    const { flow } = outside.of('tcpConnect')[0]!;
    outside.arrive('tcp-connected', { flow: flow! });
    const iss = settle()[0]!.tcp!.sequence;
    expect(iss).toBeGreaterThan(0xffff_0000);
    let acknowledgment = iss + 1;
    const ack = (data?: Uint8Array, sequence = 0xffff_fff1): Tcp[] =>
      guest
        .tcp(SERVER, {
          fromPort: 40_000,
          toPort: 80,
          sequence,
          acknowledgment,
          flags: ACK,
          ...(data && { data }),
        })
        .map((frame) => frame.tcp!);
    expect(ack(bytes(1000))[0]!.acknowledgment).toBe((0xffff_fff1 + 1000) >>> 0);
    expect(outside.written(flow!)).toEqual(bytes(1000));
    outside.arrive('tcp-data', { flow: flow!, bytes: bytes(60_000) });
    const received: Tcp[] = [];
    for (let sent = settle().map((frame) => frame.tcp!); sent.length > 0;) {
      received.push(...sent);
      const end = sent.at(-1)!;
      acknowledgment = (end.sequence + end.data.length) >>> 0;
      sent = ack(undefined, (0xffff_fff1 + 1000) >>> 0);
    }
    expect(join(received)).toEqual(bytes(60_000));
    expect(acknowledgment).toBeLessThan(60_000);
    clock.runUntil(clock.now + 5e9);
    expect(guest.take()).toEqual([]);
  });
});

describe('closing', () => {
  it('RFC 9293 3.6: the guest closes first; data still flows to it; then the outside ends', () => {
    const { outside, send, take, flow, arrived, nat } = established();
    expect(send({ flags: FIN, data: bytes(5) })).toMatchObject([{ flags: ACK, acknowledgment: 1001 + 6 }]);
    expect(outside.of('tcpEnd')).toEqual([{ call: 'tcpEnd', flow }]);
    outside.arrive('tcp-data', { flow, bytes: bytes(300) });
    const late = arrived();
    expect(join(late)).toEqual(bytes(300));
    take(late);
    send();
    outside.arrive('tcp-end', { flow });
    const end = arrived();
    expect(end).toMatchObject([{ flags: FIN | ACK }]);
    take(end);
    send();
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 9293 3.6: the outside ends first: FIN behind the last data, the guest may go on, then TIME-WAIT', () => {
    const { clock, outside, send, take, flow, arrived, nat } = established();
    outside.arrive('tcp-data', { flow, bytes: bytes(100) });
    outside.arrive('tcp-end', { flow });
    const end = arrived();
    expect(end.at(-1)!.flags & FIN).toBe(FIN);
    expect(join(end)).toEqual(bytes(100));
    take(end);
    send({ data: bytes(50) });
    expect(outside.written(flow)).toEqual(bytes(50));
    expect(send({ flags: FIN })).toMatchObject([{ flags: ACK, acknowledgment: 1001 + 51 }]);
    expect(nat.tcp.connections()[0]!.state).toBe('time-wait');
    expect(send({ sequence: 1051, flags: FIN })).toMatchObject([{ acknowledgment: 1052 }]);
    clock.runUntil(clock.now + 40e9);
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 9293 3.6 figure 13: both close at once', () => {
    const { outside, send, take, flow, arrived, nat } = established();
    outside.arrive('tcp-end', { flow });
    const end = arrived();
    expect(send({ flags: FIN })).toMatchObject([{ flags: ACK, acknowledgment: 1002 }]);
    expect(nat.tcp.connections()[0]!.state).toBe('closing');
    take(end);
    send();
    expect(nat.tcp.connections()[0]!.state).toBe('time-wait');
  });

  it('RFC 9293 3.10.7.4: a FIN that comes before missing data waits for it', () => {
    const { outside, send, flow } = established();
    send({ sequence: 1101, data: bytes(100, 2), flags: FIN });
    expect(outside.of('tcpEnd')).toEqual([]);
    expect(send({ sequence: 1001, data: bytes(100, 1) })).toMatchObject([{ acknowledgment: 1202 }]);
    expect(outside.written(flow)).toHaveLength(200);
    expect(outside.of('tcpEnd')).toHaveLength(1);
  });

  it('a lost FIN is sent again', () => {
    const { clock, outside, flow, arrived, guest, segments } = established();
    outside.arrive('tcp-end', { flow });
    const [first] = arrived();
    clock.runUntil(clock.now + 250e6);
    expect(segments(guest.take())).toMatchObject([{ flags: FIN | ACK, sequence: first!.sequence }]);
  });

  it('RFC 9293 3.5.2: a connection broken outside is reset here with the number that the guest expects', () => {
    const { outside, flow, arrived, nat, iss } = established();
    outside.arrive('tcp-data', { flow, bytes: bytes(10) });
    arrived();
    outside.arrive('tcp-reset', { flow });
    expect(arrived()).toMatchObject([{ flags: RST | ACK, sequence: (iss + 11) >>> 0, acknowledgment: 1001 }]);
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 6191: a new SYN with a higher number reopens a connection in TIME-WAIT', () => {
    const { outside, send, take, flow, arrived, raw, nat } = established();
    outside.arrive('tcp-end', { flow });
    take(arrived());
    send({ flags: FIN });
    expect(nat.tcp.connections()[0]!.state).toBe('time-wait');
    raw({ sequence: 5000, flags: SYN });
    expect(nat.tcp.connections()[0]!.state).toBe('connecting');
    expect(outside.of('tcpConnect')).toHaveLength(2);
  });

  it('RFC 5382 REQ-5: a connection without traffic for the idle time is reset', () => {
    const { clock, outside, nat, guest, segments } = established({ tcpIdle: 100 });
    clock.runUntil(90e9);
    expect(nat.tcp.count).toBe(1);
    clock.runUntil(110e9);
    expect(segments(guest.take())).toMatchObject([{ flags: RST | ACK }]);
    expect(outside.of('tcpReset')).toHaveLength(1);
  });

  it('connections are bounded: a flood of SYNs resets the oldest and keeps memory', () => {
    const { guest, outside, nat, clock } = setUpNat({ maxFlows: 8 });
    for (let port = 1; port <= 300; port++) {
      clock.runUntil(port);
      guest.tcp(SERVER, { fromPort: port, toPort: 80, sequence: 1, flags: SYN });
    }
    expect(nat.tcp.count).toBe(8);
    expect(outside.of('tcpReset')).toHaveLength(292);
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
    expect(syn!.ip!.from).toBe('10.0.2.2');
    expect(syn!.tcp).toMatchObject({ flags: SYN, fromPort: 5555, toPort: 22 });
    expect([...syn!.tcp!.options]).toEqual([2, 4, 5, 0xb4, 1, 3, 3, 5]);
    const acknowledgment = (syn!.tcp!.sequence + 1) >>> 0;
    guest.tcp('10.0.2.2', { fromPort: 22, toPort: 5555, sequence: 0, acknowledgment, flags: RST | ACK });
    expect(outside.of('tcpReset')).toEqual([{ call: 'tcpReset', flow: 1 }]);
  });

  it('data flows both ways; equal peers as the guest sees them get different ports', () => {
    const { guest, outside, settle } = setUpNat({ forwards });
    guest.arp('10.0.2.2');
    outside.arrive('tcp-accepted', { forward: 0, flow: 1, address: '127.0.0.1', port: 5555 });
    outside.arrive('tcp-accepted', { forward: 0, flow: 3, address: '127.0.0.2', port: 5555 });
    const [one, two] = settle().map((frame) => frame.tcp!);
    expect(one!.fromPort).toBe(5555);
    expect(two!.fromPort).not.toBe(5555);
    const acknowledgment = (one!.sequence + 1) >>> 0;
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
    expect(settle()[0]!.tcp!.data).toEqual(bytes(30));
  });

  it('a guest whose address is not known yet is asked for; the SYN comes again when it has answered', () => {
    const { guest, outside, settle, clock } = setUpNat({ forwards });
    outside.arrive('tcp-accepted', { forward: 0, flow: 1, address: '127.0.0.1', port: 5555 });
    expect(settle()[0]!.arp).toMatchObject({ operation: 1, targetIp: '10.0.2.15' });
    guest.arp('10.0.2.2');
    clock.runUntil(1.1e9);
    expect(guest.take().some((frame) => frame.tcp?.flags === SYN)).toBe(true);
  });
});
