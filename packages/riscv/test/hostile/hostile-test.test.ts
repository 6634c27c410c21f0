import { describe, expect, it } from 'vitest';
import { Random } from '../../src/testing/index.js';
import { codeMaker, codeWriter, everyPage, manyBlocks, type HostileProgram } from './hostile-programs.js';
import { runHostileTest } from './hostile-test.js';

/** A million blocks and 16,384 pages: `run-hostile.mjs`. */
const PROGRAMS: readonly (readonly [program: HostileProgram, codePages: number, leastRegions: number])[] = [
  [manyBlocks(new Random(1), 12_000, 6), 32, 150],
  [everyPage(new Random(2), 700, 8), 1024, 100],
  // A page is driven out before it is hot: nothing is compiled.
  [everyPage(new Random(3), 300, 8), 16, 0],
  [codeWriter(new Random(4), 1500, 1), 64, 1],
  [codeWriter(new Random(6), 400, 40), 64, 100],
  [codeMaker(new Random(5), 3000, 12), 80, 100],
];
const QUOTA = 1 << 20;

describe('a guest that wears a compiler out gets slow, never wrong, and takes no more room', () => {
  it.each(PROGRAMS.map(([program, codePages, least]) => ({ name: program.name, program, codePages, least })))(
    '$name, $codePages decoded pages',
    async ({ program, codePages, least }) => {
      const jit = { threshold: 2, batch: 2, mergeThreshold: 4, fastThreshold: 2000, quota: QUOTA };
      const result = await runHostileTest(program, { jit, codePages });
      expect(result.ended).toBe(true);
      expect(result.statistics.regions).toBeGreaterThanOrEqual(least);
      expect(result.mostResident).toBeLessThanOrEqual(QUOTA);
      expect(result.freeNodes[1]).toBe(result.freeNodes[0]);
      expect(result.slots[1]).toBe(result.slots[0]);
      expect(result.statistics.residentBytes).toBe(0);
    },
  );
});
