import { DMA_FAULT, DMA_OK } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { commands, IommuBench, PageTable, ProcessDirectory, type BenchOptions } from './testing/index.js';
import { A, D, DATA, G, gscid, N, PC, R, TC, U, V, W, X, type Levels } from './testing/tables.js';

const RAM = 0x8000_0000n;
const TARGET = RAM + 0x20_0000n;
const SEEN = 0x40_0000_0000n;

function first(levels: Levels = 3, options: BenchOptions = {}, tc = 0n) {
  const bench = new IommuBench(options);
  const table = new PageTable(bench.memory, { levels });
  bench.directory.set(1, { tc: TC.V | tc, fsc: table.pointer });
  return { bench, table };
}

function second(levels: Levels = 3, options: BenchOptions = {}, tc = 0n) {
  const bench = new IommuBench(options);
  const table = new PageTable(bench.memory, { levels, guest: true });
  bench.directory.set(1, { tc: TC.V | tc, iohgatp: table.pointer | gscid(5) });
  return { bench, table };
}

/** Both stages; the VM's tables appear to it at SEEN, which the second stage maps. */
function nested(tc = 0n, guestFlags = DATA) {
  const bench = new IommuBench();
  const guest = new PageTable(bench.memory, { guest: true });
  const table = new PageTable(bench.memory, { seen: (address) => address - RAM + SEEN });
  bench.directory.set(1, { tc: TC.V | tc, fsc: table.pointer, iohgatp: guest.pointer | gscid(5) });
  for (let page = 0x40_0000n; page < 0x50_0000n; page += 0x1000n)
    guest.map(SEEN + page, RAM + page, guestFlags);
  return { bench, table, guest };
}

const lastFault = (bench: IommuBench) => bench.driver.faults().at(-1);

describe('first stage', () => {
  const sizes: [Levels, number][] = [3, 4, 5].flatMap((levels) =>
    Array.from({ length: levels }, (_, level): [Levels, number] => [levels as Levels, level]),
  );
  it.each(sizes)('3.3 step 17: %i levels, a page of level %i', (levels, level) => {
    const { bench, table } = first(levels);
    const size = 1n << BigInt(12 + 9 * level);
    const to = level <= 1 ? TARGET : (RAM / size) * size;
    const iova = size * 5n;
    table.map(iova, to, DATA, level);
    const offset = (RAM + 0x20_0123n - to) % size;
    expect(bench.where(1, iova + offset)).toBe(to + offset);
    expect(bench.count('first-stage', 'read')).toBe(levels - level);
    expect(bench.where(1, iova + offset + 4n)).toBe(to + offset + 4n);
    expect(bench.count('iotlb', 'hit')).toBe(1);
  });

  it.each([
    [3, 38n],
    [4, 47n],
    [5, 56n],
  ] as const)('Privileged 4.4.1: %i levels: an address must repeat bit %i above it', (levels, bit) => {
    const { bench, table } = first(levels);
    const top = -(1n << bit);
    table.map(top, TARGET);
    expect(bench.where(1, top & 0xffff_ffff_ffff_ffffn)).toBe(TARGET);
    expect(bench.where(1, 1n << (bit + 1n))).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 13, iotval: 1n << (bit + 1n) });
    expect(bench.where(1, (top ^ (1n << 63n)) & 0xffff_ffff_ffff_ffffn)).toBeUndefined();
  });

  const refused: [string, bigint, number][] = [
    ['not valid', DATA & ~V, 0],
    ['writable, not readable', V | W | U | A | D, 0],
    ['writable and executable, not readable', V | W | X | U | A | D, 0],
    ['reserved bit 54', DATA | (1n << 54n), 0],
    ['reserved bit 58', DATA | (1n << 58n), 0],
    ['bit 59 without Svrsw60t59b', DATA | (1n << 59n), 0],
    ['reserved memory type', DATA | (3n << 61n), 0],
    ['no user page', DATA & ~U, 0],
    ['not accessed', DATA & ~A, 0],
    ['a superpage that is not aligned', DATA | (1n << 10n), 1],
    ['NAPOT of a superpage', DATA | N, 1],
    ['a leaf that is none at the last level', V, 0],
    ['a pointer with D', V | D, 1],
    ['a pointer with A', V | A, 1],
    ['a pointer with U', V | U, 1],
    ['a pointer with a memory type', V | (1n << 61n), 1],
  ];
  it.each(refused)('Privileged 4.3.2: page fault: %s', (_name, flags, level) => {
    const { bench, table } = first();
    table.setEntry(0x40_0000n, ((TARGET >> 12n) << 10n) | flags, level);
    expect(bench.request(1, { iova: 0x40_0008n, write: true }).status).toBe(DMA_FAULT);
    expect(lastFault(bench)).toEqual({
      cause: 15,
      type: 3,
      device: 1,
      process: -1,
      privileged: false,
      iotval: 0x40_0008n,
      iotval2: 0n,
    });
    table.map(0x40_0000n, TARGET, DATA, level);
    expect(bench.where(1, 0x40_0008n)).toBe(TARGET + 8n);
  });

  it('Privileged 4.3.2: a write needs W and D, a read R', () => {
    const { bench, table } = first();
    table.map(0x1000n, TARGET, V | R | U | A);
    expect(bench.where(1, 0x1000n)).toBe(TARGET);
    expect(bench.where(1, 0x1000n, { write: true })).toBeUndefined();
    table.map(0x2000n, TARGET, V | R | W | U | A);
    expect(bench.where(1, 0x2000n, { write: true })).toBeUndefined();
    table.map(0x3000n, TARGET, V | X | U | A);
    expect(bench.where(1, 0x3000n)).toBeUndefined();
    expect(bench.driver.faults().map((fault) => fault.cause)).toEqual([15, 15, 13]);
  });

  it('3.3 step 17: a table outside memory is an access fault of the original access', () => {
    const { bench, table } = first();
    table.setEntry(0x4000_0000n, (0x12_3456_7890n << 10n) | V, 2);
    expect(bench.where(1, 0x4000_0000n)).toBeUndefined();
    expect(bench.where(1, 0x4000_0000n, { write: true })).toBeUndefined();
    expect(bench.driver.faults().map((fault) => fault.cause)).toEqual([5, 7]);
  });

  it('Svnapot: 16 pages in one, its other encodings fault', () => {
    const { bench, table } = first();
    table.map(0x10_0000n, TARGET, DATA | N);
    expect(bench.where(1, 0x10_0000n)).toBe(TARGET);
    expect(bench.where(1, 0x10_f123n)).toBe(TARGET + 0xf123n);
    expect(bench.count('iotlb', 'hit')).toBe(1);
    table.setEntry(0x20_0000n, ((TARGET >> 12n) << 10n) | DATA | N | (4n << 10n));
    expect(bench.where(1, 0x20_0000n)).toBeUndefined();
  });

  it('6.3, Svrsw60t59b: bits 60 and 59 are free with the extension', () => {
    const { bench, table } = first(3, { features: { softwareBits: true } });
    table.map(0x1000n, TARGET, DATA | (3n << 59n));
    expect(bench.where(1, 0x1000n)).toBe(TARGET);
  });

  it('6.3: without Svpbmt a memory type is reserved', () => {
    const { bench, table } = first(3, { features: { memoryTypes: false } });
    table.map(0x1000n, TARGET, DATA | (1n << 61n));
    expect(bench.where(1, 0x1000n)).toBeUndefined();
  });

  it('3.4: with SADE A and D are set, D by a write alone', () => {
    const { bench, table } = first(3, {}, TC.SADE);
    table.map(0x1000n, TARGET, V | R | W | U);
    expect(bench.where(1, 0x1000n)).toBe(TARGET);
    expect(table.entry(0x1000n) & (A | D)).toBe(A);
    expect(bench.where(1, 0x1000n, { write: true })).toBe(TARGET);
    expect(table.entry(0x1000n) & (A | D)).toBe(A | D);
    expect(bench.count('pte-update')).toBe(2);
    table.map(0x2000n, TARGET, V | R | U);
    expect(bench.where(1, 0x2000n, { write: true })).toBeUndefined();
    expect(table.entry(0x2000n) & (A | D)).toBe(0n);
  });

  it('3.4: a page table is big-endian with SBE, and A is set in that order', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory, { bigEndian: true });
    bench.directory.set(1, { tc: TC.V | TC.SBE | TC.SADE, fsc: table.pointer });
    table.map(0x1000n, TARGET, V | R | U);
    expect(bench.where(1, 0x1000n)).toBe(TARGET);
    expect(table.entry(0x1000n) & A).toBe(A);
  });

  it('3.3: a request over pages that lie apart has several ranges; a fault in one moves nothing', () => {
    const { bench, table } = first();
    table.map(0x1000n, TARGET + 0x3000n);
    table.map(0x2000n, TARGET);
    expect(bench.request(1, { iova: 0x1f00n, length: 0x200 })).toEqual({
      status: DMA_OK,
      ranges: [
        [TARGET + 0x3f00n, 0x100],
        [TARGET, 0x100],
      ],
    });
    const answer = bench.request(1, { iova: 0x1f00n, length: 0x2000 });
    expect(answer).toEqual({ status: DMA_FAULT, ranges: [] });
    expect(lastFault(bench)).toMatchObject({ cause: 13, iotval: 0x3000n });
  });
});

describe('second stage', () => {
  const sizes: [Levels, number][] = [3, 4, 5].flatMap((levels) =>
    Array.from({ length: levels }, (_, level): [Levels, number] => [levels as Levels, level]),
  );
  it.each(sizes)('3.3 step 19: %i levels, a page of level %i', (levels, level) => {
    const { bench, table } = second(levels);
    const size = 1n << BigInt(12 + 9 * level);
    const to = level <= 1 ? TARGET : (RAM / size) * size;
    const from = size * 3n;
    table.map(from, to, DATA, level);
    const offset = (RAM + 0x20_0123n - to) % size;
    expect(bench.where(1, from + offset)).toBe(to + offset);
    expect(bench.count('second-stage', 'read')).toBe(levels - level);
  });

  it.each([
    [3, 41n],
    [4, 50n],
    [5, 59n],
  ] as const)(
    'Privileged 8.5.1: %i levels: the root has 2 more bits, and bits from %i up are zero',
    (levels, width) => {
      const { bench, table } = second(levels);
      const last = (1n << width) - 0x1000n;
      table.map(last, TARGET);
      expect(bench.where(1, last)).toBe(TARGET);
      expect(bench.where(1, 1n << width)).toBeUndefined();
      expect(lastFault(bench)).toMatchObject({ cause: 21, iotval: 1n << width, iotval2: 1n << width });
    },
  );

  it('4.2: a guest page fault reports the guest-physical address, and that it was no implicit access', () => {
    const { bench, table } = second();
    table.map(0x1000n, TARGET, V | R | U | A);
    expect(bench.where(1, 0x1237n, { write: true })).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 23, iotval: 0x1237n, iotval2: 0x1234n });
    table.map(0x2000n, TARGET, DATA & ~U);
    expect(bench.where(1, 0x2000n)).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 21 });
  });

  it('3.4: with GADE A and D are set', () => {
    const { bench, table } = second(3, {}, TC.GADE);
    table.map(0x1000n, TARGET, V | R | W | U);
    expect(bench.where(1, 0x1000n, { write: true })).toBe(TARGET);
    expect(table.entry(0x1000n) & (A | D)).toBe(A | D);
  });
});

describe('both stages', () => {
  it('3.3 steps 17 to 19: an IOVA through both; table addresses are guest-physical', () => {
    const { bench, table, guest } = nested();
    table.map(0x7000n, 0x10_0000n);
    guest.map(0x10_0000n, TARGET);
    expect(bench.where(1, 0x7654n)).toBe(TARGET + 0x654n);
    // Three tables of the first stage, each behind three of the second, and three more for the page.
    expect(bench.count('first-stage', 'read')).toBe(3);
    expect(bench.count('second-stage', 'read')).toBe(12);
  });

  it('4.2: a fault of an implicit read has bit 0 of iotval2 set, one of an A/D update bit 1 too', () => {
    const { bench, table, guest } = nested(TC.SADE, DATA & ~W);
    table.map(0x7000n, 0x10_0000n, V | R | W | U);
    guest.map(0x10_0000n, TARGET);
    const place = table.place(0x7000n) - RAM + SEEN;
    expect(bench.where(1, 0x7000n)).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 21, iotval: 0x7000n, iotval2: place | 3n });
    const root = table.root - RAM + SEEN;
    guest.unmap(root);
    expect(bench.where(1, 0x7000n, { write: true })).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 23, iotval2: root | 1n });
  });

  it('3.3: the smaller page of the two stages is what is kept', () => {
    const { bench, table, guest } = nested();
    table.map(0x20_0000n, 0x60_0000n, DATA, 1);
    guest.map(0x60_0000n, TARGET);
    guest.map(0x60_1000n, TARGET + 0x8000n);
    expect(bench.where(1, 0x20_0010n)).toBe(TARGET + 0x10n);
    expect(bench.where(1, 0x20_1010n)).toBe(TARGET + 0x8010n);
    expect(bench.count('iotlb', 'miss')).toBe(2);
  });

  it('3.3: permissions are those of both stages', () => {
    const { bench, table, guest } = nested();
    table.map(0x7000n, 0x10_0000n);
    guest.map(0x10_0000n, TARGET, V | R | U | A);
    expect(bench.where(1, 0x7000n)).toBe(TARGET);
    expect(bench.where(1, 0x7000n, { write: true })).toBeUndefined();
    expect(lastFault(bench)).toMatchObject({ cause: 23, iotval2: 0x10_0000n });
  });

  it('Svpbmt: a memory type of the first stage goes before that of the second', () => {
    const { bench, table, guest } = nested();
    table.map(0x7000n, 0x10_0000n, DATA | (1n << 61n));
    table.map(0x8000n, 0x10_0000n);
    guest.map(0x10_0000n, TARGET, DATA | (2n << 61n));
    const type = (iova: bigint): bigint => (bench.driver.debug({ device: 1, iova }) >> 7n) & 3n;
    expect([type(0x7000n), type(0x8000n)]).toEqual([1n, 2n]);
    // And again out of the IOTLB.
    expect([type(0x7000n), type(0x8000n)]).toEqual([1n, 2n]);
  });
});

describe('privilege of a process', () => {
  it('3.2.3.1: a supervisor page is for privileged requests, a user page for others', () => {
    const bench = new IommuBench();
    const processes = new ProcessDirectory(bench.memory);
    const table = new PageTable(bench.memory);
    table.map(0x1000n, TARGET, DATA & ~U);
    table.map(0x2000n, TARGET, DATA | X);
    processes.set(3, { ta: PC.V | PC.ENS | PC.SUM, fsc: table.pointer });
    bench.directory.set(1, { tc: TC.V | TC.PDTV, fsc: processes.pointer });
    const where = (iova: bigint, privileged: boolean) => bench.where(1, iova, { pasid: 3, privileged });
    for (let round = 0; round < 2; round++) {
      expect(where(0x1000n, true)).toBe(TARGET);
      expect(where(0x1000n, false)).toBeUndefined();
      expect(where(0x2000n, true)).toBe(TARGET);
      expect(where(0x2000n, false)).toBe(TARGET);
    }
    const execute = { device: 1, process: 3, execute: true, noWrite: true } as const;
    expect(bench.driver.debug({ ...execute, iova: 0x2000n }) & 1n).toBe(0n);
    expect(bench.driver.debug({ ...execute, iova: 0x2000n, privileged: true }) & 1n).toBe(1n);
    expect(lastFault(bench)).toMatchObject({ cause: 12, type: 1, process: 3, privileged: true });
  });
});

describe('global mappings', () => {
  it('4.1.1: an invalidation by PSCID leaves them, one without takes them', () => {
    const { bench, table } = first();
    table.map(0x1000n, TARGET, DATA | G);
    bench.where(1, 0x1000n);
    table.map(0x1000n, TARGET + 0x1000n, DATA | G);
    bench.driver.command(commands.vma({ pscid: 0 }));
    expect(bench.where(1, 0x1000n)).toBe(TARGET);
    bench.driver.command(commands.vma());
    expect(bench.where(1, 0x1000n)).toBe(TARGET + 0x1000n);
  });
});
