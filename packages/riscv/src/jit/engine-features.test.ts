import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { engineFeatures } from './engine-features.js';

describe('engine features', () => {
  it('are found once', () => {
    expect(engineFeatures()).toBe(engineFeatures());
  });

  it('a fused multiply-add is claimed where the processor has one', () => {
    let flags = '';
    try {
      flags = execFileSync('grep', ['-m1', '^flags', '/proc/cpuinfo'], { encoding: 'utf8' });
    } catch {
      // Not Linux on x86: nothing to compare with.
    }
    if (flags !== '') expect(engineFeatures().fusedMultiplyAdd).toBe(flags.split(' ').includes('fma'));
  });
});
