import { describe, expect, it } from 'vitest';
import { ModuleBuilder } from '../jit/module-builder.js';
import { wasmText, type WasmNames } from './wasm-text.js';

const NAMES: WasmNames = {
  local: (index) => ['state', 'base', 'entry', 'left'][index],
  field: (local, offset) => (local === 'state' && offset === 8 ? 'ra' : undefined),
  constant: (value) => (value === 99n ? 'ninetyNine' : undefined),
  fixed: (index) => index === 0,
  localOf: (index, value) => (index === 4 && value === '(i64.load state.ra)' ? 'ra' : undefined),
};

/** The lines of one function with two i32 and one i64 local, without the first and the last. */
function lines(code: readonly number[], hints: readonly number[] = []): string[] {
  const body = new Uint8Array([2, 1, 0x7f, 1, 0x7e, ...code, 0x41, 0, 0x0b]);
  const bytes = new ModuleBuilder(false).build([body], [Uint32Array.from(hints)]);
  // The engine finds no fault with what is printed.
  expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
  const printed = wasmText(bytes, NAMES).trimEnd().split('\n');
  expect([printed[0], printed.at(-1)]).toEqual(['function 0', '  return 0']);
  return printed.slice(1, -1).map((line) => line.trim());
}

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];

describe('the text of a module', () => {
  it('expressions stand in the instruction that takes them, fields and constants by name', () => {
    expect(lines([...get(0), ...get(0), 0x29, 0, 8, 0x42, 0xe3, 0, 0x7c, 0x37, 0, 16])).toEqual([
      'i64.store [state + 16] = (i64.add (i64.load state.ra) ninetyNine)',
    ]);
  });

  it('a local is called by what it gets before the first block, and only there', () => {
    const load = [...get(0), 0x29, 0, 8, ...set(4)];
    expect(lines(load)).toEqual(['ra = (i64.load state.ra)']);
    expect(lines([0x02, 0x40, ...load, 0x0b])).toEqual([
      'block L1',
      'local4 = (i64.load state.ra)',
      'end L1',
    ]);
  });

  it('what waits on the stack while a local is set keeps the value that it had', () => {
    expect(lines([...get(3), 0x41, 5, ...set(3), 0x22, 3, 0x1a])).toEqual([
      'v1 = left',
      'left = 5',
      'drop {left = v1}',
    ]);
  });

  it('labels, branches to them, and hints at the instruction that they are for', () => {
    // Five bytes of locals stand before the code.
    const code = [0x02, 0x40, ...get(3), 0x0d, 0, ...get(3), 0x04, 0x40, 0x0c, 1, 0x05, 0x00, 0x0b, 0x0b];
    expect(lines(code, [9 << 1, (13 << 1) | 1])).toEqual([
      'block L1',
      'br_if L1 left ; unlikely',
      'if L2 left ; likely',
      'br L1',
      'else',
      'unreachable',
      'end L2',
      'end L1',
    ]);
  });

  it('both ways of an if that gives a value', () => {
    expect(lines([...get(3), 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 0x7f, 0x0b, ...set(3)])).toEqual([
      'if L1 left',
      '=> 1',
      'else',
      '=> -1',
      'end L1',
      'left = L1',
    ]);
  });

  it('calls by name, with their operands in order; large numbers in hexadecimal', () => {
    const code = [...get(1), 0x42, 0x80, 0x80, 0x04, 0x10, 3, ...set(4)];
    expect(lines(code)).toEqual(['local4 = mulh(base, 0x10000)']);
  });
});
