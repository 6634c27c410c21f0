import { describe, expect, it } from 'vitest';
import { intersect, subtract } from './ranges.js';

const range = (start: number, end: number): { start: number; end: number } => ({ start, end });

describe('ranges', () => {
  it('intersect keeps what both lists cover', () => {
    expect(intersect([range(0, 10), range(20, 30)], [range(5, 25)])).toEqual([range(5, 10), range(20, 25)]);
    expect(intersect([range(0, 10)], [range(10, 20)])).toEqual([]);
  });

  it('subtract cuts holes, at the ends, in the middle and over the whole', () => {
    expect(subtract([range(0, 10)], [range(3, 5), range(9, 20)])).toEqual([range(0, 3), range(5, 9)]);
    expect(subtract([range(0, 10)], [range(0, 10)])).toEqual([]);
    expect(subtract([range(0, 10)], [range(10, 20)])).toEqual([range(0, 10)]);
  });
});
