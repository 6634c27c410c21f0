import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCore, compilePackage } from './asc.mjs';
import { findFaults, readShape } from './wasm-shape.mjs';

let folder;
let serial = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'asc-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(source, extra) {
  const entry = join(folder, `t${serial++}.core.ts`);
  writeFileSync(entry, source);
  return compileCore(entry, extra);
}

const GOOD = 'export function peek(at: usize): u64 { assert(at, "text"); return load<u64>(at); }';

describe('a core', () => {
  it('has nothing that instantiation writes or an instance keeps', async () => {
    const binary = await compile(GOOD);
    expect(readShape(binary)).toEqual({
      importedMemories: [{ from: 'env.memory', shared: false, min: 1, max: 65536 }],
      ownMemories: 0,
      mutableGlobals: 0,
      start: false,
      dataSegments: 0,
    });
    expect(findFaults(binary)).toEqual([]);
  });

  it.each([1, 2, 40000])('runs in a host memory of %d pages, up to its last byte', async (pages) => {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { instance } = await WebAssembly.instantiate(await compile(GOOD), { env: { memory } });
    const last = pages * 65536 - 8;
    new DataView(memory.buffer).setBigUint64(last, 0x1122334455667788n, true);
    expect(instance.exports.peek(last)).toBe(0x1122334455667788n);
    expect(() => instance.exports.peek(last + 1)).toThrow(WebAssembly.RuntimeError);
  });

  it('compiles to the same bytes every time', async () => {
    expect(await compile(GOOD)).toEqual(await compile(GOOD));
  });

  it('may use SIMD and bulk memory', async () => {
    const binary = await compile(
      'export function f(at: usize): void { memory.copy(at, at + 64, 32); v128.store(at, i32x4.splat(7)); }',
    );
    expect(findFaults(binary)).toEqual([]);
    expect(WebAssembly.validate(binary)).toBe(true);
  });
});

describe('a core is refused', () => {
  const touch = 'export function touch(at: usize): void { store<u8>(at, 1); }';

  it('for a static array, which is a data segment', async () => {
    const faults = findFaults(
      await compile(
        `${touch} const t: StaticArray<i32> = [1, 2]; export function g(i: i32): i32 { return t[i]; }`,
      ),
    );
    expect(faults).toEqual([expect.stringContaining('data segment')]);
  });

  it('for a mutable global', async () => {
    const faults = findFaults(await compile(`${touch} let n = 0; export function g(): i32 { return n++; }`));
    expect(faults).toEqual([expect.stringContaining('mutable global')]);
  });

  it('for top-level code', async () => {
    const faults = findFaults(await compile(`${touch} store<u8>(8, 1);`));
    expect(faults).toEqual([expect.stringContaining('start function')]);
  });

  it('for a shared memory import, which the loader makes itself', async () => {
    const faults = findFaults(await compile(touch, ['--enable', 'threads', '--sharedMemory']));
    expect(faults).toEqual([expect.stringContaining('unshared')]);
  });

  it('for an import that small memories do not fit', async () => {
    const faults = findFaults(await compile(touch, ['--initialMemory', '2']));
    expect(faults).toEqual([expect.stringContaining('limits')]);
  });

  it('for having no imported memory', async () => {
    const faults = findFaults(await compile('export function f(): i32 { return 1; }'));
    expect(faults).toEqual([expect.stringContaining('env.memory')]);
  });

  it('for being no wasm, or cut short', async () => {
    expect(() => findFaults(new Uint8Array(20))).toThrow('no wasm binary');
    const binary = await compile(GOOD);
    expect(() => findFaults(binary.subarray(0, binary.length - 3))).toThrow('truncated');
  });
});

describe('a package', () => {
  function layPackage(files) {
    const root = join(folder, `p${serial++}`);
    mkdirSync(join(root, 'assembly'), { recursive: true });
    mkdirSync(join(root, 'src'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    return root;
  }

  it('shares constants with TypeScript and gives one wasm file per core', async () => {
    const root = layPackage({
      'assembly/a.core.ts':
        "import { A_SIZE } from '../src/a-offsets'; export function f(at: usize): u32 { return load<u32>(at, A_SIZE); }",
      'assembly/b.core.ts': GOOD,
      'src/a-offsets.ts': 'export const A_SIZE = 20;\n',
    });
    const written = await compilePackage(root);
    expect(written.map(({ file }) => file)).toEqual(['a.wasm', 'b.wasm']);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    new Uint32Array(memory.buffer)[6] = 99;
    const binary = readFileSync(join(root, 'wasm/a.wasm'));
    expect(written[0].size).toBe(binary.length);
    const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
    expect(instance.exports.f(4)).toBe(99);
  });

  it('inlines helpers of another package, with the constants that they import', async () => {
    const other = layPackage({
      'assembly/note.ts':
        "import { BASE } from '../src/constants';\n// @ts-ignore: decorator\n@inline\n" +
        'export function note(at: usize): void { store<u8>(at, 7, BASE); }\n',
      'src/constants.ts': 'export const BASE = 3;\n',
    });
    const root = layPackage({
      'assembly/a.core.ts':
        "import { note } from '@vmloom/other/assembly/note'; export function f(at: usize): void { note(at); }",
    });
    mkdirSync(join(root, 'node_modules/@vmloom'), { recursive: true });
    symlinkSync(other, join(root, 'node_modules/@vmloom/other'));
    await compilePackage(root);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const { instance } = await WebAssembly.instantiate(readFileSync(join(root, 'wasm/a.wasm')), {
      env: { memory },
    });
    instance.exports.f(16);
    expect(new Uint8Array(memory.buffer)[19]).toBe(7);
    expect(Object.keys(instance.exports)).toEqual(['f']);
  });

  it('loses the wasm file of a core that is gone', async () => {
    const root = layPackage({ 'assembly/a.core.ts': GOOD, 'assembly/b.core.ts': GOOD });
    await compilePackage(root);
    rmSync(join(root, 'assembly/b.core.ts'));
    await compilePackage(root);
    expect(() => readFileSync(join(root, 'wasm/b.wasm'))).toThrow('ENOENT');
  });

  it('names the file and the reason when it does not compile', async () => {
    const root = layPackage({ 'assembly/a.core.ts': 'export function f(): i32 { return nowhere; }' });
    await expect(compilePackage(root)).rejects.toThrow(/a\.core\.ts does not compile[^]*nowhere/);
  });
});
