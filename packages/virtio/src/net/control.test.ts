import { Frame, Link } from '@vmloom/net';
import { etherFrame } from '@vmloom/net/testing';
import { describe, expect, it } from 'vitest';
import { features as bits } from '../features.js';
import { NetDriver, type NetDriverOptions } from '../testing/net-driver.js';
import * as N from './codes.js';
import { VirtioNet, type VirtioNetOptions } from './virtio-net.js';

interface Bench {
  readonly driver: NetDriver;
  readonly link: Link;
  /** Sends frames to these addresses; those that arrive. */
  pass(...to: string[]): string[];
}

const OWN = '52:54:00:12:34:56';
const OTHER = '52:54:00:00:00:99';
const GROUP = '01:00:5e:00:00:01';
const OTHER_GROUP = '33:33:00:00:00:01';
const ALL = 'ff:ff:ff:ff:ff:ff';

function bench(options: NetDriverOptions = {}, device: VirtioNetOptions = {}): Bench {
  const link = new Link();
  const driver = new NetDriver(new VirtioNet({ ...device, port: link.a }), options);
  const pass = (...to: string[]): string[] => {
    for (const one of to) link.b.send(Frame.of(etherFrame({ to: one, from: '02:00:00:00:00:01' })));
    driver.bench.run();
    const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
    return driver.received().map(({ bytes }) => [...bytes.subarray(0, 6)].map(hex).join(':'));
  };
  return { driver, link, pass };
}

const mac = (text: string): number[] => text.split(':').map((octet) => parseInt(octet, 16));
const u16 = (value: number): number[] => [value & 0xff, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const tables = (unicast: string[], multicast: string[]): number[] => [
  ...u32(unicast.length),
  ...unicast.flatMap(mac),
  ...u32(multicast.length),
  ...multicast.flatMap(mac),
];
const EVERY = [OWN, OTHER, GROUP, OTHER_GROUP, ALL];

describe('5.1.6.5.1: packet receive filtering', () => {
  it('at first its own address and broadcasts pass, dropped ones are counted', () => {
    const { driver, pass } = bench();
    expect(pass(...EVERY)).toEqual([OWN, ALL]);
    expect(driver.bench.count('rx-drop', 'address')).toBe(3);
  });

  it('without CTRL_RX everything passes', () => {
    const { pass } = bench({ decline: bits(N.F_CTRL_RX) });
    expect(pass(...EVERY)).toEqual(EVERY);
  });

  it.each([
    ['PROMISC', N.CTRL_RX_PROMISC, EVERY],
    ['ALLMULTI', N.CTRL_RX_ALLMULTI, [OWN, GROUP, OTHER_GROUP, ALL]],
    ['ALLUNI', N.CTRL_RX_ALLUNI, [OWN, OTHER, ALL]],
    ['NOUNI', N.CTRL_RX_NOUNI, [ALL]],
    ['NOBCAST', N.CTRL_RX_NOBCAST, [OWN]],
  ])('%s on and off', (_name, number, passing) => {
    const { driver, pass } = bench();
    expect(driver.command(N.CTRL_RX, number, [1])).toBe(true);
    expect(pass(...EVERY)).toEqual(passing);
    expect(driver.command(N.CTRL_RX, number, [0])).toBe(true);
    expect(pass(...EVERY)).toEqual([OWN, ALL]);
  });

  it('NOMULTI beats ALLMULTI and leaves broadcasts, NOUNI beats ALLUNI, NOBCAST beats ALLMULTI; PROMISC beats all', () => {
    const { driver, pass } = bench();
    driver.command(N.CTRL_RX, N.CTRL_RX_ALLMULTI, [1]);
    driver.command(N.CTRL_RX, N.CTRL_RX_ALLUNI, [1]);
    driver.command(N.CTRL_RX, N.CTRL_RX_NOMULTI, [1]);
    expect(pass(...EVERY)).toEqual([OWN, OTHER, ALL]);
    driver.command(N.CTRL_RX, N.CTRL_RX_NOBCAST, [1]);
    expect(pass(...EVERY)).toEqual([OWN, OTHER]);
    driver.command(N.CTRL_RX, N.CTRL_RX_NOUNI, [1]);
    expect(pass(...EVERY)).toEqual([]);
    driver.command(N.CTRL_RX, N.CTRL_RX_PROMISC, [1]);
    expect(pass(...EVERY)).toEqual(EVERY);
  });

  it('commands of features that were not negotiated are refused', () => {
    const { driver } = bench({ decline: bits(N.F_CTRL_RX, N.F_CTRL_RX_EXTRA) });
    for (let number = 0; number < 6; number++) expect(driver.command(N.CTRL_RX, number, [1])).toBe(false);
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, tables([], []))).toBe(false);
  });
});

describe('5.1.6.5.2: MAC address filtering', () => {
  it('the tables replace each other; a reset empties them', () => {
    const { driver, pass } = bench();
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, tables([OTHER], [GROUP]))).toBe(true);
    expect(pass(...EVERY)).toEqual([OWN, OTHER, GROUP, ALL]);
    driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, tables([], [OTHER_GROUP]));
    expect(pass(...EVERY)).toEqual([OWN, OTHER_GROUP, ALL]);
    driver.bench.start();
    driver.fill(0, 10);
    expect(pass(...EVERY)).toEqual([OWN, ALL]);
  });

  it('more addresses than are kept: all of that kind pass', () => {
    const { driver, pass } = bench();
    const many = Array.from({ length: 1025 }, () => OWN);
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, tables(many, []))).toBe(true);
    expect(pass(...EVERY)).toEqual([OWN, OTHER, ALL]);
  });

  it('tables that are not whole change nothing', () => {
    const { driver, pass } = bench();
    const whole = tables([OTHER], [GROUP]);
    for (let length = 0; length < whole.length; length++) {
      expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, whole.slice(0, length))).toBe(false);
    }
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, [...u32(0xffff_ffff), ...mac(OTHER)])).toBe(
      false,
    );
    expect(pass(...EVERY)).toEqual([OWN, ALL]);
  });

  it('MAC_ADDR_SET changes the address and the configuration space; a reset brings the first one back', () => {
    const { driver, pass } = bench();
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_ADDR_SET, mac(OTHER))).toBe(true);
    expect([...driver.device.mac]).toEqual(mac(OTHER));
    expect([driver.config(0, 4), driver.config(4, 2)]).toEqual([0x0000_5452, 0x9900]);
    expect(pass(OWN, OTHER)).toEqual([OTHER]);
    expect(driver.command(N.CTRL_MAC, N.CTRL_MAC_ADDR_SET, [1, 2, 3, 4, 5])).toBe(false);
    driver.bench.endpoint.setStatus(0);
    expect([...driver.device.mac]).toEqual(mac(OWN));
  });
});

describe('5.1.6.5.3: VLAN filtering', () => {
  const tagged = (vlan: number): Frame =>
    Frame.of(
      etherFrame({ to: OWN, from: '02:00:00:00:00:01', vlan, payload: new Uint8Array(50).fill(vlan) }),
    );
  const arrived = ({ driver, link }: Bench): number[] => {
    for (const vlan of [0, 1, 2, 0xe002]) link.b.send(tagged(vlan));
    driver.bench.run();
    return driver.received().map(({ bytes }) => bytes[15] | (bytes[14] << 8));
  };

  it('the table starts empty; ADD and DEL; untagged packets are not its business', () => {
    const one = bench();
    expect(arrived(one)).toEqual([]);
    expect(one.driver.bench.count('rx-drop', 'vlan')).toBe(4);
    expect(one.driver.command(N.CTRL_VLAN, N.CTRL_VLAN_ADD, u16(2))).toBe(true);
    expect(arrived(one)).toEqual([2, 0xe002]);
    expect(one.driver.command(N.CTRL_VLAN, N.CTRL_VLAN_DEL, u16(2))).toBe(true);
    expect(arrived(one)).toEqual([]);
    expect(one.pass(OWN)).toEqual([OWN]);
    expect(one.driver.command(N.CTRL_VLAN, N.CTRL_VLAN_ADD, u16(4096))).toBe(false);
    expect(one.driver.command(N.CTRL_VLAN, 2, u16(2))).toBe(false);
  });

  it('not negotiated: all tagged packets pass', () => {
    expect(arrived(bench({ decline: bits(N.F_CTRL_VLAN) }))).toEqual([0, 1, 2, 0xe002]);
  });
});

describe('5.1.6.5.4: gratuitous packet sending', () => {
  it('the device asks by status, the driver acknowledges', () => {
    const { driver } = bench();
    driver.device.announce();
    expect(driver.bench.configInterrupts).toBe(1);
    expect(driver.config(N.CONFIG_STATUS, 2)).toBe(N.STATUS_LINK_UP | N.STATUS_ANNOUNCE);
    expect(driver.command(N.CTRL_ANNOUNCE, N.CTRL_ANNOUNCE_ACK)).toBe(true);
    expect(driver.config(N.CONFIG_STATUS, 2)).toBe(N.STATUS_LINK_UP);
    expect(driver.command(N.CTRL_ANNOUNCE, 1)).toBe(false);
  });

  it('not where it was not negotiated', () => {
    const { driver } = bench({ decline: bits(N.F_GUEST_ANNOUNCE) });
    driver.device.announce();
    expect(driver.config(N.CONFIG_STATUS, 2)).toBe(N.STATUS_LINK_UP);
    expect(driver.command(N.CTRL_ANNOUNCE, N.CTRL_ANNOUNCE_ACK)).toBe(false);
  });
});

describe('5.1.6.5.7: offloads state', () => {
  const set = (...features: number[]): number[] => {
    const value = bits(...features);
    return [...u32(Number(value & 0xffff_ffffn)), ...u32(Number(value >> 32n))];
  };

  it('offloads go off and on, within what was negotiated', () => {
    const { driver } = bench({ decline: bits(N.F_GUEST_USO6) });
    const all = driver.device.offloads;
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 0, set())).toBe(true);
    expect(driver.device.offloads).toBe(0);
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 0, set(N.F_GUEST_CSUM, N.F_GUEST_USO4))).toBe(true);
    expect(driver.device.offloads).toBe(1 | 8);
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 0, set(N.F_GUEST_USO6))).toBe(false);
    expect(driver.device.offloads).toBe(1 | 8);
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 0, set(1, 7, 8, 9, 54))).toBe(true);
    expect(driver.device.offloads).toBe(all);
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 0, set().slice(1))).toBe(false);
    expect(driver.command(N.CTRL_GUEST_OFFLOADS, 1, set())).toBe(false);
  });
});

describe('5.1.6.5.8: notifications coalescing', () => {
  const limits = (packets: number, microseconds: number): number[] => [...u32(packets), ...u32(microseconds)];
  /** Sends `count` packets to the driver, in events of their own. */
  const arrive = ({ link, driver }: Bench, count: number): void => {
    for (; count > 0; count--) {
      link.b.send(Frame.of(etherFrame({ to: OWN, from: '02:00:00:00:00:01' })));
      driver.bench.run(100);
    }
  };

  it('RX: told after max_packets, or max_usecs after the first one', () => {
    const one = bench({ eventIndex: false });
    const { bench: b } = one.driver;
    expect(one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(15, 10))).toBe(true);
    arrive(one, 14);
    expect(b.interrupts[0]).toBe(0);
    arrive(one, 1);
    expect(b.interrupts[0]).toBe(1);
    b.run(100_000);
    expect(b.interrupts[0]).toBe(1);
    const start = b.clock.now;
    arrive(one, 3);
    b.clock.runUntil(start + 9_999);
    expect(b.interrupts[0]).toBe(1);
    b.clock.runUntil(start + 10_000);
    expect(b.interrupts[0]).toBe(2);
  });

  it('TX likewise; chains come back without the notification', () => {
    const { driver } = bench({ eventIndex: false });
    driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_TX_SET, limits(3, 10));
    for (let count = 0; count < 2; count++) driver.send(etherFrame({ from: OWN }));
    driver.bench.run(100);
    expect(driver.bench.queues[1].poll()).toBeDefined();
    expect(driver.bench.interrupts[1]).toBe(0);
    driver.bench.run(10_000);
    expect(driver.bench.interrupts[1]).toBe(1);
  });

  it('with 0 packets or 0 microseconds: after every batch', () => {
    const one = bench({ eventIndex: false });
    for (const values of [limits(0, 10), limits(10, 0)]) {
      one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, values);
      const before = one.driver.bench.interrupts[0];
      arrive(one, 3);
      expect(one.driver.bench.interrupts[0] - before).toBe(3);
    }
  });

  it('a new limit that is reached already is met at once', () => {
    const one = bench({ eventIndex: false });
    one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(15, 1_000_000));
    arrive(one, 10);
    expect(one.driver.bench.interrupts[0]).toBe(0);
    one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(8, 1_000_000));
    expect(one.driver.bench.interrupts[0]).toBe(1);
    arrive(one, 2);
    one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(0, 0));
    expect(one.driver.bench.interrupts[0]).toBe(2);
  });

  it('VQ_SET and VQ_GET: the sequence of commands of 5.1.6.5.8', () => {
    const { driver } = bench({}, { pairs: 2 });
    const get = (queue: number): number[] | undefined => {
      const { ok, answer } = driver.ask(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_VQ_GET, [...u16(queue), 9, 9], 8);
      return ok ? [answer[0], answer[4]] : undefined;
    };
    const set = (queue: number, packets: number, time: number): boolean =>
      driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_VQ_SET, [
        ...u16(queue),
        7,
        7,
        ...limits(packets, time),
      ]);
    driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(1, 2));
    expect([0, 1, 2, 3].map(get)).toEqual([
      [1, 2],
      [0, 0],
      [1, 2],
      [0, 0],
    ]);
    expect(set(0, 3, 4)).toBe(true);
    expect([0, 1, 2, 3].map(get)).toEqual([
      [3, 4],
      [0, 0],
      [1, 2],
      [0, 0],
    ]);
    expect(set(1, 5, 6)).toBe(true);
    driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_TX_SET, limits(7, 8));
    expect([0, 1, 2, 3].map(get)).toEqual([
      [3, 4],
      [7, 8],
      [1, 2],
      [7, 8],
    ]);
    for (const queue of [4, 5, 0xffff]) expect([get(queue), set(queue, 1, 1)]).toEqual([undefined, false]);
    const { endpoint } = driver.bench;
    endpoint.resetQueue(endpoint.queues[0]);
    expect([get(0), set(0, 1, 1)]).toEqual([undefined, false]);
    driver.bench.queues[0] = driver.bench.setUpQueue(0);
    expect(get(0)).toEqual([1, 2]);
    driver.bench.start();
    expect(get(0)).toEqual([0, 0]);
  });

  it('suppressed notifications stay suppressed when a limit is reached', () => {
    const one = bench({ eventIndex: false });
    one.driver.command(N.CTRL_NOTF_COAL, N.CTRL_NOTF_COAL_RX_SET, limits(2, 10));
    one.driver.bench.queues[0].wantInterrupts(false);
    arrive(one, 5);
    one.driver.bench.run();
    expect(one.driver.bench.interrupts[0]).toBe(0);
  });
});

describe('5.1.6.5: commands', () => {
  it('an unknown class or command is answered ERR; the byte is the last one that the device may write', () => {
    const { driver } = bench();
    for (const [kind, number] of [
      [9, 0],
      [0, 6],
      [1, 2],
      [6, 4],
      [255, 255],
    ]) {
      expect(driver.command(kind, number, new Array<number>(16).fill(0))).toBe(false);
    }
    const used = driver.control({ out: [Uint8Array.of(0, 0, 1)], in: [3, 4] });
    expect(used?.bytes).toEqual(new Uint8Array(7));
    expect(driver.bench.count('control', 'refused')).toBe(5);
  });

  it('a command in pieces is one command (2.6.4.1)', () => {
    const { driver, pass } = bench();
    const bytes = [N.CTRL_MAC, N.CTRL_MAC_TABLE_SET, ...tables([OTHER], [])];
    const used = driver.control({ out: bytes.map((byte) => Uint8Array.of(byte)), in: [1] });
    expect(used?.bytes[0]).toBe(N.CTRL_OK);
    expect(pass(OTHER)).toEqual([OTHER]);
  });

  it.each([[{ out: [Uint8Array.of(0)], in: [1] }], [{ out: [Uint8Array.of(0, 0, 1)] }], [{ in: [8] }]])(
    'a command without class, number or room for the answer: DEVICE_NEEDS_RESET (%#)',
    (buffers) => {
      const { driver } = bench();
      expect(driver.control(buffers)).toBeUndefined();
      expect(driver.bench.count('fault', 'short control command')).toBe(1);
    },
  );

  it('5.1.2: without MQ and RSS the control queue is the third, whatever pairs there are', () => {
    const { driver, pass } = bench({ decline: bits(N.F_MQ) }, { pairs: 4 });
    expect(driver.bench.queues).toHaveLength(9);
    expect(driver.command(N.CTRL_RX, N.CTRL_RX_PROMISC, [1])).toBe(true);
    expect(pass(OTHER)).toEqual([OTHER]);
  });
});
