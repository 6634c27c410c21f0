import { physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_SATP } from './csr-numbers.js';
import { asm, bareMachine, PageTables, PTE_KERNEL, RAM_BASE } from './testing/index.js';

const FAR = 0x3f_0000_0000n;

/** Sums 1 to 10 in a0 through a called function, a near branch and a store, then spins. */
async function summing(options: Parameters<typeof bareMachine>[0] = {}) {
  const machine = await bareMachine(options);
  machine.load(RAM_BASE, [
    asm.addi('a1', 'zero', 10),
    asm.jal('ra', 16),
    asm.addi('a1', 'a1', -1),
    asm.bne('a1', 'zero', -8),
    asm.jal('zero', 0),
    asm.auipc('a2', 0),
    asm.add('a0', 'a0', 'a1'),
    asm.sd('a0', 0x100, 'a2'),
    asm.jalr('zero', 0, 'ra'),
  ]);
  return machine;
}

const at = (instruction: number): bigint => BigInt(RAM_BASE + instruction * 4);

describe('breakpoints', () => {
  it('a hart leaves before the instruction, which has not retired, and memory keeps its bytes', async () => {
    const { core, hart, space } = await summing();
    const before = space.readBytes(physical(RAM_BASE), 36).slice();
    core.setBreakpoints([at(6)]);
    expect(hart.run(1000)).toBe(3);
    expect([hart.exit, hart.pc, hart.readX(10)]).toEqual(['breakpoint', at(6), 0n]);
    expect(space.readBytes(physical(RAM_BASE), 36)).toEqual(before);
    expect(hart.run(1000)).toBe(0);
    expect(hart.exit).toBe('breakpoint');
  });

  it('a hart steps over its breakpoint and meets it again', async () => {
    const { core, hart } = await summing();
    core.setBreakpoints([at(6)]);
    for (let round = 1; round <= 10; round++) {
      hart.run(1000);
      expect([hart.exit, hart.pc, hart.readX(11)]).toEqual(['breakpoint', at(6), BigInt(11 - round)]);
      hart.breakpoints = false;
      expect(hart.run(1)).toBe(1);
      hart.breakpoints = true;
      expect(hart.pc).toBe(at(7));
    }
    hart.run(1000);
    expect([hart.exit, hart.readX(10)]).toEqual(['budget', 55n]);
  });

  it('one in code that has run already takes effect, and so does its removal', async () => {
    const { core, hart } = await summing();
    hart.run(20);
    core.setBreakpoints([at(2)]);
    hart.run(1000);
    expect([hart.exit, hart.pc]).toEqual(['breakpoint', at(2)]);
    core.setBreakpoints([]);
    hart.run(1000);
    expect([hart.exit, hart.readX(10)]).toEqual(['budget', 55n]);
  });

  it('those at the same offset of other pages change nothing, in slices of any size', async () => {
    const plain = await summing();
    plain.hart.run(200);
    for (const slice of [1, 3, 200]) {
      const { core, hart } = await summing();
      core.setBreakpoints(Array.from({ length: 9 }, (_, index) => at(index) + 0x1000n));
      for (let done = 0; done < 200; done += slice) hart.run(Math.min(slice, 200 - done));
      expect(hart.retired).toBe(200);
      expect(hart.save()).toEqual(plain.hart.save());
    }
  });

  it('are virtual addresses: one way to a physical page has it, another has not', async () => {
    const machine = await summing({ hart: { hostFirmware: true } });
    const { core, hart } = machine;
    const tables = new PageTables(machine);
    tables.map(FAR, BigInt(RAM_BASE), PTE_KERNEL);
    tables.map(BigInt(RAM_BASE), BigInt(RAM_BASE), PTE_KERNEL);
    hart.writeCsr(CSR_SATP, tables.satp());
    core.setBreakpoints([FAR + 24n]);
    hart.run(1000);
    expect([hart.exit, hart.readX(10)]).toEqual(['budget', 55n]);
    hart.pc = FAR;
    hart.run(1000);
    expect([hart.exit, hart.pc]).toEqual(['breakpoint', FAR + 24n]);
  });

  it('one on an instruction that crosses a page', async () => {
    for (const near of [true, false]) {
      const machine = await bareMachine();
      const word = asm.addi('a0', 'zero', 7);
      const bytes = new Uint8Array(new Uint32Array([word, asm.jal('zero', 0)]).buffer);
      machine.load(RAM_BASE + 0xffe, bytes);
      machine.hart.pc = BigInt(RAM_BASE + 0xffe);
      machine.core.setBreakpoints([BigInt(RAM_BASE + (near ? 0xffe : 0x2ffe))]);
      machine.hart.run(10);
      expect([machine.hart.exit, machine.hart.readX(10)]).toEqual(near ? ['breakpoint', 0n] : ['budget', 7n]);
    }
  });

  it('one in a page that RAM does not fill', async () => {
    const machine = await bareMachine({ mapped: 0x800 });
    machine.load(RAM_BASE, [asm.addi('a0', 'zero', 1), asm.addi('a0', 'zero', 2), asm.jal('zero', 0)]);
    machine.core.setBreakpoints([at(1)]);
    machine.hart.run(10);
    expect([machine.hart.exit, machine.hart.readX(10)]).toEqual(['breakpoint', 1n]);
  });

  it('a store to the instruction under one changes what then runs', async () => {
    const { core, hart, load } = await summing();
    core.setBreakpoints([at(6)]);
    hart.run(1000);
    load(Number(at(6)), [asm.addi('a0', 'zero', 99)]);
    core.setBreakpoints([at(6) + 0x1000n]);
    hart.run(2);
    expect(hart.readX(10)).toBe(99n);
  });

  it('a compressed instruction at the offset of one elsewhere runs', async () => {
    const machine = await bareMachine();
    // c.li a0, 5; c.mv a1, a0; then a loop.
    machine.load(RAM_BASE, new Uint8Array(new Uint16Array([0x4515, 0x85aa, 0xa001]).buffer));
    machine.core.setBreakpoints([
      BigInt(RAM_BASE + 0x1000),
      BigInt(RAM_BASE + 0x1002),
      BigInt(RAM_BASE + 0x1004),
    ]);
    expect(machine.hart.run(10)).toBe(10);
    expect(machine.hart.readX(11)).toBe(5n);
  });

  it('a page keeps 256 of them; one more is refused', async () => {
    const { core, hart } = await summing();
    const many = Array.from({ length: 256 }, (_, index) => BigInt(RAM_BASE + 0x1000 + index * 4));
    core.setBreakpoints(many);
    hart.run(1000);
    expect([hart.exit, hart.readX(10)]).toEqual(['budget', 55n]);
    expect(() => core.setBreakpoints([...many, 0n])).toThrow(/at most 256 breakpoints/);
  });

  it('requestStop in a listener of stores ends the run behind the storing instruction', async () => {
    const machine = await summing();
    const { hart, memory } = machine;
    memory.flags.set(memory.ramOffset >>> 12, 4);
    const seen: number[] = [];
    memory.flags.onStore(4, (offset, length) => {
      if (offset !== memory.ramOffset + 0x114) return;
      seen.push(length);
      hart.requestStop();
    });
    expect(hart.run(1000)).toBe(5);
    expect([hart.exit, hart.pc, seen]).toEqual(['stop', at(8), [8]]);
  });
});
