import { describe, expect, it } from 'vitest';
import { RAM_BASE, asm, bareMachine } from '../testing/index.js';

describe('what asks to be compiled', () => {
  it('a loop whose slices end anywhere is one region, not one for each instruction', async () => {
    const machine = await bareMachine({ jit: { threshold: 4, batch: 1 } });
    const body = Array.from({ length: 60 }, (_, index) => asm.addi('a0', 'a0', index));
    machine.load(RAM_BASE, [...body, asm.addi('a1', 'a1', 1), asm.jal('zero', -4 * (body.length + 1))]);
    let retired = 0;
    for (let turn = 0; turn < 2000; turn++) retired += machine.run(991 + (turn % 7));
    expect(machine.core.jit?.statistics.regions).toBeGreaterThan(0);
    // The first tier, and the second in its place.
    expect(machine.core.jit?.statistics.regions).toBeLessThan(4);
    expect(machine.hart.readX(11)).toBe(BigInt(Math.floor((retired + 1) / 62)));
  });
});
