import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import {
  arpPacket,
  bytesOf,
  etherFrame,
  icmpMessage,
  ipv4Packet,
  setUpNat,
  tcpSegment,
  udpDatagram,
} from '../testing/index.js';
import { put16 } from './bytes.js';
import { checksumOf } from './checksum.js';
import { parseHostForward } from './options.js';

const GUEST = '10.0.2.15';
const ADDRESSES = [
  '10.0.2.2',
  '10.0.2.3',
  '10.0.2.15',
  '10.0.2.255',
  '8.8.8.8',
  '255.255.255.255',
  '224.0.0.1',
];

/** A packet of some protocol with fields of any value, checksums mostly sound so that it gets deep. */
function hostilePacket(random: Random): { type: number; payload: Uint8Array } {
  const to = ADDRESSES[random.below(ADDRESSES.length)];
  const any = (most: number): Uint8Array => random.fill(new Uint8Array(random.below(most)));
  const port = (): number =>
    random.chance(0.5) ? [53, 67, 68, 80, 0][random.below(5)] : random.below(65_536);
  let payload: Uint8Array;
  let protocol = [1, 6, 6, 6, 6, 17, 17][random.below(7)];
  if (protocol === 6) {
    const options = random.fill(new Uint8Array(4 * random.below(6)));
    payload = tcpSegment(GUEST, to, {
      fromPort: 1000 + random.below(4),
      toPort: 80,
      sequence: random.chance(0.5) ? random.below(5000) : random.next(),
      acknowledgment: random.next(),
      flags: random.below(64),
      window: random.below(65_536),
      options,
      data: any(1200),
    });
  } else if (protocol === 17) {
    const dhcp = bytesOf(
      [1, 1, 6, 0],
      any(8),
      new Uint8Array(224),
      [0x63, 0x82, 0x53, 0x63, 53, 1, random.below(10)],
      any(300),
    );
    payload = udpDatagram(GUEST, port(), to, port(), random.chance(0.3) ? dhcp : any(1200));
  } else payload = icmpMessage(random.below(20), random.below(3), any(600));
  if (random.chance(0.1)) protocol = random.below(256);
  const packet = ipv4Packet({
    from: random.chance(0.9) ? GUEST : '0.0.0.0',
    to,
    protocol,
    payload,
    ttl: random.chance(0.1) ? random.below(2) : 64,
    identification: random.below(4),
    fragment: random.chance(0.15) ? random.below(65_536) : 0,
    options: random.chance(0.1) ? random.fill(new Uint8Array(4 * random.below(10))) : new Uint8Array(0),
  });
  if (random.chance(0.2)) {
    const at = random.below(20);
    packet[at] = random.next();
    put16(packet, 10, 0);
    if (random.chance(0.8)) put16(packet, 10, checksumOf(packet.subarray(0, (packet[0] & 15) * 4)));
  }
  return { type: 0x0800, payload: packet.subarray(0, 1500) };
}

describe('a hostile guest', () => {
  for (const seed of [1, 2, 3]) {
    it(`random packets, fields and arrivals end in no exception, no hang and bounded state (seed ${seed})`, () => {
      const { clock, guest, outside, nat, settle } = setUpNat({
        maxFlows: 32,
        forwards: [parseHostForward('tcp::1-:80'), parseHostForward('udp::2-:53')],
      });
      const random = new Random(seed);
      for (let round = 0; round < 4000; round++) {
        const kind = random.below(20);
        if (kind === 0) guest.send(random.fill(new Uint8Array(random.below(1600))));
        else if (kind === 1) {
          const packet = arpPacket(1, guest.mac, GUEST, '00:00:00:00:00:00', '10.0.2.2');
          packet[random.below(28)] = random.next();
          guest.sendFrame(0x0806, packet.subarray(0, random.below(29)));
        } else if (kind < 5) {
          const flow = outside.calls.at(-1 - random.below(40))?.flow ?? 0;
          const bytes = random.fill(new Uint8Array(random.below(5000)));
          switch (random.below(7)) {
            case 0:
              outside.arrive('tcp-connected', { flow });
              break;
            case 1:
              outside.arrive('tcp-data', { flow, bytes });
              break;
            case 2:
              outside.arrive('tcp-end', { flow });
              break;
            case 3:
              outside.arrive('tcp-drained', { flow, bytes: bytes.length });
              break;
            case 4:
              outside.arrive('tcp-accepted', {
                forward: random.below(3),
                flow: 2 * round + 1,
                address: '::1',
                port: 7,
              });
              break;
            case 5:
              outside.arrive('udp-data', { flow, address: '1.2.3.4', port: 5, bytes });
              break;
            case 6:
              outside.arrive('forward-data', {
                forward: random.below(3),
                address: '1.2.3.4',
                port: random.below(99),
                bytes,
              });
          }
        } else {
          const { type, payload } = hostilePacket(random);
          guest.send(etherFrame({ to: '52:55:0a:00:02:02', from: guest.mac, type, payload }));
        }
        if (random.chance(0.05)) clock.runUntil(clock.now + random.below(3e9));
        if (random.chance(0.05)) guest.room = random.below(20);
        if (guest.room < 1 && random.chance(0.3)) guest.admit(1000);
        if (random.chance(0.3)) settle();
        guest.received.length = Math.min(guest.received.length, 0);
        expect(nat.tcp.count).toBeLessThanOrEqual(32);
        expect(nat.udp.count).toBeLessThanOrEqual(64);
      }
      guest.admit(Infinity);
      settle();
      // Still at work: the network answers as on the first day.
      guest.ip = '10.0.2.99';
      guest.received.length = 0;
      guest.arp('10.0.2.2');
      expect(guest.received.length).toBeGreaterThan(0);
      // With no new input everything times out: the clock runs dry.
      guest.port.attach({ receive: () => true });
      let events = 0;
      while (clock.nextEvent < Infinity && events < 200_000) events += clock.runUntil(clock.nextEvent);
      expect(events).toBeLessThan(200_000);
      expect([nat.tcp.count, nat.udp.count]).toEqual([0, 0]);
    });
  }
});
