import { Frame, Link } from '@vmloom/net';
import { etherFrame, transportPacket, type TransportFields } from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import { features as bits } from '../features.js';
import { NetDriver, type NetDriverOptions } from '../testing/net-driver.js';
import * as N from './codes.js';
import { Flow } from './flow.js';
import { FlowHash } from './hash.js';
import { VirtioNet, type VirtioNetOptions } from './virtio-net.js';

const OWN = '52:54:00:12:34:56';

/** The key of the published verification suite for the Toeplitz hash. */
const KEY = Uint8Array.from(
  '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa'.match(/../g)!,
  (pair) => parseInt(pair, 16),
);

/** An IPv4 packet with addresses and ports of our choice. */
function four(
  from: string,
  to: string,
  ports: readonly [number, number],
  protocol: 'tcp' | 'udp' = 'tcp',
): Uint8Array {
  const { bytes, network } = transportPacket({ ip: 4, protocol, ports, payload: new Uint8Array(4), to: OWN });
  bytes.set(from.split('.').map(Number), network + 12);
  bytes.set(to.split('.').map(Number), network + 16);
  return bytes;
}

function six(from: string, to: string, ports: readonly [number, number]): Uint8Array {
  const address = (text: string): number[] => {
    const [left, right = ''] = text.split('::');
    const words = (part: string): number[] =>
      part === '' ? [] : part.split(':').map((word) => parseInt(word, 16));
    const [a, b] = [words(left), words(right)];
    return [...a, ...new Array<number>(8 - a.length - b.length).fill(0), ...b].flatMap((word) => [
      word >> 8,
      word & 0xff,
    ]);
  };
  const { bytes, network } = transportPacket({
    ip: 6,
    protocol: 'tcp',
    ports,
    payload: new Uint8Array(4),
    to: OWN,
  });
  bytes.set(address(from), network + 8);
  bytes.set(address(to), network + 24);
  return bytes;
}

function hashOf(bytes: Uint8Array, types: number): { value: number; report: number } {
  const flow = new Flow();
  const hash = new FlowHash();
  hash.configure(types, KEY);
  flow.read(Frame.of(bytes));
  hash.calculate(flow);
  return { value: hash.value, report: hash.report };
}

describe('5.1.6.4.3: hash calculation', () => {
  it.each([
    ['66.9.149.187', '161.142.100.80', [2794, 1766], 0x323e8fc2, 0x51ccc178],
    ['199.92.111.2', '65.69.140.83', [14230, 4739], 0xd718262a, 0xc626b0ea],
    ['24.19.198.95', '12.22.207.184', [12898, 38024], 0xd2d0a5de, 0x5c2b394a],
    ['38.27.205.30', '209.142.163.6', [48228, 2217], 0x82989176, 0xafc7327f],
    ['153.39.163.191', '202.188.127.2', [44251, 1303], 0x5d1809c5, 0x10e828a2],
  ] as const)('the verification suite, IPv4: %s to %s', (from, to, ports, addresses, withPorts) => {
    const bytes = four(from, to, ports);
    expect(hashOf(bytes, N.HASH_IPV4)).toEqual({ value: addresses, report: 1 });
    expect(hashOf(bytes, N.HASH_ALL)).toEqual({ value: withPorts, report: 2 });
    expect(hashOf(four(from, to, ports, 'udp'), N.HASH_ALL)).toEqual({ value: withPorts, report: 3 });
    expect(hashOf(four(from, to, ports, 'udp'), N.HASH_IPV4 | N.HASH_TCPV4).value).toBe(addresses);
  });

  it.each([
    ['3ffe:2501:200:1fff::7', '3ffe:2501:200:3::1', [2794, 1766], 0x2cc18cd5, 0x40207d3d],
    ['3ffe:501:8::260:97ff:fe40:efab', 'ff02::1', [14230, 4739], 0x0f0c461c, 0xdde51bbf],
    [
      '3ffe:1900:4545:3:200:f8ff:fe21:67cf',
      'fe80::200:f8ff:fe21:67cf',
      [44251, 38024],
      0x4b61e985,
      0x02d1feef,
    ],
  ] as const)('the verification suite, IPv6: %s to %s', (from, to, ports, addresses, withPorts) => {
    expect(hashOf(six(from, to, ports), N.HASH_IPV6)).toEqual({ value: addresses, report: 4 });
    expect(hashOf(six(from, to, ports), N.HASH_ALL)).toEqual({ value: withPorts, report: 5 });
  });

  it('IPv6 with extension headers: home address and routed destination, else as without them', () => {
    const plain = six('fe80::1', 'fe80::2', [5, 6]);
    const bytes = new Uint8Array(plain.length + 48);
    bytes.set(plain.subarray(0, 54));
    bytes[20] = 60;
    // Destination options: PadN of 2 octets and the home address fe80::9.
    bytes.set([43, 2, 1, 0, 0xc9, 16, 0xfe, 0x80], 54);
    bytes[54 + 21] = 9;
    // Routing, type 2, to fe80::8.
    bytes.set([6, 2, 2, 1, 0, 0, 0, 0, 0xfe, 0x80], 78);
    bytes[78 + 23] = 8;
    bytes.set(plain.subarray(54), 102);
    const mobile = six('fe80::9', 'fe80::8', [5, 6]);
    expect(hashOf(bytes, N.HASH_ALL)).toEqual({ value: hashOf(mobile, N.HASH_TCPV6).value, report: 8 });
    expect(hashOf(bytes, N.HASH_IP_EX)).toEqual({ value: hashOf(mobile, N.HASH_IPV6).value, report: 7 });
    expect(hashOf(bytes, N.HASH_TCPV6)).toEqual(hashOf(plain, N.HASH_TCPV6));
  });

  it('fragments go by addresses alone; what is no IP has no hash', () => {
    const fragment = four('1.2.3.4', '5.6.7.8', [9, 10]);
    fragment[14 + 6] = 0x20;
    expect(hashOf(fragment, N.HASH_ALL).report).toBe(1);
    expect(hashOf(etherFrame({ from: OWN }), N.HASH_ALL)).toEqual({ value: 0, report: 0 });
  });
});

interface Bench {
  readonly driver: NetDriver;
  /** Sends frames to the device: into which pairs they went. */
  queuesOf(...frames: Uint8Array[]): number[];
}

function bench(device: VirtioNetOptions, options: NetDriverOptions = {}): Bench {
  const link = new Link();
  const driver = new NetDriver(new VirtioNet({ pairs: 4, ...device, port: link.a }), {
    buffers: 40,
    ...options,
  });
  const queuesOf = (...frames: Uint8Array[]): number[] =>
    frames.map((frame) => {
      link.b.send(Frame.of(frame));
      driver.bench.run();
      const counts = [0, 1, 2, 3].map((pair) =>
        driver.bench.queues[2 * pair] ? driver.received(pair).length : 0,
      );
      return counts.indexOf(1);
    });
  return { driver, queuesOf };
}

const u16 = (value: number): number[] => [value & 0xff, value >> 8];
const rss = (
  types: number,
  table: readonly number[],
  unclassified = 0,
  transmit = 4,
  key: Uint8Array = KEY,
): number[] => [
  ...u16(types),
  0,
  0,
  ...u16(table.length - 1),
  ...u16(unclassified),
  ...table.flatMap(u16),
  ...u16(transmit),
  key.length,
  ...key,
];
const flow = (port: number, back = false): Uint8Array => {
  const fields: TransportFields = {
    ip: 4,
    protocol: 'tcp',
    payload: new Uint8Array(10),
    ports: back ? [80, port] : [port, 80],
    hosts: back ? [2, 1] : [1, 2],
    ...(back ? { to: OWN } : { from: OWN }),
  };
  return transportPacket(fields).bytes;
};

describe('5.1.6.5.5: automatic receive steering', () => {
  it('at first all packets go to receiveq1; then those of a flow to the queue by which it was sent', () => {
    const { driver, queuesOf } = bench({});
    expect(driver.config(N.CONFIG_MAX_PAIRS, 2)).toBe(4);
    const ports = [1000, 1001, 1002, 1003, 1004, 1005];
    expect(new Set(queuesOf(...ports.map((port) => flow(port, true))))).toEqual(new Set([0]));
    expect(driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(4))).toBe(true);
    ports.forEach((port, index) => driver.send(flow(port), {}, index % 4));
    driver.bench.run();
    expect(queuesOf(...ports.map((port) => flow(port, true)))).toEqual([0, 1, 2, 3, 0, 1]);
    driver.send(flow(1000), {}, 3);
    driver.bench.run();
    expect(queuesOf(flow(1000, true))).toEqual([3]);
  });

  it('flows that never sent spread over the queues in use, and never beyond', () => {
    const { driver, queuesOf } = bench({});
    driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(3));
    const ports = Array.from({ length: 60 }, (_, index) => 2000 + index);
    expect(new Set(queuesOf(...ports.map((port) => flow(port, true))))).toEqual(new Set([0, 1, 2]));
    driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(1));
    expect(new Set(queuesOf(...ports.slice(0, 9).map((port) => flow(port, true))))).toEqual(new Set([0]));
    expect(queuesOf(etherFrame({ to: OWN, from: '02:00:00:00:00:01' }))).toEqual([0]);
  });

  it('0 pairs, or more than there are, are refused', () => {
    const { driver } = bench({});
    for (const pairs of [0, 5, 0xffff]) {
      expect(driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(pairs))).toBe(false);
    }
    expect(driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, [1])).toBe(false);
  });

  it('5.1.6.5.5.2: a queue that is being reset is passed over; with all of them reset the packet is dropped', () => {
    const { driver, queuesOf } = bench({});
    driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(2));
    driver.send(flow(7), {}, 1);
    driver.bench.run();
    const { endpoint } = driver.bench;
    endpoint.resetQueue(endpoint.queues[2]);
    expect(queuesOf(flow(7, true))).toEqual([0]);
    endpoint.resetQueue(endpoint.queues[0]);
    expect(queuesOf(flow(7, true))).toEqual([-1]);
    expect(driver.bench.count('rx-drop', 'queue')).toBe(1);
  });
});

describe('5.1.6.5.6: receive-side scaling', () => {
  it('the configuration space says what there is (5.1.4.1)', () => {
    const { driver } = bench({ rss: true });
    expect(driver.config(N.CONFIG_RSS_KEY, 1)).toBe(40);
    expect(driver.config(N.CONFIG_RSS_TABLE, 2)).toBe(128);
    expect(driver.config(N.CONFIG_HASH_TYPES, 4)).toBe(0x1ff);
  });

  it('the hash, masked, selects from the indirection table; unclassified packets have a queue of their own', () => {
    const { driver, queuesOf } = bench({ rss: true });
    const table = [3, 1, 2, 0, 1, 1, 2, 3];
    expect(driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, rss(N.HASH_TCPV4, table, 2))).toBe(true);
    const frames = Array.from({ length: 20 }, (_, index) => flow(3000 + index, true));
    const expected = frames.map((frame) => table[hashOf(frame, N.HASH_TCPV4).value & 7]);
    expect(queuesOf(...frames)).toEqual(expected);
    expect(new Set(expected).size).toBe(4);
    expect(
      queuesOf(etherFrame({ to: OWN, from: '02:00:00:00:00:01' }), four('1.2.3.4', '5.6.7.8', [1, 2], 'udp')),
    ).toEqual([2, 2]);
  });

  it('5.1.6.5: the last command decides between RSS and automatic steering', () => {
    const { driver, queuesOf } = bench({ rss: true });
    driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, rss(N.HASH_TCPV4, [3]));
    expect(queuesOf(flow(5, true))).toEqual([3]);
    driver.command(N.CTRL_MQ, N.CTRL_MQ_VQ_PAIRS_SET, u16(1));
    expect(queuesOf(flow(5, true))).toEqual([0]);
  });

  it('a packet for a queue that is being reset is dropped', () => {
    const { driver, queuesOf } = bench({ rss: true });
    driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, rss(N.HASH_TCPV4, [3]));
    driver.bench.endpoint.resetQueue(driver.bench.endpoint.queues[6]);
    expect(queuesOf(flow(5, true))).toEqual([-1]);
  });

  it('parameters that cannot be are refused and change nothing', () => {
    const { driver, queuesOf } = bench({ rss: true });
    driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, rss(N.HASH_TCPV4, [2]));
    const good = rss(N.HASH_TCPV4, [0, 1]);
    const bad = [
      rss(0x200, [0]),
      rss(1, [0, 1, 2]),
      rss(1, new Array<number>(256).fill(0)),
      rss(1, [4]),
      rss(1, [0], 4),
      rss(1, [0], 0, 0),
      rss(1, [0], 0, 5),
      rss(1, [0], 0, 1, new Uint8Array(41)),
      rss(1, [0], 0, 1, new Uint8Array(0)),
      ...Array.from({ length: good.length }, (_, length) => good.slice(0, length)),
    ];
    for (const data of bad) expect(driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, data)).toBe(false);
    expect(queuesOf(flow(5, true))).toEqual([2]);
    const without = bench({ rss: true }, { decline: bits(N.F_RSS) });
    expect(without.driver.command(N.CTRL_MQ, N.CTRL_MQ_RSS_CONFIG, good)).toBe(false);
  });
});

describe('5.1.6.4.5: hash reporting', () => {
  it('the header is 20 bytes long and carries hash and type, or NONE', () => {
    const link = new Link();
    const device = new VirtioNet({ port: link.a, hashReport: true });
    const other = new NetDriver(device, { bufferSize: 600 });
    expect(other.headerSize).toBe(20);
    const arrive = (frame: Uint8Array): { hash: number; hashReport: number } => {
      link.b.send(Frame.of(frame));
      other.bench.run();
      const [{ hash, hashReport, bytes }] = other.received();
      expect(bytes).toEqual(frame);
      return { hash, hashReport };
    };
    const frame = four('66.9.149.187', '161.142.100.80', [2794, 1766]);
    expect(arrive(frame)).toEqual({ hash: 0, hashReport: 0 });
    const config = [...u16(N.HASH_TCPV4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, KEY.length, ...KEY];
    expect(other.command(N.CTRL_MQ, N.CTRL_MQ_HASH_CONFIG, config)).toBe(true);
    expect(arrive(frame)).toEqual({ hash: 0x51ccc178, hashReport: 2 });
    expect(arrive(etherFrame({ to: OWN, from: '02:00:00:00:00:01', payload: new Uint8Array(1400) }))).toEqual(
      {
        hash: 0,
        hashReport: 0,
      },
    );
    expect(other.command(N.CTRL_MQ, N.CTRL_MQ_HASH_CONFIG, config.slice(0, 20))).toBe(false);
  });
});
