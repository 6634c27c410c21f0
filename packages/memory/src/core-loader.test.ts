import { describe, expect, it } from 'vitest';
import { hostOffset } from './addresses.js';
import { fetchCore, instantiateCore } from './core-loader.js';
import { MemoryError } from './error.js';
import { HostMemory } from './host-memory.js';
import { RAM_PLACES } from './testing/index.js';

interface Probe {
  store32(flags: number, offset: number, value: number): void;
  fill(flags: number, offset: number, length: number, value: number): void;
  load32(offset: number): number;
}

const wasm = await fetchCore(new URL('../wasm/probe.wasm', import.meta.url));

describe('a core of AssemblyScript', () => {
  it.each([false, true])('contract Memory: one wasm file serves memory with shared = %s', (shared) => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0x10000, shared });
    const probe = instantiateCore<Probe>(wasm, memory);
    probe.store32(memory.flags.offset, memory.ramOffset, 0x8765_4321);
    expect(memory.view.getUint32(memory.ramOffset, true)).toBe(0x8765_4321);
    expect(memory.wasm.buffer.constructor.name).toBe(shared ? 'SharedArrayBuffer' : 'ArrayBuffer');
  });

  it.each(RAM_PLACES)('contract Page flags: stores of a core are seen at $name', ({ ram, ramOffset }) => {
    const memory = new HostMemory({ ram, ramOffset, reserve: 0x10000 });
    const probe = instantiateCore<Probe>(wasm, memory);
    const last = ramOffset + ram - 4096;
    memory.flags.set(last >>> 12, 1);
    const seen: [number, number][] = [];
    memory.flags.onStore(1, (offset, length) => seen.push([offset, length]));
    probe.store32(memory.flags.offset, ramOffset, 1);
    probe.store32(memory.flags.offset, last + 4092, 0xfeed_f00d);
    probe.fill(memory.flags.offset, last - 2, 4, 7);
    expect(seen).toEqual([
      [last + 4092, 4],
      [last - 2, 4],
    ]);
    expect(probe.load32(last + 4092) >>> 0).toBe(0xfeed_f00d);
  });

  it('contract Page flags: a foreign memory without flags is told of nothing', () => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0x10000 });
    const probe = instantiateCore<Probe>(wasm, memory);
    memory.flags.set(memory.ramOffset >>> 12, 1);
    memory.flags.onStore(1, () => expect.unreachable());
    probe.store32(0, memory.ramOffset, 1);
    expect(probe.load32(hostOffset(memory.ramOffset))).toBe(1);
  });

  it('refuses bytes that are no core', () => {
    const memory = new HostMemory({ ram: 0x10000, reserve: 0x10000 });
    const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expect(() => instantiateCore(empty, memory)).toThrow(MemoryError);
    expect(() => instantiateCore(new Uint8Array([...empty, 2, 0x80]), memory)).toThrow(MemoryError);
  });
});
