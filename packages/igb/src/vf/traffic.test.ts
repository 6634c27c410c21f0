import { registers as P } from '@vmloom/pci';
import { describe, expect, it } from 'vitest';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import { DTXSWC, VMOLR, VT_CTL } from '../switch/switch-bits.js';
import type { FakeDriver } from '../testing/fake-driver.js';
import { BROADCAST, ethernetFrame, macBytes } from '../testing/frames.js';
import { TestPort } from '../testing/test-port.js';
import { VirtualBench } from '../testing/virtual-bench.js';

const STRANGER = '02:aa:bb:cc:dd:ee';
const own = (pool: number): string => `02:00:00:00:00:0${pool}`;
const PF_POOL = 7;

/** Drivers of the physical function (queue 7) and of three virtual ones, all receiving. */
class Traffic extends VirtualBench {
  readonly wire: TestPort;
  readonly pf: FakeDriver;
  readonly vfs: readonly FakeDriver[];

  constructor() {
    const wire = new TestPort();
    super({ port: wire });
    this.wire = wire;
    this.host.run(20_000_000);
    this.pf = this.pfDriver();
    this.pf.start({ queues: [PF_POOL] });
    this.enable(3);
    this.write(R.REG_CTRL_EXT, B.CTRL_EXT_PFRSTD);
    this.write(R.REG_MRQC, B.MRQC_VMDQ);
    this.write(R.REG_VT_CTL, (PF_POOL << VT_CTL.defaultPoolShift) | VT_CTL.replication);
    this.write(R.REG_DTXSWC, DTXSWC.loopback);
    for (const pool of [0, 1, 2, PF_POOL]) {
      const [a, b, c, d, e, f] = macBytes(own(pool)) as [number, number, number, number, number, number];
      this.write(R.REG_RAL0 + 8 * pool, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
      this.write(R.REG_RAH0 + 8 * pool, (e | (f << 8) | (1 << (pool + B.RAH_POOL_SHIFT)) | B.RAH_AV) >>> 0);
      this.write(R.REG_VMOLR + 4 * pool, (VMOLR.acceptBroadcast | VMOLR.acceptUntagged | 0x8000_0000) >>> 0);
    }
    this.vfs = [0, 1, 2].map((vf) => {
      const driver = this.vfDriver(vf);
      driver.startReceive(0);
      driver.startTransmit(0);
      return driver;
    });
    this.host.run(1_000_000);
    this.wire.sent.length = 0;
  }

  /** Everything that has arrived, by pool: the last byte of each frame's source, and its length. */
  arrived(): Record<number, number> {
    this.host.run(1_000_000);
    const counts: Record<number, number> = {};
    const all: [number, FakeDriver, number][] = [
      ...this.vfs.map((driver, vf): [number, FakeDriver, number] => [vf, driver, 0]),
      [PF_POOL, this.pf, PF_POOL],
    ];
    for (const [pool, driver, queue] of all) {
      while (driver.poll(queue) !== undefined) counts[pool] = (counts[pool] ?? 0) + 1;
    }
    return counts;
  }
}

const frame = (to: string, from: string, length = 64): Uint8Array => ethernetFrame({ to, from, length });

describe('frames between functions and the wire', () => {
  it('from function to function: its bytes and no others, marked as looped back, not on the wire', () => {
    const bench = new Traffic();
    const sent = frame(own(1), own(0), 1200);
    const index = bench.vfs[0].send(sent);
    bench.host.run(100_000);
    expect(bench.vfs[0].transmitted(index)).toBe(true);
    const got = bench.vfs[1].poll();
    expect(got?.bytes).toEqual(sent);
    expect(got!.status & B.RXD_STATUS_LB).toBe(B.RXD_STATUS_LB);
    expect(bench.arrived()).toEqual({});
    expect(bench.wire.sent).toEqual([]);
  });

  it('from the wire to the function that it is for; a stranger’s is the default pool’s; broadcasts are everybody’s', () => {
    const bench = new Traffic();
    bench.wire.deliver(frame(own(2), STRANGER));
    expect(bench.arrived()).toEqual({ 2: 1 });
    bench.wire.deliver(frame(STRANGER, own(9)));
    expect(bench.arrived()).toEqual({ [PF_POOL]: 1 });
    bench.wire.deliver(frame(BROADCAST, STRANGER));
    expect(bench.arrived()).toEqual({ 0: 1, 1: 1, 2: 1, [PF_POOL]: 1 });
  });

  it('a broadcast of a function reaches the others and the wire, once each', () => {
    const bench = new Traffic();
    bench.vfs[1].send(frame(BROADCAST, own(1)));
    expect(bench.arrived()).toEqual({ 0: 1, 2: 1, [PF_POOL]: 1 });
    expect(bench.wire.sent).toHaveLength(1);
  });

  it('82576 8.19: each pool’s counters tell of what it sends and gets, and of what is looped back', () => {
    const bench = new Traffic();
    bench.vfs[0].send(frame(own(1), own(0), 100));
    bench.vfs[0].send(frame(STRANGER, own(0), 200));
    bench.wire.deliver(frame(own(1), STRANGER, 300));
    bench.arrived();
    const sent = [0x14, 0x34, 0x44, 0x50].map((at) => bench.vfRead(0, 0xf00 + at));
    expect(sent).toEqual([2, 308, 1, 104]);
    const got = [0x10, 0x18, 0x40, 0x48].map((at) => bench.vfRead(1, 0xf00 + at));
    expect(got).toEqual([1, 304, 1, 104]);
  });

  it('a function without bus master enable, or without VFTE, keeps its frames; neighbours lose nothing', () => {
    const bench = new Traffic();
    const [first] = bench.card.functions;
    bench.host.configWrite(first, P.COMMAND, 2, 0);
    bench.write(R.REG_VFTE, 0xff & ~(1 << 1));
    for (const vf of [0, 1, 2]) bench.vfs[vf].send(frame(own(PF_POOL), own(vf)));
    expect(bench.arrived()).toEqual({ [PF_POOL]: 1 });
    bench.write(R.REG_VFTE, 0xff);
    expect(bench.arrived()).toEqual({ [PF_POOL]: 1 });
  });

  it('82576 7.10.3.9: a spoofed frame reaches nobody and is counted', () => {
    const bench = new Traffic();
    bench.write(R.REG_DTXSWC, (DTXSWC.loopback | 1) >>> 0);
    bench.vfs[0].send(frame(own(1), own(2)));
    bench.vfs[0].send(frame(BROADCAST, own(2)));
    bench.vfs[0].send(frame(own(1), own(0)));
    expect(bench.arrived()).toEqual({ 1: 1 });
    expect(bench.wire.sent).toEqual([]);
    expect(bench.read(R.REG_WVBR)).toBe(1);
    expect(bench.read(R.REG_SSVPC)).toBe(2);
  });

  it('82576 8.12: a limited function keeps to its rate within 5 %, and holds nobody else back', () => {
    const bench = new Traffic();
    bench.write(R.REG_RTTDQSEL, 0);
    bench.write(R.REG_RTTBCNRC, (0x8000_0000 | (20 << 14)) >>> 0);
    const frames = 60;
    const began = bench.host.clock.now;
    for (let index = 0; index < frames; index++) {
      bench.vfs[0].send(frame(STRANGER, own(0), 1514));
      bench.vfs[2].send(frame(STRANGER, own(2), 1514));
    }
    bench.host.run(2_000_000);
    const from = (pool: number): number =>
      bench.wire.sent.filter((bytes) => bytes[11] === pool && bytes[6] === 2).length;
    expect(from(2)).toBe(frames);
    let ends = 0;
    for (let step = 0; step < 2000 && from(0) < frames; step++) {
      bench.host.run(10_000);
      ends = bench.host.clock.now - began;
    }
    expect(from(0)).toBe(frames);
    // The last frame leaves when the ones before it have been paid for.
    const megabits = ((frames - 1) * (1514 + 24) * 8 * 1000) / ends;
    expect(megabits).toBeGreaterThan(50 * 0.95);
    expect(megabits).toBeLessThan(50 * 1.05);
  });

  it('82576 7.10.2.11: a ring that cannot be read blocks its own queue', () => {
    const bench = new Traffic();
    bench.write(R.REG_DTXCTL, 1 << 5);
    bench.vfWrite(0, 0x3800, 0x100);
    bench.vfs[0].ringTransmit(0);
    bench.vfWrite(0, 0x3818, 5);
    bench.vfs[1].send(frame(own(2), own(1)));
    expect(bench.arrived()).toEqual({ 2: 1 });
    expect(bench.read(R.REG_MDFB)).toBe(1);
    expect(bench.vfRead(0, 0x3828) & B.DCTL_ENABLE).toBe(0);
  });

  it('a function that vanishes in the middle of its frames leaves the others alone', () => {
    const bench = new Traffic();
    for (let index = 0; index < 20; index++) bench.vfs[0].send(frame(own(1), own(0), 1514));
    bench.host.run(5_000);
    bench.sriov.disable();
    bench.pf.send(frame(STRANGER, own(PF_POOL)), undefined, PF_POOL);
    bench.host.run(1_000_000);
    expect(bench.wire.sent).toHaveLength(1);
    expect(bench.card.functions[0].dma.enabled).toBe(false);
  });
});
