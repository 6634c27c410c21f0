import {
  ATS_ABORT,
  ATS_SUCCESS,
  ATS_UNSUPPORTED,
  DMA_FAULT,
  DMA_OK,
  PAGE_FAILURE,
  PAGE_INVALID_REQUEST,
  PAGE_SUCCESS,
} from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import * as REG from './registers.js';
import {
  AtsDevice,
  commands,
  IommuBench,
  PageTable,
  ProcessDirectory,
  type BenchOptions,
} from './testing/index.js';
import { A, D, DATA, G, gscid, msiBasic, msiMrif, PC, R, TC, U, V, W, X } from './testing/tables.js';

const RAM = 0x8000_0000n;
const TARGET = RAM + 0x20_0000n;
const DEVICE = 3;
const ATS = TC.V | TC.EN_ATS;

function setUp(tc = 0n, options: BenchOptions = {}) {
  const bench = new IommuBench({ invalidationTimeout: 1000, ...options });
  const table = new PageTable(bench.memory);
  bench.directory.set(DEVICE, { tc: ATS | tc, fsc: table.pointer });
  const device = new AtsDevice(DEVICE, bench.iommu, bench.port(DEVICE));
  bench.iommu.functions = device;
  return { bench, table, device };
}

const at = ({ low, high }: { low: number; high: number }): bigint => (BigInt(high) << 32n) | BigInt(low);

describe('translation requests', () => {
  it('3.6: the answer has the address, the range and the permissions', () => {
    const { bench, table, device } = setUp();
    table.map(0x1000n, TARGET);
    table.map(0x40_0000n, TARGET, V | R | U | A, 1);
    const page = device.ask(0x1000n);
    expect(page).toMatchObject({ status: ATS_SUCCESS, shift: 12, read: true, write: true, execute: false });
    expect(at(page)).toBe(TARGET);
    const large = device.ask(0x40_5000n);
    expect(large).toMatchObject({ shift: 21, read: true, write: false, global: false, privileged: false });
    expect(at(large)).toBe(TARGET);
    expect(device.write(0x1010n, new Uint8Array([1, 2]))).toBe(DMA_OK);
    expect(bench.memory.load(TARGET + 0x10n)).toBe(0x0201n);
  });

  it('3.6: write permission needs D; SADE sets it when write is asked for', () => {
    const { table, device } = setUp();
    table.map(0x1000n, TARGET, V | R | W | U | A);
    expect(device.ask(0x1000n)).toMatchObject({ read: false, write: false });
    expect(device.ask(0x1000n, { noWrite: true })).toMatchObject({ read: true, write: false });
    const dirty = setUp(TC.SADE);
    dirty.table.map(0x1000n, TARGET, V | R | W | U);
    expect(dirty.device.ask(0x1000n, { noWrite: true })).toMatchObject({ read: true, write: false });
    expect(dirty.table.entry(0x1000n) & (A | D)).toBe(A);
    expect(dirty.device.ask(0x1000n)).toMatchObject({ read: true, write: true });
    expect(dirty.table.entry(0x1000n) & (A | D)).toBe(A | D);
  });

  it('3.6: what is not mapped is a success without permissions, and no fault is recorded', () => {
    const { bench, table, device } = setUp();
    table.map(0x2000n, TARGET, DATA & ~U);
    for (const iova of [0x1000n, 0x2000n, 1n << 50n]) {
      expect(device.ask(iova)).toMatchObject({
        status: ATS_SUCCESS,
        read: false,
        write: false,
        execute: false,
      });
    }
    expect(bench.driver.faults()).toEqual([]);
  });

  it('3.6: configuration errors are a completer abort, and are recorded', () => {
    const { bench, table, device } = setUp();
    table.setEntry(0x4000_0000n, (0x1_2345n << 10n) | V, 2);
    expect(device.ask(0x4000_0000n).status).toBe(ATS_ABORT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 5, type: 8, iotval: 0x4000_0000n }]);
  });

  it('3.6: permanent errors are an unsupported request, and are recorded', () => {
    const { bench, device } = setUp();
    bench.directory.set(DEVICE, {});
    expect(device.ask(0x1000n).status).toBe(ATS_UNSUPPORTED);
    bench.directory.clear(DEVICE);
    bench.driver.command(commands.ddt());
    expect(device.ask(0x1000n).status).toBe(ATS_UNSUPPORTED);
    bench.driver.setDirectory(1n);
    expect(device.ask(0x1000n).status).toBe(ATS_UNSUPPORTED);
    bench.driver.setDirectory(0n);
    expect(device.ask(0x1000n).status).toBe(ATS_UNSUPPORTED);
    expect(bench.driver.faults().map(({ cause, type }) => [cause, type])).toEqual([
      [260, 8],
      [258, 8],
      [260, 8],
      [256, 8],
    ]);
  });

  it('3.6: Priv, Global and execute permission with a PASID', () => {
    const { bench, device } = setUp();
    const table = new PageTable(bench.memory);
    const processes = new ProcessDirectory(bench.memory);
    processes.set(7, { ta: PC.V | PC.ENS | PC.SUM, fsc: table.pointer });
    bench.directory.set(DEVICE, { tc: ATS | TC.PDTV, fsc: processes.pointer });
    table.map(0x1000n, TARGET, DATA | X | G);
    expect(device.ask(0x1000n, { pasid: 7, execute: true })).toMatchObject({
      execute: true,
      global: true,
      privileged: false,
    });
    expect(device.ask(0x1000n, { pasid: 7 })).toMatchObject({ execute: false });
    // A supervisor reads a user page with SUM, but never executes it.
    expect(device.ask(0x1000n, { pasid: 7, privileged: true, execute: true })).toMatchObject({
      read: true,
      execute: false,
      privileged: true,
    });
    expect(device.ask(0x1000n, { pasid: 8 })).toMatchObject({ status: ATS_SUCCESS, read: false });
  });

  it('3.1.3.1: with T2GPA the device gets guest addresses, and its translated requests go through the second stage', () => {
    const { bench, table, device } = setUp();
    const guest = new PageTable(bench.memory, { guest: true });
    guest.map(0x8000_0000n, RAM, DATA, 2);
    guest.map(0x5000n, TARGET);
    bench.directory.set(DEVICE, {
      tc: ATS | TC.T2GPA,
      fsc: table.pointer,
      iohgatp: guest.pointer | gscid(2),
    });
    table.map(0x1000n, 0x5000n);
    expect(at(device.ask(0x1000n))).toBe(0x5000n);
    expect(device.write(0x1008n, new Uint8Array([9]))).toBe(DMA_OK);
    expect(bench.memory.load(TARGET + 8n)).toBe(9n);
    guest.unmap(0x5000n);
    bench.driver.command(commands.gvma({ gscid: 2 }));
    expect(device.write(0x1008n, new Uint8Array([9]))).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 23, type: 7, iotval: 0x5008n }]);
  });

  it('3.6: a page in MRIF mode is for untranslated requests alone; basic mode is not', () => {
    const { bench, device } = setUp();
    const guest = new PageTable(bench.memory, { guest: true });
    const files = bench.memory.pages();
    const msi = { msiptp: (1n << 60n) | (files >> 12n), msiMask: 1n, msiPattern: 0x2_8000n };
    bench.directory.set(DEVICE, { tc: ATS, iohgatp: guest.pointer, ...msi });
    const [first, second] = msiMrif(TARGET, TARGET + 0x1000n, 3);
    bench.memory.store(files, first);
    bench.memory.store(files + 8n, second);
    bench.memory.store(files + 16n, msiBasic(TARGET)[0]);
    expect(device.ask(0x2800_0000n)).toMatchObject({ untranslatedOnly: true, read: true, write: true });
    const basic = device.ask(0x2800_1000n);
    expect(basic).toMatchObject({ untranslatedOnly: false, global: false });
    expect(at(basic)).toBe(TARGET);
  });
});

describe('ATS.INVAL', () => {
  it('4.1.4: the device forgets the range; the fence waits for it', () => {
    const { bench, table, device } = setUp();
    table.map(0x1000n, TARGET);
    device.ask(0x1000n);
    device.prompt = false;
    bench.driver.command(
      commands.atsInvalidate({ requester: DEVICE, address: 0x1000n }),
      commands.fence({ address: TARGET, data: 5 }),
    );
    expect(bench.driver.read(REG.CQH)).toBe(1);
    bench.driver.run(0);
    expect(bench.memory.load(TARGET)).toBe(0n);
    expect(device.invalidations).toMatchObject([
      { requester: DEVICE, pasid: -1, low: 0x1000, high: 0, shift: 12 },
    ]);
  });

  it('4.1.4: completed in time, the fence is done', () => {
    const { bench, table, device } = setUp(0n, { invalidationTimeout: 10_000_000 });
    table.map(0x1000n, TARGET);
    device.ask(0x1000n);
    device.prompt = false;
    bench.driver.command(
      commands.atsInvalidate({ requester: DEVICE, address: 0x1000n }),
      commands.fence({ address: TARGET, data: 5 }),
    );
    expect(device.write(0x1000n, new Uint8Array(1))).toBe(DMA_OK);
    device.complete(device.invalidations[0].tag);
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(5n);
    expect(bench.driver.read(REG.CQH)).toBe(2);
    expect(device.write(0x1000n, new Uint8Array(1))).toBe(DMA_FAULT);
  });

  it('4.1.4: ranges, PASID and G', () => {
    const { bench, device } = setUp();
    bench.driver.command(
      commands.atsInvalidate({
        requester: DEVICE,
        address: 0x7f_ffff_1000n,
        range: true,
        pasid: 0x12345,
        global: true,
      }),
      commands.atsInvalidate({ requester: DEVICE, address: 0x7fff_ffff_ffff_f000n, range: true }),
    );
    expect(device.invalidations).toMatchObject([
      { pasid: 0x12345, global: true, low: 0xffff_0000, high: 0x7f, shift: 14 },
      { pasid: -1, global: false, low: 0, high: 0, shift: 64 },
    ]);
  });

  it('6.15: an invalidation that nobody completes times out: cmd_to, and cqh at the fence', () => {
    const { bench } = setUp();
    bench.driver.command(
      commands.atsInvalidate({ requester: 0x77 }),
      commands.fence({ address: TARGET, data: 1 }),
    );
    expect(bench.driver.read(REG.CQCSR)).toBe(REG.QUEUE_ON | REG.COMMAND_TIMEOUT | 3);
    expect(bench.driver.read(REG.CQH)).toBe(1);
    expect(bench.driver.read(REG.IPSR)).toBe(1);
    bench.driver.write(REG.CQCSR, REG.COMMAND_TIMEOUT | 3);
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(1n);
  });

  it('PCIe 10.3.1: 32 at once; more wait for a tag', () => {
    const { bench, device } = setUp(0n, { invalidationTimeout: 1e9 });
    device.prompt = false;
    bench.driver.command(...Array.from({ length: 40 }, () => commands.atsInvalidate({ requester: DEVICE })));
    expect(bench.driver.read(REG.CQH)).toBe(32);
    device.complete(device.invalidations[4].tag);
    bench.driver.run(1000);
    expect(device.invalidations).toHaveLength(33);
    // Of another function, or one that nobody waits for: dropped.
    bench.iommu.completeInvalidation(DEVICE + 1, 0xffff_ffff);
    bench.driver.run(1000);
    expect(device.invalidations).toHaveLength(33);
    bench.iommu.completeInvalidation(DEVICE, 0xffff_ffff);
    bench.driver.run(1000);
    expect(bench.driver.read(REG.CQH)).toBe(40);
  });
});

describe('page requests', () => {
  const PRI = TC.EN_PRI;

  it('4.3: a record holds who and what', () => {
    const { bench, device } = setUp(PRI);
    device.requestPage({ low: 0x1234_5000, high: 0x7f, group: 0x1ab, write: true });
    device.requestPage({ pasid: 0xabcde, privileged: true, execute: true, last: false });
    expect(bench.driver.pageRequests()).toEqual([
      { device: DEVICE, process: -1, privileged: false, execute: false, payload: 0x7f_1234_5d5fn },
      { device: DEVICE, process: 0xabcde, privileged: true, execute: true, payload: 1n },
    ]);
    expect(bench.driver.read(REG.IPSR)).toBe(8);
    expect(device.responses).toEqual([]);
  });

  it('4.1.4: PRGR answers a group', () => {
    const { bench, device } = setUp(PRI);
    bench.driver.command(
      commands.pageResponse({ requester: DEVICE, group: 0x155, code: PAGE_INVALID_REQUEST, pasid: 4 }),
      commands.pageResponse({ requester: DEVICE, group: 1, code: PAGE_SUCCESS }),
    );
    expect(device.responses).toEqual([
      { requester: DEVICE, pasid: 4, group: 0x155, code: PAGE_INVALID_REQUEST },
      { requester: DEVICE, pasid: -1, group: 1, code: PAGE_SUCCESS },
    ]);
  });

  it('3.7: what cannot be queued is answered by the IOMMU, unless it wants no answer', () => {
    const { bench, device } = setUp();
    device.requestPage({ group: 5, pasid: 6 });
    device.requestPage({ group: 5, last: false });
    device.requestPage({ group: 5, read: false, pasid: 6 });
    expect(device.responses).toEqual([
      { requester: DEVICE, pasid: -1, group: 5, code: PAGE_INVALID_REQUEST },
    ]);
    const faults = bench.driver.faults();
    expect(faults).toHaveLength(3);
    expect(faults[0]).toMatchObject({ cause: 260, type: 9, process: 6, iotval: 4n });
  });

  it('3.7: PRPR has answers carry the PASID; failures carry it always', () => {
    const { bench, device } = setUp(PRI | TC.PRPR);
    bench.driver.write(REG.PQCSR, 0);
    device.requestPage({ group: 1, pasid: 6 });
    bench.driver.setDirectory(0n);
    device.requestPage({ group: 2, pasid: 6 });
    bench.driver.setDirectory(1n);
    device.requestPage({ group: 3, pasid: 6 });
    expect(device.responses).toMatchObject([
      { group: 1, pasid: 6, code: PAGE_FAILURE },
      { group: 2, pasid: 6, code: PAGE_FAILURE },
      { group: 3, pasid: -1, code: PAGE_INVALID_REQUEST },
    ]);
    expect(bench.driver.faults().map((fault) => fault.cause)).toEqual([256, 260]);
  });

  it('6.17: a full queue sets pqof, and answers success; memory that refuses sets pqmf, and answers failure', () => {
    const { bench, device } = setUp(PRI, { log2: 1 });
    device.requestPage({ group: 1 });
    device.requestPage({ group: 2 });
    device.requestPage({ group: 3 });
    expect(bench.driver.read(REG.PQCSR)).toBe(REG.QUEUE_ON | REG.QUEUE_OVERFLOW | 3);
    expect(device.responses.map(({ group, code }) => [group, code])).toEqual([
      [2, PAGE_SUCCESS],
      [3, PAGE_SUCCESS],
    ]);
    bench.driver.write(REG.PQCSR, 0);
    bench.driver.write64(REG.PQB, 0n);
    bench.driver.write(REG.PQCSR, 3);
    device.requestPage({ group: 4 });
    device.requestPage({ group: 5 });
    expect(bench.driver.read(REG.PQCSR)).toBe(REG.QUEUE_ON | REG.QUEUE_MEMORY_FAULT | 3);
    expect(device.responses.slice(2).map(({ group, code }) => [group, code])).toEqual([
      [4, PAGE_FAILURE],
      [5, PAGE_FAILURE],
    ]);
    expect(bench.driver.faults()).toEqual([]);
  });
});
