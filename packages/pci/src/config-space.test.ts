import { describe, expect, it } from 'vitest';
import { ConfigSpace } from './config-space.js';
import { PciError } from './error.js';

function space(): ConfigSpace {
  const config = new ConfigSpace();
  config.define(
    { name: 'plain', offset: 0x40, size: 4, value: 0x1234_5678, write: 0x00ff_00ff },
    { name: 'flags', offset: 0x44, size: 2, value: 0, clear: 0x8001, sticky: 0x8000 },
    { name: 'kept', offset: 0x46, size: 2, write: 0xffff, sticky: 0xf000, held: 0x0f00, live: 0x000f },
  );
  return config;
}

describe('configuration space', () => {
  it('PCIe 7.4 RW and RO: a write changes the bits of the mask, of any width', () => {
    const config = space();
    config.write(0x40, 4, 0xffff_ffff);
    expect(config.read(0x40, 4)).toBe(0x12ff_56ff);
    config.write(0x42, 1, 0);
    expect(config.read(0x40, 4)).toBe(0x1200_56ff);
    config.write(0x40, 2, 0xabcd);
    expect(config.read(0x40, 2)).toBe(0x56cd);
    expect(config.read(0x41, 1)).toBe(0x56);
  });

  it('PCIe 7.4 RW1C: writing 1 clears, writing 0 keeps, writing never sets', () => {
    const config = space();
    config.write(0x44, 2, 0xffff);
    expect(config.read(0x44, 2)).toBe(0);
    config.setBits(0x44, 0x8001);
    config.write(0x44, 2, 0x0001);
    expect(config.read(0x44, 2)).toBe(0x8000);
    config.write(0x45, 1, 0x00);
    expect(config.read(0x44, 2)).toBe(0x8000);
    config.write(0x45, 1, 0x80);
    expect(config.read(0x44, 2)).toBe(0);
  });

  it('PCIe 7.4 reserved: bytes without a register read zero and ignore writes', () => {
    const config = space();
    expect(config.write(0x80, 4, 0xffff_ffff)).toEqual([]);
    expect(config.read(0x80, 4)).toBe(0);
  });

  it('PCIe 7.4 sticky: RWS survives all resets but power-on, held bits a function level reset alone', () => {
    const config = space();
    const filled = (): void => void config.write(0x46, 2, 0xffff);
    filled();
    config.reset('bus');
    expect(config.read(0x46, 2)).toBe(0xf00f);
    filled();
    config.reset('d3hot');
    expect(config.read(0x46, 2)).toBe(0xf00f);
    filled();
    config.reset('function');
    expect(config.read(0x46, 2)).toBe(0xff0f);
    config.reset('power-on');
    expect(config.read(0x46, 2)).toBe(0x000f);
    expect(config.read(0x40, 4)).toBe(0x1234_5678);
  });

  it('a write returns the effects of every register it touches, once each, with before, after and written', () => {
    const config = new ConfigSpace();
    const seen: unknown[] = [];
    const effect = (write: unknown): undefined => void seen.push(write);
    config.define({ name: 'a', offset: 0x40, size: 2, write: 0x0fff, effect });
    config.define({
      name: 'b',
      offset: 0x42,
      size: 2,
      write: 0xffff,
      effect: () => ({ kind: 'function-reset' }),
    });
    expect(config.write(0x40, 4, 0x1234_ffff)).toEqual([{ kind: 'function-reset' }]);
    expect(seen).toEqual([{ before: 0, after: 0x0fff, written: 0xffff }]);
    config.write(0x41, 1, 0x12);
    expect(seen[1]).toEqual({ before: 0x0fff, after: 0x02ff, written: 0x1200 });
    expect(config.write(0x44, 4, 1)).toEqual([]);
  });

  it('a register that overlaps another, or lies outside, is refused with a sentence', () => {
    const config = space();
    expect(() => config.define({ name: 'late', offset: 0x43, size: 2 })).toThrow(/late overlaps plain/);
    expect(() => config.define({ name: 'far', offset: 0xffe, size: 4 })).toThrow(PciError);
  });

  it('restored bytes change what software or sticky state can change, not what is hardwired', () => {
    const config = space();
    config.restoreBytes(new Uint8Array(4096).fill(0xff));
    expect(config.read(0x40, 4)).toBe(0x12ff_56ff);
    expect(config.read(0x44, 2)).toBe(0x8001);
    expect(config.read(0x80, 4)).toBe(0);
  });
});
