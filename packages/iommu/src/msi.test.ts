import { DMA_ABORT, DMA_FAULT, DMA_MESSAGE, DMA_OK } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { commands, IommuBench, PageTable, type BenchOptions } from './testing/index.js';
import { DATA, gscid, msiBasic, msiMrif } from './testing/tables.js';

const RAM = 0x8000_0000n;
const FILE = RAM + 0x30_0000n;
const NOTICE = RAM + 0x31_0000n;
/** Virtual interrupt files at 0x28000000, their number in bits 13:12 and 16 of the address. */
const PATTERN = 0x2800_0n;
const MASK = 0b1_0011n;
const VIRTUAL = 0x2800_0000n;

function setUp(options: BenchOptions = {}) {
  const bench = new IommuBench(options);
  const guest = new PageTable(bench.memory, { guest: true });
  const table = bench.memory.pages();
  const context = {
    iohgatp: guest.pointer | gscid(9),
    msiptp: (1n << 60n) | (table >> 12n),
    msiMask: MASK,
    msiPattern: PATTERN,
  };
  bench.directory.set(1, context);
  const entry = (index: number, [first, second]: [bigint, bigint]): void => {
    bench.memory.store(table + BigInt(16 * index), first);
    bench.memory.store(table + BigInt(16 * index + 8), second);
  };
  return { bench, guest, table, entry, context };
}

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};
const write = (bench: IommuBench, address: bigint, value: number, requester = 1) =>
  bench.port(requester).write(Number(address & 0xffff_ffffn), Number(address >> 32n), word(value));

describe('MSI page table, basic mode', () => {
  it('3.3.3: the file number is made of the bits of the mask', () => {
    const { bench, entry } = setUp();
    for (let index = 0; index < 8; index++) entry(index, msiBasic(FILE + (BigInt(index) << 12n)));
    const pages = [0x0000n, 0x1000n, 0x2000n, 0x3000n, 0x1_0000n, 0x1_1000n, 0x1_2000n, 0x1_3000n];
    pages.forEach((page, index) => {
      expect(bench.where(1, VIRTUAL + page + 4n, { write: true })).toBe(FILE + (BigInt(index) << 12n) + 4n);
    });
    expect(write(bench, VIRTUAL + 0x2000n, 77)).toBe(DMA_OK);
    expect(bench.memory.load(FILE + 0x2000n)).toBe(77n);
  });

  it('3.1.3.6: an address that does not match goes through the second stage', () => {
    const { bench, guest, entry } = setUp();
    entry(0, msiBasic(FILE));
    guest.map(VIRTUAL + 0x4000n, RAM + 0x5000n);
    expect(bench.where(1, VIRTUAL + 0x4000n)).toBe(RAM + 0x5000n);
  });

  it('3.3.3: the translation is kept, and goes with IOTINVAL.GVMA', () => {
    const { bench, entry } = setUp();
    entry(0, msiBasic(FILE));
    expect(bench.where(1, VIRTUAL, { write: true })).toBe(FILE);
    entry(0, msiBasic(FILE + 0x1000n));
    expect(bench.where(1, VIRTUAL, { write: true })).toBe(FILE);
    bench.driver.command(commands.gvma({ gscid: 9 }));
    expect(bench.where(1, VIRTUAL, { write: true })).toBe(FILE + 0x1000n);
  });

  it('3.3.3: a superpage around a virtual interrupt file does not hide it', () => {
    const { bench, guest, entry } = setUp();
    entry(0, msiBasic(FILE));
    guest.map(VIRTUAL, RAM, DATA, 1);
    expect(bench.where(1, VIRTUAL + 0x8000n)).toBe(RAM + 0x8000n);
    expect(bench.where(1, VIRTUAL, { write: true })).toBe(FILE);
  });

  it.each([
    ['not valid', [0n, 0n], 262],
    ['C', [msiBasic(FILE)[0] | (1n << 63n), 0n], 263],
    ['M 0', [1n, 0n], 263],
    ['M 2', [5n, 0n], 263],
    ['basic with a reserved bit', [msiBasic(FILE)[0] | 8n, 0n], 263],
    ['basic with bit 54', [msiBasic(FILE)[0] | (1n << 54n), 0n], 263],
    ['basic with a second doubleword', [msiBasic(FILE)[0], 1n], 263],
    ['MRIF with bit 3', [msiMrif(FILE, NOTICE, 1)[0] | 8n, 0n], 263],
    ['MRIF with bit 54', [msiMrif(FILE, NOTICE, 1)[0] | (1n << 54n), 0n], 263],
    ['MRIF with bit 61 of the second', [msiMrif(FILE, NOTICE, 1)[0], 1n << 61n], 263],
  ] as const)('3.3.3: faults: %s', (_name, words, cause) => {
    const { bench, entry } = setUp();
    entry(0, [...words]);
    expect(bench.request(1, { iova: VIRTUAL, length: 4, write: true }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause, iotval: VIRTUAL }]);
  });

  it('3.3.3: a table outside memory (261), an execute access (1)', () => {
    const { bench, entry, context } = setUp();
    entry(0, msiBasic(FILE));
    expect(bench.driver.debug({ device: 1, iova: VIRTUAL, execute: true, noWrite: true }) & 1n).toBe(1n);
    bench.directory.set(1, { ...context, msiptp: (1n << 60n) | 0x1234n });
    bench.driver.command(commands.ddt(1));
    expect(bench.request(1, { iova: VIRTUAL, write: true }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults().map((fault) => fault.cause)).toEqual([1, 261]);
  });

  it('6.3: without MSI_MRIF an entry in MRIF mode is misconfigured (263)', () => {
    const { bench, entry } = setUp({ features: { messages: 'flat' } });
    entry(0, msiMrif(FILE, NOTICE, 5));
    expect(write(bench, VIRTUAL, 3)).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 263 }]);
  });
});

describe('memory-resident interrupt files', () => {
  it.each([0, 1, 31, 32, 63, 64, 700, 2047])(
    'AIA 9.5: identity %i becomes pending, and the notice is written',
    (id) => {
      const { bench, entry } = setUp();
      entry(0, msiMrif(FILE + 0x200n, NOTICE, 0x7ff));
      expect(write(bench, VIRTUAL, id)).toBe(DMA_OK);
      const place = FILE + 0x200n + BigInt(id >> 6) * 16n;
      expect(bench.memory.load(place)).toBe(1n << BigInt(id & 63));
      expect(bench.memory.load(NOTICE)).toBe(0x7ffn);
      // The neighbours stay pending.
      bench.memory.store(place, ~0n ^ (1n << BigInt(id & 63)));
      write(bench, VIRTUAL, id);
      expect(bench.memory.load(place)).toBe(0xffff_ffff_ffff_ffffn);
    },
  );

  it('AIA 9.5: data that is no identity and other registers of the page are discarded', () => {
    const { bench, entry } = setUp();
    entry(0, msiMrif(FILE, NOTICE, 9));
    expect(write(bench, VIRTUAL, 2048)).toBe(DMA_OK);
    expect(write(bench, VIRTUAL + 8n, 5)).toBe(DMA_OK);
    expect(write(bench, VIRTUAL + 4n, 5)).toBe(DMA_OK);
    expect(bench.memory.load(NOTICE)).toBe(0n);
    expect(bench.memory.load(FILE)).toBe(0n);
  });

  it('AIA 9.5: what is no aligned word is aborted', () => {
    const { bench, entry } = setUp();
    entry(0, msiMrif(FILE, NOTICE, 9));
    expect(bench.request(1, { iova: VIRTUAL, length: 8, write: true }).status).toBe(DMA_ABORT);
    expect(bench.request(1, { iova: VIRTUAL + 2n, length: 4, write: true }).status).toBe(DMA_ABORT);
    expect(bench.request(1, { iova: VIRTUAL, length: 4 }).status).toBe(DMA_ABORT);
    expect(bench.request(1, { iova: VIRTUAL, length: 4, write: true }).status).toBe(DMA_MESSAGE);
    expect(bench.driver.faults()).toEqual([]);
  });

  it('4.2: a file outside memory is cause 264, a notice that nothing takes cause 273', () => {
    const { bench, entry } = setUp();
    entry(0, msiMrif(0x1000n, NOTICE, 9));
    expect(write(bench, VIRTUAL, 3)).toBe(DMA_ABORT);
    entry(0, msiMrif(FILE, 0x2000n, 9));
    expect(write(bench, VIRTUAL, 3)).toBe(DMA_OK);
    expect(bench.driver.faults()).toMatchObject([
      { cause: 264, type: 3, device: 1, iotval: VIRTUAL },
      { cause: 273, type: 0, device: 0, iotval: 0x2000n },
    ]);
    expect(bench.memory.load(FILE)).toBe(8n);
  });

  it('5: a debug request that leads to one is cause 260', () => {
    const { bench, entry } = setUp();
    entry(0, msiMrif(FILE, NOTICE, 9));
    expect(bench.driver.debug({ device: 1, iova: VIRTUAL }) & 1n).toBe(1n);
    expect(bench.driver.faults()).toMatchObject([{ cause: 260 }]);
  });
});
