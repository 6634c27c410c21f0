import { describe, expect, it } from 'vitest';
import { CSR_SATP } from '../csr-numbers.js';
import {
  asm,
  catchingMachine,
  PageTables,
  PTE,
  PTE_KERNEL,
  RAM_BASE,
  runToTrap,
  type BareMachine,
} from '../testing/index.js';

const FIRST = RAM_BASE + 0x2000;
/** Two pages that may follow the first one. */
const SECOND = RAM_BASE + 0x8000;
const OTHER = RAM_BASE + 0x6000;
const VIRTUAL = 0x4000_0000n;
const A1 = 11;

/** A loop over two pages in S-mode that is compiled; the address of the second page's entry. */
async function loop(): Promise<{ machine: BareMachine; entry: number }> {
  const machine = await catchingMachine({
    jit: { threshold: 1, batch: 1, mergeThreshold: 1, fastThreshold: 1000 },
  });
  const tables = new PageTables(machine);
  tables.map(VIRTUAL, BigInt(FIRST), PTE_KERNEL);
  const entry = tables.map(VIRTUAL + 4096n, BigInt(SECOND), PTE_KERNEL);
  machine.load(FIRST + 0xff8, [asm.addi('a0', 'a0', 1), asm.addi('a2', 'a2', 1)]);
  machine.load(SECOND, [asm.addi('a1', 'a1', 1), asm.jal('zero', -12)]);
  machine.load(OTHER, [asm.addi('a1', 'a1', 100), asm.jal('zero', -12)]);
  const { hart } = machine;
  hart.writeCsr(CSR_SATP, tables.satp());
  hart.privilege = 1;
  hart.pc = VIRTUAL + 0xff8n;
  for (let slice = 0; slice < 200; slice++) machine.run(1000);
  expect(hart.readX(A1)).toBe(50_000n);
  expect(machine.core.jit?.statistics.regions).toBeGreaterThan(0);
  return { machine, entry };
}

const entryOf = (page: number, bits: bigint): bigint => (BigInt(page) >> 2n) | bits;

describe('a region over two pages', () => {
  it('privileged 4.2.1: goes on in the page that the second address leads to after SFENCE.VMA', async () => {
    const { machine, entry } = await loop();
    machine.write64(entry, entryOf(OTHER, PTE_KERNEL));
    machine.hart.flushTlb();
    machine.run(4000);
    expect(machine.hart.readX(A1)).toBe(150_000n);
    machine.write64(entry, entryOf(SECOND, PTE_KERNEL));
    machine.hart.flushTlb();
    machine.run(4000);
    expect(machine.hart.readX(A1)).toBe(151_000n);
  });

  it.each([
    ['absent', 0n],
    ['not executable', PTE_KERNEL & ~PTE.X],
    ['a user page', PTE_KERNEL | PTE.U],
  ])(
    'privileged 4.3.2: a second page that has become %s is a fetch page fault at its address',
    async (_, bits) => {
      const { machine, entry } = await loop();
      machine.write64(entry, bits === 0n ? 0n : entryOf(SECOND, bits));
      machine.hart.flushTlb();
      expect(runToTrap(machine)).toEqual({ cause: 12n, epc: VIRTUAL + 4096n, value: VIRTUAL + 4096n });
      expect(machine.hart.readX(A1)).toBe(50_000n);
    },
  );
});
