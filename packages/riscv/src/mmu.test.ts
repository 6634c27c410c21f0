import { describe, expect, it } from 'vitest';
import { CSR_MENVCFG, CSR_MSTATUS, CSR_SATP } from './csr-numbers.js';
import {
  asm,
  catchingMachine,
  PageTables,
  PTE,
  PTE_KERNEL,
  PTE_USER,
  RAM_BASE,
  runToTrap,
} from './testing/index.js';
import type { BareMachine } from './testing/index.js';

const CODE = RAM_BASE + 0x2000;
const DATA = RAM_BASE + 0x20_0000;
const VIRTUAL = 0x4000_0000n;
const SUM = 1n << 18n;
const MXR = 1n << 19n;

const LOAD = asm.ld('a1', 0, 'a0');
const STORE = asm.sd('a1', 0, 'a0');

/** A machine in S-mode (or U-mode) at CODE, which is mapped at its own address, with a0 at VIRTUAL. */
async function paged(
  levels: 3 | 4 = 3,
  privilege: 0 | 1 = 1,
): Promise<{ machine: BareMachine; tables: PageTables }> {
  const machine = await catchingMachine();
  const tables = new PageTables(machine, levels);
  tables.map(BigInt(CODE), BigInt(CODE), privilege === 1 ? PTE_KERNEL : PTE_USER);
  const { hart } = machine;
  hart.writeCsr(CSR_SATP, tables.satp());
  hart.privilege = privilege;
  hart.pc = BigInt(CODE);
  hart.writeX(10, VIRTUAL);
  hart.writeX(11, 0x1122_3344_5566_7788n);
  machine.load(CODE, [LOAD, asm.ebreak()]);
  return { machine, tables };
}

describe.each([3, 4] as const)('translation with %i levels', (levels) => {
  const pages = levels === 3 ? ['4 KiB', '2 MiB', '1 GiB'] : ['4 KiB', '2 MiB', '1 GiB', '512 GiB'];
  it.each(pages.map((name, level) => ({ name, level })))(
    'privileged 4.4.1: a $name page',
    async ({ level }) => {
      const { machine, tables } = await paged(levels);
      const size = 4096n << BigInt(9 * level);
      // The page's own address is a multiple of its size; the word read lies at DATA.
      const base = BigInt(DATA) & ~(size - 1n);
      tables.map(size * 3n, base, PTE_KERNEL, level);
      machine.write64(DATA, 42n);
      machine.hart.writeX(10, size * 3n + (BigInt(DATA) - base));
      machine.hart.run(1);
      expect(machine.hart.readX(11)).toBe(42n);
    },
  );

  it('privileged 4.4.1: a misaligned superpage is a page fault', async () => {
    const { machine, tables } = await paged(levels);
    tables.map(VIRTUAL, BigInt(DATA) + 0x1000n, PTE_KERNEL, 1);
    expect(runToTrap(machine)).toEqual({ cause: 13n, epc: BigInt(CODE), value: VIRTUAL });
  });

  it('privileged 4.4.1: an address that is not canonical is a page fault', async () => {
    const { machine } = await paged(levels);
    const address = 1n << (levels === 3 ? 38n : 47n);
    machine.hart.writeX(10, address);
    expect(runToTrap(machine)).toEqual({ cause: 13n, epc: BigInt(CODE), value: address });
  });
});

describe('page faults (privileged 4.3.2)', () => {
  const refused: readonly [name: string, bits: bigint][] = [
    ['V = 0', PTE_KERNEL & ~PTE.V],
    ['W without R', PTE_KERNEL & ~PTE.R],
    ['a reserved bit', PTE_KERNEL | (1n << 54n)],
    ['PBMT without Svpbmt', PTE_KERNEL | (1n << 61n)],
    ['N without Svnapot', PTE_KERNEL | (1n << 63n)],
    ['a pointer at the last level', PTE.V],
    ['a user page', PTE_USER],
  ];
  it.each(refused)('step 3 to 5: %s, load', async (_name, bits) => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), bits);
    expect(runToTrap(machine)).toEqual({ cause: 13n, epc: BigInt(CODE), value: VIRTUAL });
  });

  it.each(refused)('step 3 to 5: %s, store', async (_name, bits) => {
    const { machine, tables } = await paged();
    machine.load(CODE, [STORE]);
    tables.map(VIRTUAL, BigInt(DATA), bits);
    expect(runToTrap(machine)).toEqual({ cause: 15n, epc: BigInt(CODE), value: VIRTUAL });
    expect(machine.read64(DATA)).toBe(0n);
  });

  it.each(refused)('step 3 to 5: %s, fetch', async (_name, bits) => {
    const { machine, tables } = await paged();
    machine.load(CODE, [asm.jalr('zero', 0, 'a0')]);
    tables.map(VIRTUAL, BigInt(DATA), bits);
    expect(runToTrap(machine)).toEqual({ cause: 12n, epc: VIRTUAL, value: VIRTUAL });
  });

  it('a pointer entry with A, D or U set is reserved', async () => {
    for (const bit of [PTE.A, PTE.D, PTE.U]) {
      const { machine, tables } = await paged();
      const next = BigInt(RAM_BASE) + 0x18_0000n;
      tables.map(VIRTUAL, next, PTE.V | bit, 1);
      expect(runToTrap(machine)?.cause).toBe(13n);
    }
  });

  it('a page without R is not read, without W not written, without X not executed', async () => {
    const cases: [word: number, missing: bigint, cause: bigint][] = [
      [LOAD, PTE.R | PTE.W, 13n],
      [STORE, PTE.W, 15n],
      [asm.jalr('zero', 0, 'a0'), PTE.X, 12n],
    ];
    for (const [word, missing, cause] of cases) {
      const { machine, tables } = await paged();
      machine.load(CODE, [word]);
      tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL & ~missing);
      expect(runToTrap(machine)?.cause).toBe(cause);
    }
  });

  it('MXR makes executable pages readable (3.1.6.3)', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), PTE.V | PTE.X | PTE.A);
    machine.write64(DATA, 9n);
    machine.hart.writeCsr(CSR_MSTATUS, MXR);
    machine.hart.run(1);
    expect(machine.hart.readX(11)).toBe(9n);
    machine.hart.writeCsr(CSR_MSTATUS, 0n);
    machine.hart.pc = BigInt(CODE);
    expect(runToTrap(machine)?.cause).toBe(13n);
  });

  it('SUM lets S-mode read user pages, and never execute them (3.1.6.3)', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), PTE_USER);
    machine.write64(DATA, 8n);
    machine.hart.writeCsr(CSR_MSTATUS, SUM);
    machine.load(CODE, [LOAD, asm.jalr('zero', 0, 'a0')]);
    expect(runToTrap(machine)).toEqual({ cause: 12n, epc: VIRTUAL, value: VIRTUAL });
    expect(machine.hart.readX(11)).toBe(8n);
  });

  it('U-mode may not touch pages of the kernel', async () => {
    const { machine, tables } = await paged(3, 0);
    tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL);
    expect(runToTrap(machine)?.cause).toBe(13n);
  });

  it('a table outside RAM is an access fault of the original kind', async () => {
    const { machine, tables } = await paged();
    for (const [word, cause] of [
      [LOAD, 5n],
      [STORE, 7n],
      [asm.jalr('zero', 0, 'a0'), 1n],
    ] as const) {
      machine.load(CODE, [word]);
      tables.map(VIRTUAL, 0x1000n, PTE.V, 2);
      machine.hart.privilege = 1;
      machine.hart.pc = BigInt(CODE);
      machine.hart.flushTlb();
      expect(runToTrap(machine)?.cause).toBe(cause);
    }
  });

  it('a table that points to itself ends in a page fault', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(tables.root), PTE.V, 2);
    expect(runToTrap(machine)?.cause).toBe(13n);
  });

  it('a leaf outside all memory is an access fault with the virtual address', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, (1n << 55n) | 0x1000n, PTE_KERNEL);
    expect(runToTrap(machine)).toEqual({ cause: 5n, epc: BigInt(CODE), value: VIRTUAL });
  });
});

describe('accessed and dirty (privileged 4.3.1, Svadu)', () => {
  const clean = PTE_KERNEL & ~(PTE.A | PTE.D);
  it('with ADUE a load sets A, a store sets A and D', async () => {
    const { machine, tables } = await paged();
    const slot = tables.map(VIRTUAL, BigInt(DATA), clean);
    machine.load(CODE, [LOAD, STORE]);
    machine.hart.run(1);
    expect(machine.read64(slot) & 0xc0n).toBe(PTE.A);
    machine.hart.run(1);
    expect(machine.read64(slot) & 0xc0n).toBe(PTE.A | PTE.D);
  });

  it('a fetch sets A', async () => {
    const { machine, tables } = await paged();
    const slot = tables.map(VIRTUAL, BigInt(DATA), clean);
    machine.load(DATA, [asm.addi('a0', 'a0', 0)]);
    machine.load(CODE, [asm.jalr('zero', 0, 'a0')]);
    machine.hart.run(2);
    expect(machine.read64(slot) & 0xc0n).toBe(PTE.A);
  });

  it('the update is a store to the table: page flags see it', async () => {
    const { machine, tables } = await paged();
    const slot = tables.map(VIRTUAL, BigInt(DATA), clean);
    const page = machine.space.resolve(slot as never, 8) >>> 12;
    machine.memory.flags.armDirtyTracking(page, 1);
    machine.hart.run(1);
    expect(machine.memory.flags.takeDirty(page, 1)).toEqual([page]);
  });

  it('without ADUE (Svade) a clear A, or a clear D on a store, is a page fault', async () => {
    for (const [word, bits, cause] of [
      [LOAD, clean, 13n],
      [STORE, clean | PTE.A, 15n],
      [asm.jalr('zero', 0, 'a0'), clean, 12n],
    ] as const) {
      const { machine, tables } = await paged();
      machine.hart.writeCsr(CSR_MENVCFG, 0n);
      const slot = tables.map(VIRTUAL, BigInt(DATA), bits);
      machine.load(CODE, [word]);
      const before = machine.read64(slot);
      expect(runToTrap(machine)?.cause).toBe(cause);
      expect(machine.read64(slot)).toBe(before);
    }
  });
});

describe('address-space identifiers and SFENCE.VMA (privileged 4.2.1)', () => {
  it('each ASID has its own translations, and a return to one finds the new table', async () => {
    const { machine, tables } = await paged();
    const other = new PageTables(machine, 3, RAM_BASE + 0x18_0000);
    other.map(BigInt(CODE), BigInt(CODE), PTE_KERNEL);
    tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL);
    other.map(VIRTUAL, BigInt(DATA) + 0x1000n, PTE_KERNEL);
    machine.write64(DATA, 1n);
    machine.write64(DATA + 0x1000, 2n);
    const seen: bigint[] = [];
    for (let round = 0; round < 12; round++) {
      const asid = round % 6;
      machine.hart.writeCsr(CSR_SATP, (asid % 2 === 0 ? tables : other).satp(asid));
      machine.hart.pc = BigInt(CODE);
      machine.hart.run(1);
      seen.push(machine.hart.readX(11));
    }
    expect(seen).toEqual([1n, 2n, 1n, 2n, 1n, 2n, 1n, 2n, 1n, 2n, 1n, 2n]);
  });

  const fences: [name: string, word: number][] = [
    ['all', asm.sfence_vma('zero', 'zero')],
    ['one address', asm.sfence_vma('a0', 'zero')],
    ['one address space', asm.sfence_vma('zero', 'a2')],
    ['one address of one space', asm.sfence_vma('a0', 'a2')],
  ];
  it.each(fences)('a changed entry is seen after a fence of %s', async (_name, word) => {
    for (const level of [0, 1]) {
      const { machine, tables } = await paged();
      machine.hart.writeCsr(CSR_SATP, tables.satp(7));
      machine.hart.writeX(12, 7n);
      machine.hart.writeX(10, VIRTUAL + 8n);
      machine.hart.writeX(13, VIRTUAL + 8n + (level === 0 ? 0n : 0x5000n));
      const [first, second] = level === 0 ? [DATA, DATA + 0x1000] : [RAM_BASE, RAM_BASE + 0x20_0000];
      tables.map(VIRTUAL, BigInt(first), PTE_KERNEL, level);
      const at = level === 0 ? 8 : 0x5008;
      machine.write64(first + at, 1n);
      machine.write64(second + at, 2n);
      // a0 may name another page of the same superpage than the one that is read through a3.
      machine.load(CODE, [asm.ld('a1', 0, 'a3'), word, asm.ld('a1', 0, 'a3')]);
      machine.hart.run(1);
      expect(machine.hart.readX(11)).toBe(1n);
      tables.map(VIRTUAL, BigInt(second), PTE_KERNEL, level);
      machine.hart.run(2);
      expect(machine.hart.readX(11)).toBe(2n);
    }
  });
});

describe('misaligned accesses (privileged 3.6.3.3: done by the hart in main memory)', () => {
  it('across pages that are apart in memory, loads and stores of every width', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA) + 0x3000n, PTE_KERNEL);
    tables.map(VIRTUAL + 0x1000n, BigInt(DATA), PTE_KERNEL);
    machine.hart.writeX(10, VIRTUAL + 0x1000n);
    machine.load(CODE, [
      asm.sd('a1', -3, 'a0'),
      asm.ld('a2', -3, 'a0'),
      asm.lwu('a3', -2, 'a0'),
      asm.lh('a4', -1, 'a0'),
    ]);
    machine.hart.run(4);
    expect(machine.hart.readX(12)).toBe(0x1122_3344_5566_7788n);
    expect(machine.hart.readX(13)).toBe(0x4455_6677n);
    expect(machine.hart.readX(14)).toBe(0x5566n);
    expect(machine.read64(DATA)).toBe(0x11_2233_4455n);
    expect(machine.read64(DATA + 0x3ff8) >> 40n).toBe(0x66_7788n);
  });

  it('a fault on the second page names it, and nothing is stored', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL);
    machine.hart.writeX(10, VIRTUAL + 0xffcn);
    machine.load(CODE, [STORE]);
    expect(runToTrap(machine)).toEqual({ cause: 15n, epc: BigInt(CODE), value: VIRTUAL + 0x1000n });
    expect(machine.read64(DATA + 0xff8)).toBe(0n);
  });

  it('an instruction across pages: a fault on its second half has that address, epc the first', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL);
    machine.load(DATA + 0xffc, [(LOAD << 16) | 1]);
    machine.hart.pc = VIRTUAL + 0xffcn;
    expect(runToTrap(machine)).toEqual({ cause: 12n, epc: VIRTUAL + 0xffen, value: VIRTUAL + 0x1000n });
    tables.map(VIRTUAL + 0x1000n, BigInt(DATA) + 0x4000n, PTE_KERNEL);
    machine.load(DATA + 0x4000, [
      (asm.addi('a5', 'zero', 1) << 16) | (LOAD >>> 16),
      asm.addi('a5', 'zero', 1) >>> 16,
    ]);
    machine.write64(DATA + 0x100, 77n);
    machine.hart.privilege = 1;
    machine.hart.writeX(10, VIRTUAL + 0x100n);
    machine.hart.pc = VIRTUAL + 0xffen;
    machine.hart.run(2);
    expect(machine.hart.readX(11)).toBe(77n);
    expect(machine.hart.readX(15)).toBe(1n);
  });
});

describe('MPRV (privileged 3.1.6.3)', () => {
  it('M-mode loads through the tables of MPP, fetches do not', async () => {
    const { machine, tables } = await paged();
    tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL);
    machine.write64(DATA, 5n);
    machine.hart.privilege = 3;
    machine.hart.writeCsr(CSR_MSTATUS, (1n << 17n) | (1n << 11n));
    machine.hart.run(1);
    expect(machine.hart.readX(11)).toBe(5n);
  });
});

describe('translate, for debuggers', () => {
  it('answers the physical address and leaves A and D alone', async () => {
    const { machine, tables } = await paged();
    const slot = tables.map(VIRTUAL, BigInt(DATA), PTE_KERNEL & ~(PTE.A | PTE.D));
    expect(machine.hart.translate(VIRTUAL + 12n, 'write')).toBe(BigInt(DATA) + 12n);
    expect(machine.hart.translate(VIRTUAL + 0x1000n, 'read')).toBeUndefined();
    expect(machine.read64(slot) & 0xc0n).toBe(0n);
  });
});

describe('page 0', () => {
  it.each(['lh', 'lw', 'ld', 'sh', 'sw', 'sd'])(
    'is not there for a misaligned %s either: an unused entry of a translation buffer is no translation',
    async (mnemonic) => {
      for (let address = 0; address < 16; address++) {
        const machine = await catchingMachine();
        const access = asm[mnemonic];
        machine.load(RAM_BASE, [access('a1', address, 'zero')]);
        const cause = mnemonic.startsWith('l') ? 5n : 7n;
        expect(runToTrap(machine)).toEqual({ cause, epc: BigInt(RAM_BASE), value: BigInt(address) });
      }
    },
  );
});
