import { describe, expect, it } from 'vitest';
import { parseActions, parseThread } from './vcont.js';

describe('vCont (GDB manual, E.2)', () => {
  it.each([
    ['c', ['run', 'run', 'run']],
    ['s:2;c', ['run', 'step', 'run']],
    ['s:2', ['stay', 'step', 'stay']],
    ['C05:1;s:-1', ['run', 'step', 'step']],
    ['t:3;c', ['run', 'run', 'stay']],
    ['s:0;c', ['step', 'run', 'run']],
    ['c:1;s:1', ['run', 'stay', 'stay']],
  ])('%s', (text, actions) => {
    expect(parseActions(text, 3)).toEqual(actions);
  });

  it.each(['', 'x', 'c;', 's:4', 's:g', 's:', 'c:11111111111111111111', 'cc:1:2'])(
    '"%s" is refused',
    (text) => {
      expect(parseActions(text, 3)).toBeUndefined();
    },
  );

  it('a thread is -1, 0 or a number', () => {
    expect(['-1', '0', 'a', '', '-2', 'p1.1', '10000'].map(parseThread)).toEqual([
      -1,
      0,
      10,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
