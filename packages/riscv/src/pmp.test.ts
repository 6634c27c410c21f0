import { describe, expect, it } from 'vitest';
import { CSR_MSTATUS, CSR_PMPADDR0, CSR_PMPADDR15, CSR_PMPCFG0, CSR_PMPCFG2 } from './csr-numbers.js';
import { asm, catchingMachine, PageTables, PTE_KERNEL, RAM_BASE, runToTrap } from './testing/index.js';

const DATA = RAM_BASE + 0x20_0000;
const OFF = 0x00n;
const TOR = 0x08n;
const NA4 = 0x10n;
const NAPOT = 0x18n;
const LOCK = 0x80n;
const RWX = 7n;
const R = 1n;
const ALL = (1n << 54n) - 1n;

const napot = (base: number, size: number): bigint => (BigInt(base) >> 2n) | (BigInt(size) / 8n - 1n);

/** Entries 0 and 1 as told, entry 2 open for everything. */
async function guarded(configs: readonly bigint[], addresses: readonly bigint[]) {
  const machine = await catchingMachine();
  const { hart } = machine;
  addresses.forEach((address, index) => hart.writeCsr(CSR_PMPADDR0 + index, address));
  hart.writeCsr(CSR_PMPADDR0 + 2, ALL);
  hart.writeCsr(CSR_PMPCFG0, (configs[0] ?? 0n) | ((configs[1] ?? 0n) << 8n) | ((NAPOT | RWX) << 16n));
  return machine;
}

type Machine = Awaited<ReturnType<typeof guarded>>;

/** The cause with which an access from a mode faults; 0 when it is allowed. */
function probe(machine: Machine, word: number, address: number, privilege: 0 | 1 | 3 = 1): number {
  machine.load(RAM_BASE + 0x2000, [word]);
  machine.hart.privilege = privilege;
  machine.hart.pc = BigInt(RAM_BASE) + 0x2000n;
  machine.hart.writeX(10, BigInt(address));
  return Number(runToTrap(machine, 1)?.cause ?? 0n);
}
const LOAD = asm.ld('a1', 0, 'a0');
const WORD = asm.lw('a1', 0, 'a0');
const STORE = asm.sd('a1', 0, 'a0');

describe('PMP address matching (privileged 3.7.1.1)', () => {
  it('NAPOT: inside refused, outside open, either side of both borders', async () => {
    const machine = await guarded([NAPOT | R], [napot(DATA, 0x100)]);
    expect([
      probe(machine, STORE, DATA - 8),
      probe(machine, STORE, DATA),
      probe(machine, STORE, DATA + 0xf8),
      probe(machine, STORE, DATA + 0x100),
      probe(machine, LOAD, DATA),
    ]).toEqual([0, 7, 7, 0, 0]);
  });

  it('NA4 covers four bytes', async () => {
    const machine = await guarded([NA4], [BigInt(DATA + 4) >> 2n]);
    expect([
      probe(machine, WORD, DATA),
      probe(machine, WORD, DATA + 4),
      probe(machine, WORD, DATA + 8),
    ]).toEqual([0, 5, 0]);
  });

  it('TOR covers from the entry before, which may be off', async () => {
    const machine = await guarded([OFF, TOR], [BigInt(DATA) >> 2n, BigInt(DATA + 0x2000) >> 2n]);
    expect([
      probe(machine, LOAD, DATA - 8),
      probe(machine, LOAD, DATA),
      probe(machine, LOAD, DATA + 0x1ff8),
      probe(machine, LOAD, DATA + 0x2000),
    ]).toEqual([0, 5, 5, 0]);
  });

  it('TOR with an upper end at or below the lower matches nothing', async () => {
    const machine = await guarded([OFF, TOR], [BigInt(DATA + 0x1000) >> 2n, BigInt(DATA) >> 2n]);
    expect(probe(machine, LOAD, DATA)).toBe(0);
    const zero = await guarded([TOR], [0n]);
    expect(probe(zero, LOAD, DATA)).toBe(0);
  });

  it('an access that only partly matches fails, whatever the permissions (3.7.1.3)', async () => {
    const machine = await guarded([NA4 | RWX], [BigInt(DATA + 4) >> 2n]);
    expect([probe(machine, LOAD, DATA), probe(machine, WORD, DATA + 4)]).toEqual([5, 0]);
  });

  it('the lowest entry that matches decides', async () => {
    const machine = await guarded([NAPOT | RWX, NAPOT], [napot(DATA, 0x1000), napot(DATA, 0x2000)]);
    expect([probe(machine, LOAD, DATA), probe(machine, LOAD, DATA + 0x1000)]).toEqual([0, 5]);
  });
});

describe('PMP and modes (3.7.1.2, 3.7.1.3)', () => {
  it('M-mode passes unlocked entries and is bound by locked ones', async () => {
    const open = await guarded([NAPOT], [napot(DATA, 0x1000)]);
    expect(probe(open, LOAD, DATA, 3)).toBe(0);
    const locked = await guarded([NAPOT | LOCK], [napot(DATA, 0x1000)]);
    expect([probe(locked, LOAD, DATA, 3), probe(locked, LOAD, DATA + 0x1000, 3)]).toEqual([5, 0]);
  });

  it('without a match S and U fail and M does not', async () => {
    const machine = await catchingMachine();
    machine.hart.writeCsr(CSR_PMPCFG0, 0n);
    expect(probe(machine, LOAD, DATA, 1)).toBe(1);
    expect(probe(machine, LOAD, DATA, 3)).toBe(0);
  });

  it('MPRV accesses are checked as those of MPP', async () => {
    const machine = await guarded([NAPOT], [napot(DATA, 0x1000)]);
    machine.hart.writeCsr(CSR_MSTATUS, (1n << 17n) | (1n << 11n));
    expect(probe(machine, LOAD, DATA, 3)).toBe(5);
  });

  it('a fetch needs X', async () => {
    const machine = await guarded([NAPOT | R], [napot(DATA, 0x1000)]);
    expect(probe(machine, asm.jalr('zero', 0, 'a0'), DATA)).toBe(0);
    machine.hart.run(1);
    expect(machine.hart.readCsr(0x342)).toBe(1n);
  });

  it('a page whose halves differ runs code in the open half, and stops at the border', async () => {
    const machine = await guarded([NAPOT | R], [napot(DATA + 0x800, 0x800)]);
    machine.load(DATA + 0x7f8, [asm.addi('a2', 'a2', 1), asm.addi('a2', 'a2', 1), asm.addi('a2', 'a2', 1)]);
    machine.hart.privilege = 1;
    machine.hart.pc = BigInt(DATA) + 0x7f8n;
    expect(runToTrap(machine)).toEqual({
      cause: 1n,
      epc: BigInt(DATA) + 0x800n,
      value: BigInt(DATA) + 0x800n,
    });
    expect(machine.hart.readX(12)).toBe(2n);
  });

  it('page tables are read under PMP too', async () => {
    const machine = await guarded([NAPOT], [napot(RAM_BASE + 0x10_0000, 0x1000)]);
    const tables = new PageTables(machine);
    tables.map(BigInt(RAM_BASE), BigInt(RAM_BASE), PTE_KERNEL, 1);
    machine.hart.writeCsr(0x180, tables.satp());
    machine.hart.privilege = 1;
    machine.hart.pc = BigInt(RAM_BASE);
    expect(runToTrap(machine)).toMatchObject({ cause: 1n });
  });
});

describe('PMP registers (3.7.1.2)', () => {
  it('a locked entry keeps its configuration and address; TOR keeps the address before it too', async () => {
    const { hart } = await guarded([OFF, TOR | LOCK], [4n, 8n]);
    hart.writeCsr(CSR_PMPCFG0, 0n);
    hart.writeCsr(CSR_PMPADDR0, 1n);
    hart.writeCsr(CSR_PMPADDR0 + 1, 1n);
    expect([hart.readCsr(CSR_PMPCFG0), hart.readCsr(CSR_PMPADDR0), hart.readCsr(CSR_PMPADDR0 + 1)]).toEqual([
      (TOR | LOCK) << 8n,
      4n,
      8n,
    ]);
  });

  it('there are 16 entries of 54 bits; W without R is not kept', async () => {
    const { hart } = await catchingMachine();
    hart.writeCsr(CSR_PMPADDR15, -1n);
    expect(hart.readCsr(CSR_PMPADDR15)).toBe(ALL);
    hart.writeCsr(CSR_PMPCFG2, 0x02n << 56n);
    expect(hart.readCsr(CSR_PMPCFG2)).toBe(0n);
    expect(() => hart.readCsr(CSR_PMPADDR15 + 1)).toThrow();
    expect(() => hart.readCsr(CSR_PMPCFG0 + 1)).toThrow();
  });
});
