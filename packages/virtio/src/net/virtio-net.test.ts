import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@vmloom/device';
import { Frame, Link, Random, Switch } from '@vmloom/net';
import { etherFrame, Station, transportPacket, undoneFrame } from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import { features as bits } from '../features.js';
import { DeviceBench } from '../testing/index.js';
import { NetDriver } from '../testing/net-driver.js';
import * as N from './codes.js';
import { NET_FEATURES, offeredFeatures, requirementsMet, type NetFeature } from './features.js';
import { VirtioNet } from './virtio-net.js';

const OWN = '52:54:00:12:34:56';
const packet = (length: number, to = OWN): Uint8Array =>
  etherFrame({ to, from: '02:00:00:00:00:01', payload: new Uint8Array(length - 14).fill(length) });

describe('5.1.3.1: feature bit requirements', () => {
  it('what is offered never lacks what it needs, whatever is left out', () => {
    const names = Object.keys(NET_FEATURES) as NetFeature[];
    for (const name of names) {
      const offered = offeredFeatures([name]);
      expect(offered & bits(NET_FEATURES[name])).toBe(0n);
      expect(requirementsMet(offered)).toBe(true);
    }
    expect(offeredFeatures(['csum']) & bits(N.F_HOST_TSO4, N.F_HOST_TSO6, N.F_HOST_ECN, N.F_HOST_USO)).toBe(
      0n,
    );
    expect(offeredFeatures(['guest_tso4']) & bits(N.F_GUEST_ECN)).not.toBe(0n);
    expect(offeredFeatures(['guest_tso4', 'guest_tso6']) & bits(N.F_GUEST_ECN)).toBe(0n);
  });

  it('2.2.2: a driver that accepts a feature without what it needs is refused', () => {
    const start = (decline: bigint): boolean => new DeviceBench(new VirtioNet()).start(decline);
    expect(start(0n)).toBe(true);
    expect(start(bits(N.F_GUEST_CSUM))).toBe(false);
    expect(start(bits(N.F_CSUM))).toBe(false);
    expect(start(bits(N.F_CTRL_VQ))).toBe(false);
    expect(start(bits(N.F_GUEST_TSO4, N.F_GUEST_TSO6))).toBe(false);
  });
});

describe('5.1.4: configuration space', () => {
  it('holds what the options say', () => {
    const link = new Link();
    const device = new VirtioNet({
      port: link.a,
      mac: '02:00:00:00:00:07',
      speed: 25_000,
      duplex: 'full',
      mtu: 9000,
    });
    const { endpoint } = new DeviceBench(device);
    expect(Array.from({ length: 6 }, (_, at) => endpoint.readConfig(at, 1))).toEqual([2, 0, 0, 0, 0, 7]);
    expect(endpoint.readConfig(N.CONFIG_STATUS, 2)).toBe(N.STATUS_LINK_UP);
    expect(endpoint.readConfig(N.CONFIG_SPEED, 4)).toBe(25_000);
    expect(endpoint.readConfig(N.CONFIG_DUPLEX, 1)).toBe(1);
    expect(endpoint.readConfig(N.CONFIG_MTU, 2)).toBe(9000);
  });

  it('unknown speed and duplex unless told; no carrier without a port; read-only for the driver', () => {
    const bench = new DeviceBench(new VirtioNet());
    bench.start();
    expect(bench.endpoint.readConfig(N.CONFIG_SPEED, 4)).toBe(0xffff_ffff);
    expect(bench.endpoint.readConfig(N.CONFIG_DUPLEX, 1)).toBe(0xff);
    expect(bench.endpoint.readConfig(N.CONFIG_STATUS, 2)).toBe(0);
    bench.endpoint.writeConfig(0, 1, 2);
    expect(bench.endpoint.readConfig(0, 1)).toBe(0x52);
  });

  it('the carrier of the wire is the link status; a change is announced', () => {
    const link = new Link();
    const driver = new NetDriver(new VirtioNet({ port: link.a }));
    link.up = false;
    expect([driver.config(N.CONFIG_STATUS, 2), driver.bench.configInterrupts]).toEqual([0, 1]);
    link.up = true;
    expect([driver.config(N.CONFIG_STATUS, 2), driver.bench.configInterrupts]).toEqual([1, 2]);
  });

  it.each([
    [{ pairs: 0 }],
    [{ pairs: 65 }],
    [{ mtu: 67 }],
    [{ mtu: 65_536 }],
    [{ speed: 0x8000_0000 }],
    [{ mac: '03:00:00:00:00:00' }],
  ])('options that cannot be are refused: %o', (options) => {
    expect(() => new VirtioNet(options)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});

describe('5.1.6: the legacy interface', () => {
  it('without MRG_RXBUF the header has 10 bytes; the driver may write its address (5.1.4.3)', () => {
    const link = new Link();
    const station = new Station(link.b);
    const bench = new DeviceBench(new VirtioNet({ port: link.a }));
    const { endpoint } = bench;
    endpoint.setStatus(1, true);
    endpoint.setStatus(3, true);
    bench.queues = [0, 1].map((index) => {
      const mock = bench.setUpQueue(index);
      return mock;
    });
    endpoint.setStatus(7, true);
    expect(endpoint.legacy).toBe(true);
    bench.submit(1, { out: [new Uint8Array(10), packet(60)] });
    bench.queues[0].add({ in: [10, 1514] });
    station.send(packet(61));
    bench.run();
    expect(station.received).toEqual([packet(60)]);
    const used = bench.queues[0].poll();
    expect(used?.written).toBe(71);
    expect(used?.bytes.subarray(10)).toEqual(packet(61));
    endpoint.writeConfig(5, 1, 0x99);
    expect([...(endpoint.device as VirtioNet).mac]).toEqual([0x52, 0x54, 0, 0x12, 0x34, 0x99]);
  });
});

describe('snapshots', () => {
  /** Two machines on a wire, with everything set that a driver can set. */
  const machine = (): { driver: NetDriver; link: Link; station: Station } => {
    const link = new Link();
    const station = new Station(link.b);
    const device = new VirtioNet({ port: link.a, pairs: 2, rss: true });
    return { driver: new NetDriver(device, { buffers: 3, eventIndex: false }), link, station };
  };

  it('go through text; what waits goes on in another device as in the first', () => {
    const one = machine();
    one.driver.command(N.CTRL_RX, N.CTRL_RX_ALLMULTI, [1]);
    one.driver.command(N.CTRL_VLAN, N.CTRL_VLAN_ADD, [7, 0]);
    one.driver.command(N.CTRL_MAC, N.CTRL_MAC_ADDR_SET, [2, 0, 0, 0, 0, 9]);
    one.driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, [1, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
    one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, [9, 0, 0, 0, 50, 0, 0, 0]);
    one.driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, [2, 0]);
    one.driver.command(N.CTRL_GUEST_OFFLOADS, 0, [2, 0, 0, 0, 0, 0, 0, 0]);
    one.driver.device.announce();
    // A transmit queue that is blocked, a receive queue that has run dry, a timer that runs.
    one.station.room = 1;
    for (const size of [60, 61, 62]) one.driver.send(packet(size));
    one.driver.bench.run(100);
    for (let count = 0; count < 4; count++) one.station.send(packet(70 + count, '02:00:00:00:00:05'));
    one.driver.bench.run(100);
    const { endpoint, clock, host } = one.driver.bench;
    const saved = decodeSnapshot(
      encodeSnapshot({
        type: 'test',
        version: 1,
        endpoint: endpoint.save(),
        clock: clock.save(),
        link: one.link.save(),
        ram: host.bytes.slice(host.ramOffset, host.ramOffset + host.ramSize),
      }),
    );
    const ram = ({ driver }: ReturnType<typeof machine>): Uint8Array => {
      const { bytes, ramOffset, ramSize } = driver.bench.host;
      return bytes.subarray(ramOffset, ramOffset + ramSize);
    };
    /** The wire takes frames again, then time passes until the timer has run out. */
    const goOn = ({ driver, link, station }: ReturnType<typeof machine>): unknown => {
      const { bench } = driver;
      const before = [...bench.interrupts];
      const sent = station.received.length;
      station.admit(10);
      bench.run(100_000);
      return {
        sent: station.received.slice(sent),
        interrupts: bench.interrupts.map((count, index) => count - before[index]),
        state: bench.endpoint.save(),
        link: link.save(),
      };
    };
    const other = machine();
    const target = other.driver.bench;
    target.host.bytes.set(saved['ram'] as Uint8Array, target.host.ramOffset);
    target.clock.restore(saved['clock'] as Snapshot);
    other.link.restore(saved['link'] as Snapshot);
    target.endpoint.restore(saved['endpoint'] as Snapshot);
    expect(target.endpoint.save()).toEqual(endpoint.save());
    const expected = goOn(one);
    expect(expected).toMatchObject({ sent: [packet(61), packet(62)], interrupts: [1, 1, 0, 0, 0] });
    expect(goOn(other)).toEqual(expected);
    expect(Buffer.compare(ram(one), ram(other))).toBe(0);
    expect(other.driver.device.offloads).toBe(1);
    expect([...other.driver.device.mac]).toEqual([2, 0, 0, 0, 0, 9]);
  });
});

it('two guests on a switch: super-packets pass whole, and what both count agrees', () => {
  const lan = new Switch({ policy: 'pause' });
  const a = new NetDriver(new VirtioNet({ port: lan.port() }), { name: 'a' });
  const b = new NetDriver(new VirtioNet({ port: lan.port(), mac: '52:54:00:00:00:02' }), {
    name: 'b',
    clock: a.bench.clock,
  });
  const fields = {
    ip: 4,
    protocol: 'tcp',
    payload: new Uint8Array(40_000).fill(7),
    to: '52:54:00:00:00:02',
  } as const;
  const frame = undoneFrame(transportPacket(fields), 1448);
  const header = { flags: 1, gsoType: N.GSO_TCPV4, gsoSize: 1448, checksumStart: 34, checksumOffset: 16 };
  a.send(frame.toBytes(), header);
  a.bench.run();
  const [received] = b.received();
  expect(received).toMatchObject({ ...header, headerLength: 54, buffers: 27 });
  expect(received.bytes).toEqual(frame.toBytes());
  expect([a.bench.count('tx', 'undone packets'), b.bench.count('rx', 'packets')]).toEqual([1, 1]);
});

it.each([1, 2, 3, 4])('hostile drivers: random chains, headers, commands, resets; seed %i', (seed) => {
  const random = new Random(seed);
  const link = new Link();
  const station = new Station(link.b);
  const device = new VirtioNet({ port: link.a, pairs: 2, rss: true, hashReport: seed % 2 === 0 });
  const packed = seed > 2;
  const bench = new DeviceBench(device, { packed, size: 16, ram: 0x80_0000 });
  let resets = 0;
  for (let round = 0; round < 2000; round++) {
    if (round % 50 === 0 || (bench.endpoint.status & 64) !== 0) {
      resets += Number((bench.endpoint.status & 64) !== 0);
      bench.memory.mark = 0x8000_0000;
      const decline = random.chance(0.5) ? 0n : bits(N.F_MRG_RXBUF);
      expect(bench.start(decline)).toBe(true);
    }
    const queue = random.below(bench.queues.length);
    const lengths = (most: number): number[] =>
      Array.from({ length: random.below(4) }, () => random.below(most) + 1);
    const out = lengths(random.chance(0.2) ? 3000 : 40).map((length) => random.fill(new Uint8Array(length)));
    if (out.length > 0 && random.chance(0.7)) {
      const built = transportPacket({
        ip: random.chance(0.5) ? 4 : 6,
        protocol: 'tcp',
        payload: new Uint8Array(random.below(3000)),
      });
      const header = Uint8Array.of(
        random.below(4),
        random.below(6),
        0,
        0,
        random.below(256),
        random.below(8),
        built.transport,
        0,
        16,
        0,
        0,
        0,
      );
      if (random.chance(0.2)) header[random.below(12)] = random.below(256);
      out.splice(
        0,
        out.length,
        header,
        ...((device.features >> 57n) & 1n ? [new Uint8Array(8)] : []),
        built.bytes,
      );
    }
    if (queue === bench.queues.length - 1 && out.length > 0)
      out[0].set([random.below(8), random.below(6)].slice(0, out[0].length));
    if (random.chance(0.05))
      bench.queues[queue].addSegments([
        { address: random.below(0x1_0000_0000), length: random.below(0x1_0000), write: random.chance(0.5) },
      ]);
    else bench.queues[queue].add({ out, in: lengths(2000), indirect: random.chance(0.3) });
    bench.endpoint.ring(random.below(bench.queues.length + 1));
    if (random.chance(0.5))
      station.send(
        random.chance(0.5)
          ? packet(14 + random.below(1500))
          : random.fill(new Uint8Array(14 + random.below(200))),
      );
    if (random.chance(0.2))
      link.b.send(
        undoneFrame(
          transportPacket({ ip: 4, protocol: 'udp', payload: new Uint8Array(random.below(9000)) }),
          1 + random.below(2000),
        ),
      );
    if (random.chance(0.02)) bench.endpoint.resetQueue(bench.endpoint.queues[queue]);
    if (random.chance(0.02)) station.room = random.below(3);
    if (random.chance(0.1)) station.admit(Infinity);
    bench.run(random.below(20_000));
    for (const one of bench.queues) while (one.poll() !== undefined);
  }
  expect(resets).toBeGreaterThan(10);
  // The device still works.
  bench.memory.mark = 0x8000_0000;
  station.admit(Infinity);
  station.received.length = 0;
  expect(bench.start(bits(N.F_CTRL_RX))).toBe(true);
  const header = new Uint8Array(seed % 2 === 0 ? 20 : 12);
  bench.request(1, { out: [header, packet(60)] });
  expect(station.received.at(-1)).toEqual(packet(60));
  bench.queues[0].add({ in: [1600] });
  expect(link.b.send(Frame.of(packet(61)))).toBe(true);
  expect(bench.queues[0].poll()?.bytes.subarray(header.length)).toEqual(packet(61));
});
