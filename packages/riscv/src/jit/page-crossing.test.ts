import { describe, expect, it } from 'vitest';
import { CSR_SATP } from '../csr-numbers.js';
import { CodeBuilder, Label } from '../testing/code-builder.js';
import {
  asm,
  catchingMachine,
  PageTables,
  PTE,
  PTE_KERNEL,
  RAM_BASE,
  runToTrap,
  type BareMachine,
  type Operand,
} from '../testing/index.js';
import { runTwins } from '../testing/twin-machines.js';

/** Instructions of four bytes in two pages, compiled. */

const FIRST = RAM_BASE + 0x2000;
const SECOND = RAM_BASE + 0x8000;
const OTHER = RAM_BASE + 0x6000;
const VIRTUAL = 0x4000_0000n;
const CROSSING = VIRTUAL + 0xffen;
const PAGE = 4096;
const A0 = 10;
/** c.addi a1,1 */
const COUNT = 0x0585;

/** Two pages: c.addi a1,1; the instruction, whose second half is in the second page; a jump back. */
function loopAround(mnemonic: string, ...operands: readonly Operand[]): readonly [Uint8Array, Uint8Array] {
  const code = new CodeBuilder();
  while (code.size < PAGE - 4) code.half(1);
  const top = code.place(new Label());
  code.half(COUNT);
  code.op(mnemonic, ...operands);
  code.shortJump(top);
  const bytes = code.build();
  const second = new Uint8Array(PAGE);
  second.set(bytes.subarray(PAGE));
  return [bytes.slice(0, PAGE), second];
}

/** Runs in S-mode until it is compiled; the address of the second page's entry. */
async function compiled(): Promise<{ machine: BareMachine; entry: number }> {
  const machine = await catchingMachine({
    jit: { threshold: 1, batch: 1, mergeThreshold: 1, fastThreshold: 1000 },
  });
  const tables = new PageTables(machine);
  tables.map(VIRTUAL, BigInt(FIRST), PTE_KERNEL);
  const entry = tables.map(VIRTUAL + 4096n, BigInt(SECOND), PTE_KERNEL);
  const [first, second] = loopAround('addi', 'a0', 'a0', 1);
  machine.load(FIRST, first);
  machine.load(SECOND, second);
  machine.load(OTHER, loopAround('addi', 'a0', 'a0', 100)[1]);
  const { hart } = machine;
  hart.writeCsr(CSR_SATP, tables.satp());
  hart.privilege = 1;
  hart.pc = VIRTUAL + 0xffcn;
  for (let slice = 0; slice < 100; slice++) machine.run(300);
  expect(hart.readX(A0)).toBe(10_000n);
  expect(machine.core.jit!.statistics.regions).toBeGreaterThan(0);
  return { machine, entry };
}

const entryOf = (page: number, bits: bigint): bigint => (BigInt(page) >> 2n) | bits;

describe('an instruction that crosses a page, compiled', () => {
  it('takes its second half from the page that the second address leads to after SFENCE.VMA', async () => {
    const { machine, entry } = await compiled();
    machine.write64(entry, entryOf(OTHER, PTE_KERNEL));
    machine.hart.flushTlb();
    machine.run(300);
    expect(machine.hart.readX(A0)).toBe(20_000n);
    machine.write64(entry, entryOf(SECOND, PTE_KERNEL));
    machine.hart.flushTlb();
    machine.run(300);
    expect(machine.hart.readX(A0)).toBe(20_100n);
  });

  it.each([
    ['absent', 0n],
    ['not executable', PTE_KERNEL & ~PTE.X],
    ['a user page', PTE_KERNEL | PTE.U],
  ])('privileged 3.1.16: a second page that has become %s faults at the second half', async (_, bits) => {
    const { machine, entry } = await compiled();
    machine.write64(entry, bits === 0n ? 0n : entryOf(SECOND, bits));
    machine.hart.flushTlb();
    expect(runToTrap(machine)).toEqual({ cause: 12n, epc: CROSSING, value: VIRTUAL + 4096n });
    expect(machine.hart.readX(A0)).toBe(10_000n);
  });

  it.each([
    ['second', SECOND],
    ['first', FIRST + 0xffe],
  ])('is dropped by a store to its %s half', async (half, address) => {
    const { machine } = await compiled();
    const word = half === 'second' ? asm.addi('a0', 'a0', 5) : asm.addi('a2', 'a0', 1);
    const bytes = new Uint8Array(new Uint32Array([word]).buffer);
    machine.load(address, half === 'second' ? bytes.slice(2) : bytes.slice(0, 2));
    machine.run(300);
    expect(machine.hart.readX(A0)).toBe(half === 'second' ? 10_500n : 10_000n);
    expect(machine.hart.readX(12)).toBe(half === 'second' ? 0n : 10_001n);
  });

  it.each([
    ['lw', 't0', 8, 's1'],
    ['sd', 'a1', 16, 's1'],
    ['amoadd.d', 't0', 'a1', 's1'],
    ['auipc', 't0', 0x12345],
    ['jal', 't1', 4],
    ['beq', 'a1', 'a1', 4],
    ['csrrs', 't0', 'instret', 'zero'],
    ['csrrw', 't0', 'sscratch', 'a1'],
    ['mulhu', 't0', 'a1', 's1'],
  ] as const)('%s is as interpreted, wherever a slice ends', async (mnemonic, ...operands) => {
    const [first, second] = loopAround(mnemonic, ...operands);
    const machine = await runTwins(
      (one) => {
        one.load(FIRST, first);
        one.load(FIRST + PAGE, second);
        one.hart.writeX(9, BigInt(RAM_BASE + 0x4_0000));
        one.hart.pc = BigInt(FIRST + 0xffc);
      },
      { steps: 400, length: 7 },
    );
    expect(machine.hart.readX(11)).toBeGreaterThan(900n);
  });

  it('a loop that stores into the second half of its own instruction runs what it stored', async () => {
    const code = new CodeBuilder();
    while (code.size < PAGE - 2 - 16) code.half(1);
    const top = code.place(new Label());
    // Every 32nd time the high byte of the crossing instruction becomes that of a1: its immediate.
    code.half(COUNT);
    code.op('andi', 't0', 'a1', 31);
    code.op('bne', 't0', 'zero', 8);
    code.op('sb', 'a1', 3, 's1');
    code.half(1);
    code.op('addi', 'a0', 'a0', 0);
    code.op('andi', 'a1', 'a1', 127);
    code.shortJump(top);
    const bytes = code.build();
    const machine = await runTwins(
      (one) => {
        one.load(FIRST, bytes);
        one.hart.writeX(9, BigInt(FIRST + 0xffe));
        one.hart.pc = BigInt(FIRST + top.at!);
      },
      { steps: 200, length: 131 },
    );
    expect(machine.hart.readX(A0)).toBeGreaterThan(0n);
  });
});
