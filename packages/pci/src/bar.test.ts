import { ACCESS_FAULT } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { PciError } from './error.js';
import type { BarOptions } from './bar.js';
import { PciFunction } from './function.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost, FakeRegisters, RAM_BASE } from './testing/index.js';

class WithBars extends PciFunction {
  constructor(bars: Readonly<Record<number, BarOptions>>, rom?: Uint8Array) {
    super({ vendor: 0x1b36, device: 5, classCode: 0xff_00_00, model: 'with-bars' });
    for (const [index, bar] of Object.entries(bars)) this.addBar(Number(index), bar);
    if (rom !== undefined) this.addRom(rom);
  }
}

const registers = (size: number): { name: string; handler: FakeRegisters }[] => [
  { name: 'registers', handler: new FakeRegisters(size) },
];

describe('base address registers', () => {
  it('PCIe 7.5.1.2.1 sizing: all ones written, the size mask and type bits come back', () => {
    const host = new FakeHost();
    const fn = host.root.plug(
      new WithBars({
        0: { kind: 'memory', size: 0x2_0000 },
        1: { kind: 'io', size: 64 },
        2: { kind: 'memory', size: 0x4000, bits: 64, prefetchable: true },
        4: { kind: 'memory', size: 0x2_0000_0000, bits: 64 },
      }),
    );
    const sized = (at: number): number => {
      host.configWrite(fn, at, 4, 0xffff_ffff);
      return host.configRead(fn, at, 4);
    };
    expect(sized(0x10)).toBe(0xfffe_0000);
    expect(sized(0x14)).toBe(0xffff_ffc1);
    expect(sized(0x18)).toBe(0xffff_c00c);
    expect(sized(0x1c)).toBe(0xffff_ffff);
    expect(sized(0x20)).toBe(0x0000_0004);
    expect(sized(0x24)).toBe(0xffff_fffe);
  });

  it('PCIe 7.5.1.2.1: an unimplemented BAR is hardwired to zero', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new WithBars({}));
    for (let at = 0x10; at < 0x28; at += 4) {
      host.configWrite(fn, at, 4, 0xffff_ffff);
      expect(host.configRead(fn, at, 4)).toBe(0);
    }
  });

  it('PCIe 7.5.1.1.3 memory space enable: a BAR answers while it is set, and moves with its register', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction());
    host.configWrite(fn, R.BAR0, 4, 0x4000_0000);
    expect(host.load(0x4000_0000)).toBe(0xffff_ffff);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(host.store(0x4000_0010, 0x55aa_1234)).toBe(true);
    expect(host.load(0x4000_0010)).toBe(0x55aa_1234);
    host.configWrite(fn, R.BAR0, 4, 0x7fff_f000);
    expect(host.load(0x4000_0010)).toBe(0xffff_ffff);
    expect(host.load(0x7fff_f010)).toBe(0x55aa_1234);
    host.configWrite(fn, R.COMMAND, 2, 0);
    expect(host.load(0x7fff_f010)).toBe(0xffff_ffff);
  });

  it('PCIe 7.5.1.1.3 I/O space enable: an I/O BAR answers in the I/O window, at bus address 0 up', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new WithBars({ 1: { kind: 'io', size: 32, regions: registers(32) } }));
    host.configWrite(fn, R.BAR0 + 4, 4, 0x1001);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(host.load(0x0300_1000, 1)).toBe(0xff);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_IO);
    expect(host.load(0x0300_1000, 1)).toBe(0);
    expect(host.load(0x0300_1020, 1)).toBe(0xff);
  });

  it('a 64-bit BAR answers in the window above 4 GiB, 8 bytes as two halves', () => {
    const host = new FakeHost();
    const bar = {
      kind: 'memory',
      size: 0x1000,
      bits: 64,
      prefetchable: true,
      regions: registers(0x1000),
    } as const;
    const fn = host.root.plug(new WithBars({ 0: bar }));
    host.configWrite(fn, R.BAR0, 4, 0x1000);
    host.configWrite(fn, R.BAR0 + 4, 4, 4);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(host.store(0x4_0000_1008, 0x77, 1)).toBe(true);
    expect(host.load(0x4_0000_1008)).toBe(0x77);
    host.configWrite(fn, R.BAR0 + 4, 4, 0xffff_ffff);
    expect(host.load(0x4_0000_1008)).toBe(0xffff_ffff);
    expect(fn.bar(0).base).toBe(-1);
  });

  it('a region refuses widths that it does not declare: an access fault', () => {
    const host = new FakeHost();
    const handler = new FakeRegisters(0x100);
    const fn = host.install(
      new WithBars({
        0: { kind: 'memory', size: 0x100, regions: [{ name: 'words', handler, widths: [4] }] },
      }),
    );
    expect(host.read(fn, 0, 0, 2)).toBe(ACCESS_FAULT);
    expect(host.write(fn, 0, 2, 1)).toBe(false);
    expect(host.write(fn, 0, 4, 1)).toBe(true);
    expect(handler.accesses).toEqual([{ kind: 'write', offset: 4, width: 4, value: 1 }]);
  });

  it('between the regions of a BAR reads give all ones', () => {
    const host = new FakeHost();
    const region = { name: 'half', handler: new FakeRegisters(0x10), offset: 0x20, size: 0x10 };
    const fn = host.install(new WithBars({ 0: { kind: 'memory', size: 0x100, regions: [region] } }));
    expect(host.read(fn, 0, 0x1c)).toBe(0xffff_ffff);
    expect(host.read(fn, 0, 0x20)).toBe(0);
    expect(host.read(fn, 0, 0x30)).toBe(0xffff_ffff);
  });

  it('overlapping BARs: the function that comes first in the tree answers, in whatever order they were written', () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      const host = new FakeHost();
      const fns = new Map([1, 2].map((slot) => [slot, host.root.plug(new FakeFunction(), { slot })]));
      fns.get(1)!.registers.bytes.fill(1);
      fns.get(2)!.registers.bytes.fill(2);
      for (const slot of order) {
        host.configWrite(fns.get(slot)!, R.BAR0, 4, 0x4000_0000);
        host.configWrite(fns.get(slot)!, R.COMMAND, 2, R.COMMAND_MEMORY);
      }
      expect(host.load(0x4000_0000, 1)).toBe(1);
      host.configWrite(fns.get(1)!, R.COMMAND, 2, 0);
      expect(host.load(0x4000_0000, 1)).toBe(2);
    }
  });

  it('a BAR over RAM, or anywhere outside the windows, does not answer', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction());
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    for (const address of [RAM_BASE, 0x3000_0000, 0x3fff_f000, 0]) {
      host.configWrite(fn, R.BAR0, 4, address);
      expect([...host.space.regions()].filter(({ name }) => name.startsWith('fake'))).toEqual([]);
    }
  });

  it('a window laid over RAM by mistake does not hide it', () => {
    const host = new FakeHost({
      windows: [{ name: 'wide', kind: 'memory', base: RAM_BASE, busBase: RAM_BASE, size: 0x1000_0000 }],
    });
    const fn = host.root.plug(new FakeFunction());
    host.configWrite(fn, R.BAR0, 4, RAM_BASE);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    host.store(RAM_BASE, 0x1234_5678);
    expect(fn.registers.accesses).toEqual([]);
    expect(host.load(RAM_BASE)).toBe(0x1234_5678);
  });

  it('PCIe 7.5.1.2.4: the ROM answers while both its enable bit and memory enable are set', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new WithBars({}, Uint8Array.of(0x55, 0xaa, 1, 2)));
    host.configWrite(fn, R.EXPANSION_ROM, 4, 0xffff_ffff);
    expect(host.configRead(fn, R.EXPANSION_ROM, 4)).toBe(0xffff_f801);
    host.configWrite(fn, R.EXPANSION_ROM, 4, 0x4000_0000);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(host.load(0x4000_0000)).toBe(0xffff_ffff);
    host.configWrite(fn, R.EXPANSION_ROM, 4, 0x4000_0001);
    expect(host.load(0x4000_0000)).toBe(0x0201_aa55);
    host.store(0x4000_0000, 0);
    expect(host.load(0x4000_0000)).toBe(0x0201_aa55);
    expect(host.load(0x4000_0004)).toBe(0xffff_ffff);
  });

  it('a BAR that cannot be is refused with a sentence', () => {
    const refused = (bars: Readonly<Record<number, BarOptions>>): string => {
      try {
        new WithBars(bars);
      } catch (error) {
        expect(error).toBeInstanceOf(PciError);
        return (error as PciError).code;
      }
      return 'taken';
    };
    expect(refused({ 0: { kind: 'memory', size: 24 } })).toBe('bad-bar');
    expect(refused({ 0: { kind: 'memory', size: 8 } })).toBe('bad-bar');
    expect(refused({ 0: { kind: 'io', size: 512 } })).toBe('bad-bar');
    expect(refused({ 0: { kind: 'io', size: 16, bits: 64 } })).toBe('bad-bar');
    expect(refused({ 0: { kind: 'memory', size: 0x1_0000_0000 } })).toBe('bad-bar');
    expect(refused({ 5: { kind: 'memory', size: 16, bits: 64 } })).toBe('bad-bar');
    expect(refused({ 6: { kind: 'memory', size: 16 } })).toBe('bad-bar');
    expect(refused({ 0: { kind: 'memory', size: 16, bits: 64 }, 1: { kind: 'io', size: 16 } })).toBe(
      'bad-bar',
    );
    const region = { name: 'a', handler: new FakeRegisters(16) };
    expect(refused({ 0: { kind: 'memory', size: 16, regions: [region, { ...region, offset: 8 }] } })).toBe(
      'bad-bar',
    );
    expect(refused({ 0: { kind: 'memory', size: 16, regions: [{ ...region, size: 32 }] } })).toBe('bad-bar');
  });
});
