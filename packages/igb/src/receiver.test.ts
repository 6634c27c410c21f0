import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { buildSegment, ethernetFrame, macBytes, NicBench, pattern, TEST_MAC } from './testing/index.js';
import type { StartOptions } from './testing/index.js';

const LONG = 5_000_000;
const ALL = [...new Array(16).keys()];

function started(options: StartOptions = {}): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start(options);
  bench.run(1_000_000);
  return bench;
}

/** The key and vectors that the field verifies RSS by. */
const KEY = '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa'
  .match(/../g)!
  .map((hex) => parseInt(hex, 16));

function setKey(bench: NicBench): void {
  for (let word = 0; word < 10; word++) {
    const value = KEY.slice(4 * word, 4 * word + 4).reduce(
      (sum, byte, nth) => sum + byte * 2 ** (8 * nth),
      0,
    );
    bench.driver.write(R.REG_RSSRK + 4 * word, value);
  }
}

describe('filters', () => {
  it('82576 7.1.2: station, broadcast, multicast table, promiscuous', () => {
    const bench = started();
    const { driver, port } = bench;
    const got = (to: string): boolean => {
      port.deliver(ethernetFrame({ to }));
      return driver.poll() !== undefined;
    };
    expect([got(TEST_MAC), got('ff:ff:ff:ff:ff:ff'), got('52:54:00:00:00:99')]).toEqual([true, true, false]);
    expect(got('01:00:5e:00:00:fb')).toBe(false);
    // 12 bits from bit 4 of the last two octets.
    const hash = (0xfb00 >> 4) & 0xfff;
    driver.write(R.REG_MTA + 4 * (hash >> 5), 1 << (hash & 31));
    expect(got('01:00:5e:00:00:fb')).toBe(true);
    driver.write(R.REG_RCTL, driver.read(R.REG_RCTL) | B.RCTL_UPE);
    expect(got('52:54:00:00:00:99')).toBe(true);
    const [a, b, c, d, e, f] = macBytes('02:11:22:33:44:55') as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    driver.write(R.REG_RCTL, driver.read(R.REG_RCTL) & ~B.RCTL_UPE);
    driver.write(R.REG_RAL16 + 56, a | (b << 8) | (c << 16) | (d << 24));
    driver.write(R.REG_RAH16 + 56, e | (f << 8) | B.RAH_AV);
    expect(got('02:11:22:33:44:55')).toBe(true);
  });

  it('82576 7.1.2: VFTA, with VFE, and stripping with VME', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.write(R.REG_RCTL, driver.read(R.REG_RCTL) | B.RCTL_VFE);
    port.deliver(ethernetFrame({ tag: 0x2005 }));
    expect(driver.poll()).toBeUndefined();
    driver.write(R.REG_VFTA, 1 << 5);
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_VME);
    port.deliver(ethernetFrame({ tag: 0x2005, length: 104 }));
    const packet = driver.poll()!;
    expect([packet.vlan, packet.bytes.length, packet.status & B.RXD_STATUS_VP]).toEqual([
      0x2005,
      100,
      B.RXD_STATUS_VP,
    ]);
    expect([...packet.bytes.subarray(12, 14)]).toEqual([0x88, 0xb5]);
  });

  it('82576 7.1.1.7: RSS hashes verify by the known vectors, and RETA names the queue', () => {
    const bench = started({ queues: ALL });
    const { driver, port } = bench;
    setKey(bench);
    driver.write(R.REG_RXCSUM, driver.read(R.REG_RXCSUM) | B.RXCSUM_PCSD);
    driver.write(R.REG_MRQC, B.MRQC_RSS | B.MRQC_IPV4 | B.MRQC_IPV4_TCP);
    for (let entry = 0; entry < 128; entry += 4)
      driver.write(
        R.REG_RETA + entry,
        [0, 1, 2, 3].reduce((sum, nth) => sum + ((entry + nth) & 15) * 2 ** (8 * nth), 0),
      );
    const { bytes } = buildSegment({ payload: pattern(40) });
    bytes.set([66, 9, 149, 187, 161, 142, 100, 80], 26);
    bytes.set([2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255], 34);
    port.deliver(bytes);
    const hash = 0x51cc_c178;
    const packet = driver.poll(hash & 15)!;
    expect(packet.hash).toBe(hash);
    expect(packet.packetInfo).toBe(B.PACKET_IPV4 | B.PACKET_TCP | 1);
    driver.write(R.REG_MRQC, B.MRQC_RSS | B.MRQC_IPV4);
    port.deliver(bytes);
    expect(driver.poll(0x323e_8fc2 & 15)?.hash).toBe(0x323e_8fc2);
  });

  it('82576 7.1.1.2: ETQF sends a type to its queue and says which filter it was', () => {
    const bench = started({ queues: [0, 6] });
    bench.driver.write(
      R.REG_ETQF + 8,
      0x88b5 | B.ETQF_ENABLE | B.ETQF_QUEUE_ENABLE | (6 << B.ETQF_QUEUE_SHIFT),
    );
    bench.port.deliver(ethernetFrame({}));
    expect(bench.driver.poll(6)?.packetInfo).toBe(B.PACKET_ETQF | (2 << 4));
  });

  it('82576 7.1.1.4: SYNQF takes connection requests', () => {
    const bench = started({ queues: [0, 3] });
    bench.driver.write(R.REG_SYNQF, B.SYNQF_ENABLE | (3 << B.SYNQF_QUEUE_SHIFT));
    bench.port.deliver(buildSegment({ payload: pattern(10), flags: 0x02 }).bytes);
    bench.port.deliver(buildSegment({ payload: pattern(10), flags: 0x12 }).bytes);
    expect([bench.driver.pollAll(3).length, bench.driver.pollAll(0).length]).toEqual([1, 1]);
  });

  it('82576 7.1.1.5: a 5-tuple filter: protocol, addresses and ports; each can be left out', () => {
    const bench = started({ queues: [0, 9] });
    const { driver, port } = bench;
    const { bytes } = buildSegment({ payload: pattern(10) });
    const big = (value: number): number => ((value & 255) << 8) | (value >> 8);
    driver.write(R.REG_SAQF + 4, 0x0100_000a);
    driver.write(R.REG_DAQF + 4, 0x0200_000a);
    driver.write(R.REG_SPQF + 4, big(1000));
    driver.write(R.REG_IMIR + 4, big(2000));
    driver.write(R.REG_FTQF + 4, 6 | B.FTQF_VF_BP | B.FTQF_QUEUE_ENABLE | (9 << B.FTQF_QUEUE_SHIFT));
    port.deliver(bytes);
    expect([driver.pollAll(9).length, driver.pollAll(0).length]).toEqual([1, 0]);
    driver.write(R.REG_SPQF + 4, big(1001));
    port.deliver(bytes);
    expect([driver.pollAll(9).length, driver.pollAll(0).length]).toEqual([0, 1]);
    driver.write(R.REG_FTQF + 4, driver.read(R.REG_FTQF + 4) | B.FTQF_SOURCE_PORT_BP);
    port.deliver(bytes);
    expect([driver.pollAll(9).length, driver.pollAll(0).length]).toEqual([1, 0]);
  });
});

describe('descriptors', () => {
  it('82576 7.1.5: a packet of several buffers', () => {
    const bench = started({ rctl: B.RCTL_BAM | B.RCTL_SECRC | B.RCTL_LPE });
    const frame = ethernetFrame({ length: 5000 });
    bench.port.deliver(frame);
    const packet = bench.driver.poll()!;
    expect([packet.descriptors, packet.bytes]).toEqual([3, frame]);
  });

  it('82576 7.1.4: legacy descriptors', () => {
    const bench = started({ srrctl: 2 });
    const { bytes } = buildSegment({ payload: pattern(50) });
    bench.port.deliver(bytes);
    const at = bench.driver.rxDescriptor(0);
    expect(bench.driver.load32(at + 8) & 0xffff).toBe(bytes.length);
    const status = bench.driver.load32(at + 12) & 0xffff;
    expect(status).toBe(B.RXD_STATUS_DD | B.RXD_STATUS_EOP | B.RXD_STATUS_L4I | B.RXD_STATUS_IPCS);
  });

  it.each([
    ['a header that PSRTYPE names goes to the header buffer', B.DESCTYPE_SPLIT, 0x10, 1 << 2, true],
    ['one that it does not stays', B.DESCTYPE_SPLIT, 0x10, 1 << 3, false],
    ['one that does not fit says so', B.DESCTYPE_SPLIT, 0, 1 << 2, false],
    ['split always fills the header buffer', B.DESCTYPE_SPLIT_ALWAYS, 0x2, 0, false],
  ])('82576 7.1.10: header split: %s', (_name, type, size, kinds, split) => {
    const bench = started({
      srrctl: 2 | (size << B.SRRCTL_BSIZEHEADER_SHIFT) | (type << B.SRRCTL_DESCTYPE_SHIFT),
    });
    bench.driver.write(R.REG_PSRTYPE, kinds);
    const { bytes } = buildSegment({ payload: pattern(500) });
    bench.port.deliver(bytes);
    const { bytes: got, headerInfo, status } = bench.driver.poll()!;
    expect(got).toEqual(bytes);
    expect((headerInfo & B.RXD_SPH) !== 0).toBe(split || size === 0);
    if (split) expect((headerInfo >> B.RXD_HDR_LEN_SHIFT) & 0x3ff).toBe(54);
    expect((status & B.RXD_ERROR_HBO) !== 0).toBe(size === 0);
  });

  it('82576 7.1.7: checksums that are right, wrong in IP, wrong in TCP', () => {
    const bench = started();
    const errors = (['right', 'wrong-ip', 'wrong-transport'] as const).map((checksums) => {
      bench.port.deliver(buildSegment({ payload: pattern(33), checksums }).bytes);
      return (
        bench.driver.poll()!.status &
        (B.RXD_ERROR_IPE | B.RXD_ERROR_L4E | B.RXD_STATUS_L4I | B.RXD_STATUS_IPCS)
      );
    });
    const checked = B.RXD_STATUS_L4I | B.RXD_STATUS_IPCS;
    expect(errors).toEqual([checked, checked | B.RXD_ERROR_IPE, checked | B.RXD_ERROR_L4E]);
  });

  it('82576 8.10.1: SECRC clear leaves the FCS in', () => {
    const bench = started({ rctl: B.RCTL_BAM });
    bench.port.deliver(ethernetFrame({ length: 80 }));
    expect(bench.driver.poll()?.bytes.length).toBe(84);
  });

  it('82576 7.1.6: without descriptors packets wait; with Drop_En they are dropped and RQDPC counts', () => {
    const bench = started({ ring: 8 });
    const { driver, port } = bench;
    for (let nth = 0; nth < 9; nth++) port.deliver(ethernetFrame({ seed: nth }));
    expect(driver.pollAll().length).toBe(7);
    bench.run(LONG);
    expect(driver.pollAll().length).toBe(2);
    expect(driver.read(R.REG_RNBC)).toBeGreaterThan(0);
    driver.writeQueue(R.REG_SRRCTL, 0, driver.readQueue(R.REG_SRRCTL, 0) | B.SRRCTL_DROP_EN);
    for (let nth = 0; nth < 10; nth++) port.deliver(ethernetFrame({ seed: nth }));
    expect(driver.readQueue(R.REG_RQDPC, 0)).toBe(3);
    expect(driver.pollAll().length).toBe(7);
  });

  it('82576 8.18: MPC when the packet buffer is full', () => {
    const bench = started({ ring: 8 });
    for (let nth = 0; nth < 60; nth++) bench.port.deliver(ethernetFrame({ length: 1500 }));
    expect(bench.driver.read(R.REG_MPC)).toBe(60 - 7 - Math.floor(65536 / (32 + 1504)));
  });

  it('82576 8.10: a ring, and a buffer, outside memory: the frame is lost, the controller goes on', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.postReceive(0, 0, 0x1000);
    port.deliver(ethernetFrame({}));
    expect((driver.load32(driver.rxDescriptor(0) + 8) & B.RXD_ERROR_RXE) !== 0).toBe(true);
    port.deliver(ethernetFrame({ seed: 2 }));
    expect(driver.load32(driver.rxDescriptor(1) + 8) & B.RXD_STATUS_DD).toBe(1);
    driver.writeQueue(R.REG_RDBAL, 0, 0x1000);
    port.deliver(ethernetFrame({}));
    expect(bench.count('rx-drop', 'dma refused')).toBe(2);
  });

  it('82576 3.5.5: a PAUSE frame stops the transmitter for its time', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_RFCE);
    const pause = ethernetFrame({ to: '01:80:c2:00:00:01', type: 0x8808 });
    pause.set([0, 1, 0, 100], 14);
    port.deliver(pause);
    driver.send(ethernetFrame({}));
    bench.run(50_000);
    expect(port.sent).toEqual([]);
    bench.run(10_000);
    expect(port.sent.length).toBe(1);
    expect(driver.read(R.REG_XOFFRXC)).toBe(1);
  });

  it('82576 3.5.5: XOFF at FCRTH', () => {
    const bench = started({ ring: 8 });
    const { driver, port } = bench;
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_TFCE);
    driver.write(R.REG_FCTTV, 0x55);
    driver.write(R.REG_FCRTH, 4096);
    driver.write(R.REG_FCRTL, 2048);
    for (let nth = 0; nth < 12; nth++) port.deliver(ethernetFrame({ length: 1500 }));
    bench.run(10_000);
    expect([...port.sent[0].subarray(0, 18)]).toEqual([
      ...macBytes('01:80:c2:00:00:01'),
      ...macBytes(TEST_MAC),
      0x88,
      0x08,
      0,
      1,
      0,
      0x55,
    ]);
    expect(driver.read(R.REG_XOFFTXC)).toBe(1);
  });
});
