import { describe, expect, it } from 'vitest';
import { FakeHost } from '@vmloom/device/testing';
import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { Iommu } from './iommu.js';
import { commands, IommuBench, PageTable, ProcessDirectory } from './testing/index.js';
import { DATA, gscid, PC, pscid, TC } from './testing/tables.js';
import * as REG from './registers.js';

const RAM = 0x8000_0000n;
const A = RAM + 0x20_0000n;

describe('registers', () => {
  it('6.3: capabilities of everything', () => {
    const { driver } = new IommuBench();
    const value = driver.read64(REG.CAPABILITIES);
    // 1.0; Sv39/48/57, Svpbmt, x4 of each, AMO_MRIF, MSI_FLAT, MSI_MRIF, AMO_HWAD, ATS, T2GPA, END, IGS both, HPM, DBG.
    expect(value & 0xffff_ffffn).toBe(0xefee_8e10n);
    // PAS 56, PD8, PD17, PD20.
    expect(value >> 32n).toBe(0x1f8n);
    driver.write64(REG.CAPABILITIES, 0n);
    expect(driver.read64(REG.CAPABILITIES)).toBe(value);
  });

  it('6.2: after reset the mode is Off (or Bare, as told), queues are off, nothing is pending', () => {
    const bench = new IommuBench();
    bench.driver.command([0n, 0n]);
    bench.iommu.reset();
    for (const offset of [REG.DDTP, REG.CQCSR, REG.FQCSR, REG.PQCSR, REG.IPSR, REG.TR_REQ_CTL]) {
      expect(bench.driver.read(offset)).toBe(0);
    }
    expect(bench.lines[0].level).toBe(false);
    const host = new FakeHost();
    const bare = new Iommu({ name: 'x', clock: host.clock, space: host.space, resetMode: 'bare' });
    expect(bare.read(REG.DDTP, 4)).toBe(1);
  });

  it('6.4: fields of fctl that the capabilities fix do not change', () => {
    const host = new FakeHost();
    const only = new Iommu({
      name: 'msi',
      clock: host.clock,
      space: host.space,
      features: { bothEndians: false },
    });
    only.write(REG.FCTL, 4, 0xffff_ffff);
    expect(only.read(REG.FCTL, 4)).toBe(0);
    const wired = new Iommu({
      name: 'wsi',
      clock: host.clock,
      space: host.space,
      lines: [{ set: () => undefined }],
      messageInterrupts: false,
    });
    wired.write(REG.FCTL, 4, 0);
    expect(wired.read(REG.FCTL, 4)).toBe(REG.FCTL_WSI);
    wired.write(REG.MSI_CFG_TBL, 4, 0x1000);
    expect(wired.read(REG.MSI_CFG_TBL, 4)).toBe(0);
  });

  it('6: registers of features that are not there read 0', () => {
    const { driver } = new IommuBench({ features: { ats: false, monitor: false, debug: false } });
    for (const offset of [
      REG.PQB,
      REG.PQH,
      REG.PQCSR,
      REG.IOCOUNTINH,
      REG.IOHPMCYCLES,
      REG.IOHPMCTR,
      REG.TR_REQ_IOVA,
    ]) {
      driver.write(offset, 0xffff_ffff);
      expect(driver.read(offset)).toBe(0);
    }
  });

  it('6: reserved bits are not kept', () => {
    const { driver } = new IommuBench({ queues: false });
    driver.write64(REG.CQB, ~0n);
    expect(driver.read64(REG.CQB)).toBe(0x003f_ffff_ffff_fc1fn);
    driver.write64(REG.TR_REQ_IOVA, ~0n);
    expect(driver.read64(REG.TR_REQ_IOVA)).toBe(0xffff_ffff_ffff_f000n);
    driver.write(REG.ICVEC, 0xffff_ffff);
    expect(driver.read(REG.ICVEC)).toBe(0x3333);
    driver.write64(REG.MSI_CFG_TBL, ~0n);
    expect(driver.read64(REG.MSI_CFG_TBL)).toBe(0x00ff_ffff_ffff_fffcn);
  });

  it('6: an access that is not of 4 bytes reads 0, and offsets above the first KiB too', () => {
    const { iommu } = new IommuBench();
    expect(iommu.read(0, 2)).toBe(0);
    expect(iommu.read(0xffc, 4)).toBe(0);
    iommu.write(0xffc, 4, 1);
    iommu.write(REG.ICVEC, 1, 3);
    expect(iommu.read(REG.ICVEC, 4)).toBe(0);
  });
});

describe('debug translation', () => {
  it('6.27 to 6.29: the page, and the size of a superpage', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    bench.directory.set(1, { fsc: table.pointer });
    table.map(0x1000n, A);
    table.map(0x40_0000n, A, DATA, 1);
    expect(bench.driver.debug({ device: 1, iova: 0x1000n })).toBe((A >> 12n) << 10n);
    const response = bench.driver.debug({ device: 1, iova: 0x40_5000n });
    expect(response & (1n << 9n)).toBe(1n << 9n);
    expect((response >> 10n) & 0x1ffn).toBe(0xffn);
    expect(response >> 19n).toBe(A >> 21n);
    expect(bench.driver.read(REG.TR_REQ_CTL) & 1).toBe(0);
  });

  it('5: a fault is recorded, and shown', () => {
    const bench = new IommuBench();
    bench.directory.set(1, { fsc: new PageTable(bench.memory).pointer });
    expect(bench.driver.debug({ device: 1, iova: 0x1000n, noWrite: true })).toBe(1n);
    expect(bench.driver.debug({ device: 1, iova: 0x1000n })).toBe(1n);
    expect(bench.driver.faults().map(({ cause, type }) => [cause, type])).toEqual([
      [13, 2],
      [15, 3],
    ]);
  });
});

describe('performance monitor', () => {
  const selector = (counter: number, value: bigint, driver: IommuBench['driver']): void =>
    driver.write64(REG.IOHPMEVT + 8 * (counter - 1), value);
  const counted = (counter: number, { driver }: IommuBench): bigint =>
    driver.read64(REG.IOHPMCTR + 8 * (counter - 1));

  it('6.23: each event', () => {
    const bench = new IommuBench({ levels: 2 });
    for (let event = 1; event <= 8; event++) selector(event, BigInt(event), bench.driver);
    const guest = new PageTable(bench.memory, { guest: true });
    guest.map(0x8000_0000n, RAM, DATA, 2);
    const table = new PageTable(bench.memory);
    const processes = new ProcessDirectory(bench.memory, 2);
    processes.set(3, { fsc: table.pointer });
    table.map(0x1000n, A);
    bench.directory.set(1, {
      tc: TC.V | TC.PDTV | TC.EN_ATS,
      fsc: processes.pointer,
      iohgatp: guest.pointer | gscid(1),
    });
    bench.where(1, 0x1000n, { pasid: 3 });
    bench.where(1, 0x1000n, { pasid: 3 });
    bench.where(1, 0x1000n, { type: 2 });
    bench.iommu.requestTranslation({
      requester: 1,
      pasid: 3,
      privileged: false,
      execute: false,
      noWrite: true,
      low: 0x1000,
      high: 0,
    });
    const values = [1, 2, 3, 4, 5, 6, 7, 8].map((counter) => Number(counted(counter, bench)));
    // The process directory is two reads behind one of the second stage each; the tables likewise.
    expect(values).toEqual([2, 1, 1, 1, 2, 2, 6, 10]);
  });

  it.each([
    ['no filter', 4n, 3],
    ['device', 4n | (1n << 61n) | (2n << 36n), 1],
    ['device with DMASK', 4n | (1n << 15n) | (1n << 61n) | (1n << 36n), 3],
    ['process', 4n | (1n << 60n) | (8n << 16n), 1],
    ['device and process', 4n | (1n << 60n) | (1n << 61n) | (8n << 16n) | (3n << 36n), 1],
    ['PSCID', 4n | (1n << 62n) | (1n << 60n) | (0x11n << 16n), 2],
    ['GSCID', 4n | (1n << 62n) | (1n << 61n) | (5n << 36n), 1],
    ['GSCID and PSCID', 4n | (3n << 60n) | (1n << 62n) | (0x11n << 16n) | (5n << 36n), 0],
    ['an event that has no such filter', 1n | (1n << 62n) | (1n << 60n) | (0x11n << 16n), 0],
  ])('6.23: filters: %s', (_name, value, expected) => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    table.map(0x1000n, A);
    const guest = new PageTable(bench.memory, { guest: true });
    guest.map(0x8000_0000n, RAM, DATA, 2);
    const processes = new ProcessDirectory(bench.memory);
    processes.set(8, { ta: PC.V | pscid(0x11), fsc: table.pointer });
    bench.directory.set(1, { ta: pscid(0x11), fsc: table.pointer });
    bench.directory.set(2, { iohgatp: guest.pointer | gscid(5) });
    bench.directory.set(3, { tc: TC.V | TC.PDTV, fsc: processes.pointer });
    selector(7, value, bench.driver);
    bench.where(1, 0x1000n);
    bench.driver.command(commands.vma());
    bench.where(2, RAM);
    bench.where(3, 0x1000n, { pasid: 8 });
    expect(Number(counted(7, bench))).toBe(expected);
  });

  it('6.20, 6.23: inhibited counters stand; an overflow sets OF and pmip once', () => {
    const bench = new IommuBench();
    bench.directory.set(1, {});
    bench.driver.write(REG.ICVEC, 0x200);
    selector(1, 1n, bench.driver);
    bench.driver.write64(REG.IOHPMCTR, 0xffff_ffff_ffff_fffen);
    bench.driver.write(REG.IOCOUNTINH, 2);
    bench.where(1, RAM);
    expect(counted(1, bench)).toBe(0xffff_ffff_ffff_fffen);
    bench.driver.write(REG.IOCOUNTINH, 0);
    bench.where(1, RAM);
    bench.where(1, RAM);
    expect(counted(1, bench)).toBe(0n);
    expect(bench.driver.read(REG.IOCOUNTOVF)).toBe(2);
    expect(bench.driver.read64(REG.IOHPMEVT) >> 63n).toBe(1n);
    expect(bench.lines[2].level).toBe(true);
    bench.driver.write(REG.IPSR, 4);
    expect(bench.lines[2].level).toBe(false);
    bench.driver.write64(REG.IOHPMCTR, 0xffff_ffff_ffff_ffffn);
    bench.where(1, RAM);
    expect(bench.driver.read(REG.IPSR)).toBe(0);
  });

  it('6.21: cycles run with virtual time, stand while inhibited, and overflow at 2^63', () => {
    const bench = new IommuBench();
    bench.driver.run(1000);
    expect(bench.driver.read64(REG.IOHPMCYCLES)).toBe(1000n);
    bench.driver.write(REG.IOCOUNTINH, 1);
    bench.driver.run(500);
    expect(bench.driver.read64(REG.IOHPMCYCLES)).toBe(1000n);
    bench.driver.write64(REG.IOHPMCYCLES, (1n << 63n) - 100n);
    bench.driver.write(REG.IOCOUNTINH, 0);
    bench.driver.run(99);
    expect(bench.driver.read(REG.IPSR)).toBe(0);
    bench.driver.run(2);
    expect(bench.driver.read(REG.IPSR)).toBe(4);
    expect(bench.driver.read64(REG.IOHPMCYCLES)).toBe((1n << 63n) | 1n);
    expect(bench.driver.read(REG.IOCOUNTOVF)).toBe(1);
  });

  it('6.23: while a counter counts, ports ask for every access', () => {
    const bench = new IommuBench();
    const port = bench.port(1);
    expect(port.generation).toBe(port.generation);
    selector(1, 1n, bench.driver);
    expect(port.generation).not.toBe(port.generation);
  });
});

describe('big-endian structures', () => {
  it('3.10: directory, tables, queues and fences in the order of fctl.BE', () => {
    const bench = new IommuBench({ bigEndian: true, levels: 2 });
    const table = new PageTable(bench.memory, { bigEndian: true, guest: true });
    table.map(0x1000n, A);
    bench.directory.set(0x155, { iohgatp: table.pointer });
    expect(bench.where(0x155, 0x1008n)).toBe(A + 8n);
    bench.request(0x155, { iova: 0x5000n });
    expect(bench.driver.faults()).toMatchObject([
      { cause: 21, device: 0x155, iotval: 0x5000n, iotval2: 0x5000n },
    ]);
    bench.driver.command(commands.fence({ address: A, data: 0x1122_3344 }));
    expect(bench.memory.load(A, true) >> 32n).toBe(0x1122_3344n);
  });
});

describe('snapshot', () => {
  it('contract Snapshot: registers, caches and what is under way come back', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    bench.directory.set(1, { fsc: table.pointer });
    table.map(0x1000n, A);
    bench.where(1, 0x1000n);
    table.map(0x1000n, A + 0x1000n);
    bench.request(1, { iova: 0x9000n });
    const saved = decodeSnapshot(encodeSnapshot(bench.iommu.save()));
    bench.iommu.reset();
    expect(bench.where(1, 0x1000n)).toBeUndefined();
    bench.iommu.restore(saved);
    expect(bench.where(1, 0x1000n)).toBe(A);
    expect(bench.driver.faults()).toMatchObject([{ cause: 13 }]);
    expect(bench.lines[0].level).toBe(true);
  });

  it('contract Snapshot: one of another IOMMU is refused', () => {
    const saved = new IommuBench().iommu.save();
    const other = new IommuBench({ features: { ats: false } });
    expect(() => other.iommu.restore(saved)).toThrow('other capabilities');
    const smaller = new IommuBench({ caches: { iotlb: 64 } });
    expect(() => smaller.iommu.restore(saved)).toThrow('caches');
    expect(() => new IommuBench({ caches: { iotlb: 3 } })).toThrow('power of two');
  });
});
