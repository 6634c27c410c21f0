import { HostMemory, hostOffset } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { HypervisorError } from './error.js';
import { PageAllocator } from './page-allocator.js';

const MIB = 1 << 20;
const made = (): PageAllocator => new PageAllocator(new HostMemory({ ram: MIB, reserve: 1 << 16 }));

describe('PageAllocator', () => {
  it('memory slots: runs never overlap, lie inside RAM, and are cleared', () => {
    const pages = made();
    const { memory } = pages;
    memory.fill(memory.ramOffset, MIB, 0xff);
    const runs = Array.from({ length: 16 }, () => pages.allocate(0x1_0000));
    expect(new Set(runs).size).toBe(16);
    for (const run of runs) {
      expect(memory.holds(run, 0x1_0000)).toBe(true);
      expect(memory.read(run, 0x1_0000).some((byte) => byte !== 0)).toBe(false);
    }
    expect(pages.free).toBe(0);
    expect(() => pages.allocate(4096)).toThrow(/0 bytes free; give the host more memory/);
  });

  it('memory slots: what is given back joins its neighbours', () => {
    const pages = made();
    const a = pages.allocate(0x4_0000);
    const b = pages.allocate(0x4_0000);
    const c = pages.allocate(0x4_0000);
    pages.release(a, 0x4_0000);
    pages.release(c, 0x4_0000);
    expect(() => pages.allocate(0xc_0000)).toThrow(HypervisorError);
    pages.release(b, 0x4_0000);
    expect(pages.allocate(MIB)).toBe(a);
  });

  it('memory slots: a run begins where it is asked to', () => {
    const pages = made();
    pages.allocate(4096);
    expect(pages.allocate(0x4000, 0x4000) % 0x4000).toBe(0);
  });

  it.each([0, 100, -4096, NaN])('refuses %d bytes', (bytes) => {
    expect(() => made().allocate(bytes)).toThrow(/multiples of 4 KiB/);
  });

  it('refuses to take back what it did not give', () => {
    const pages = made();
    const run = pages.allocate(0x2000);
    expect(() => pages.release(hostOffset(run + 0x1000), 0x2000)).toThrow(/were not allocated/);
    pages.release(run, 0x2000);
    expect(() => pages.release(run, 0x2000)).toThrow(/were not allocated/);
  });
});
