import { expect, it } from 'vitest';
import { Timestamps } from './timestamps.js';

it('marks the beginning of each line with virtual time, only while it is on', () => {
  let now = 0;
  const stamps = new Timestamps(() => now);
  const show = (text: string): string =>
    new TextDecoder().decode(stamps.mark(new TextEncoder().encode(text)));
  expect(show('a\n')).toBe('a\n');
  stamps.on = true;
  now = 3_723_004e6;
  expect(show('b')).toBe('[01:02:03.004] b');
  expect(show('c\nd')).toBe('c\n[01:02:03.004] d');
  stamps.on = false;
  expect(show('e\n')).toBe('e\n');
});
