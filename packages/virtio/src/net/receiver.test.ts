import { Frame, Link, OFFLOAD_ALL } from '@vmloom/net';
import {
  etherFrame,
  expectedSegments,
  partialChecksum,
  transportPacket,
  undoneFrame,
  type TransportFields,
} from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import { features as bits } from '../features.js';
import * as N from './codes.js';
import { NetDriver, type NetDriverOptions } from '../testing/net-driver.js';
import { VirtioNet, type VirtioNetOptions } from './virtio-net.js';

interface Bench {
  readonly driver: NetDriver;
  readonly link: Link;
  /** Sends a frame to the device and lets events pass. */
  arrive(frame: Frame | Uint8Array): boolean;
}

function bench(options: NetDriverOptions = {}, device: VirtioNetOptions = {}): Bench {
  const link = new Link();
  const driver = new NetDriver(new VirtioNet({ ...device, port: link.a }), options);
  const arrive = (frame: Frame | Uint8Array): boolean => {
    const taken = link.b.send(frame instanceof Frame ? frame : Frame.of(frame));
    driver.bench.run();
    return taken;
  };
  return { driver, link, arrive };
}

const MAC = '52:54:00:12:34:56';
const packet = (length: number, to = MAC): Uint8Array =>
  etherFrame({
    to,
    from: '02:00:00:00:00:01',
    payload: Uint8Array.from({ length: length - 14 }, (_, i) => i * 3),
  });
const payload = Uint8Array.from({ length: 9000 }, (_, index) => index * 11);
const FORMATS: readonly (readonly [string, NetDriverOptions])[] = [
  ['split', {}],
  ['split without EVENT_IDX', { eventIndex: false }],
  ['packed', { packed: true }],
  ['packed without EVENT_IDX, IN_ORDER', { packed: true, inOrder: true, eventIndex: false }],
];

describe.each(FORMATS)('5.1.6.3, 5.1.6.4: receive buffers, %s', (_name, options) => {
  it('a packet in one buffer: num_buffers is 1, the used length is that of header and packet', () => {
    const { driver, arrive } = bench(options);
    expect(arrive(packet(60))).toBe(true);
    expect(arrive(packet(1514))).toBe(true);
    const received = driver.received();
    expect(received.map(({ bytes }) => bytes)).toEqual([packet(60), packet(1514)]);
    expect(received.map(({ buffers, flags, gsoType }) => [buffers, flags, gsoType])).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
  });

  it('MRG_RXBUF: a packet over several buffers fills all but the last to the end', () => {
    const { driver, arrive } = bench({ ...options, bufferSize: 100 });
    arrive(packet(700));
    const queue = driver.bench.queues[0];
    const used = Array.from({ length: 8 }, () => queue.poll()!);
    expect(used.map(({ written }) => written)).toEqual([100, 100, 100, 100, 100, 100, 100, 12]);
    expect(queue.poll()).toBeUndefined();
    expect(used[0].bytes[N.HDR_NUM_BUFFERS]).toBe(8);
    const whole = Uint8Array.from(used.flatMap(({ bytes }) => [...bytes])).subarray(12);
    expect(whole).toEqual(packet(700));
  });

  it('a frame waits at its sender while there are no buffers, and comes when the driver adds some', () => {
    const { driver, link, arrive } = bench({ ...options, buffers: 2 });
    let writable = 0;
    link.b.attach({ receive: () => true, writable: () => writable++ });
    expect([arrive(packet(60)), arrive(packet(61)), arrive(packet(62))]).toEqual([true, true, false]);
    expect(driver.received()).toHaveLength(2);
    expect(writable).toBe(0);
    driver.fill(0, 1);
    driver.bench.run();
    expect(writable).toBe(1);
    expect([arrive(packet(62)), arrive(packet(63))]).toEqual([true, false]);
    expect(driver.received().map(({ bytes }) => bytes)).toEqual([packet(62)]);
  });

  it('with too few buffers for the whole packet nothing is used; it comes when there are enough', () => {
    const { driver, link, arrive } = bench({ ...options, buffers: 2, bufferSize: 400 });
    let writable = 0;
    link.b.attach({ receive: () => true, writable: () => writable++ });
    expect(arrive(packet(1000))).toBe(false);
    expect(driver.received()).toEqual([]);
    driver.fill(0, 1);
    driver.bench.run();
    expect(writable).toBe(1);
    expect(arrive(packet(1000))).toBe(true);
    expect(driver.received().map(({ bytes, buffers }) => [bytes, buffers])).toEqual([[packet(1000), 3]]);
  });

  it('without MRG_RXBUF one chain holds the packet, however it is cut; what does not fit is dropped and counted', () => {
    const { driver, arrive } = bench({ ...options, decline: bits(N.F_MRG_RXBUF), buffers: 0 });
    const queue = driver.bench.queues[0];
    queue.add({ in: [12, 100, 3, 2000] });
    queue.add({ in: [5, 7, 48, 100], indirect: true });
    expect(arrive(packet(1000))).toBe(true);
    expect(arrive(packet(1000))).toBe(true);
    expect(arrive(packet(150))).toBe(true);
    const received = driver.received();
    expect(received.map(({ bytes, buffers }) => [bytes, buffers])).toEqual([[packet(1000), 1]]);
    expect(driver.bench.count('rx-drop', 'no-fit')).toBe(2);
    expect(arrive(packet(148))).toBe(true);
    expect(driver.received()[0].bytes).toEqual(packet(148));
  });

  it('a frame in many pieces of another memory arrives whole, over buffers of every size', () => {
    for (const bufferSize of [13, 64, 77, 1526]) {
      const { driver, arrive } = bench({ ...options, bufferSize, buffers: 120 });
      for (const size of [60, 333, 1400]) {
        const frame = new Frame();
        frame.clear(packet(size));
        for (let at = 0; at < size; at += 11) frame.add(at, Math.min(11, size - at));
        expect(arrive(frame)).toBe(true);
        driver.fill(
          0,
          driver
            .received()
            .reduce((sum, { buffers, bytes }) => (expect(bytes).toEqual(packet(size)), sum + buffers), 0),
        );
      }
    }
  });

  it('from guest to guest in one memory: header and packet go straight over, in ranges', () => {
    const link = new Link();
    const a = new NetDriver(new VirtioNet({ port: link.a }), { ...options, name: 'a' });
    const { clock, host: memory } = a.bench;
    // The second driver's rings lie in the same RAM, behind those of the first.
    const other = new VirtioNet({ port: link.b, mac: '52:54:00:00:00:02' });
    const b = new NetDriver(other, {
      ...options,
      clock,
      memory,
      name: 'b',
      first: 0x8040_0000,
      bufferSize: 200,
    });
    const frame = packet(1000, '52:54:00:00:00:02');
    a.send(frame, {}, 0, [12, 30, 31, 500]);
    a.bench.run();
    expect(b.received().map(({ bytes }) => bytes)).toEqual([frame]);
  });
});

describe('5.1.6.4: offloads', () => {
  const forms: readonly TransportFields[] = [
    { ip: 4, protocol: 'tcp', payload, to: MAC },
    { ip: 6, protocol: 'tcp', payload, to: MAC },
    { ip: 4, protocol: 'udp', payload, to: MAC },
    { ip: 6, protocol: 'udp', payload, to: MAC },
  ];
  const types = [N.GSO_TCPV4, N.GSO_TCPV6, N.GSO_UDP_L4, N.GSO_UDP_L4];

  it.each(forms.map((form, index) => [form, types[index]] as const))(
    'GUEST_TSO4, TSO6, USO4, USO6: a packet that is to be cut arrives whole and says so (%o)',
    (fields, type) => {
      const { driver, arrive } = bench();
      const built = partialChecksum(transportPacket(fields));
      arrive(undoneFrame(built, 1000));
      const [received] = driver.received();
      expect(received.bytes).toEqual(built.bytes);
      expect(received).toMatchObject({
        flags: N.HDR_F_NEEDS_CSUM,
        gsoType: type,
        gsoSize: 1000,
        headerLength: built.payload,
        checksumStart: built.transport,
        checksumOffset: built.checksumOffset,
        buffers: Math.ceil((built.bytes.length + 12) / 1526),
      });
    },
  );

  it('ECN comes with the bit where GUEST_ECN is negotiated, else in segments', () => {
    for (const decline of [0n, bits(N.F_GUEST_ECN)]) {
      const { driver, arrive } = bench({ decline });
      const frame = undoneFrame(transportPacket({ ...forms[0], flags: 0x90 }), 3000);
      frame.needs |= 32;
      arrive(frame);
      const received = driver.received();
      if (decline === 0n) expect(received.map(({ gsoType }) => gsoType)).toEqual([N.GSO_TCPV4 | N.GSO_ECN]);
      else
        expect(received.map(({ bytes }) => bytes)).toEqual(
          expectedSegments({ ...forms[0], flags: 0x90 }, 3000),
        );
    }
  });

  it('without the offload the device supplies segments; without GUEST_CSUM whole checksums and no flags', () => {
    const without = bits(N.F_GUEST_TSO4, N.F_GUEST_TSO6, N.F_GUEST_ECN, N.F_GUEST_USO4, N.F_GUEST_USO6);
    for (const decline of [without, without | bits(N.F_GUEST_CSUM)]) {
      const { driver, arrive } = bench({ decline });
      arrive(undoneFrame(transportPacket(forms[0]), 1000));
      const received = driver.received();
      expect(received.map(({ bytes }) => bytes)).toEqual(expectedSegments(forms[0], 1000));
      const flags = decline === without ? N.HDR_F_DATA_VALID : 0;
      expect(received.every((one) => one.flags === flags && one.gsoType === 0)).toBe(true);
    }
  });

  it('DATA_VALID says that a checksum was looked at and is right, never more', () => {
    const { driver, arrive } = bench({ decline: bits(N.F_CTRL_VLAN) });
    const short = payload.subarray(0, 99);
    const right: Uint8Array[] = [];
    for (const ip of [4, 6] as const) {
      for (const protocol of ['tcp', 'udp'] as const) {
        for (const tags of [[], [5]])
          right.push(transportPacket({ ip, protocol, payload: short, tags, to: MAC }).bytes);
      }
    }
    right.push(transportPacket({ ip: 4, protocol: 'tcp', payload: short, options: 12, to: MAC }).bytes);
    // Padding behind the packet is no part of it.
    right.push(
      Uint8Array.from([
        ...transportPacket({ ip: 4, protocol: 'udp', payload: short.subarray(0, 3), to: MAC }).bytes,
        ...new Uint8Array(15).fill(9),
      ]),
    );
    for (const bytes of right) arrive(bytes);
    expect(driver.received().map(({ flags }) => flags)).toEqual(right.map(() => N.HDR_F_DATA_VALID));
    const wrong: Uint8Array[] = right.map((bytes) => bytes.slice());
    wrong.forEach(
      (bytes, index) => (bytes[index === wrong.length - 1 ? 42 : bytes.length - 1 - (index % 9)] ^= 0x40),
    );
    const [fragment, unchecked, cut, version] = [0, 0, 0, 0].map(
      () => transportPacket({ ip: 4, protocol: 'udp', payload: short, to: MAC }).bytes,
    );
    fragment[14 + 6] |= 0x20;
    unchecked.fill(0, 40, 42);
    version[14] = 0x55;
    wrong.push(fragment, unchecked, cut.subarray(0, 100), version, packet(60), packet(14));
    driver.fill(0, 40);
    for (const bytes of wrong) arrive(bytes);
    expect(driver.received().map(({ flags }) => flags)).toEqual(wrong.map(() => 0));
  });

  it('DATA_VALID also where the header has a buffer of its own', () => {
    const { driver, arrive } = bench({ decline: bits(N.F_MRG_RXBUF), buffers: 0 });
    driver.bench.queues[0].add({ in: [12, 2000] });
    arrive(transportPacket({ ip: 4, protocol: 'tcp', payload: payload.subarray(0, 500), to: MAC }).bytes);
    expect(driver.received().map(({ flags }) => flags)).toEqual([N.HDR_F_DATA_VALID]);
  });
});

describe('5.1.4.1: MTU', () => {
  it('longer packets do not reach the driver, but for what it receives uncut; a tag does not count', () => {
    const { driver, arrive } = bench({}, { mtu: 1000 });
    expect(driver.config(N.CONFIG_MTU, 2)).toBe(1000);
    arrive(packet(1014));
    arrive(packet(1015));
    arrive(etherFrame({ to: MAC, from: '02:00:00:00:00:01', vlan: 0, payload: new Uint8Array(1000) }));
    driver.command(N.CTRL_VLAN, N.CTRL_VLAN_ADD, [0, 0]);
    arrive(etherFrame({ to: MAC, from: '02:00:00:00:00:01', vlan: 0, payload: new Uint8Array(1000) }));
    arrive(undoneFrame(transportPacket({ ip: 4, protocol: 'tcp', payload, to: MAC }), 900));
    expect(driver.received().map(({ bytes }) => bytes.length)).toEqual([1014, 1018, 9054]);
    expect(driver.bench.count('rx-drop', 'mtu')).toBe(1);
  });
});

describe('buffers that are none', () => {
  it('5.1.6.3.1: shorter than the header: DEVICE_NEEDS_RESET', () => {
    const { driver, arrive } = bench({ buffers: 0 });
    driver.bench.queues[0].add({ in: [11] });
    expect(arrive(packet(60))).toBe(true);
    expect(driver.bench.endpoint.status & 64).toBe(64);
    expect(driver.bench.count('fault', 'short receive buffer')).toBe(1);
    expect(arrive(packet(60))).toBe(true);
    expect(driver.bench.count('rx-drop', 'down')).toBe(1);
  });

  it('chains without room behind the first are given back empty', () => {
    const { driver, arrive } = bench({ buffers: 0 });
    const queue = driver.bench.queues[0];
    queue.add({ in: [20] });
    queue.add({ out: [new Uint8Array(4)] });
    queue.add({ in: [100] });
    expect(arrive(packet(60))).toBe(true);
    expect([queue.poll(), queue.poll(), queue.poll()].map((used) => used?.written)).toEqual([20, 0, 52]);
  });
});

it('before DRIVER_OK and after a reset frames are lost and counted; whoever waited is let go', () => {
  const { driver, link, arrive } = bench({ buffers: 1 });
  let writable = 0;
  link.b.attach({ receive: () => true, writable: () => writable++ });
  arrive(packet(60));
  expect(arrive(packet(60))).toBe(false);
  driver.bench.endpoint.setStatus(0);
  driver.bench.run();
  expect(writable).toBe(1);
  expect(arrive(packet(60))).toBe(true);
  expect(driver.bench.count('rx-drop', 'down')).toBe(1);
  expect(driver.device.offloads).toBe(0);
});

it('RING_RESET of a receive queue lets its sender go; frames are lost until it is back (5.1.6.5.5.2)', () => {
  const { driver, link, arrive } = bench({ buffers: 0 });
  let writable = 0;
  link.b.attach({ receive: () => true, writable: () => writable++ });
  expect(arrive(packet(60))).toBe(false);
  const { endpoint } = driver.bench;
  endpoint.resetQueue(endpoint.queues[0]);
  driver.bench.run();
  expect(writable).toBe(1);
  expect(arrive(packet(60))).toBe(true);
  expect(driver.bench.count('rx-drop', 'queue')).toBe(1);
  driver.bench.queues[0] = driver.bench.setUpQueue(0);
  driver.fill(0, 4);
  arrive(packet(61));
  expect(driver.received().map(({ bytes }) => bytes)).toEqual([packet(61)]);
});

it('the driver hears once of what arrived in one event', () => {
  const { driver, link } = bench();
  for (let count = 0; count < 10; count++) link.b.send(Frame.of(packet(60)));
  expect(driver.bench.interrupts[0]).toBe(0);
  driver.bench.run();
  expect(driver.bench.interrupts[0]).toBe(1);
  expect(driver.received()).toHaveLength(10);
});

it('what may arrive undone is what was negotiated', () => {
  expect(bench().driver.device.offloads).toBe(OFFLOAD_ALL);
  expect(bench({ decline: bits(N.F_GUEST_USO4, N.F_GUEST_ECN) }).driver.device.offloads).toBe(
    OFFLOAD_ALL & ~(8 | 32),
  );
});
