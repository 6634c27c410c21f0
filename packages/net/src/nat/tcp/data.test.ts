import { describe, expect, it } from 'vitest';
import {
  ACK,
  MSS_1460,
  MSS_AND_SCALE,
  RST,
  SERVER,
  SYN,
  bytes,
  established,
  join,
  type Tcp,
} from '../../../test/tcp-scene.js';
import { setUpNat } from '../../testing/index.js';

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
      window = answer.window << 5;
      expect(sent).toBeLessThanOrEqual(1024 * 1024 + 1460);
    }
    const last = send({ data: new Uint8Array(window) });
    expect(last[0].window).toBe(0);
    const beyond = next();
    // The scaled field rounds down: less than its unit may still be taken.
    const [refused] = send({ sequence: beyond, data: new Uint8Array(1000) });
    expect(refused.window).toBe(0);
    expect(refused.acknowledgment - beyond).toBeLessThan(32);
    const total = outside.written(flow).length;
    expect(total).toBe(sent + window + refused.acknowledgment - beyond);
    outside.arrive('tcp-drained', { flow, bytes: 1000 });
    expect(arrived()).toEqual([]);
    outside.arrive('tcp-drained', { flow, bytes: total - 1000 });
    const [update] = arrived();
    expect([update.acknowledgment, update.window << 5]).toEqual([refused.acknowledgment, 1024 * 1024]);
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
    expect(first[0].sequence).toBe((iss + 1) >>> 0);
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
    expect(nat.tcp.connections()[0].buffer.length).toBe(0);
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
    expect(again[0]).toMatchObject({ sequence: first[1].sequence, data: first[1].data });
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

  it('a port that blocks in the middle of a burst loses nothing, and control frames go first', () => {
    const { outside, flow, arrived, send, take, guest, segments } = established();
    guest.room = 3;
    outside.arrive('tcp-data', { flow, bytes: bytes(100_000) });
    const got = arrived();
    expect(got).toHaveLength(3);
    for (let round = 0; round < 200 && join(got).length < 100_000; round++) {
      take(got);
      guest.room = 0;
      send();
      if (round === 0) guest.ping('10.0.2.2', bytes(8));
      guest.admit(3);
      const frames = guest.take();
      if (round === 0) expect(frames[0].icmp?.type).toBe(0);
      got.push(...segments(frames));
    }
    expect(join(got)).toEqual(bytes(100_000));
    expect(new Set(got.map(({ sequence }) => sequence)).size).toBe(got.length);
  });

  it('RFC 9293 3.4: sequence numbers pass 2^32', () => {
    // The initial number follows the clock by 4 us: wait until it is just below the turn.
    const probe = established();
    const ahead = 0x1_0000_0000 - probe.iss - 20_000;
    const parts = setUpNat();
    parts.clock.runUntil(ahead * 4000);
    const { guest, outside, settle, clock } = parts;
    guest.tcp(SERVER, { fromPort: 40_000, toPort: 80, sequence: 0xffff_fff0, flags: SYN, options: MSS_1460 });
    const { flow } = outside.of('tcpConnect')[0];
    outside.arrive('tcp-connected', { flow: flow! });
    const iss = settle()[0].tcp!.sequence;
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
    expect(ack(bytes(1000))[0].acknowledgment).toBe((0xffff_fff1 + 1000) >>> 0);
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
