import { describe, expect, it } from 'vitest';
import { ACK, FIN, RST, SERVER, SYN, bytes, established, join } from '../../../test/tcp-scene.js';
import { setUpNat } from '../../testing/index.js';

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
    expect(nat.tcp.connections()[0].state).toBe('time-wait');
    expect(send({ sequence: 1051, flags: FIN })).toMatchObject([{ acknowledgment: 1052 }]);
    clock.runUntil(clock.now + 40e9);
    expect(nat.tcp.count).toBe(0);
  });

  it('RFC 9293 3.6 figure 13: both close at once', () => {
    const { outside, send, take, flow, arrived, nat } = established();
    outside.arrive('tcp-end', { flow });
    const end = arrived();
    expect(send({ flags: FIN })).toMatchObject([{ flags: ACK, acknowledgment: 1002 }]);
    expect(nat.tcp.connections()[0].state).toBe('closing');
    take(end);
    send();
    expect(nat.tcp.connections()[0].state).toBe('time-wait');
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
    expect(segments(guest.take())).toMatchObject([{ flags: FIN | ACK, sequence: first.sequence }]);
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
    expect(nat.tcp.connections()[0].state).toBe('time-wait');
    raw({ sequence: 5000, flags: SYN });
    expect(nat.tcp.connections()[0].state).toBe('connecting');
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
