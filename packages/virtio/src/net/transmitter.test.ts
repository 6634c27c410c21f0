import { Link, OFFLOAD_ALL, type Frame } from '@vmloom/net';
import {
  etherFrame,
  expectedSegments,
  partialChecksum,
  Station,
  transportPacket,
  type TransportFields,
} from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import * as N from './codes.js';
import { NetDriver, type NetDriverOptions, type NetHeader } from '../testing/net-driver.js';
import { VirtioNet } from './virtio-net.js';

interface Bench {
  readonly driver: NetDriver;
  readonly station: Station;
  readonly link: Link;
}

function bench(options: NetDriverOptions = {}): Bench {
  const link = new Link();
  const driver = new NetDriver(new VirtioNet({ port: link.a }), options);
  return { driver, station: new Station(link.b), link };
}

const packet = (length: number): Uint8Array =>
  etherFrame({ from: '52:54:00:12:34:56', payload: Uint8Array.from({ length: length - 14 }, (_, i) => i) });

const FORMATS: readonly (readonly [string, NetDriverOptions])[] = [
  ['split', {}],
  ['split without EVENT_IDX', { eventIndex: false }],
  ['packed', { packed: true }],
  ['packed and IN_ORDER', { packed: true, inOrder: true }],
];

/** What a driver says of a packet that it leaves undone. */
function undone(fields: TransportFields, segmentSize = 0): { bytes: Uint8Array; header: NetHeader } {
  const built = partialChecksum(transportPacket(fields));
  const tcp = fields.protocol === 'tcp';
  const gso = tcp ? (fields.ip === 4 ? N.GSO_TCPV4 : N.GSO_TCPV6) : N.GSO_UDP_L4;
  return {
    bytes: built.bytes,
    header: {
      flags: N.HDR_F_NEEDS_CSUM,
      gsoType: segmentSize > 0 ? gso : N.GSO_NONE,
      gsoSize: segmentSize,
      headerLength: built.payload,
      checksumStart: built.transport,
      checksumOffset: built.checksumOffset,
    },
  };
}

describe.each(FORMATS)('5.1.6.2: packet transmission, %s', (_name, options) => {
  it('packets leave in order, whatever their buffers are cut into (2.6.4.1), and every chain comes back', () => {
    const { driver, station } = bench(options);
    const packets = [packet(60), packet(1514), packet(61), packet(300)];
    driver.send(packets[0]);
    driver.send(packets[1], {}, 0, [12, 26, 700]);
    driver.send(packets[2], {}, 0, [5, 11, 13, 20]);
    driver.send(packets[3], {}, 0, [12]);
    driver.bench.run();
    expect(station.received).toEqual(packets);
    const used = Array.from(packets, () => driver.bench.queues[1].poll());
    expect(used.map((one) => one?.written)).toEqual([0, 0, 0, 0]);
    expect(driver.bench.queues[1].poll()).toBeUndefined();
    expect(driver.bench.count('tx', 'packets')).toBe(4);
  });

  it('a port that blocks holds packets in the ring; none is lost, doubled or overtaken', () => {
    const { driver, station } = bench(options);
    station.room = 2;
    const packets = [60, 61, 62, 63, 64].map(packet);
    for (const one of packets) driver.send(one);
    driver.bench.run();
    expect(station.received).toHaveLength(2);
    station.admit(1);
    driver.bench.run();
    expect(station.received).toHaveLength(3);
    driver.send(packet(65));
    station.admit(9);
    driver.bench.run();
    expect(station.received).toEqual([...packets, packet(65)]);
  });

  it('a ring goes round many times', () => {
    const { driver, station } = bench({ ...options, size: 8 });
    for (let index = 0; index < 100; index++) {
      driver.send(packet(60 + index), {}, 0, [12, 40]);
      driver.bench.run();
      expect(driver.bench.queues[1].poll()).toBeDefined();
    }
    expect(station.received.map(({ length }) => length)).toEqual(
      Array.from({ length: 100 }, (_, i) => 60 + i),
    );
  });
});

describe('5.1.6.2: offloads', () => {
  const payload = Uint8Array.from({ length: 3000 }, (_, index) => index * 11);
  const forms: readonly TransportFields[] = [
    { ip: 4, protocol: 'tcp', payload },
    { ip: 6, protocol: 'tcp', payload },
    { ip: 4, protocol: 'udp', payload, tags: [5] },
    { ip: 6, protocol: 'udp', payload },
  ];

  it.each(forms)(
    'NEEDS_CSUM: the checksum is made for a peer that wants it ($protocol over IPv$ip)',
    (fields) => {
      const { driver, station } = bench();
      const { bytes, header } = undone(fields);
      driver.send(bytes, header);
      driver.bench.run();
      expect(station.received).toEqual([transportPacket(fields).bytes]);
    },
  );

  it.each(forms)(
    'TSO4, TSO6, USO: a peer that takes plain frames alone gets segments ($protocol over IPv$ip)',
    (fields) => {
      const { driver, station } = bench();
      const { bytes, header } = undone(fields, 1000);
      driver.send(bytes, header, 0, [12, 70]);
      driver.bench.run();
      expect(station.received).toEqual(expectedSegments(fields, 1000));
    },
  );

  it('a peer that takes packets undone gets the one packet, in the memory of the guest', () => {
    const { driver, link } = bench();
    const frames: { needs: number; guest: boolean; size: number }[] = [];
    const receive = (frame: Frame): boolean =>
      frames.push({
        needs: frame.needs,
        guest: frame.memory === driver.bench.host.bytes,
        size: frame.segmentSize,
      }) > 0;
    link.b.attach({ offloads: OFFLOAD_ALL, receive });
    const { bytes, header } = undone(forms[0], 1000);
    driver.send(bytes, header);
    driver.bench.run();
    expect(frames).toEqual([{ needs: 3, guest: true, size: 1000 }]);
  });

  it('5.1.6.2.2: flags that are not known are ignored; hdr_len is not relied on', () => {
    const { driver, station } = bench();
    driver.send(packet(60), { flags: 0xfe, headerLength: 0xffff, checksumStart: 0xffff, checksumOffset: 9 });
    const { bytes, header } = undone(forms[0], 1000);
    driver.send(bytes, { ...header, flags: 0xff, headerLength: 3 });
    driver.bench.run();
    expect(station.received).toEqual([packet(60), ...expectedSegments(forms[0], 1000)]);
  });

  it.each<[string, NetHeader]>([
    ['segmentation without NEEDS_CSUM', { flags: 0 }],
    ['no segment size', { gsoSize: 0 }],
    ['fragmentation, which is not offered', { gsoType: 3 }],
    ['a kind that does not exist', { gsoType: 7 }],
    ['TCP over IPv6 that is IPv4', { gsoType: N.GSO_TCPV6 }],
    ['UDP that is TCP', { gsoType: N.GSO_UDP_L4 }],
    ['a checksum beyond the packet', { checksumStart: 3050, gsoType: 0 }],
    ['a checksum in the Ethernet header', { checksumStart: 6, gsoType: 0 }],
    ['a checksum at the end of 16 bits', { checksumStart: 0xffff, checksumOffset: 0xffff, gsoType: 0 }],
  ])('what does not fit the packet is dropped and counted, and the chain comes back: %s', (_name, change) => {
    const { driver, station } = bench();
    const { bytes, header } = undone(forms[0], 1000);
    driver.send(bytes, { ...header, ...change });
    driver.send(packet(60));
    driver.bench.run();
    expect(station.received).toEqual([packet(60)]);
    expect(driver.bench.count('tx-drop', 'offload')).toBe(1);
    expect([driver.bench.queues[1].poll()?.written, driver.bench.queues[1].poll()?.written]).toEqual([0, 0]);
  });

  it.each([
    ['csum', N.F_CSUM, 0, 0],
    ['host_tso4', N.F_HOST_TSO4, 0, 1],
    ['host_tso6', N.F_HOST_TSO6, 1, 1],
    ['host_uso', N.F_HOST_USO, 2, 1],
  ] as const)('5.1.6.2.1: without %s negotiated the wish is refused', (_name, feature, form, size) => {
    let decline = 1n << BigInt(feature);
    if (feature === N.F_CSUM) {
      for (const one of [N.F_HOST_TSO4, N.F_HOST_TSO6, N.F_HOST_ECN, N.F_HOST_USO])
        decline |= 1n << BigInt(one);
    }
    const { driver, station } = bench({ decline });
    const { bytes, header } = undone(forms[form], size * 1000);
    driver.send(bytes, header);
    driver.bench.run();
    expect([station.received.length, driver.bench.count('tx-drop', 'offload')]).toEqual([0, 1]);
  });
});

describe('chains that are no packets', () => {
  it('shorter than the header: DEVICE_NEEDS_RESET (2.1.2), and nothing leaves', () => {
    const { driver, station } = bench();
    driver.bench.submit(1, { out: [new Uint8Array(11)] });
    driver.send(packet(60));
    driver.bench.run();
    expect(station.received).toEqual([]);
    expect(driver.bench.endpoint.status & 64).toBe(64);
    expect(driver.bench.count('fault', 'short transmit header')).toBe(1);
  });

  it('shorter than an Ethernet header: dropped, counted, given back', () => {
    const { driver, station } = bench();
    driver.bench.submit(1, { out: [new Uint8Array(25)] });
    driver.send(packet(60));
    driver.bench.run();
    expect(station.received).toEqual([packet(60)]);
    expect(driver.bench.count('tx-drop', 'runt')).toBe(1);
  });

  it('longer than any frame: dropped by the wire, counted there', () => {
    const { driver, station, link } = bench();
    driver.bench.submit(1, { out: [new Uint8Array(70_000)] });
    driver.bench.run();
    expect(station.received).toEqual([]);
    expect(link.a.counters.dropped('oversize')).toBe(1);
    expect(driver.bench.queues[1].poll()).toBeDefined();
  });
});

it('a pulled cable: packets are taken and lost, counted; the driver may ask for the status (5.1.4)', () => {
  const { driver, station } = bench();
  expect(driver.config(N.CONFIG_STATUS, 2)).toBe(N.STATUS_LINK_UP);
  driver.device.link = false;
  expect(driver.config(N.CONFIG_STATUS, 2)).toBe(0);
  expect(driver.bench.configInterrupts).toBe(1);
  driver.send(packet(60));
  driver.bench.run();
  expect(station.received).toEqual([]);
  expect(driver.bench.queues[1].poll()).toBeDefined();
  driver.device.link = true;
  expect(driver.bench.configInterrupts).toBe(2);
  driver.send(packet(61));
  driver.bench.run();
  expect(station.received).toEqual([packet(61)]);
});
