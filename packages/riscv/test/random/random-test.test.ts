import { describe, expect, it } from 'vitest';
import { compiledShare, runRandomTest, variedCompiler } from './random-test.js';

describe('compiled code does what the interpreter does', () => {
  const seeds = Array.from({ length: 16 }, (_, index) => 300 + index);

  it.each(seeds)('random program %i', async (seed) => {
    const harts = seed % 4 === 3 ? 2 : 1;
    const subject = { jit: variedCompiler(seed) };
    const { error, lockstep } = await runRandomTest(seed, { instructions: 120_000, harts, subject });
    expect(error?.message).toBeUndefined();
    expect(compiledShare(lockstep.pair.subject)).toBeGreaterThan(0.02);
    expect(lockstep.pair.reference.harts[0].core.jit).toBeUndefined();
  });
});
