import { describe, expect, it } from 'vitest';
import { hostOffset } from './addresses.js';
import { MemoryError } from './error.js';
import { HostMemory } from './host-memory.js';
import { RAM_PLACES } from './testing/index.js';

const small = { ram: 0x10000, reserve: 0x10000 };

describe('HostMemory', () => {
  it('contract Memory: sized once, maximum = size', () => {
    const memory = new HostMemory(small);
    expect(() => memory.wasm.grow(1)).toThrow(RangeError);
    expect(memory.size % 65_536).toBe(0);
    expect(memory.holds(memory.ramOffset, 0x10000)).toBe(true);
    expect(memory.holds(memory.ramOffset, 0x10001)).toBe(false);
    expect(memory.holds(memory.ramOffset - 1, 1)).toBe(false);
  });

  it.each(RAM_PLACES)('contract Memory: RAM works at $name', ({ ramOffset, ram }) => {
    const memory = new HostMemory({ ram, reserve: 0x10000, ramOffset });
    const last = hostOffset(ramOffset + ram - 8);
    memory.writeU64(last, 0xdead_beef, 0x1234_5678);
    expect([...memory.read(last, 8)]).toEqual([0xef, 0xbe, 0xad, 0xde, 0x78, 0x56, 0x34, 0x12]);
    expect(() => memory.writeU64(hostOffset(last + 1), 0, 0)).toThrow(MemoryError);
    memory.flags.set((ramOffset + ram - 1) >>> 12, 1);
    const seen: number[] = [];
    memory.flags.onStore(1, (offset) => seen.push(offset));
    memory.writeU8(hostOffset(last + 7), 1);
    expect(seen).toEqual([last + 7]);
  });

  it('contract Memory: a host of 4 GiB in all is the most', () => {
    expect(() => new HostMemory({ ram: 0x1_0000_0000 })).toThrow(/at most 4 GiB/);
  });

  it('contract Memory: reserved state lies outside RAM and is never given twice', () => {
    const memory = new HostMemory(small);
    const first = memory.reserve(100);
    const second = memory.reserve(100, 4096);
    expect(second).toBeGreaterThanOrEqual(first + 100);
    expect(second % 4096).toBe(0);
    expect(memory.holds(first, 1)).toBe(false);
    expect(second + 100).toBeLessThanOrEqual(memory.ramOffset);
    expect(first).toBeGreaterThanOrEqual(memory.flags.offset + memory.size / 4096);
    expect(() => memory.reserve(0x10000)).toThrow(/larger reserve/);
  });

  it.each([false, true])('contract Memory: works in somebody else’s memory, shared = %s', (shared) => {
    const foreign = new WebAssembly.Memory({ initial: 64, maximum: 100, shared });
    const theirs = new Uint8Array(foreign.buffer);
    theirs.fill(0xa5);
    theirs.fill(0, 0x10_0000, 0x10_0000 + 0x3000);
    const memory = new HostMemory({
      ram: 0x4000,
      reserve: 0x2000,
      ramOffset: 0x8000,
      within: { memory: foreign, base: 0x10_0000 },
    });
    expect(memory.shared).toBe(shared);
    expect(memory.flags.offset).toBe(0x10_0000);
    const state = memory.reserve(0x2000);
    expect(state).toBe(0x10_1000);
    expect(() => memory.reserve(1)).toThrow(/larger reserve/);
    memory.writeU8(hostOffset(0x8000), 1);
    memory.fill(hostOffset(0xbff0), 0x10, 2);
    expect(() => memory.writeU8(hostOffset(0xc000), 1)).toThrow(/not inside RAM/);
    const seen: number[] = [];
    memory.flags.set(0x8, 1);
    memory.flags.onStore(1, (offset) => seen.push(offset));
    memory.writeU8(hostOffset(0x8001), 3);
    expect(seen).toEqual([0x8001]);
    expect([...theirs.subarray(0x7fff, 0x8003)]).toEqual([0xa5, 1, 3, 0xa5]);
    expect([...theirs.subarray(0xbfff, 0xc001)]).toEqual([2, 0xa5]);
    expect([theirs[0xf_ffff], theirs[0x10_3000]]).toEqual([0xa5, 0xa5]);
  });

  it.each([
    { base: 0, ramOffset: 0x8000 },
    { base: 0x1800, ramOffset: 0x8000 },
    { base: 0x8000, ramOffset: 0x8000 },
    { base: 0x6000, ramOffset: 0x8000 },
    { base: 0x8000, ramOffset: 0x7000 },
    { base: 0xf000, ramOffset: 0x8000 },
    { base: 0x1000, ramOffset: 0xd000 },
  ])('refuses a place of $base with RAM at $ramOffset in a memory of 64 KiB', ({ base, ramOffset }) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(
      () => new HostMemory({ ram: 0x4000, reserve: 0x2000, ramOffset, within: { memory, base } }),
    ).toThrow(MemoryError);
  });

  it.each([
    { ram: 0 },
    { ram: 100 },
    { ram: 4096, reserve: 5 },
    { ram: 4096, ramOffset: 4096 },
    { ram: -4096 },
    { ram: Number.NaN },
  ])('refuses %j', (options) => {
    expect(() => new HostMemory(options)).toThrow(MemoryError);
  });

  it('contract Page flags: every store path of TypeScript honours them', () => {
    const memory = new HostMemory(small);
    const at = hostOffset(memory.ramOffset + 0x2000);
    const seen: string[] = [];
    memory.flags.set(at >>> 12, 1);
    memory.flags.onStore(1, (offset, length) => seen.push(`${offset - at} ${length}`));
    memory.write(at, new Uint8Array(3));
    memory.writeU8(at, 1);
    memory.writeU16(at, 1);
    memory.writeU32(at, 1);
    memory.writeU64(at, 1, 1);
    memory.fill(at, 5, 0);
    memory.copy(at, memory.ramOffset, 6);
    memory.write(hostOffset(at - 2), new Uint8Array(4));
    memory.write(hostOffset(at + 0x1000), new Uint8Array(4));
    memory.write(at, new Uint8Array(0));
    expect(seen).toEqual(['0 3', '0 1', '0 2', '0 4', '0 8', '0 5', '0 6', '-2 4']);
  });

  it('contract Page flags: dirty tracking records each page written since it was armed', () => {
    const memory = new HostMemory(small);
    const first = memory.ramOffset >>> 12;
    memory.flags.armDirtyTracking(first, 16);
    memory.write(hostOffset(memory.ramOffset + 0x1ffe), new Uint8Array(4));
    memory.writeU8(hostOffset(memory.ramOffset + 0x5000), 0);
    expect(memory.flags.takeDirty(first, 16)).toEqual([first + 1, first + 2, first + 5]);
    expect(memory.flags.takeDirty(first, 16)).toEqual([]);
  });

  it('a listener of page flags can leave', () => {
    const memory = new HostMemory(small);
    let count = 0;
    memory.flags.set(memory.ramOffset >>> 12, 4);
    const leave = memory.flags.onStore(4, () => count++);
    memory.writeU8(memory.ramOffset, 1);
    leave();
    memory.writeU8(memory.ramOffset, 1);
    expect(count).toBe(1);
  });
});
