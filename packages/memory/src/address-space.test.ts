import { describe, expect, it } from 'vitest';
import { ACCESS_FAULT, AddressSpace } from './address-space.js';
import { hostOffset, physical } from './addresses.js';
import { MemoryError } from './error.js';
import { HostMemory } from './host-memory.js';
import { FakeRegisters } from './testing/index.js';

const RAM = 0x8000_0000;

function board(): { memory: HostMemory; space: AddressSpace } {
  const memory = new HostMemory({ ram: 0x10_0000, reserve: 0x10000 });
  const space = new AddressSpace(memory);
  space.mapRam({ name: 'ram', base: RAM, size: 0x10_0000, offset: memory.ramOffset });
  return { memory, space };
}

describe('AddressSpace', () => {
  it('contract Memory: RAM is reached at every width, little-endian', () => {
    const { space } = board();
    expect(space.store(physical(RAM + 8), 4, 0x89abcdef)).toBe(true);
    expect(space.load(physical(RAM + 8), 4)).toBe(0x89abcdef);
    expect(space.load(physical(RAM + 8), 2)).toBe(0xcdef);
    expect(space.load(physical(RAM + 11), 1)).toBe(0x89);
    expect(space.store64(physical(RAM + 16), 1, 0xffff_ffff)).toBe(true);
    const out = new Uint32Array(2);
    expect(space.load64(physical(RAM + 16), out)).toBe(true);
    expect([...out]).toEqual([1, 0xffff_ffff]);
  });

  it('contract Memory: an address that no region holds is an access fault', () => {
    const { space } = board();
    for (const address of [0, RAM - 1, RAM + 0x10_0000 - 3, RAM + 0x10_0000, 2 ** 52]) {
      expect(space.load(physical(address), 4)).toBe(ACCESS_FAULT);
      expect(space.store(physical(address), 4, 1)).toBe(false);
      expect(space.load64(physical(address), new Uint32Array(2))).toBe(false);
      expect(space.store64(physical(address), 1, 1)).toBe(false);
      expect(space.resolve(physical(address), 4)).toBe(-1);
    }
  });

  it('contract Memory: nothing outside the RAM of the host can be mapped', () => {
    const { memory, space } = board();
    expect(() => space.mapRam({ name: 'reserve', base: 0, size: 4096, offset: hostOffset(0x10000) })).toThrow(
      MemoryError,
    );
    const beyond = hostOffset(memory.ramOffset + 0xf_f000);
    expect(() => space.mapRam({ name: 'beyond', base: 0, size: 0x2000, offset: beyond })).toThrow(
      MemoryError,
    );
  });

  it('contract AddressSpace: a region declares its legal widths and alignments', () => {
    const { space } = board();
    const registers = new FakeRegisters(64);
    space.mapMmio({ name: 'words', base: 0x1000, size: 64, handler: registers, widths: [4] });
    space.mapMmio({ name: 'any', base: 0x2000, size: 64, handler: registers, unaligned: true });
    expect(space.load(physical(0x1000), 4)).toBe(0);
    expect(space.load(physical(0x1000), 2)).toBe(ACCESS_FAULT);
    expect(space.load(physical(0x1002), 4)).toBe(ACCESS_FAULT);
    expect(space.store(physical(0x1001), 1, 1)).toBe(false);
    expect(space.load64(physical(0x1000), new Uint32Array(2))).toBe(false);
    expect(space.store(physical(0x2001), 4, 7)).toBe(true);
    expect(registers.log).toEqual(['read 0 4', 'write 1 4 7']);
  });

  it('contract AddressSpace: 64 bits on MMIO are two halves, low first', () => {
    const { space } = board();
    const registers = new FakeRegisters(64);
    space.mapMmio({ name: 'registers', base: 0x1000, size: 64, handler: registers });
    expect(space.store64(physical(0x1008), 0x11, 0x22)).toBe(true);
    expect(space.load64(physical(0x1008), new Uint32Array(2))).toBe(true);
    expect(registers.log).toEqual(['write 8 4 17', 'write 12 4 34', 'read 8 4', 'read 12 4']);
  });

  it('contract AddressSpace: a store to ROM is a fault, a load is not', () => {
    const { memory, space } = board();
    space.mapRam({ name: 'rom', base: 0x1000, size: 4096, offset: memory.ramOffset, readOnly: true });
    space.store(physical(RAM), 4, 0x1234);
    expect(space.load(physical(0x1000), 4)).toBe(0x1234);
    expect(space.store(physical(0x1000), 4, 1)).toBe(false);
    expect(space.store64(physical(0x1000), 1, 1)).toBe(false);
    expect(space.resolve(physical(0x1000), 4, true)).toBe(-1);
    expect(space.describe(physical(0x1000))).toEqual({ name: 'rom', kind: 'rom' });
  });

  it('overlapping regions: the higher priority hides the lower, the first wins among equals, unmap uncovers', () => {
    const { space } = board();
    const low = new FakeRegisters(0x100);
    const high = new FakeRegisters(0x40);
    space.mapMmio({ name: 'low', base: 0x1000, size: 0x100, handler: low });
    const window = space.mapMmio({ name: 'high', base: 0x1040, size: 0x40, handler: high, priority: 1 });
    space.mapMmio({ name: 'late', base: 0x1000, size: 0x100, handler: high });
    const names = (): string[] =>
      [...space.regions()].filter(({ base }) => base < RAM).map(({ name }) => name);
    expect(names()).toEqual(['low', 'high', 'low']);
    space.load(physical(0x1044), 4);
    expect(high.log).toEqual(['read 4 4']);
    window.unmap();
    expect(names()).toEqual(['low']);
    space.load(physical(0x1044), 4);
    expect(low.log).toEqual(['read 68 4']);
  });

  it('tells of every change of the map', () => {
    const { space } = board();
    let changes = 0;
    space.onChange(() => changes++);
    const mapping = space.mapMmio({ name: 'x', base: 0, size: 16, handler: new FakeRegisters(16) });
    mapping.unmap();
    mapping.unmap();
    expect(changes).toBe(2);
  });

  it('refuses regions without a valid base and size', () => {
    const { space } = board();
    const handler = new FakeRegisters(16);
    for (const [base, size] of [
      [-1, 16],
      [0, 0],
      [0.5, 16],
      [2 ** 53 - 8, 16],
    ] as const) {
      expect(() => space.mapMmio({ name: 'bad', base, size, handler })).toThrow(MemoryError);
    }
  });
});
