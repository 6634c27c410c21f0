import { physical } from '@vmloom/memory';
import { DirectTranslator, DmaPort } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { CSR_SATP } from './csr-numbers.js';
import { asm, bareMachine, catchingMachine, li, PageTables, PTE_KERNEL, RAM_BASE } from './testing/index.js';

const TARGET = RAM_BASE + 0x3000;

/** A caller at RAM_BASE that calls TARGET for ever; TARGET returns a constant in a0. */
async function calling(options: Parameters<typeof bareMachine>[0] = {}) {
  const machine = await bareMachine(options);
  machine.load(RAM_BASE, [
    ...li('s0', TARGET),
    asm.jalr('ra', 0, 's0'),
    asm.add('s1', 's1', 'a0'),
    asm.jal('zero', -8),
  ]);
  machine.load(TARGET, [asm.addi('a0', 'zero', 1), asm.jalr('zero', 0, 'ra')]);
  machine.hart.run(100);
  expect(machine.hart.readX(10)).toBe(1n);
  return machine;
}
const two = asm.addi('a0', 'zero', 2);

describe('code that is written (Zifencei: exact even without the fence)', () => {
  it('by the loader', async () => {
    const machine = await calling();
    machine.load(TARGET, [two]);
    machine.hart.run(100);
    expect(machine.hart.readX(10)).toBe(2n);
  });

  it('by DMA', async () => {
    const machine = await calling();
    const dma = new DmaPort(machine.memory, new DirectTranslator(machine.space));
    const bytes = new Uint8Array(new Uint32Array([two]).buffer);
    expect(dma.write(TARGET, 0, bytes)).toBe(0);
    machine.hart.run(100);
    expect(machine.hart.readX(10)).toBe(2n);
  });

  it('by DMA of many pages at once', async () => {
    const machine = await calling();
    machine.space.writeBytes(physical(TARGET - 0x1000), new Uint8Array(0x1000 * 4));
    machine.load(TARGET, [two, asm.jalr('zero', 0, 'ra')]);
    machine.hart.run(100);
    expect(machine.hart.readX(10)).toBe(2n);
  });

  it('by a store of the hart to the very next instruction', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [
      ...li('a1', two),
      asm.auipc('a2', 0),
      asm.sw('a1', 8, 'a2'),
      asm.addi('a0', 'zero', 1),
    ]);
    machine.hart.run(5);
    expect(machine.hart.readX(10)).toBe(2n);
  });

  it.each([
    ['byte', asm.sb('a1', 3, 's0')],
    ['half-word', asm.sh('a1', 2, 's0')],
    ['misaligned word', asm.sw('a1', 1, 's0')],
    ['atomic', asm.amoswap_w('zero', 'a1', 's0')],
  ])('a store of the hart (%s) changes the instruction that holds it', async (_name, word) => {
    const machine = await bareMachine();
    machine.load(TARGET, [asm.addi('a0', 'zero', 1), asm.ebreak()]);
    machine.load(RAM_BASE, [word]);
    const { hart, space } = machine;
    hart.pc = BigInt(TARGET);
    hart.run(1);
    hart.pc = BigInt(RAM_BASE);
    hart.writeX(8, BigInt(TARGET));
    hart.writeX(11, BigInt(two));
    hart.run(1);
    const now = new DataView(space.readBytes(physical(TARGET), 4).slice().buffer).getUint32(0, true);
    expect(now).not.toBe(asm.addi('a0', 'zero', 1));
    const other = await bareMachine();
    other.load(TARGET, [now, asm.ebreak()]);
    for (const { hart: each } of [machine, other]) {
      each.reset({ pc: BigInt(TARGET) });
      each.run(1);
    }
    expect(hart.pc).toBe(other.hart.pc);
    expect(hart.readX(10)).toBe(other.hart.readX(10));
  });

  it('by another hart', async () => {
    const machine = await calling({ harts: 2 });
    const [first, second] = machine.harts as [typeof machine.hart, typeof machine.hart];
    machine.load(RAM_BASE + 0x5000, [asm.sw('a1', 0, 's0')]);
    second.reset({ pc: BigInt(RAM_BASE) + 0x5000n, a1: BigInt(two) });
    second.writeX(8, BigInt(TARGET));
    second.run(1);
    first.run(100);
    expect(first.readX(10)).toBe(2n);
  });

  it('through another virtual address of the same page', async () => {
    const machine = await catchingMachine();
    const tables = new PageTables(machine);
    tables.map(BigInt(RAM_BASE), BigInt(RAM_BASE), PTE_KERNEL);
    tables.map(0x5000_0000n, BigInt(RAM_BASE), PTE_KERNEL);
    machine.hart.writeCsr(CSR_SATP, tables.satp());
    machine.hart.privilege = 1;
    machine.load(RAM_BASE, [asm.addi('t0', 't0', 1), asm.sw('a1', 8, 'a2'), asm.addi('a0', 'zero', 1)]);
    machine.hart.writeX(11, BigInt(asm.addi('a0', 'zero', 1)));
    machine.hart.writeX(12, 0x5000_0000n);
    machine.hart.run(3);
    expect(machine.hart.readX(10)).toBe(1n);
    machine.hart.pc = BigInt(RAM_BASE);
    machine.hart.writeX(11, BigInt(two));
    machine.hart.run(3);
    expect(machine.hart.readX(10)).toBe(2n);
  });

  it('an instruction across a page border, in either half', async () => {
    const machine = await bareMachine();
    const border = RAM_BASE + 0x4000;
    const one = asm.addi('a0', 'zero', 1);
    machine.load(border - 4, [((one << 16) | 1) >>> 0, ((asm.jal('zero', -6) << 16) | (one >>> 16)) >>> 0]);
    machine.load(border + 4, [asm.jal('zero', -6) >>> 16]);
    machine.hart.pc = BigInt(border) - 4n;
    machine.hart.run(50);
    expect(machine.hart.readX(10)).toBe(1n);
    machine.memory.writeU16(machine.space.resolve(physical(border), 2) as never, two >>> 16);
    machine.hart.run(50);
    expect(machine.hart.readX(10)).toBe(2n);
  });
});

describe('the decode cache', () => {
  it('a page of code and hot data keeps its instructions, and stays right', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [
      asm.auipc('s0', 0),
      asm.addi('a0', 'a0', 1),
      asm.sd('a0', 0x400, 's0'),
      asm.jal('zero', -8),
    ]);
    machine.hart.run(1 + 3 * 10_000);
    expect(machine.hart.readX(10)).toBe(10_000n);
    expect(machine.read64(RAM_BASE + 0x400)).toBe(10_000n);
  });

  it('a page that was code and is data now loses its flag', async () => {
    const machine = await calling();
    const page = machine.space.resolve(physical(TARGET), 4) >>> 12;
    expect(machine.memory.flags.get(page)).toBe(1);
    for (let at = 0; at < 100; at++) machine.write64(TARGET + 0x800, BigInt(at));
    expect(machine.memory.flags.get(page)).toBe(0);
    machine.load(TARGET, [two]);
    machine.hart.run(100);
    expect(machine.hart.readX(10)).toBe(2n);
    expect(machine.memory.flags.get(page)).toBe(1);
  });

  it('more pages of code than the cache holds', async () => {
    const machine = await bareMachine({ codePages: 3 });
    const pages = 20;
    // Every page adds 1 and jumps to the next one, the last to the first.
    for (let page = 0; page < pages; page++) {
      const next = page === pages - 1 ? -(pages - 1) * 4096 : 4096;
      machine.load(RAM_BASE + page * 4096, [asm.addi('a0', 'a0', 1), asm.jal('zero', next - 4)]);
    }
    machine.hart.run(2 * pages * 50);
    expect(machine.hart.readX(10)).toBe(BigInt(pages * 50));
    machine.load(RAM_BASE + 7 * 4096, [asm.addi('a0', 'a0', 2)]);
    machine.hart.run(2 * pages);
    expect(machine.hart.readX(10)).toBe(BigInt(pages * 51 + 1));
  });

  it('a change of the address map takes effect at once', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [asm.ld('a0', 0, 's0'), asm.jal('zero', -4)]);
    machine.hart.writeX(8, 0x9_0000_0000n);
    const window = (at: number) =>
      machine.space.mapRam({
        name: 'window',
        base: 0x9_0000_0000,
        size: 4096,
        offset: (machine.memory.ramOffset + at) as never,
      });
    machine.write64(RAM_BASE + 0x10_0000, 1n);
    machine.write64(RAM_BASE + 0x10_1000, 2n);
    const first = window(0x10_0000);
    machine.hart.run(10);
    expect(machine.hart.readX(10)).toBe(1n);
    first.unmap();
    window(0x10_1000);
    machine.hart.run(10);
    expect(machine.hart.readX(10)).toBe(2n);
  });
});
