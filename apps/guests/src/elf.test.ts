import { describe, expect, it } from 'vitest';
import { elfFile, linkedFile } from '../test/elf-file.js';
import { elfNeeds, elfSection, isElf } from './elf.js';

describe('ELF files', () => {
  it('gABI DT_NEEDED: the libraries in their order', () => {
    const { libraries, interpreter } = elfNeeds(linkedFile(['libm.so.6', 'libc.so.6']));
    expect(libraries).toEqual(['libm.so.6', 'libc.so.6']);
    expect(interpreter).toBeUndefined();
  });

  it('gABI PT_INTERP: the dynamic linker', () => {
    const file = new Uint8Array([...elfFile([]), ...new Uint8Array(128)]);
    const view = new DataView(file.buffer);
    const header = file.length - 128;
    view.setBigUint64(32, BigInt(header), true);
    view.setUint16(56, 1, true);
    view.setUint32(header, 3, true);
    view.setBigUint64(header + 8, BigInt(header + 64), true);
    file.set(new TextEncoder().encode('/lib/ld.so\0'), header + 64);
    expect(elfNeeds(file).interpreter).toBe('/lib/ld.so');
  });

  it('a program that is linked statically needs nothing', () => {
    expect(elfNeeds(elfFile([]))).toEqual({ libraries: [], interpreter: undefined });
  });

  it('finds a section by its name', () => {
    const file = elfFile([
      { name: '.a', bytes: Uint8Array.of(1) },
      { name: '.modinfo', bytes: Uint8Array.of(2, 3) },
    ]);
    expect([...elfSection(file, '.modinfo')!]).toEqual([2, 3]);
    expect(elfSection(file, '.none')).toBeUndefined();
  });

  it('refuses what is no RV64 ELF file, and one whose sections lie outside it', () => {
    const error = expect.objectContaining({ name: 'GuestsError', code: 'bad-elf' });
    const file = elfFile([{ name: '.a', bytes: Uint8Array.of(1) }]);
    const foreign = Uint8Array.from(file);
    foreign[18] = 62;
    expect(() => elfNeeds(foreign)).toThrow(error);
    expect(() => elfNeeds(file.subarray(0, 40))).toThrow(error);
    expect(() => elfNeeds(file.subarray(0, file.length - 64))).toThrow(error);
    const outside = Uint8Array.from(file);
    new DataView(outside.buffer).setBigUint64(40, 1n << 40n, true);
    expect(() => elfNeeds(outside)).toThrow(error);
    expect(isElf(new Uint8Array(2))).toBe(false);
  });
});
