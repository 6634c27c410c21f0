import { DirectTranslator, DmaPort } from '@vmloom/device';
import { PAGE_RESERVED, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { asm, bareMachine, RAM_BASE, Random } from './testing/index.js';

const DATA = RAM_BASE + 0x10_0000;

async function reserving(harts = 1) {
  const machine = await bareMachine({ harts });
  machine.load(RAM_BASE, [
    asm.lr_d('a1', 'a0'),
    asm.sc_d('a2', 'a3', 'a0'),
    asm.sd('a3', 0, 'a4'),
    asm.addi('zero', 'zero', 0),
  ]);
  for (const hart of machine.harts) {
    hart.writeX(10, BigInt(DATA));
    hart.writeX(12, 99n);
    hart.writeX(13, 7n);
  }
  machine.write64(DATA, 5n);
  return machine;
}

describe('LR and SC (A extension 13.2)', () => {
  it('SC after LR stores and answers 0', async () => {
    const machine = await reserving();
    machine.hart.run(2);
    expect([machine.hart.readX(11), machine.hart.readX(12), machine.read64(DATA)]).toEqual([5n, 0n, 7n]);
  });

  it('SC without LR, or a second SC, answers 1 and stores nothing', async () => {
    const machine = await reserving();
    machine.hart.pc = BigInt(RAM_BASE) + 4n;
    machine.hart.run(1);
    expect([machine.hart.readX(12), machine.read64(DATA)]).toEqual([1n, 5n]);
    machine.hart.pc = BigInt(RAM_BASE);
    machine.hart.run(2);
    machine.hart.writeX(13, 8n);
    machine.hart.pc = BigInt(RAM_BASE) + 4n;
    machine.hart.run(1);
    expect([machine.hart.readX(12), machine.read64(DATA)]).toEqual([1n, 7n]);
  });

  it('SC to another set fails', async () => {
    const machine = await reserving();
    machine.hart.run(1);
    machine.hart.writeX(10, BigInt(DATA) + 64n);
    machine.hart.run(1);
    expect(machine.hart.readX(12)).toBe(1n);
  });

  it.each([
    [0, 1n],
    [56, 1n],
    [64, 0n],
    [-8, 0n],
  ])('a DMA write %i bytes from the reserved word leaves SC with %i', async (distance, result) => {
    const machine = await reserving();
    machine.hart.run(1);
    new DmaPort(machine.memory, new DirectTranslator(machine.space)).write(
      DATA + distance,
      0,
      new Uint8Array(8),
    );
    machine.hart.run(1);
    expect(machine.hart.readX(12)).toBe(result);
  });

  it.each([
    [0, 1n],
    [60, 1n],
    [64, 0n],
  ])('a store of another hart %i bytes away leaves SC with %i', async (distance, result) => {
    const machine = await reserving(2);
    const [first, second] = machine.harts as [typeof machine.hart, typeof machine.hart];
    first.run(1);
    second.pc = BigInt(RAM_BASE) + 8n;
    second.writeX(14, BigInt(DATA + distance));
    second.run(1);
    first.run(1);
    expect(first.readX(12)).toBe(result);
  });

  it('two harts: the SC that comes first wins, the other one fails', async () => {
    const machine = await reserving(2);
    const [first, second] = machine.harts as [typeof machine.hart, typeof machine.hart];
    first.run(1);
    second.run(1);
    second.run(1);
    first.run(1);
    expect([first.readX(12), second.readX(12)]).toEqual([1n, 0n]);
  });

  it('the page is watched only while a reservation is held', async () => {
    const machine = await reserving();
    const page = machine.space.resolve(physical(DATA), 8) >>> 12;
    machine.hart.run(1);
    expect(machine.memory.flags.get(page)).toBe(PAGE_RESERVED);
    machine.hart.run(1);
    expect(machine.memory.flags.get(page)).toBe(0);
  });

  it('LR.W sign-extends, SC.W stores the low word', async () => {
    const machine = await reserving();
    machine.load(RAM_BASE, [asm.lr_w('a1', 'a0'), asm.sc_w('a2', 'a3', 'a0')]);
    machine.write64(DATA, 0x1_8000_0000n);
    machine.hart.writeX(13, 0x5_0000_0003n);
    machine.hart.run(2);
    expect([machine.hart.readX(11), machine.read64(DATA)]).toEqual([0xffff_ffff_8000_0000n, 0x1_0000_0003n]);
  });
});

describe('AMO (A extension 13.4)', () => {
  const signed = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value);
  const operations: Record<string, (a: bigint, b: bigint, bits: number) => bigint> = {
    amoswap: (_a, b) => b,
    amoadd: (a, b) => a + b,
    amoxor: (a, b) => a ^ b,
    amoand: (a, b) => a & b,
    amoor: (a, b) => a | b,
    amomin: (a, b, bits) => (signed(bits, a) < signed(bits, b) ? a : b),
    amomax: (a, b, bits) => (signed(bits, a) > signed(bits, b) ? a : b),
    amominu: (a, b, bits) => (BigInt.asUintN(bits, a) < BigInt.asUintN(bits, b) ? a : b),
    amomaxu: (a, b, bits) => (BigInt.asUintN(bits, a) > BigInt.asUintN(bits, b) ? a : b),
  };
  it.each(Object.keys(operations))('%s, of words and double words', async (name) => {
    const machine = await bareMachine();
    const random = new Random(3);
    for (const bits of [32, 64]) {
      machine.load(RAM_BASE, [asm[`${name}_${bits === 32 ? 'w' : 'd'}`]('a1', 'a2', 'a0')]);
      for (let round = 0; round < 50; round++) {
        const [memory, operand] = [random.u64(), random.u64()];
        machine.write64(DATA, memory);
        machine.hart.reset({ pc: BigInt(RAM_BASE), a0: BigInt(DATA) });
        machine.hart.writeX(12, operand);
        machine.hart.run(1);
        const result = BigInt.asUintN(bits, operations[name](memory, operand, bits));
        const upper = bits === 32 ? (memory >> 32n) << 32n : 0n;
        expect(machine.read64(DATA)).toBe(upper | result);
        expect(machine.hart.readX(11)).toBe(BigInt.asUintN(64, signed(bits, memory)));
      }
    }
  });

  it('with rd and rs2 the same register the operand is the old value of it', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [asm.amoadd_d('a1', 'a1', 'a0')]);
    machine.write64(DATA, 30n);
    machine.hart.reset({ pc: BigInt(RAM_BASE), a0: BigInt(DATA), a1: 12n });
    machine.hart.run(1);
    expect([machine.hart.readX(11), machine.read64(DATA)]).toEqual([30n, 42n]);
  });
});
