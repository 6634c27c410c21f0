import { describe, expect, it } from 'vitest';
import { geometricMean, growth, median, ratioOf, wordsOf } from './figures.mjs';

describe('figures of benchmarks', () => {
  it('median: the middle, in any order, and the list stays as it was', () => {
    const values = [30, 1, 2];
    expect(median(values)).toBe(2);
    expect(median([4, 1])).toBe(4);
    expect(values).toEqual([30, 1, 2]);
  });

  it('geometricMean: twice and half are even, and none counts more than the most', () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1);
    expect(geometricMean([3, 12], 3)).toBeCloseTo(3);
    expect(geometricMean([0.75, 12], 3)).toBeCloseTo(1.5);
  });

  it('ratioOf: pair by pair, above 1 where the peer took longer', () => {
    expect(ratioOf([2, 8, 3], [1, 2, 3])).toEqual({ ratio: 2, least: 1, most: 4 });
  });

  it('growth: the last quarter by the second; a start that grows is forgiven', () => {
    expect(growth([1, 50, 100, 100, 100, 100, 100, 100])).toBeCloseTo(1);
    expect(growth([0, 0, 100, 100, 200, 200, 300, 300])).toBeCloseTo(3);
    expect(() => growth([1, 2, 3])).toThrow(/four/);
  });

  it('wordsOf: numbers are numbers, a checksum of digits is none', () => {
    expect(wordsOf('bench: kernel=mix short=2 short.ticks=1234 checksum=0000000000000012')).toEqual({
      kernel: 'mix',
      short: 2,
      'short.ticks': 1234,
      checksum: '0000000000000012',
    });
  });
});
