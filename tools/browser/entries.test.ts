import { describe, expect, it } from 'vitest';

/** The main entry of every package there is; a new package needs no line here. */
const entries = import.meta.glob('../../packages/*/src/index.ts');

describe('a page', () => {
  it('is isolated, so that memory can be shared', () => {
    expect(globalThis.crossOriginIsolated).toBe(true);
    expect(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer).toBeInstanceOf(
      SharedArrayBuffer,
    );
  });

  it('has nothing of Node', () => {
    expect('process' in globalThis && 'versions' in process && 'node' in process.versions).toBe(false);
    expect('Buffer' in globalThis).toBe(false);
  });

  it('finds the packages', () => {
    expect(Object.keys(entries).length).toBeGreaterThanOrEqual(9);
  });
});

describe('the main entry loads', () => {
  it.each(Object.entries(entries))('%s', async (_path, load) => {
    expect(Object.keys((await load()) as object)).not.toEqual([]);
  });
});
