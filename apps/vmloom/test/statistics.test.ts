import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/commands/run.js';
import type { RunStatistics } from '../src/run/statistics.js';

const bench = fileURLToPath(new URL('../../../packages/guest/prebuilt/bench.elf', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const runBench = (file: string, accel: string): Promise<number> =>
  run(
    [
      ...['-m', '32', '-serial', 'none', '-time', 'virtual', '-kernel', bench],
      ...['-append', 'kernel=integer long=1', '-statistics', file, '-accel', accel],
    ],
    process,
  );

describe('-statistics', () => {
  it('tells instructions and time when the guest has powered off', async () => {
    const file = join(folder, 'cost.json');
    expect(await runBench(file, 'interpreter')).toBe(0);
    const cost = JSON.parse(readFileSync(file, 'utf8')) as RunStatistics;
    expect(cost.instructions).toBeGreaterThan(1_500_000);
    expect(cost.instructions).toBeLessThan(4_000_000);
    expect(cost.seconds).toBeGreaterThan(0);
    expect(cost.processorSeconds).toBeGreaterThan(0);
    expect(cost.jit).toBeUndefined();
  });

  it('tells what the compiler did', async () => {
    const file = join(folder, 'cost.json');
    expect(await runBench(file, 'jit')).toBe(0);
    const { jit } = JSON.parse(readFileSync(file, 'utf8')) as RunStatistics;
    expect(jit?.regions).toBeGreaterThan(0);
    expect(jit?.residentBytes).toBeGreaterThan(0);
    expect(jit?.emitTime).toBeGreaterThan(0);
  });

  it('says which file could not be written', async () => {
    await expect(runBench(join(folder, 'nowhere', 'cost.json'), 'jit')).rejects.toThrow(/nowhere/);
  });
});
