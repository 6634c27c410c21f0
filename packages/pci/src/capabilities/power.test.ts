import { describe, expect, it } from 'vitest';
import * as R from '../registers.js';
import { FakeFunction, FakeHost, RAM_BASE } from '../testing/index.js';
import { PowerCapability, type PowerOptions } from './power.js';

const PME = 0x8100;

function setup(options: PowerOptions = {}): { host: FakeHost; fn: FakeFunction; control: number } {
  const host = new FakeHost();
  const fn = new FakeFunction();
  const { offset } = fn.addCapability(new PowerCapability(options));
  host.install(fn);
  fn.told.length = 0;
  return { host, fn, control: offset + 4 };
}

describe('power management', () => {
  it('PCIe 5.3.1.4: in D3hot configuration is all that answers: no memory, no DMA, no interrupt', () => {
    const { host, fn, control } = setup();
    const at = host.barAddress(fn, 0);
    fn.interrupt.set(true);
    host.configWrite(fn, control, 2, 3);
    expect(fn.powerState).toBe('D3hot');
    expect(host.load(at)).toBe(0xffff_ffff);
    expect(fn.dma.read(RAM_BASE, 0, new Uint8Array(1))).toBe(1);
    expect(host.lines).toEqual([false, false, false, false]);
    expect(host.configRead(fn, R.VENDOR_ID, 2)).toBe(0x1b36);
  });

  it('PCIe 5.3.1.4.1: back to D0 with No_Soft_Reset clear resets the function, but not its PME context', () => {
    const { host, fn, control } = setup();
    fn.config.setBits(control, 0x8000);
    host.configWrite(fn, control, 2, 0x0103);
    host.configWrite(fn, control, 2, 0x0100);
    expect(fn.told).toEqual(['reset: d3hot']);
    expect(host.configRead(fn, R.BAR0, 4)).toBe(0);
    expect(host.configRead(fn, R.COMMAND, 2)).toBe(0);
    expect(host.configRead(fn, control, 2)).toBe(PME);
  });

  it('PCIe 5.3.1.4.1: with No_Soft_Reset set nothing is lost', () => {
    const { host, fn, control } = setup({ noSoftReset: true });
    host.write(fn, 0, 0, 0x1234);
    host.configWrite(fn, control, 2, 3);
    host.configWrite(fn, control, 2, 0);
    expect(fn.told).toEqual([]);
    expect(host.read(fn, 0, 0)).toBe(0x1234);
    expect(host.configRead(fn, control, 2)).toBe(8);
  });

  it('PCIe 7.5.2.2: a state that is not supported is ignored, the rest of the write is not', () => {
    const { host, fn, control } = setup();
    host.configWrite(fn, control, 2, 0x0101);
    expect(host.configRead(fn, control, 2)).toBe(0x0100);
    host.configWrite(fn, control, 2, 3);
    host.configWrite(fn, control, 2, 2);
    expect(host.configRead(fn, control, 2)).toBe(3);
  });

  it('PCIe 7.5.2.2: PME status clears by writing 1', () => {
    const { host, fn, control } = setup();
    fn.config.setBits(control, 0x8000);
    host.configWrite(fn, control, 2, 0);
    expect(host.configRead(fn, control, 2)).toBe(0x8000);
    host.configWrite(fn, control, 2, 0x8000);
    expect(host.configRead(fn, control, 2)).toBe(0);
  });
});
