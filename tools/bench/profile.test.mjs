import { describe, expect, it } from 'vitest';
import { SHARES, shareCells, sharesOf } from './profile.mjs';

const HART = 'file:///v/packages/riscv/dist/hart.js';
const JIT = 'file:///v/packages/riscv/dist/jit/jit.js';
const DEVICE = 'file:///v/packages/e1000/dist/e1000.js';
const [INTERPRETER, REGION, EMITTER] = ['wasm://wasm/1', 'wasm://wasm/2', 'wasm://wasm/3'];

/** A profile of stacks, outermost first, each sampled once for so long. */
function profile(stacks) {
  const nodes = [{ id: 1, callFrame: { functionName: '(root)', url: '' }, children: [] }];
  const samples = stacks.map(([, ...urls]) =>
    urls.reduce((parent, url) => {
      const id = nodes.length + 1;
      nodes.push({ id, callFrame: { functionName: 'f', url }, children: [] });
      nodes[parent - 1].children.push(id);
      return id;
    }, 1),
  );
  return { nodes, samples, timeDeltas: stacks.map(([time]) => time) };
}

describe('shares of a profile', () => {
  it('tells them apart by the stack, from the first instruction on', () => {
    const shares = sharesOf(
      profile([
        [500, DEVICE],
        [500, HART],
        [5, HART, JIT, EMITTER],
        [10, HART, JIT, ''],
        [10, HART, JIT],
        [20, HART, INTERPRETER],
        [30, HART, INTERPRETER, REGION],
        [5, HART, INTERPRETER, REGION, INTERPRETER],
        [10, HART, INTERPRETER, REGION, DEVICE],
        [5, HART, INTERPRETER, DEVICE],
        [5, DEVICE],
      ]),
    );
    expect(shares).toEqual({ emit: 0.05, compile: 0.2, interpret: 0.2, run: 0.35, other: 0.2 });
    expect(shareCells(shares)).toEqual(['5 %', '20 %', '20 %', '35 %', '20 %']);
  });

  it('sums to 1', () => {
    const shares = sharesOf(
      profile([
        [3, HART],
        [4, ''],
        [7, HART, INTERPRETER],
      ]),
    );
    expect(SHARES.reduce((sum, share) => sum + shares[share], 0)).toBeCloseTo(1);
  });
});
