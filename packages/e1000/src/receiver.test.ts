import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import {
  buildSegment,
  ethernetFrame,
  fcs,
  internetSum,
  NicBench,
  pattern,
  TEST_MAC,
  type StartOptions,
} from './testing/index.js';

const BASE = R.RCTL_BAM | R.RCTL_SECRC;
const LONG = 1_000_000;

function setUp(options: StartOptions = {}): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start(options);
  bench.run(LONG);
  bench.driver.read(R.REG_ICR);
  return bench;
}

describe('filters', () => {
  const own = TEST_MAC;
  const other = '02:00:00:00:00:09';
  const group = '01:00:5e:7f:12:34';
  const everyone = 'ff:ff:ff:ff:ff:ff';
  it.each([
    ['nothing', 0, [own]],
    ['BAM', R.RCTL_BAM, [own, everyone]],
    ['UPE', R.RCTL_UPE, [own, other]],
    ['MPE', R.RCTL_MPE, [own, group, everyone]],
    ['all', R.RCTL_UPE | R.RCTL_MPE | R.RCTL_BAM, [own, other, group, everyone]],
  ])('8254x 3.2.1: with %s set in RCTL the right packets pass', (_name, rctl, passing) => {
    const bench = setUp({ rctl: rctl | R.RCTL_SECRC });
    for (const to of [own, other, group, everyone]) {
      bench.port.deliver(ethernetFrame({ to }));
      expect(bench.driver.poll() !== undefined).toBe(passing.includes(to));
    }
    expect(bench.count('rx-drop', 'address filter')).toBe(4 - passing.length);
    expect(bench.driver.read(R.REG_TPR)).toBe(4);
    expect(bench.driver.read(R.REG_GPRC)).toBe(passing.length);
  });

  it('8254x 13.5.2: each of 16 addresses passes while its AV is set', () => {
    const bench = setUp();
    for (let entry = 1; entry < 16; entry++) {
      const frame = ethernetFrame({ to: `02:00:00:00:01:${entry.toString(16)}` });
      bench.driver.write(R.REG_RAL0 + 8 * entry, 0x0000_0002);
      bench.driver.write(R.REG_RAH0 + 8 * entry, 0x0001 | (entry << 8));
      bench.port.deliver(frame);
      expect(bench.driver.poll()).toBeUndefined();
      bench.driver.write(R.REG_RAH0 + 8 * entry, (0x8000_0001 | (entry << 8)) >>> 0);
      bench.port.deliver(frame);
      expect(bench.driver.poll()?.status).toBe(R.RXD_STATUS_DD | R.RXD_STATUS_EOP | R.RXD_STATUS_IXSM);
    }
  });

  it('8254x 13.5.3: AS 01 matches the source address', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RAL0 + 8, 0x0000_0002);
    bench.driver.write(R.REG_RAH0 + 8, 0x8001_0100);
    bench.port.deliver(ethernetFrame({ to: other, from: '02:00:00:00:00:01' }));
    bench.port.deliver(ethernetFrame({ to: other, from: '02:00:00:00:00:02' }));
    expect(bench.driver.pollAll().length).toBe(1);
  });

  it.each([
    [0, 36],
    [1, 35],
    [2, 34],
    [3, 32],
  ])('8254x 13.5.1: MO %i hashes 12 bits of the address from bit %i on; PIF is set', (offset, shift) => {
    const bench = setUp({ rctl: BASE | (offset << R.RCTL_MO_SHIFT) });
    const address = [0x01, 0x00, 0x5e, 0x7f, 0x12, 0xa4];
    const upper = BigInt(address[4] | (address[5] << 8)) << 32n;
    const hash = Number((upper >> BigInt(shift)) & 0xfffn);
    const frame = ethernetFrame({ to: address.map((byte) => byte.toString(16)).join(':') });
    for (let word = 0; word < 128; word++) bench.driver.write(R.REG_MTA + 4 * word, 0xffff_ffff);
    bench.driver.write(R.REG_MTA + 4 * (hash >> 5), ~(1 << (hash & 31)));
    bench.port.deliver(frame);
    expect(bench.driver.poll()).toBeUndefined();
    for (let word = 0; word < 128; word++) bench.driver.write(R.REG_MTA + 4 * word, 0);
    bench.driver.write(R.REG_MTA + 4 * (hash >> 5), 1 << (hash & 31));
    bench.port.deliver(frame);
    expect(bench.driver.poll()!.status & R.RXD_STATUS_PIF).toBe(R.RXD_STATUS_PIF);
  });

  it('8254x 9.3: VFE passes untagged packets and those whose VLAN is in VFTA', () => {
    const bench = setUp({ rctl: BASE | R.RCTL_VFE });
    bench.driver.write(R.REG_VFTA + 4 * (100 >> 5), 1 << (100 & 31));
    bench.port.deliver(ethernetFrame());
    bench.port.deliver(ethernetFrame({ tag: 100 }));
    bench.port.deliver(ethernetFrame({ tag: 101 }));
    bench.port.deliver(ethernetFrame({ tag: 0x6000 | 100 }));
    expect(bench.driver.pollAll().length).toBe(3);
    expect(bench.count('rx-drop', 'vlan filter')).toBe(1);
  });

  it('8254x 9.3.1: CFIEN compares the canonical form indicator with CFI', () => {
    for (const cfi of [0, R.RCTL_CFI]) {
      const bench = setUp({ rctl: BASE | R.RCTL_VFE | R.RCTL_CFIEN | cfi });
      bench.driver.write(R.REG_VFTA, 0xffff_ffff);
      bench.port.deliver(ethernetFrame({ tag: 0x0005 }));
      bench.port.deliver(ethernetFrame({ tag: 0x1006 }));
      const packets = bench.driver.pollAll();
      expect(packets.map(({ bytes }) => bytes[15])).toEqual([cfi === 0 ? 5 : 6]);
    }
  });

  it('8254x 13.4.22: nothing is received or counted while EN is clear', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RCTL, BASE);
    bench.port.deliver(ethernetFrame());
    expect(bench.driver.poll()).toBeUndefined();
    expect(bench.driver.read(R.REG_TPR)).toBe(0);
    expect(bench.count('rx-drop', 'receiver off')).toBe(1);
  });
});

describe('buffers', () => {
  it.each([
    [2048, 0],
    [1024, 1 << 16],
    [512, 2 << 16],
    [256, 3 << 16],
    [16384, (1 << 16) | R.RCTL_BSEX],
    [8192, (2 << 16) | R.RCTL_BSEX],
    [4096, (3 << 16) | R.RCTL_BSEX],
  ])('8254x 13.4.22: BSIZE and BSEX make buffers of %i bytes; a packet spans what it needs', (size, bits) => {
    const bench = setUp({ bufferSize: size, ring: 64, rctl: BASE | R.RCTL_LPE | bits });
    const frame = ethernetFrame({ length: 9014 });
    bench.port.deliver(frame);
    const packet = bench.driver.poll();
    expect(packet?.bytes).toEqual(frame);
    expect(packet?.descriptors).toBe(Math.ceil(9014 / size));
  });

  it('8254x 3.2.3: without SECRC the FCS follows the packet and counts in its length', () => {
    const bench = setUp({ rctl: R.RCTL_BAM });
    for (const length of [60, 61, 1514]) {
      const frame = ethernetFrame({ length });
      bench.port.deliver(frame);
      const { bytes } = bench.driver.poll()!;
      expect(bytes.length).toBe(length + 4);
      expect(bytes.subarray(0, length)).toEqual(frame);
      expect(new DataView(bytes.buffer).getUint32(length, true)).toBe(fcs(frame));
    }
  });

  it('802.3 4.2.3.3: a frame that came without padding is padded', () => {
    const bench = setUp();
    bench.port.deliver(ethernetFrame({ length: 42 }));
    const { bytes } = bench.driver.poll()!;
    expect(bytes.length).toBe(60);
    expect([...bytes.subarray(42)]).toEqual(new Array(18).fill(0));
  });

  it('8254x 13.4.22: over 1522 bytes need LPE; over 16384 nothing helps; ROC counts those that passed the filters', () => {
    const bench = setUp({ bufferSize: 16384, ring: 16, rctl: BASE | (1 << 16) | R.RCTL_BSEX });
    const longest = ethernetFrame({ length: 1518 });
    bench.port.deliver(longest);
    bench.port.deliver(ethernetFrame({ length: 1519 }));
    bench.port.deliver(ethernetFrame({ length: 1519, to: '02:00:00:00:00:77' }));
    expect(bench.driver.pollAll().map(({ bytes }) => bytes.length)).toEqual([1518]);
    expect(bench.driver.read(R.REG_ROC)).toBe(1);
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_LPE);
    bench.port.deliver(ethernetFrame({ length: 16380 }));
    bench.port.deliver(ethernetFrame({ length: 16381 }));
    bench.port.deliver(ethernetFrame({ length: 100_000 }));
    expect(bench.driver.pollAll().map(({ bytes }) => bytes.length)).toEqual([16380]);
    expect(bench.driver.read(R.REG_ROC)).toBe(2);
  });

  it('8254x 3.2.3: a descriptor with a null address is given back unused', () => {
    const bench = setUp();
    bench.driver.postReceive(0, 0);
    const frame = ethernetFrame();
    bench.port.deliver(frame);
    expect(bench.driver.load32(bench.driver.rxDescriptor(0) + 12) & 0xff).toBe(R.RXD_STATUS_DD);
    expect(bench.driver.load32(bench.driver.rxDescriptor(1) + 12) & 3).toBe(
      R.RXD_STATUS_DD | R.RXD_STATUS_EOP,
    );
    expect(bench.driver.load(bench.driver.rxBuffer(1), 64)).toEqual(frame);
  });

  it('writes nothing outside the buffer, the descriptor and its status', () => {
    const bench = setUp();
    const before = bench.driver.load(0x8000_0000, 0x20_0000);
    const frame = ethernetFrame({ length: 333 });
    bench.port.deliver(frame);
    const after = bench.driver.load(0x8000_0000, 0x20_0000);
    const changed = [...before.keys()].filter((at) => before[at] !== after[at]);
    const buffer = bench.driver.rxBuffer(0) - 0x8000_0000;
    const descriptor = bench.driver.rxDescriptor(0) - 0x8000_0000;
    const allowed = (at: number): boolean =>
      (at >= buffer && at < buffer + 333) || (at >= descriptor + 8 && at < descriptor + 16);
    expect(changed.filter((at) => !allowed(at))).toEqual([]);
    expect(changed.length).toBeGreaterThan(300);
  });

  it('marks the pages it writes dirty', () => {
    const bench = setUp();
    const first = bench.memory.ramOffset >>> 12;
    const pages = bench.memory.ramSize >>> 12;
    bench.memory.flags.armDirtyTracking(first, pages);
    bench.port.deliver(ethernetFrame());
    const page = (address: number): number => first + ((address - 0x8000_0000) >>> 12);
    expect(bench.memory.flags.takeDirty(first, pages)).toEqual([
      page(bench.driver.rxDescriptor(0)),
      page(bench.driver.rxBuffer(0)),
    ]);
  });
});

describe('VLAN tags on receive', () => {
  it('8254x 9.2: VME strips the tag into the special field and sets VP', () => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    const frame = ethernetFrame({ tag: 0x6123, length: 200 });
    bench.port.deliver(frame);
    const packet = bench.driver.poll()!;
    expect(packet.bytes).toEqual(new Uint8Array([...frame.subarray(0, 12), ...frame.subarray(16)]));
    expect(packet.special).toBe(0x6123);
    expect(packet.status & R.RXD_STATUS_VP).toBe(R.RXD_STATUS_VP);
  });

  it('8254x 9.2: without VME the tag stays and VP is clear', () => {
    const bench = setUp();
    const frame = ethernetFrame({ tag: 0x6123, length: 200 });
    bench.port.deliver(frame);
    const packet = bench.driver.poll()!;
    expect(packet.bytes).toEqual(frame);
    expect([packet.special, packet.status & R.RXD_STATUS_VP]).toEqual([0, 0]);
  });

  it('8254x 13.4.11: VET says what a tag is', () => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    bench.driver.write(R.REG_VET, 0x88a8);
    bench.port.deliver(ethernetFrame({ tag: 5 }));
    expect(bench.driver.poll()!.status & R.RXD_STATUS_VP).toBe(0);
  });
});

describe('receive checksums', () => {
  const ALL = R.RXCSUM_IPOFLD | R.RXCSUM_TUOFLD | R.RXCSUM_IPV6OFLD;
  const CHECKED = R.RXD_STATUS_IPCS | R.RXD_STATUS_TCPCS | R.RXD_STATUS_IXSM;

  function verdict(frame: Uint8Array, control = ALL): { status: number; errors: number } {
    const bench = setUp();
    bench.driver.write(R.REG_RXCSUM, control);
    bench.port.deliver(frame);
    const { status, errors } = bench.driver.poll()!;
    return { status: status & CHECKED, errors };
  }
  const payload = pattern(333);
  const { RXD_STATUS_IPCS: IPCS, RXD_STATUS_TCPCS: TCPCS, RXD_STATUS_IXSM: IXSM } = R;
  const { RXD_ERROR_IPE: IPE, RXD_ERROR_TCPE: TCPE } = R;

  it.each([
    ['TCP over IPv4', buildSegment({ payload }), IPCS | TCPCS, 0],
    ['UDP over IPv4', buildSegment({ payload, protocol: 'udp' }), IPCS | TCPCS, 0],
    ['TCP over IPv6', buildSegment({ payload, ip: 6 }), TCPCS, 0],
    ['UDP over IPv6', buildSegment({ payload, ip: 6, protocol: 'udp' }), TCPCS, 0],
    ['IPv4 options', buildSegment({ payload, ipOptions: 12 }), IPCS | TCPCS, 0],
    ['a tagged packet', buildSegment({ payload, tag: 7 }), IPCS | TCPCS, 0],
    ['short, padded', buildSegment({ payload: pattern(1) }), IPCS | TCPCS, 0],
    ['a wrong IP checksum', buildSegment({ payload, checksums: 'wrong-ip' }), IPCS | TCPCS, IPE],
    ['a wrong TCP checksum', buildSegment({ payload, checksums: 'wrong-transport' }), IPCS | TCPCS, TCPE],
    [
      'a wrong UDP one, IPv6',
      buildSegment({ payload, ip: 6, protocol: 'udp', checksums: 'wrong-transport' }),
      TCPCS,
      TCPE,
    ],
  ] as const)('8254x 3.2.9: %s', (_name, segment, status, errors) => {
    expect(verdict(segment.bytes)).toEqual({ status, errors });
  });

  it('8254x 3.2.9: each kind is checked only where it is enabled', () => {
    const wrong = buildSegment({ payload, checksums: 'wrong-transport' }).bytes;
    expect(verdict(wrong, R.RXCSUM_IPOFLD)).toEqual({ status: IPCS, errors: 0 });
    expect(verdict(wrong, R.RXCSUM_TUOFLD)).toEqual({ status: TCPCS, errors: TCPE });
    expect(verdict(wrong, 0)).toEqual({ status: IXSM, errors: 0 });
    const six = buildSegment({ payload, ip: 6 }).bytes;
    expect(verdict(six, R.RXCSUM_IPOFLD | R.RXCSUM_TUOFLD)).toEqual({ status: IXSM, errors: 0 });
  });

  it('8254x 3.2.9: other types, fragments and a UDP checksum of zero are not judged', () => {
    expect(verdict(ethernetFrame()).status).toBe(IXSM);
    const fragment = buildSegment({ payload });
    new DataView(fragment.bytes.buffer).setUint16(fragment.ipStart + 6, 0x2000);
    expect(verdict(fragment.bytes)).toEqual({ status: IPCS, errors: IPE });
    const silent = buildSegment({ payload, protocol: 'udp' });
    silent.bytes.fill(0, silent.checksumOffset, silent.checksumOffset + 2);
    expect(verdict(silent.bytes)).toEqual({ status: IPCS, errors: 0 });
  });

  it('lengths that lie are not followed', () => {
    for (const [at, value] of [
      [14, 0x4f],
      [14, 0x41],
      [14, 0x65],
      [16, 0xff],
    ] as const) {
      const { bytes } = buildSegment({ payload: pattern(8) });
      bytes[at] = value;
      expect(verdict(bytes).status & TCPCS).toBe(0);
    }
    const six = buildSegment({ ip: 6, payload });
    six.bytes[18] = 0xff;
    expect(verdict(six.bytes)).toEqual({ status: IXSM, errors: 0 });
  });

  it.each([0, 14, 33, 255])(
    '8254x 13.4 RXCSUM: the packet checksum is the complement of the sum from PCSS %i on',
    (pcss) => {
      const bench = setUp();
      bench.driver.write(R.REG_RXCSUM, pcss);
      const frame = ethernetFrame({ length: 301 });
      bench.port.deliver(frame);
      expect(bench.driver.poll()!.checksum).toBe(~internetSum(frame, pcss) & 0xffff);
    },
  );

  it.each([0, 3, 14, 60])('8254x 13.4 RXCSUM: it is made after stripping, from PCSS %i on', (pcss) => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    bench.driver.write(R.REG_RXCSUM, pcss);
    bench.port.deliver(ethernetFrame({ length: 301, tag: 9 }));
    const packet = bench.driver.poll()!;
    expect(packet.checksum).toBe(~internetSum(packet.bytes, pcss) & 0xffff);
  });

  it('8254x 13.4 RXCSUM: it includes the FCS unless SECRC is set', () => {
    const bench = setUp({ rctl: R.RCTL_BAM });
    bench.port.deliver(ethernetFrame({ length: 301 }));
    const packet = bench.driver.poll()!;
    expect(packet.checksum).toBe(~internetSum(packet.bytes) & 0xffff);
  });
});

describe('descriptors run out', () => {
  it.each([0, 1, 2])(
    '8254x 13.4.22: RXDMT0 when the free descriptors reach the fraction RDMTS %i',
    (rdmts) => {
      const bench = setUp({ ring: 64, rctl: BASE | (rdmts << R.RCTL_RDMTS_SHIFT) });
      const threshold = 64 >> (1 + rdmts);
      for (let free = 62; free >= threshold; free--) {
        expect(bench.driver.read(R.REG_ICR) & R.ICR_RXDMT0).toBe(0);
        bench.port.deliver(ethernetFrame());
      }
      expect(bench.driver.read(R.REG_ICR) & R.ICR_RXDMT0).toBe(R.ICR_RXDMT0);
    },
  );

  it('8254x 13.7: packets wait in the FIFO (RNBC), and go to memory by an event after RDT moves', () => {
    const bench = setUp({ ring: 8 });
    const frames = Array.from({ length: 12 }, (_, seed) => ethernetFrame({ seed, length: 100 + seed }));
    for (const frame of frames) bench.port.deliver(frame);
    expect(bench.driver.read(R.REG_RNBC)).toBe(5);
    const received = bench.driver.pollAll();
    expect(received.length).toBe(7);
    expect(bench.driver.poll()).toBeUndefined();
    bench.run(LONG);
    received.push(...bench.driver.pollAll());
    expect(received.map(({ bytes }) => bytes)).toEqual(frames);
    expect(bench.driver.read(R.REG_MPC)).toBe(0);
  });

  it('8254x 13.7.5: packets that find the FIFO full are missed: MPC and RXO', () => {
    const bench = setUp({ ring: 8 });
    const frame = ethernetFrame({ length: 1514 });
    const fits = Math.floor(0xc000 / (16 + 1520));
    for (let packet = 0; packet < 7 + fits; packet++) bench.port.deliver(frame);
    expect(bench.driver.read(R.REG_ICR) & R.ICR_RXO).toBe(0);
    for (let packet = 0; packet < 3; packet++) expect(bench.port.deliver(frame)).toBe(true);
    expect(bench.driver.read(R.REG_ICR) & R.ICR_RXO).toBe(R.ICR_RXO);
    expect(bench.driver.read(R.REG_MPC)).toBe(3);
    expect(bench.count('rx-drop', 'fifo full')).toBe(3);
    expect(bench.driver.read(R.REG_TPR)).toBe(10 + fits);
  });

  it('a packet longer than the whole ring arrives in pieces, as descriptors come', () => {
    const bench = setUp({ ring: 8, bufferSize: 256, rctl: BASE | R.RCTL_LPE | (3 << 16) });
    const frame = ethernetFrame({ length: 9000 });
    bench.port.deliver(frame);
    const bytes: number[] = [];
    for (let round = 0, next = 0; round < 8; round++) {
      for (; ; next = (next + 1) % 8) {
        const at = bench.driver.rxDescriptor(next);
        const status = bench.driver.load32(at + 12);
        if ((status & R.RXD_STATUS_DD) === 0) break;
        bytes.push(...bench.driver.load(bench.driver.rxBuffer(next), bench.driver.load32(at + 8) & 0xffff));
        bench.driver.postReceive(next, bench.driver.rxBuffer(next));
      }
      bench.driver.write(R.REG_RDT, (next + 7) % 8);
      bench.run(LONG);
    }
    expect(new Uint8Array(bytes)).toEqual(frame);
  });
});

describe('descriptors read ahead', () => {
  it('8254x 3.2.6: are read in bursts, and forgotten when the ring is moved', () => {
    const bench = setUp();
    bench.port.deliver(ethernetFrame());
    expect(bench.count('dma', 'descriptors read')).toBe(16);
    const ring = 0x8030_0000;
    const buffer = 0x8031_0000;
    const descriptor = new Uint8Array(16);
    new DataView(descriptor.buffer).setUint32(0, buffer, true);
    for (let index = 0; index < 8; index++) bench.driver.store(ring + 16 * index, descriptor);
    bench.driver.write(R.REG_RDBAL, ring);
    bench.driver.write(R.REG_RDLEN, 128);
    bench.driver.write(R.REG_RDT, 7);
    const frame = ethernetFrame({ seed: 5 });
    bench.port.deliver(frame);
    expect(bench.driver.load(buffer, frame.length)).toEqual(frame);
  });

  it('8254x 3.2.6: never beyond the tail', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RDT, 3);
    bench.port.deliver(ethernetFrame());
    expect(bench.count('dma', 'descriptors read')).toBe(3);
  });
});

describe('hostile rings', () => {
  it.each([
    ['length 0', (bench: NicBench) => bench.driver.write(R.REG_RDLEN, 0)],
    ['head beyond the ring', (bench: NicBench) => bench.driver.write(R.REG_RDH, 0xffff)],
    ['tail beyond the ring', (bench: NicBench) => bench.driver.write(R.REG_RDT, 64)],
  ])('8254x 13.4.27: %s: there are no descriptors, packets wait', (_name, spoil) => {
    const bench = setUp();
    spoil(bench);
    bench.port.deliver(ethernetFrame());
    bench.run(LONG);
    expect(bench.count('dma', 'descriptors read')).toBe(0);
    expect(bench.driver.read(R.REG_RNBC)).toBe(1);
    expect(bench.clock.nextEvent).toBe(Infinity);
  });

  it('a ring outside memory: the packet is lost, and counted', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RDBAL, 0x1000);
    bench.port.deliver(ethernetFrame());
    expect(bench.count('rx-drop', 'dma refused')).toBe(1);
    expect(bench.driver.read(R.REG_RDH)).toBe(0);
  });

  it('a buffer outside memory: the descriptor comes back with RXE, the packet is lost', () => {
    const bench = setUp();
    bench.driver.postReceive(0, 0x10);
    bench.port.deliver(ethernetFrame());
    bench.port.deliver(ethernetFrame());
    const status = bench.driver.load32(bench.driver.rxDescriptor(0) + 12);
    expect(status & 0xffff).toBe((R.RXD_ERROR_RXE << 8) | R.RXD_STATUS_DD | R.RXD_STATUS_EOP);
    expect(bench.driver.load32(bench.driver.rxDescriptor(1) + 12) & 3).toBe(
      R.RXD_STATUS_DD | R.RXD_STATUS_EOP,
    );
    expect(bench.count('rx-drop', 'dma refused')).toBe(1);
  });

  it('a ring of null descriptors is used up once, and the packet waits', () => {
    const bench = setUp();
    for (let index = 0; index < 64; index++) bench.driver.postReceive(index, 0);
    const frame = ethernetFrame();
    bench.port.deliver(frame);
    expect(bench.driver.read(R.REG_RDH)).toBe(63);
    bench.driver.postReceive(63, bench.driver.rxBuffer(63));
    bench.driver.write(R.REG_RDT, 0);
    bench.run(LONG);
    expect(bench.driver.load(bench.driver.rxBuffer(63), 64)).toEqual(frame);
  });

  it('a guest that writes over the FIFO loses packets, nothing else', () => {
    const bench = setUp({ ring: 8 });
    for (let packet = 0; packet < 12; packet++) bench.port.deliver(ethernetFrame({ length: 500 }));
    for (let at = 0x1_0000; at < 0x2_0000; at += 4) bench.driver.write(at, 0xffff_fff0);
    for (let round = 0; round < 10; round++) {
      bench.driver.write(R.REG_RDT, (bench.driver.read(R.REG_RDH) + 7) % 8);
      bench.run(LONG);
    }
    bench.driver.start();
    bench.port.deliver(ethernetFrame());
    expect(bench.driver.poll()?.bytes).toEqual(ethernetFrame());
  });
});
