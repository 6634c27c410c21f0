import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@vmloom/device';
import { hostOffset } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_MENVCFG, CSR_MIE, CSR_MSTATUS, CSR_MTVEC, CSR_SATP } from './csr-numbers.js';
import {
  asm,
  bareMachine,
  li,
  PageTables,
  PTE_KERNEL,
  RAM_BASE,
  type BareMachine,
  type BareOptions,
} from './testing/index.js';

const HANDLER = RAM_BASE + 0x1000;

/** A loop with arithmetic, memory and floating point, interrupted by its own stimecmp, in M-mode. */
async function working(options: BareOptions = {}): Promise<BareMachine> {
  const machine = await bareMachine(options);
  const { hart } = machine;
  machine.load(RAM_BASE, [
    ...li('s0', RAM_BASE + 0x8000),
    asm.addi('a0', 'a0', 7),
    asm.andi('a1', 'a0', 0x7f8),
    asm.add('a1', 'a1', 's0'),
    asm.ld('a2', 0, 'a1'),
    asm.add('a2', 'a2', 'a0'),
    asm.sd('a2', 0, 'a1'),
    asm.fcvt_d_l('fa0', 'a2'),
    asm.fadd_d('fa1', 'fa1', 'fa0'),
    asm.lr_d('a3', 's0'),
    asm.addi('a3', 'a3', 1),
    asm.sc_d('a4', 'a3', 's0'),
    asm.add('a5', 'a5', 'a4'),
    asm.jal('zero', -48),
  ]);
  machine.load(HANDLER, [
    asm.csrrs('t0', 'time', 'zero'),
    asm.add('s1', 's1', 't0'),
    asm.addi('t0', 't0', 17),
    asm.csrrw('zero', 'stimecmp', 't0'),
    asm.mret(),
  ]);
  hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
  hart.writeCsr(CSR_MENVCFG, 1n << 63n);
  hart.writeCsr(CSR_MIE, 0x20n);
  hart.writeCsr(CSR_MSTATUS, (1n << 13n) | 8n);
  hart.writeCsr(0x14d, 10n);
  return machine;
}

interface Saved {
  readonly hart: Snapshot;
  readonly clock: Snapshot;
  readonly ram: Uint8Array;
}

function save({ hart, clock, memory }: BareMachine): Saved {
  const ram = memory.read(memory.ramOffset, memory.ramSize).slice();
  const pass = (snapshot: Snapshot): Snapshot => decodeSnapshot(encodeSnapshot(snapshot));
  return { hart: pass(hart.save()), clock: pass(clock.save()), ram };
}

function restore({ hart, clock, memory }: BareMachine, saved: Saved): void {
  memory.write(memory.ramOffset, saved.ram);
  clock.restore(saved.clock);
  hart.restore(saved.hart);
}

describe('snapshot', () => {
  it('taken anywhere in a program, restored in another machine, it goes on alike', async () => {
    for (const [index, before] of [1, 9, 14, 1003, 4711, 20_000].entries()) {
      const original = await working();
      original.run(before);
      const saved = save(original);
      const twin = await working({ memory: { ramOffset: hostOffset((64 + index) << 20) } });
      twin.run(777);
      restore(twin, saved);
      expect(save(twin).hart).toEqual(saved.hart);
      original.run(5003);
      twin.run(5003);
      const [one, other] = [save(original), save(twin)];
      expect(encodeSnapshot(other.hart)).toBe(encodeSnapshot(one.hart));
      expect(encodeSnapshot(other.clock)).toBe(encodeSnapshot(one.clock));
      expect(Buffer.compare(one.ram, other.ram)).toBe(0);
    }
  });

  it('taking one changes nothing', async () => {
    const [plain, saved] = [await working(), await working()];
    plain.run(3000);
    for (let round = 0; round < 30; round++) {
      saved.run(100);
      save(saved);
    }
    expect(encodeSnapshot(save(saved).hart)).toBe(encodeSnapshot(save(plain).hart));
  });

  it('keeps a reservation: SC behind it succeeds in the restored hart', async () => {
    const original = await working();
    original.run(13);
    const twin = await working();
    restore(twin, save(original));
    twin.run(2);
    expect(twin.hart.readX(14)).toBe(0n);
  });

  it('keeps WFI and its translation', async () => {
    const original = await bareMachine();
    const tables = new PageTables(original);
    tables.map(BigInt(RAM_BASE), BigInt(RAM_BASE), PTE_KERNEL);
    original.load(RAM_BASE, [asm.wfi(), asm.addi('a0', 'a0', 1)]);
    original.hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    original.hart.writeCsr(0x3a0, 0x1fn);
    original.hart.writeCsr(CSR_SATP, tables.satp(3));
    original.hart.writeCsr(CSR_MIE, 2n);
    original.hart.privilege = 1;
    original.hart.run(10);
    const twin = await bareMachine();
    restore(twin, save(original));
    expect(twin.hart.waiting).toBe(true);
    expect(twin.hart.run(10)).toBe(0);
    twin.hart.setInterrupt(1, true);
    expect(twin.hart.translate(BigInt(RAM_BASE) + 4n, 'fetch')).toBe(BigInt(RAM_BASE) + 4n);
  });

  it('refuses one of another kind', async () => {
    const { hart } = await bareMachine();
    expect(() => hart.restore({ type: 'uart', version: 1 })).toThrow('expected hart');
  });
});
