import { describe, expect, it } from 'vitest';
import { AddressSpace, HostMemory, fetchCore, instantiateCore, physical } from '@vmloom/memory';
import { Clock, DMA_ABORT, DMA_OK, DirectTranslator, DmaPort } from '@vmloom/device';

interface Probe {
  store32(flags: number, offset: number, value: number): void;
}

describe('memory in a page', () => {
  it.each([false, true])('a core fetched over HTTP stores into memory with shared = %s', async (shared) => {
    const wasm = await fetchCore(new URL('../../packages/memory/wasm/probe.wasm', import.meta.url));
    const memory = new HostMemory({ ram: 0x10000, reserve: 0x10000, shared });
    const space = new AddressSpace(memory);
    space.mapRam({ name: 'ram', base: 0x8000_0000, size: memory.ramSize, offset: memory.ramOffset });
    instantiateCore<Probe>(wasm, memory).store32(memory.flags.offset, memory.ramOffset + 8, 0x1234_5678);
    expect(space.load(physical(0x8000_0008), 4)).toBe(0x1234_5678);
  });

  it('4 GiB of it exist where the machine gives them', () => {
    const ram = 0x10_0000;
    const memory = new HostMemory({ ram, ramOffset: 0xffff_ffff + 1 - ram });
    const space = new AddressSpace(memory);
    space.mapRam({ name: 'ram', base: 0, size: ram, offset: memory.ramOffset });
    space.store(physical(ram - 4), 4, 0xcafe);
    expect(space.load(physical(ram - 4), 4)).toBe(0xcafe);
  });
});

describe('device in a page', () => {
  it('an event comes at its time', () => {
    const clock = new Clock();
    const seen: string[] = [];
    const owner = { name: 'timer', onEvent: (kind: string) => void seen.push(`${clock.now} ${kind}`) };
    clock.register(owner);
    clock.after(owner, 'ring', 3000);
    clock.runUntil(2999);
    expect(seen).toEqual([]);
    clock.runUntil(5000);
    expect(seen).toEqual(['3000 ring']);
  });

  it('a DMA port reaches RAM and nothing else', () => {
    const memory = new HostMemory({ ram: 0x10000 });
    const space = new AddressSpace(memory);
    space.mapRam({ name: 'ram', base: 0x8000_0000, size: 0x10000, offset: memory.ramOffset });
    const dma = new DmaPort(memory, new DirectTranslator(space));
    expect(dma.write(0x8000_fffe, 0, Uint8Array.of(7, 8))).toBe(DMA_OK);
    expect(space.load(physical(0x8000_fffe), 2)).toBe(0x0807);
    expect(dma.write(0x8000_ffff, 0, Uint8Array.of(9, 9))).toBe(DMA_ABORT);
    expect(space.load(physical(0x8000_ffff), 1)).toBe(8);
  });
});
