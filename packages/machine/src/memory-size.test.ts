import { expect, it } from 'vitest';
import { MachineError } from './error.js';
import { parseSize } from './memory-size.js';

it.each([
  [4096, 4096],
  ['4096', 4096],
  ['128MiB', 2 ** 27],
  ['128M', 2 ** 27],
  ['0.5 g', 2 ** 29],
  ['64kb', 65_536],
])('the size %s is %d bytes', (size, bytes) => {
  expect(parseSize(size)).toBe(bytes);
});

it.each(['', 'M', '-1M', '1T', '0x10', '1.0000001', '1e9G'])('%j is no size', (size) => {
  expect(() => parseSize(size)).toThrow(MachineError);
});
