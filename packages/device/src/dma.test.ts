import { describe, expect, it } from 'vitest';
import { FakeRegisters } from '@vmloom/memory/testing';
import { DMA_ABORT, DMA_FAULT, DMA_MMIO, DMA_OK, DMA_RETRY, DmaPort, type DmaTranslator } from './dma.js';
import { FakeHost } from './testing/index.js';

const RAM = 0x8000_0000;

describe('DmaPort', () => {
  it('contract DMA: the answer is ranges of host offsets', () => {
    const { dma, memory } = new FakeHost();
    expect(dma.map(RAM + 0x100, 0, 64, true)).toBe(DMA_OK);
    expect(dma.answer.count).toBe(1);
    expect(dma.answer.offsets[0]).toBe(memory.ramOffset + 0x100);
    expect(dma.answer.lengths[0]).toBe(64);
  });

  it('contract DMA: neighbouring windows that lie apart in the host give scattered ranges', () => {
    const { dma, memory, space } = new FakeHost();
    space.mapRam({ name: 'a', base: 0x1000, size: 0x1000, offset: memory.ramOffset });
    space.mapRam({
      name: 'b',
      base: 0x2000,
      size: 0x1000,
      offset: (memory.ramOffset + 0x8000) as typeof memory.ramOffset,
    });
    const source = Uint8Array.from({ length: 0x2000 }, (_, index) => index * 7);
    expect(dma.write(0x1000, 0, source)).toBe(DMA_OK);
    expect(dma.answer.count).toBe(2);
    const target = new Uint8Array(0x2000);
    expect(dma.read(0x1000, 0, target)).toBe(DMA_OK);
    expect(target).toEqual(source);
    expect(memory.bytes[memory.ramOffset + 0x8000]).toBe(source[0x1000]);
  });

  it.each([
    ['nothing there', 0x1000, 0, 4],
    ['the end outside', RAM + 0x40_0000 - 2, 0, 4],
    ['above 4 GiB', RAM, 1, 4],
    ['above 2^53', RAM, 0xffff_ffff, 4],
    ['no bytes', RAM, 0, 0],
    ['a negative length', RAM, 0, -4],
    ['a wrap at 2^64', 0xffff_ffff, 0xffff_ffff, 16],
  ])('contract DMA: aborts for %s and moves nothing', (_name, low, high, length) => {
    const { dma } = new FakeHost();
    expect(dma.map(low, high, length, true)).toBe(DMA_ABORT);
    expect(dma.answer.count).toBe(0);
    const target = new Uint8Array(Math.max(0, length)).fill(9);
    expect(dma.read(low, high, target)).toBe(DMA_ABORT);
    expect(target.every((byte) => byte === 9)).toBe(true);
  });

  it('contract DMA: a port that may not master the bus aborts', () => {
    const { dma } = new FakeHost();
    dma.enabled = false;
    expect(dma.write(RAM, 0, new Uint8Array(4))).toBe(DMA_ABORT);
  });

  it('contract DMA: a write to ROM aborts, a read does not', () => {
    const { dma, memory, space } = new FakeHost();
    space.mapRam({ name: 'rom', base: 0, size: 0x1000, offset: memory.ramOffset, readOnly: true });
    expect(dma.read(0, 0, new Uint8Array(4))).toBe(DMA_OK);
    expect(dma.write(0, 0, new Uint8Array(4))).not.toBe(DMA_OK);
  });

  it('contract DMA: a word to MMIO is carried out (an interrupt message is one), anything else aborts', () => {
    const { dma, space } = new FakeHost();
    const registers = new FakeRegisters(16);
    space.mapMmio({ name: 'imsic', base: 0x2800_0000, size: 16, handler: registers, widths: [4] });
    expect(dma.map(0x2800_0000, 0, 4, true)).toBe(DMA_MMIO);
    expect(dma.answer.mmio).toBe(0x2800_0000);
    expect(dma.write(0x2800_0004, 0, new Uint8Array([5, 0, 0, 0]))).toBe(DMA_OK);
    expect(dma.write(0x2800_0004, 0, new Uint8Array(8))).toBe(DMA_ABORT);
    expect(dma.read(0x2800_0004, 0, new Uint8Array(4))).toBe(DMA_MMIO);
    expect(dma.write(0x2800_0002, 0, new Uint8Array(4))).toBe(DMA_ABORT);
    expect(registers.log).toEqual(['write 4 4 5']);
  });

  it('contract DMA: the translator sees who asks, and its fault or retry reaches the device', () => {
    const { memory, space } = new FakeHost();
    const seen: string[] = [];
    const translator: DmaTranslator = {
      space,
      translate: (request, answer) => {
        seen.push(`${request.requester} ${request.write} ${request.low} ${request.high} ${request.length}`);
        answer.fail(request.write ? DMA_FAULT : DMA_RETRY);
      },
    };
    const dma = new DmaPort(memory, translator, 0x0108);
    expect(dma.write(0xffff_f000, 0xffff_ffff, new Uint8Array(8))).toBe(DMA_FAULT);
    expect(dma.read(0, 0, new Uint8Array(8))).toBe(DMA_RETRY);
    expect(seen).toEqual(['264 true 4294963200 4294967295 8', '264 false 0 0 8']);
  });

  it('contract Page flags: DMA honours them', () => {
    const { dma, memory } = new FakeHost();
    memory.flags.set(memory.ramOffset >>> 12, 1);
    const seen: number[] = [];
    memory.flags.onStore(1, (offset, length) => seen.push(offset - memory.ramOffset, length));
    dma.write(RAM + 16, 0, new Uint8Array(32));
    expect(seen).toEqual([16, 32]);
  });

  it('contract DMA: answers may be kept while the generation is the same', () => {
    const { dma, space, memory } = new FakeHost();
    const before = dma.generation;
    expect(dma.generation).toBe(before);
    space.mapRam({ name: 'more', base: 0x1000, size: 0x1000, offset: memory.ramOffset });
    expect(dma.generation).not.toBe(before);
    dma.enabled = false;
    expect(dma.generation).toBeLessThan(0);
  });

  it('contract DMA: a translator without a generation is asked anew each time', () => {
    const { memory, space } = new FakeHost();
    const dma = new DmaPort(memory, { space, translate: (_request, answer) => answer.fail(DMA_FAULT) });
    expect(dma.generation).not.toBe(dma.generation);
  });

  it('contract DMA: a window is what one range covers around an address', () => {
    const { dma, space, memory } = new FakeHost();
    const { translator } = dma;
    expect(translator.window?.(RAM + 0x1234, true)).toEqual({
      start: RAM,
      length: memory.ramSize,
      offset: memory.ramOffset,
    });
    expect(translator.window?.(0x1000, false)).toBeUndefined();
    space.mapRam({ name: 'rom', base: 0x3000, size: 0x1000, offset: memory.ramOffset, readOnly: true });
    expect(translator.window?.(0x3800, false)?.start).toBe(0x3000);
    expect(translator.window?.(0x3800, true)).toBeUndefined();
  });
});
