import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { plainText, PROGRAM_PLANS, programRuns, programsInit } from './program-plans.js';

describe('programs to be timed in Debian', () => {
  it('runs each plan between its lines, then ends the machine', () => {
    const init = programsInit(PROGRAM_PLANS);
    for (const { name, command } of PROGRAM_PLANS) {
      const [start, run, stop] = [`@@ start ${name}"`, command, `@@ stop ${name} `].map((part) =>
        init.indexOf(part),
      );
      expect(start).toBeGreaterThan(0);
      expect(run).toBeGreaterThan(start);
      expect(stop).toBeGreaterThan(run);
    }
    expect(init.trimEnd()).toMatch(/poweroff -f$/);
  });

  it('reads times, status and sum; what never ended is left out', () => {
    const lines = [
      { at: 1, text: 'noise' },
      { at: 2, text: '@@ start awk' },
      { at: 4.5, text: '@@ stop awk 0' },
      { at: 5, text: '@@ sum awk 123 7' },
      { at: 6, text: '@@ start gzip' },
      { at: 7, text: '@@ stop gzip 1' },
    ];
    expect([...programRuns(lines)]).toEqual([['awk', { seconds: 2.5, status: 0, sum: '123 7' }]]);
  });

  it('makes a text that repeats itself, and compresses as text does', () => {
    const text = plainText(100_000);
    expect(text).toEqual(plainText(100_000));
    expect(text).toHaveLength(100_000);
    const ratio = gzipSync(text).length / text.length;
    expect(ratio).toBeGreaterThan(0.1);
    expect(ratio).toBeLessThan(0.5);
  });
});
