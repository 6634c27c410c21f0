import { expect, it } from 'vitest';
import { asm, bareMachine, RAM_BASE } from '@vmloom/riscv/testing';
import type { JitReport } from './jit.worker.js';

function inWorker(order: { what: 'random' | 'guest'; seed: number }): Promise<JitReport> {
  const name = JSON.stringify(order);
  const worker = new Worker(new URL('./jit.worker.ts', import.meta.url), { type: 'module', name });
  return new Promise<JitReport>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<JitReport>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  }).finally(() => worker.terminate());
}

it.each([1, 2, 3])(
  'riscv in a worker: random program %i, compiled, does what the interpreter does',
  async (seed) => {
    const { regions, error } = await inWorker({ what: 'random', seed });
    expect(error).toBe('');
    expect(regions).toBeGreaterThan(10);
  },
);

it('machine in a worker: the small guest, compiled, does what the interpreter does', async () => {
  const { regions, error, text } = await inWorker({ what: 'guest', seed: 0 });
  expect(error).toBe('');
  expect(text).toContain('vmloom');
  expect(regions).toBeGreaterThan(10);
});

it('riscv in a page: compiled code where the engine compiles at once, the interpreter elsewhere', async () => {
  const machine = await bareMachine({ jit: { threshold: 1, batch: 1 } });
  machine.load(RAM_BASE, [asm.addi('a0', 'a0', 1), asm.xor('a1', 'a1', 'a0'), asm.jal('zero', -8)]);
  for (let slice = 0; slice < 100; slice++) expect(machine.run(3000)).toBe(3000);
  expect(machine.hart.readX(10)).toBe(100_000n);
});
