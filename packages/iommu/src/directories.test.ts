import { AT_TRANSLATED, DMA_FAULT, DMA_OK } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { commands, IommuBench, PageTable, ProcessDirectory } from './testing/index.js';
import { gscid, PC, pscid, TC, type DeviceContext } from './testing/tables.js';

const RAM = 0x8000_0000n;

/** The cause and type of the last fault, after a read that must fail. */
function faultOf(bench: IommuBench, device: number, request: Parameters<IommuBench['request']>[1]): number {
  expect(bench.request(device, request).status).toBe(DMA_FAULT);
  const faults = bench.driver.faults();
  expect(faults).toHaveLength(1);
  return faults[0].cause;
}

describe('modes of ddtp', () => {
  it('3.3 step 1: Off refuses every transaction with cause 256', () => {
    const bench = new IommuBench();
    bench.driver.setDirectory(0n);
    expect(bench.request(0x108, { iova: RAM, write: true }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toEqual([
      { cause: 256, type: 3, device: 0x108, process: -1, privileged: false, iotval: RAM, iotval2: 0n },
    ]);
  });

  it('3.3 step 2: Bare passes untranslated requests, and refuses translated ones with cause 260', () => {
    const bench = new IommuBench();
    bench.driver.setDirectory(1n);
    expect(bench.where(5, RAM + 0x123n)).toBe(RAM + 0x123n);
    expect(faultOf(bench, 5, { iova: RAM, type: AT_TRANSLATED })).toBe(260);
    expect(bench.driver.faults()).toEqual([]);
  });

  it.each([
    [1, true, 64],
    [1, false, 128],
    [2, true, 1 << 15],
    [2, false, 1 << 16],
  ] as const)(
    '3.3 step 5: %i levels, extended %s: device IDs of %i and above are too wide',
    (levels, extended, limit) => {
      const bench = new IommuBench({ levels, features: extended ? {} : { messages: 'none' } });
      bench.directory.set(limit - 1, {});
      expect(bench.where(limit - 1, RAM)).toBe(RAM);
      if (limit < 1 << 16) expect(faultOf(bench, limit, { iova: RAM })).toBe(260);
    },
  );

  it('6.5: a mode that there is not leaves ddtp alone', () => {
    const bench = new IommuBench();
    const before = bench.driver.read64(16);
    bench.driver.write(16, 5);
    expect(bench.driver.read64(16)).toBe(before);
  });
});

describe('device directory', () => {
  it.each([
    [1, true, 0x3f],
    [2, true, 0x7fff],
    [3, true, 0xffff],
    [1, false, 0x7f],
    [2, false, 0xffff],
    [3, false, 0xffff],
  ] as const)('3.3.1: %i levels, extended %s, device %i', (levels, extended, device) => {
    const bench = new IommuBench({ levels, features: extended ? {} : { messages: 'none' } });
    bench.directory.set(device, {});
    expect(bench.where(device, RAM + 8n)).toBe(RAM + 8n);
    expect(bench.count('device-directory', 'read')).toBe(levels);
    expect(bench.where(device, RAM + 16n)).toBe(RAM + 16n);
    expect(bench.count('device-directory', 'read')).toBe(levels);
    expect(bench.count('device-cache', 'hit')).toBe(1);
  });

  it('3.3.1: an entry that is not valid (258), reserved bits of one (259), one outside memory (257)', () => {
    const bench = new IommuBench({ levels: 3 });
    const { memory, directory } = bench;
    directory.set(9, {});
    const entry = directory.place(9, 1);
    const good = memory.load(entry);
    memory.store(entry, good & ~1n);
    expect(faultOf(bench, 9, { iova: RAM })).toBe(258);
    for (const reserved of [1n << 1n, 1n << 9n, 1n << 54n, 1n << 63n]) {
      memory.store(entry, good | reserved);
      expect(faultOf(bench, 9, { iova: RAM })).toBe(259);
    }
    memory.store(entry, (0x1234_5678n << 10n) | 1n);
    expect(faultOf(bench, 9, { iova: RAM })).toBe(257);
    memory.store(directory.place(9, 2), (0xfff_ffff_ffffn << 10n) | 1n);
    expect(faultOf(bench, 9, { iova: RAM })).toBe(257);
  });

  it('3.3.1: a context that is not valid (258)', () => {
    const bench = new IommuBench();
    bench.directory.set(9, { tc: TC.SADE, reserved: ~0n });
    expect(faultOf(bench, 9, { iova: RAM })).toBe(258);
  });

  const SV39 = 8n << 60n;
  const wrong: [string, DeviceContext, object?][] = [
    ['reserved bits of tc', { tc: TC.V | (1n << 12n) }],
    ['reserved bits 63:32 of tc', { tc: TC.V | (1n << 40n) }],
    ['reserved bits of fsc', { fsc: 1n << 44n }],
    ['reserved bits of ta', { ta: 1n }],
    ['fields of QoS without that extension', { ta: 1n << 40n }],
    ['reserved doubleword', { reserved: 1n }],
    ['reserved bits of msiptp', { msiptp: 1n << 50n, iohgatp: SV39 }],
    ['EN_ATS without capability', { tc: TC.V | TC.EN_ATS }, { ats: false }],
    ['EN_PRI without EN_ATS', { tc: TC.V | TC.EN_PRI }],
    ['T2GPA without EN_ATS', { tc: TC.V | TC.T2GPA, iohgatp: SV39 }],
    ['PRPR without EN_PRI', { tc: TC.V | TC.EN_ATS | TC.PRPR }],
    ['T2GPA without capability', { tc: TC.V | TC.EN_ATS | TC.T2GPA, iohgatp: SV39 }, { guestAts: false }],
    ['T2GPA with iohgatp Bare', { tc: TC.V | TC.EN_ATS | TC.T2GPA }],
    ['pdtp mode 4', { tc: TC.V | TC.PDTV, fsc: 4n << 60n }],
    ['PD20 without capability', { tc: TC.V | TC.PDTV, fsc: 3n << 60n }, { processes: 'pd17' }],
    ['PD17 without capability', { tc: TC.V | TC.PDTV, fsc: 2n << 60n }, { processes: 'pd8' }],
    ['PD8 without capability', { tc: TC.V | TC.PDTV, fsc: 1n << 60n }, { processes: 'none' }],
    ['iosatp mode 1', { fsc: 1n << 60n }],
    ['iosatp mode 11', { fsc: 11n << 60n }],
    ['Sv57 without capability', { fsc: 10n << 60n }, { firstStage: 'sv48' }],
    ['Sv48 without capability', { fsc: 9n << 60n }, { firstStage: 'sv39' }],
    ['Sv39 without capability', { fsc: SV39 }, { firstStage: 'none' }],
    ['DPE without PDTV', { tc: TC.V | TC.DPE }],
    ['iohgatp mode 7', { iohgatp: 7n << 60n }],
    ['iohgatp mode 11', { iohgatp: 11n << 60n }],
    ['Sv57x4 without capability', { iohgatp: 10n << 60n }, { secondStage: 'sv48x4' }],
    ['Sv48x4 without capability', { iohgatp: 9n << 60n }, { secondStage: 'sv39x4' }],
    ['Sv39x4 without capability', { iohgatp: SV39 }, { secondStage: 'none' }],
    ['a second-stage root that is not aligned', { iohgatp: SV39 | 2n }],
    ['msiptp mode 2', { iohgatp: SV39, msiptp: 2n << 60n }],
    ['msiptp Flat with iohgatp Bare', { msiptp: 1n << 60n }],
    ['a mask wider than guest addresses', { iohgatp: SV39, msiMask: 1n << 47n }],
    ['a pattern wider than guest addresses', { iohgatp: SV39, msiPattern: 1n << 52n }],
    ['SADE without capability', { tc: TC.V | TC.SADE }, { dirty: false }],
    ['GADE without capability', { tc: TC.V | TC.GADE }, { dirty: false }],
    ['SXL', { tc: TC.V | TC.SXL }],
    ['SBE with one byte order', { tc: TC.V | TC.SBE }, { bothEndians: false }],
  ];
  it.each(wrong)('3.1.4: a misconfigured context (259): %s', (_name, context, features = {}) => {
    const bench = new IommuBench({ features });
    bench.directory.set(1, context);
    expect(faultOf(bench, 1, { iova: RAM })).toBe(259);
    bench.directory.set(1, {});
    expect(bench.where(1, RAM)).toBe(RAM);
  });

  it('3.1.3.1: bits of tc for custom use mean nothing', () => {
    const bench = new IommuBench();
    bench.directory.set(1, { tc: TC.V | (0xffn << 24n) });
    expect(bench.where(1, RAM)).toBe(RAM);
  });

  it('3.1.3.1: DTF hides faults of translation, not those that are reported despite it', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    bench.directory.set(1, { tc: TC.V | TC.DTF, fsc: table.pointer });
    expect(bench.request(1, { iova: 0x1000n }).status).toBe(DMA_FAULT);
    expect(bench.request(1, { iova: RAM, type: AT_TRANSLATED }).status).toBe(DMA_FAULT);
    expect(bench.request(1, { iova: RAM, pasid: 3 }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toEqual([]);
    expect(bench.count('fault', '13')).toBe(1);
    bench.directory.set(1, { tc: TC.V | TC.DTF | (1n << 12n) });
    bench.driver.command(commands.ddt(1));
    expect(faultOf(bench, 1, { iova: RAM })).toBe(259);
  });

  it('3.3 step 7: translated requests without EN_ATS, and a process ID without PDTV (260)', () => {
    const bench = new IommuBench();
    bench.directory.set(1, {});
    expect(faultOf(bench, 1, { iova: RAM, type: AT_TRANSLATED })).toBe(260);
    expect(faultOf(bench, 1, { iova: RAM, pasid: 0 })).toBe(260);
  });

  it('3.3 step 8: with EN_ATS a translated request goes through', () => {
    const bench = new IommuBench();
    bench.directory.set(1, { tc: TC.V | TC.EN_ATS, fsc: new PageTable(bench.memory).pointer });
    expect(bench.where(1, RAM + 1n, { type: AT_TRANSLATED })).toBe(RAM + 1n);
  });
});

describe('process directory', () => {
  const setUp = (levels: 1 | 2 | 3, context: DeviceContext = {}, tc = 0n) => {
    const bench = new IommuBench();
    const processes = new ProcessDirectory(bench.memory, levels);
    const table = new PageTable(bench.memory);
    table.map(0x1000n, RAM + 0x5000n);
    bench.directory.set(2, { tc: TC.V | TC.PDTV | tc, fsc: processes.pointer, ...context });
    return { bench, processes, table };
  };

  it.each([
    [1, 0xff],
    [2, 0x1_ffff],
    [3, 0xf_ffff],
  ] as const)('3.3.2: %i levels, process 0x%x', (levels, process) => {
    const { bench, processes, table } = setUp(levels);
    processes.set(process, { ta: PC.V | pscid(7), fsc: table.pointer });
    expect(bench.where(2, 0x1008n, { pasid: process })).toBe(RAM + 0x5008n);
    expect(bench.count('process-directory', 'read')).toBe(levels);
    expect(bench.where(2, 0x1010n, { pasid: process })).toBe(RAM + 0x5010n);
    expect(bench.count('process-directory', 'read')).toBe(levels);
    expect(bench.count('process-cache', 'hit')).toBe(1);
  });

  it.each([
    [1, 0x100],
    [2, 0x2_0000],
  ] as const)('3.3 step 7: %i levels: process 0x%x is too wide (260)', (levels, process) => {
    const { bench } = setUp(levels);
    expect(faultOf(bench, 2, { iova: 0x1000n, pasid: process })).toBe(260);
  });

  it('3.3.2: an entry not valid (266), misconfigured (267), outside memory (265)', () => {
    const { bench, processes, table } = setUp(2);
    processes.set(0x305, { fsc: table.pointer });
    const { memory } = bench;
    const place = processes.place(0x305, 1);
    const entry = memory.load(place);
    memory.store(place, 0n);
    expect(faultOf(bench, 2, { iova: 0x1000n, pasid: 0x305 })).toBe(266);
    for (const reserved of [1n << 1n, 1n << 54n]) {
      memory.store(place, entry | reserved);
      expect(faultOf(bench, 2, { iova: 0x1000n, pasid: 0x305 })).toBe(267);
    }
    memory.store(place, (0x9999_9999n << 10n) | 1n);
    expect(faultOf(bench, 2, { iova: 0x1000n, pasid: 0x305 })).toBe(265);
    memory.store(place, entry);
    expect(bench.where(2, 0x1000n, { pasid: 0x305 })).toBe(RAM + 0x5000n);
  });

  it('3.3.2: a process context not valid (266); 3.2.4: misconfigured (267)', () => {
    const { bench, processes } = setUp(1);
    for (const [context, cause] of [
      [{ ta: 0n }, 266],
      [{ ta: PC.V | 8n }, 267],
      [{ ta: PC.V | (1n << 32n) }, 267],
      [{ fsc: 1n << 44n }, 267],
      [{ fsc: 5n << 60n }, 267],
    ] as const) {
      processes.set(1, context);
      expect(faultOf(bench, 2, { iova: 0x1000n, pasid: 1 })).toBe(cause);
    }
  });

  it('3.3 steps 11 to 13: without a process ID DPE picks process 0, else the first stage is Bare', () => {
    const { bench, processes, table } = setUp(1);
    processes.set(0, { fsc: table.pointer });
    expect(bench.where(2, RAM + 4n)).toBe(RAM + 4n);
    bench.directory.set(2, { tc: TC.V | TC.PDTV | TC.DPE, fsc: processes.pointer });
    bench.driver.command(commands.ddt(2));
    expect(bench.where(2, 0x1004n)).toBe(RAM + 0x5004n);
    bench.directory.set(2, { tc: TC.V | TC.PDTV, fsc: 0n });
    bench.driver.command(commands.ddt(2));
    expect(bench.where(2, RAM + 4n, { pasid: 77 })).toBe(RAM + 4n);
  });

  it('3.3 step 15: supervisor privilege needs ENS (260); SUM lets it reach user pages', () => {
    const { bench, processes, table } = setUp(1);
    const privileged = { iova: 0x1000n, pasid: 4, privileged: true };
    processes.set(4, { ta: PC.V, fsc: table.pointer });
    expect(faultOf(bench, 2, privileged)).toBe(260);
    processes.set(4, { ta: PC.V | PC.ENS, fsc: table.pointer });
    bench.driver.command(commands.pdt(2, 4));
    expect(faultOf(bench, 2, privileged)).toBe(13);
    processes.set(4, { ta: PC.V | PC.ENS | PC.SUM, fsc: table.pointer });
    bench.driver.command(commands.pdt(2, 4));
    expect(bench.where(2, 0x1000n, privileged)).toBe(RAM + 0x5000n);
  });

  it('3.3.2: with a second stage directory addresses are guest-physical; its faults are of the original access', () => {
    const bench = new IommuBench();
    const guest = new PageTable(bench.memory, { guest: true });
    const shift = 0x1_0000_0000n;
    const seen = (address: bigint): bigint => address + shift;
    const processes = new ProcessDirectory(bench.memory, 2, { seen });
    const table = new PageTable(bench.memory, { seen });
    processes.set(0x201, { fsc: table.pointer });
    table.map(0x1000n, 0x10_0000n);
    guest.map(0x10_0000n, RAM + 0x7000n);
    bench.directory.set(2, { tc: TC.V | TC.PDTV, fsc: processes.pointer, iohgatp: guest.pointer | gscid(3) });
    const request = { iova: 0x1000n, pasid: 0x201, write: true };
    expect(bench.request(2, request).status).toBe(DMA_FAULT);
    const [record] = bench.driver.faults();
    expect(record.cause).toBe(23);
    expect(record.iotval2).toBe((processes.place(0x201, 1) + shift) | 1n);
    for (let page = RAM + 0x40_0000n; page < RAM + 0x50_0000n; page += 0x1000n) guest.map(page + shift, page);
    expect(bench.where(2, 0x1234n, { pasid: 0x201, write: true })).toBe(RAM + 0x7234n);
    expect(bench.request(2, { iova: 0x1000n, pasid: 0x201 }).status).toBe(DMA_OK);
  });
});
