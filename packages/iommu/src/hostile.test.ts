import { DMA_FAULT, DMA_OK } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import * as REG from './registers.js';
import { commands, IommuBench, PageTable } from './testing/index.js';
import { gscid, TC, V } from './testing/tables.js';

const RAM = 0x8000_0000n;
const ROUNDS = Number(process.env['VMLOOM_FUZZ'] ?? 1) * 1500;

/** A generator of 32-bit numbers (xorshift), the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

describe('tables of a hostile system', () => {
  it('a page table that points to itself ends in a page fault', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    for (let index = 0n; index < 512n; index++)
      bench.memory.store(table.root + index * 8n, ((table.root >> 12n) << 10n) | V);
    bench.directory.set(1, { fsc: table.pointer });
    expect(bench.request(1, { iova: 0x1234_5678n }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 13 }]);
    expect(bench.count('walk-read')).toBe(4);
  });

  it('both stages in the same looping page end in a fault after a bounded number of reads', () => {
    const bench = new IommuBench();
    const page = bench.memory.pages(4);
    for (let index = 0n; index < 2048n; index++)
      bench.memory.store(page + index * 8n, ((page >> 12n) << 10n) | V);
    const pointer = page >> 12n;
    bench.directory.set(1, { fsc: (10n << 60n) | pointer, iohgatp: (10n << 60n) | pointer | gscid(1) });
    expect(bench.request(1, { iova: 0n }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 21, iotval2: page | 1n }]);
    expect(bench.count('walk-read')).toBeLessThan(10);
  });

  it('a directory that points to itself is read as a context, and refused', () => {
    const bench = new IommuBench({ levels: 3 });
    const { root } = bench.directory;
    for (let index = 0n; index < 512n; index++)
      bench.memory.store(root + index * 8n, ((root >> 12n) << 10n) | 1n);
    expect(bench.request(0x1234, { iova: RAM }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toMatchObject([{ cause: 259 }]);
  });

  it('tables in ROM, over the end of memory, and at the last page', () => {
    const bench = new IommuBench();
    const end = RAM + 0x80_0000n;
    for (const root of [end, end - 0x1000n, 0n, 0xffff_ffff_f000n]) {
      bench.directory.set(1, { tc: TC.V | TC.SADE, fsc: (8n << 60n) | (root >> 12n) });
      bench.driver.command(commands.ddt(1), commands.vma());
      expect(bench.request(1, { iova: 0x1ff8n, length: 16, write: true }).status).toBe(DMA_FAULT);
    }
    expect(new Set(bench.driver.faults().map((fault) => fault.cause))).toEqual(new Set([7, 15]));
  });

  it('contract Memory: random tables and requests never reach outside memory, and always end', () => {
    const next = random(0x5eed);
    const bench = new IommuBench({ levels: 2, log2: 6 });
    const pages = Array.from({ length: 24 }, () => bench.memory.pages(4));
    const address = (): bigint => pages[next() % pages.length] + BigInt((next() % 4) << 12);
    const entry = (): bigint => {
      const kind = next() % 8;
      const target = kind === 0 ? BigInt(next()) << 20n : (address() >> 12n) << 10n;
      const flags = BigInt(next() & 0xff) | 1n | (kind === 1 ? BigInt(next()) << 52n : 0n);
      return kind < 2 ? target | flags : target | (next() % 2 === 0 ? 1n : 0xd7n);
    };
    for (const page of pages)
      for (let at = 0n; at < 0x4000n; at += 8n) bench.memory.store(page + at, entry());
    let done = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (let index = 0; index < 64; index++)
        bench.memory.store(address() + BigInt((next() % 512) * 8), entry());
      const device = next() % 8;
      bench.directory.set(device, {
        tc: 1n | (next() % 8 === 0 ? BigInt(next() & 0x7fe) : BigInt(next() & 0x180)),
        fsc: (BigInt([0, 8, 8, 8, 8, 9, 10, 15][next() % 8]) << 60n) | (address() >> 12n),
        iohgatp:
          (BigInt([0, 0, 0, 0, 0, 8, 9, 10][next() % 8]) << 60n) |
          (pages[next() % pages.length] >> 12n) |
          gscid(next() & 3),
        ta: BigInt(next() & 3) << 12n,
        msiptp: next() % 16 === 0 ? (1n << 60n) | (address() >> 12n) : 0n,
        msiMask: BigInt(next() & 0xff),
        msiPattern: BigInt(next() & 0xfff),
      });
      if (next() % 2 === 0) bench.driver.command(commands.ddt(), commands.vma(), commands.gvma());
      const wide = next() % 4 === 0 ? BigInt(next()) << 32n : 0n;
      const answer = bench.request(device, {
        iova: wide | BigInt(next()),
        length: 1 + (next() % (next() % 4 === 0 ? 9000 : 64)),
        write: next() % 2 === 0,
        pasid: next() % 8 === 0 ? next() & 0xf_ffff : -1,
        privileged: next() % 2 === 0,
        type: ([0, 0, 0, 0, 0, 0, 0, 2] as const)[next() % 8],
      });
      for (const [start, length] of answer.ranges) {
        expect(start >= RAM && start + BigInt(length) <= RAM + 0x80_0000n).toBe(true);
      }
      if (answer.status === DMA_OK) done++;
      bench.driver.faults();
    }
    expect(done).toBeGreaterThan(0);
  });
});

describe('registers and queues of a hostile system', () => {
  it('a command queue of 2^32 entries without end leaves the clock free between batches', () => {
    const bench = new IommuBench({ queues: false });
    bench.driver.write64(REG.CQB, ((RAM >> 12n) << 10n) | 31n);
    bench.driver.write(REG.CQCSR, 3);
    // The whole of RAM is IODIR.INVAL_DDT.
    for (let at = 0n; at < 0x10_0000n; at += 16n) {
      bench.memory.store(RAM + at, 3n);
      bench.memory.store(RAM + at + 8n, 0n);
    }
    bench.driver.write(REG.CQT, 0xffff_ffff);
    bench.driver.run(64_000);
    const head = bench.driver.read(REG.CQH);
    expect(head).toBeGreaterThan(1000);
    expect(head).toBeLessThan(10_000);
    bench.driver.run(10_000_000);
    // It met the directory, or the end of RAM: an error bit, and nothing else.
    expect(bench.driver.read(REG.CQCSR) & (REG.COMMAND_ILLEGAL | REG.QUEUE_MEMORY_FAULT)).not.toBe(0);
  });

  it('queues of absurd places and sizes end in their memory-fault bit', () => {
    const next = random(77);
    for (let round = 0; round < 30; round++) {
      const bench = new IommuBench({ queues: false });
      const place = (BigInt(next()) << 32n) | BigInt(next()) | (1n << 50n);
      for (const base of [REG.CQB, REG.FQB, REG.PQB]) bench.driver.write64(base, place);
      for (const control of [REG.CQCSR, REG.FQCSR, REG.PQCSR]) bench.driver.write(control, 3);
      bench.driver.write(REG.CQT, 1);
      bench.request(1, { iova: 0n });
      bench.driver.run();
      expect(bench.driver.read(REG.CQCSR) & REG.QUEUE_MEMORY_FAULT).not.toBe(0);
      expect(bench.driver.read(REG.FQCSR) & REG.QUEUE_MEMORY_FAULT).not.toBe(0);
    }
  });

  it('random register writes and commands: everything ends, reads stay numbers', () => {
    const next = random(0xc0ffee);
    const bench = new IommuBench();
    for (let round = 0; round < ROUNDS; round++) {
      const offset = (next() % 0x110) * 4;
      bench.iommu.write(offset, 4, next() % 3 === 0 ? next() : next() & 0x3_ff03);
      if (next() % 4 === 0) {
        const at = bench.driver.commandQueue + BigInt((next() % 64) * 16);
        bench.memory.store(at, BigInt(next() & 0x7ff) | (BigInt(next()) << 32n));
      }
      if (next() % 8 === 0) bench.request(next() & 0xffff, { iova: BigInt(next()), write: next() % 2 === 0 });
      bench.driver.run(2000);
      expect(Number.isInteger(bench.iommu.read(offset, 4))).toBe(true);
    }
    bench.iommu.reset();
    expect(bench.driver.read(REG.CQCSR)).toBe(0);
  });
});
