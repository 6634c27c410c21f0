import { describe, expect, it } from 'vitest';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import { Targets, WIRE, type Egress, type Packet } from '../steering.js';
import { VirtualBench } from '../testing/virtual-bench.js';
import { DTXSWC, VLVF, VMOLR, VMRCTL, VT_CTL } from './switch-bits.js';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const GROUP = '01:00:5e:00:00:fb';
const STRANGER = '02:aa:bb:cc:dd:ee';
const own = (pool: number): string => `02:00:00:00:00:0${pool}`;
const bytes = (mac: string): number[] => mac.split(':').map((octet) => parseInt(octet, 16));

function packet(to: string, from: string, tag = -1, length = 60): Packet {
  const header = new Uint8Array(256);
  header.set([...bytes(to), ...bytes(from)]);
  if (tag >= 0) header.set([0x81, 0x00, tag >> 8, tag & 0xff], 12);
  return { header, headerLength: Math.min(length, 256), length, tag };
}

/** A card with pools as a driver sets it up: pool 7 is the physical function's and the default. */
class Bench extends VirtualBench {
  readonly #targets = new Targets();
  readonly egressed: Egress = { allowed: false, wire: false };

  constructor() {
    super();
    this.enable(7);
    this.write(R.REG_MRQC, B.MRQC_VMDQ);
    this.write(R.REG_VT_CTL, (7 << VT_CTL.defaultPoolShift) | VT_CTL.replication);
    this.write(R.REG_DTXSWC, DTXSWC.loopback);
    for (let pool = 0; pool < 8; pool++) {
      this.address(pool, own(pool), 1 << pool);
      this.accept(pool, VMOLR.acceptBroadcast | VMOLR.acceptUntagged);
    }
  }

  address(index: number, mac: string, pools: number): void {
    const [a, b, c, d, e, f] = bytes(mac) as [number, number, number, number, number, number];
    const at = index < 16 ? R.REG_RAL0 + 8 * index : R.REG_RAL16 + 8 * (index - 16);
    this.write(at, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
    this.write(at + 4, (e | (f << 8) | (pools << B.RAH_POOL_SHIFT) | B.RAH_AV) >>> 0);
  }

  accept(pool: number, bits: number): void {
    this.write(R.REG_VMOLR + 4 * pool, (bits | 0x8000_0000) >>> 0);
  }

  /** A VLAN with its pools, in entry `index` of VLVF and in VFTA. */
  vlan(index: number, id: number, pools: number): void {
    this.write(R.REG_RCTL, B.RCTL_EN | B.RCTL_VFE);
    this.write(R.REG_VLVF + 4 * index, (id | (pools << VLVF.poolShift) | VLVF.enable) >>> 0);
    const word = R.REG_VFTA + 4 * (id >> 5);
    this.write(word, (this.read(word) | (1 << (id & 31))) >>> 0);
  }

  hash(table: number, mac: string): void {
    const octets = bytes(mac);
    const bits = ((octets[4] | (octets[5] << 8)) >> 4) & 0xfff;
    this.write(table + 4 * (bits >> 5), (1 << (bits & 31)) >>> 0);
  }

  get #steering() {
    return this.card.controller!.steering!;
  }

  fromWire(frame: Packet): number[] {
    this.#targets.clear();
    this.#steering.ingress(frame, WIRE, this.#targets);
    return [...this.#targets.pools.subarray(0, this.#targets.count)];
  }

  /** Pools that get it, and `wire`, or `spoofed`. */
  send(pool: number, frame: Packet): (number | string)[] {
    this.#targets.clear();
    this.#steering.egress(frame, pool, this.#targets, this.egressed);
    const pools = [...this.#targets.pools.subarray(0, this.#targets.count)];
    if (!this.egressed.allowed) return ['spoofed', ...pools];
    return this.egressed.wire ? [...pools, 'wire'] : pools;
  }
}

describe('frames from the wire find pools (82576 7.10.3.3)', () => {
  it('step 1: by exact address, in either bank of receive addresses, each with several pools', () => {
    const bench = new Bench();
    expect(bench.fromWire(packet(own(3), STRANGER))).toEqual([3]);
    bench.address(23, '02:00:00:00:01:00', 0b0010_0101);
    expect(bench.fromWire(packet('02:00:00:00:01:00', STRANGER))).toEqual([0, 2, 5]);
    bench.address(12, GROUP, 0b110);
    expect(bench.fromWire(packet(GROUP, STRANGER))).toEqual([1, 2]);
    bench.write(R.REG_RAH0 + 8 * 3, 0x0300 | (8 << B.RAH_POOL_SHIFT));
    expect(bench.fromWire(packet(own(3), STRANGER))).toEqual([7]);
  });

  it('step 2: broadcasts go to all pools that accept them', () => {
    const bench = new Bench();
    expect(bench.fromWire(packet(BROADCAST, STRANGER))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    bench.accept(4, VMOLR.acceptUntagged);
    expect(bench.fromWire(packet(BROADCAST, STRANGER))).toEqual([0, 1, 2, 3, 5, 6, 7]);
  });

  it('step 3: the unicast hash counts for pools with ROPE, when no exact address matched', () => {
    const bench = new Bench();
    bench.accept(2, VMOLR.acceptUntagged | VMOLR.acceptUnicastHash);
    expect(bench.fromWire(packet(STRANGER, own(0)))).toEqual([7]);
    bench.hash(R.REG_UTA, STRANGER);
    expect(bench.fromWire(packet(STRANGER, own(0)))).toEqual([2]);
    bench.hash(R.REG_UTA, own(1));
    expect(bench.fromWire(packet(own(1), STRANGER))).toEqual([1]);
  });

  it('steps 4 and 5: the multicast hash counts for pools with ROMPE, MPE takes all groups', () => {
    const bench = new Bench();
    bench.accept(1, VMOLR.acceptUntagged | VMOLR.acceptMulticastHash);
    bench.accept(5, VMOLR.acceptUntagged | VMOLR.acceptAllMulticast);
    expect(bench.fromWire(packet(GROUP, STRANGER))).toEqual([5]);
    bench.hash(R.REG_MTA, GROUP);
    expect(bench.fromWire(packet(GROUP, STRANGER))).toEqual([1, 5]);
  });

  it('step 6: a VLAN reaches its members alone; untagged frames reach pools with AUPE', () => {
    const bench = new Bench();
    bench.vlan(0, 100, 0b0000_0110);
    bench.vlan(31, 200, 0b0000_1100);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, 100))).toEqual([1, 2]);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, 0xe0c8))).toEqual([2, 3]);
    expect(bench.fromWire(packet(own(3), STRANGER, 200))).toEqual([3]);
    bench.accept(2, VMOLR.acceptBroadcast);
    expect(bench.fromWire(packet(BROADCAST, STRANGER))).toEqual([0, 1, 3, 4, 5, 6, 7]);
  });

  it('step 6: a VLAN that VFTA does not have reaches nobody, not the default pool either; without VFE all are one', () => {
    const bench = new Bench();
    bench.vlan(0, 100, 0xff);
    expect(bench.fromWire(packet(own(1), STRANGER, 101))).toEqual([]);
    expect(bench.read(R.REG_SDPC)).toBe(1);
    bench.write(R.REG_RCTL, B.RCTL_EN);
    expect(bench.fromWire(packet(own(1), STRANGER, 101))).toEqual([1]);
  });

  it('step 7: what no pool wants is the default pool’s, unless that is disabled: then it is dropped and counted', () => {
    const bench = new Bench();
    expect(bench.fromWire(packet(STRANGER, own(0)))).toEqual([7]);
    bench.write(R.REG_VT_CTL, (5 << VT_CTL.defaultPoolShift) | VT_CTL.replication);
    expect(bench.fromWire(packet(STRANGER, own(0)))).toEqual([5]);
    bench.write(R.REG_VT_CTL, VT_CTL.disableDefaultPool | VT_CTL.replication);
    expect(bench.fromWire(packet(STRANGER, own(0)))).toEqual([]);
    expect(bench.read(R.REG_SDPC)).toBe(1);
  });

  it('7.10.3.4: without replication one pool gets the frame', () => {
    const bench = new Bench();
    bench.write(R.REG_VT_CTL, 7 << VT_CTL.defaultPoolShift);
    expect(bench.fromWire(packet(BROADCAST, STRANGER))).toEqual([0]);
  });

  it('8.14.2: IGMAC: the VLAN alone decides', () => {
    const bench = new Bench();
    bench.vlan(3, 7, 0b101);
    bench.write(R.REG_VT_CTL, (VT_CTL.ignoreMac | VT_CTL.replication) >>> 0);
    expect(bench.fromWire(packet(STRANGER, own(7), 7))).toEqual([0, 2]);
  });

  it('8.14.5: a pool without VFRE gets nothing', () => {
    const bench = new Bench();
    bench.write(R.REG_VFRE, 0xff & ~(1 << 3));
    expect(bench.fromWire(packet(own(3), STRANGER))).toEqual([]);
    expect(bench.fromWire(packet(BROADCAST, STRANGER))).toEqual([0, 1, 2, 4, 5, 6, 7]);
  });

  it('8.10.20: each pool has its own longest frame; one too long for all counts as oversize', () => {
    const bench = new Bench();
    bench.accept(1, VMOLR.acceptBroadcast | VMOLR.acceptUntagged | VMOLR.longPackets | 9018);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, -1, 1514))).toHaveLength(8);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, -1, 1515))).toEqual([1]);
    expect(bench.fromWire(packet(own(2), STRANGER, 5, 1518))).toEqual([2]);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, -1, 9014))).toEqual([1]);
    expect(bench.read(R.REG_ROC)).toBe(0);
    expect(bench.fromWire(packet(BROADCAST, STRANGER, -1, 9015))).toEqual([]);
    expect(bench.read(R.REG_ROC)).toBe(1);
  });
});

describe('frames of pools (82576 7.10.3.6)', () => {
  it('to a neighbour: not to the wire; to a stranger: to the wire, not to the default pool', () => {
    const bench = new Bench();
    expect(bench.send(0, packet(own(4), own(0)))).toEqual([4]);
    expect(bench.send(0, packet(STRANGER, own(0)))).toEqual(['wire']);
    expect(bench.send(7, packet(own(0), own(7)))).toEqual([0]);
  });

  it('broadcasts and groups go to neighbours and to the wire, not back', () => {
    const bench = new Bench();
    expect(bench.send(2, packet(BROADCAST, own(2)))).toEqual([0, 1, 3, 4, 5, 6, 7, 'wire']);
    bench.accept(6, VMOLR.acceptUntagged | VMOLR.acceptAllMulticast);
    expect(bench.send(2, packet(GROUP, own(2)))).toEqual([6, 'wire']);
  });

  it('8.14.13: without loopback everything goes to the wire; with LLE a pool hears itself', () => {
    const bench = new Bench();
    bench.write(R.REG_DTXSWC, 0);
    expect(bench.send(0, packet(own(4), own(0)))).toEqual(['wire']);
    expect(bench.send(0, packet(BROADCAST, own(0)))).toEqual(['wire']);
    bench.write(R.REG_DTXSWC, (DTXSWC.loopback | (1 << DTXSWC.localShift)) >>> 0);
    expect(bench.send(0, packet(own(0), own(0)))).toEqual([0]);
    expect(bench.send(1, packet(own(1), own(1)))).toEqual(['wire']);
  });

  it('a promiscuous pool hears, and the wire gets the frame all the same', () => {
    const bench = new Bench();
    bench.accept(3, VMOLR.acceptUntagged | VMOLR.acceptUnicastHash);
    for (let word = 0; word < 128; word++) bench.write(R.REG_UTA + 4 * word, 0xffff_ffff);
    expect(bench.send(0, packet(STRANGER, own(0)))).toEqual([3, 'wire']);
    expect(bench.send(0, packet(own(4), own(0)))).toEqual([4]);
  });

  it('VLANs isolate neighbours from each other', () => {
    const bench = new Bench();
    bench.vlan(0, 10, 0b0011);
    bench.vlan(1, 20, 0b1100);
    expect(bench.send(0, packet(own(1), own(0), 10))).toEqual([1]);
    expect(bench.send(0, packet(own(2), own(0), 10))).toEqual(['wire']);
    expect(bench.send(2, packet(BROADCAST, own(2), 20))).toEqual([3, 'wire']);
  });
});

describe('anti-spoofing (82576 7.10.3.9)', () => {
  it('MAC: a frame from an address that is not the pool’s is not sent; WVBR, SSVPC and an interrupt tell', () => {
    const bench = new Bench();
    bench.write(R.REG_DTXSWC, (DTXSWC.loopback | 0b0100) >>> 0);
    bench.read(R.REG_ICR);
    expect(bench.send(2, packet(own(4), own(3)))).toEqual(['spoofed']);
    expect(bench.send(2, packet(own(4), own(2)))).toEqual([4]);
    expect(bench.send(1, packet(own(4), own(3)))).toEqual([4]);
    expect([bench.read(R.REG_WVBR), bench.read(R.REG_WVBR)]).toEqual([1 << 2, 0]);
    expect(bench.read(R.REG_SSVPC)).toBe(1);
    expect(bench.read(R.REG_ICR) & B.ICR_MDDET).toBe(B.ICR_MDDET);
    expect(bench.host.ledger.total({ event: 'switch-drop', reason: 'spoofed address' })).toBe(1);
  });

  it('VLAN: a frame into a VLAN that is not the pool’s is not sent; one without a tag is', () => {
    const bench = new Bench();
    bench.vlan(0, 10, 0b0011);
    bench.write(R.REG_DTXSWC, (DTXSWC.loopback | (0b0101 << DTXSWC.vlanSpoofShift)) >>> 0);
    expect(bench.send(0, packet(own(1), own(0), 10))).toEqual([1]);
    expect(bench.send(2, packet(own(1), own(2), 10))).toEqual(['spoofed']);
    expect(bench.send(2, packet(own(1), own(2)))).toEqual([1]);
    expect(bench.read(R.REG_WVBR)).toBe(1 << 2);
    expect(bench.host.ledger.total({ event: 'switch-drop', reason: 'spoofed VLAN' })).toBe(1);
  });

  it('8.12.5: without SPOOF_INT nothing interrupts', () => {
    const bench = new Bench();
    bench.write(R.REG_DTXSWC, 0xff);
    bench.write(R.REG_DTXCTL, 0);
    bench.read(R.REG_ICR);
    expect(bench.send(2, packet(own(4), own(3)))).toEqual(['spoofed']);
    expect(bench.read(R.REG_ICR) & B.ICR_MDDET).toBe(0);
  });
});

describe('mirrors (82576 7.10.3.8)', () => {
  it('copies what a direction, certain pools or certain VLANs carry to one pool, once', () => {
    const bench = new Bench();
    const to = (pool: number): number => pool << VMRCTL.poolShift;
    bench.write(R.REG_VMRCTL, to(6) | VMRCTL.uplink);
    expect(bench.fromWire(packet(own(1), STRANGER))).toEqual([1, 6]);
    expect(bench.fromWire(packet(own(6), STRANGER))).toEqual([6]);
    expect(bench.send(0, packet(own(1), own(0)))).toEqual([1]);
    bench.write(R.REG_VMRCTL, to(5) | VMRCTL.downlink);
    expect(bench.send(0, packet(STRANGER, own(0)))).toEqual([5, 'wire']);
    bench.write(R.REG_VMRCTL, to(5) | VMRCTL.pools);
    bench.write(R.REG_VMRVM, 0b10);
    expect(bench.send(0, packet(own(1), own(0)))).toEqual([1, 5]);
    expect(bench.send(0, packet(own(2), own(0)))).toEqual([2]);
    bench.write(R.REG_VMRCTL, to(4));
    bench.vlan(2, 30, 0xff);
    bench.write(R.REG_VMRVLAN, 1 << 2);
    expect(bench.send(0, packet(own(2), own(0), 30))).toEqual([2, 4]);
    expect(bench.send(0, packet(own(2), own(0)))).toEqual([2]);
  });
});
