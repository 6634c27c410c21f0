import { describe, expect, it } from 'vitest';
import { chosen, parseOptions, UsageError } from './options.mjs';

const KNOWN = ['cpu', 'boot'];

describe('options of the benchmarks', () => {
  it('has all names and the defaults without any', () => {
    const { names, options } = parseOptions([], KNOWN);
    expect(names).toEqual(KNOWN);
    expect(options).toEqual({
      runs: 3,
      long: 10,
      seconds: 120,
      only: undefined,
      html: undefined,
      clock: 'wall',
      accel: undefined,
    });
  });

  it('takes names and options in any order', () => {
    const { names, options } = parseOptions(
      '--runs 1 cpu --only a,b --html out.html --long 2.5'.split(' '),
      KNOWN,
    );
    expect(names).toEqual(['cpu']);
    expect(options).toMatchObject({ runs: 1, only: ['a', 'b'], html: 'out.html', long: 2.5 });
  });

  it.each(['disk', '--fast', '--runs', '--runs 0', '--runs many', '--clock sun', '--seconds 1'])(
    'refuses %s',
    (line) => {
      expect(() => parseOptions(line.split(' '), KNOWN)).toThrow(UsageError);
    },
  );

  it('chosen: what --only names, and a sentence when it names nothing', () => {
    const all = [{ name: 'a' }, { name: 'b' }];
    expect(chosen(all, undefined)).toEqual(all);
    expect(chosen(all, ['b', 'of another benchmark'])).toEqual([{ name: 'b' }]);
    expect(() => chosen(all, ['c'])).toThrow('--only knows a, b, not c');
  });
});
