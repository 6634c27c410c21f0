import { expect, it } from 'vitest';
import { didYouMean, nearest } from './suggest.js';

const OPTIONS = ['-kernel', '-initrd', '-append', '-netdev', '-device', '-m', '-smp'];

it.each([
  ['-kernal', '-kernel'],
  ['-netdve', '-netdev'],
  ['-devices', '-device'],
  ['-initramfs', '-initrd'],
  ['-completely-unknown', undefined],
])('%s is nearest to %s', (name, expected) => {
  expect(nearest(name, OPTIONS)).toBe(expected);
});

it('says what was meant, or nothing', () => {
  expect(didYouMean('-smpp', OPTIONS)).toBe('; did you mean -smp?');
  expect(didYouMean('xyzzy', OPTIONS)).toBe('');
});
