import { physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { asm, bareMachine, li, RAM_BASE, type BareMachine } from '../testing/index.js';

const EAGER = { threshold: 2, batch: 1, mergeThreshold: 4, fastThreshold: 1000 } as const;
const FUNCTIONS = RAM_BASE + 0x1_0000;

/** A function that adds `index` to a0 by way of a loop. */
const adder = (index: number): number[] => [
  asm.addi('t0', 'zero', 4),
  asm.addi('a0', 'a0', index & 0x7ff),
  asm.addi('t0', 't0', -1),
  asm.bne('t0', 'zero', -8),
  asm.jalr('zero', 0, 'ra'),
];

function call(machine: BareMachine, address: number, times: number): void {
  machine.load(RAM_BASE, [
    ...li('s0', address),
    ...li('s1', times),
    asm.jalr('ra', 0, 's0'),
    asm.addi('s1', 's1', -1),
    asm.bne('s1', 'zero', -8),
    asm.wfi(),
  ]);
  machine.hart.reset({ pc: BigInt(RAM_BASE) });
  machine.run(10_000);
}

describe('the room that compiled code takes', () => {
  it('contract quota: what was compiled first goes, and the sums are right before and after', async () => {
    const machine = await bareMachine({ jit: { ...EAGER, quota: 1 << 20 } });
    const { statistics } = machine.core.jit!;
    for (let index = 0; index < 400; index++) {
      machine.load(FUNCTIONS + index * 32, adder(index));
    }
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 400; index++) {
        call(machine, FUNCTIONS + index * 32, 10);
        expect(machine.hart.readX(10)).toBe(BigInt((index & 0x7ff) * 40));
      }
    }
    expect(statistics.evicted).toBeGreaterThan(0);
    expect(statistics.residentBytes).toBeLessThanOrEqual(1 << 20);
  });

  it('code that is written again and again is compiled anew in the same room', async () => {
    const machine = await bareMachine({ jit: EAGER });
    const { statistics } = machine.core.jit!;
    for (let index = 0; index < 300; index++) {
      machine.load(FUNCTIONS, adder(index));
      call(machine, FUNCTIONS, 10);
      expect(machine.hart.readX(10)).toBe(BigInt((index & 0x7ff) * 40));
    }
    expect(statistics.dropped).toBeGreaterThan(200);
    expect(statistics.residentBytes).toBeLessThan(1 << 20);
  });

  it('breakpoints let everything go', async () => {
    const machine = await bareMachine({ jit: EAGER });
    machine.load(FUNCTIONS, adder(3));
    call(machine, FUNCTIONS, 20);
    expect(machine.core.jit!.statistics.residentBytes).toBeGreaterThan(0);
    machine.core.setBreakpoints([BigInt(FUNCTIONS + 8)]);
    expect(machine.core.jit!.statistics.residentBytes).toBe(0);
    machine.hart.reset({ pc: BigInt(RAM_BASE) });
    machine.run(1000);
    expect([machine.hart.exit, machine.hart.pc]).toEqual(['breakpoint', BigInt(FUNCTIONS + 8)]);
  });

  it('DMA that overwrites compiled code is seen at its next instruction', async () => {
    const machine = await bareMachine({ jit: EAGER });
    machine.load(FUNCTIONS, adder(1));
    call(machine, FUNCTIONS, 20);
    expect(machine.hart.readX(10)).toBe(80n);
    machine.space.writeBytes(
      physical(FUNCTIONS + 4),
      new Uint8Array(new Uint32Array([asm.addi('a0', 'a0', 7)]).buffer),
    );
    call(machine, FUNCTIONS, 20);
    expect(machine.hart.readX(10)).toBe(560n);
  });
});

describe('compilation while the hart goes on', () => {
  it('changes no sum, and what is written meanwhile is not entered', async () => {
    const machine = await bareMachine({ jit: { ...EAGER, asynchronous: true } });
    const { statistics } = machine.core.jit!;
    for (let index = 0; index < 40; index++) {
      machine.load(FUNCTIONS, adder(index));
      call(machine, FUNCTIONS, 10);
      expect(machine.hart.readX(10)).toBe(BigInt(index * 40));
      if (index % 2 === 1) continue;
      // The engine ends its work between two calls of the same code, every other time.
      await new Promise((resolve) => setTimeout(resolve, 5));
      call(machine, FUNCTIONS, 10);
      expect(machine.hart.readX(10)).toBe(BigInt(index * 40));
    }
    expect(statistics.regions).toBeGreaterThan(0);
    expect(statistics.dropped).toBeGreaterThan(0);
  });
});
