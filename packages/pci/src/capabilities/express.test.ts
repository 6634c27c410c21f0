import { describe, expect, it } from 'vitest';
import * as R from '../registers.js';
import { RootPort } from '../port.js';
import { FakeFunction, FakeHost } from '../testing/index.js';
import { ExpressCapability, type ExpressOptions } from './express.js';

function setup(options: Partial<ExpressOptions> = {}): { host: FakeHost; fn: FakeFunction; at: number } {
  const host = new FakeHost();
  const port = host.root.plug(new RootPort());
  const fn = port.plug(new FakeFunction());
  const { offset } = fn.addCapability(new ExpressCapability({ type: 'endpoint', ...options }));
  host.enumerate();
  host.enable(fn);
  fn.told.length = 0;
  return { host, fn, at: offset };
}

const INITIATE = 0x8000;

describe('the PCI Express capability', () => {
  it('PCIe 7.5.3.2: version 2, and the type of the function', () => {
    const { host, fn, at } = setup();
    expect(host.configRead(fn, at, 1)).toBe(0x10);
    expect(host.configRead(fn, at + 2, 2)).toBe(0x0002);
    const port = fn.bus!.bridge!;
    expect(host.configRead(port, host.findCapability(port, R.CAPABILITY_EXPRESS) + 2, 2)).toBe(0x0042);
  });

  it('PCIe 7.2.1: it brings 4 KiB of configuration space', () => {
    const { host, fn } = setup();
    expect(host.configRead(fn, 0x100, 4)).toBe(0);
    expect(host.configRead(fn, 0xffc, 4)).toBe(0);
  });

  it('PCIe 7.5.3.3 and 7.5.3.4: function level reset: capable bit, initiate bit that reads 0', () => {
    const { host, fn, at } = setup({ functionReset: true });
    expect(host.configRead(fn, at + 4, 4) & (1 << 28)).toBe(1 << 28);
    host.configWrite(fn, at + 8, 2, INITIATE);
    expect(fn.told).toEqual(['reset: function']);
    expect(host.configRead(fn, at + 8, 2) & INITIATE).toBe(0);
  });

  it('PCIe 6.6.2: function level reset clears command and BARs, drops the interrupt, keeps payload and link control', () => {
    const { host, fn, at } = setup({ functionReset: true, maxPayload: 512 });
    fn.interrupt.set(true);
    host.configWrite(fn, at + 0x10, 2, 0x00c3);
    host.configWrite(fn, at + 8, 2, 0x5820 | INITIATE);
    expect(host.configRead(fn, R.COMMAND, 2)).toBe(0);
    expect(host.configRead(fn, R.BAR0, 4)).toBe(0);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_INTERRUPT).toBe(0);
    expect(host.lines).toEqual([false, false, false, false]);
    expect(host.configRead(fn, at + 8, 2)).toBe(0x2830);
    expect(host.configRead(fn, at + 0x10, 2)).toBe(0x00c3);
  });

  it('PCIe 6.6.2: it does not reset the other functions of the device', () => {
    const { host, fn, at } = setup({ functionReset: true });
    const other = fn.bus!.plug(new FakeFunction(), { function: 1 });
    host.configWrite(fn, at + 8, 2, INITIATE);
    expect(other.told).toEqual(['attached at 0 ns']);
  });

  it('PCIe 7.5.3.4: without the capability the initiate bit does nothing', () => {
    const { host, fn, at } = setup();
    host.configWrite(fn, at + 8, 2, INITIATE);
    expect(fn.told).toEqual([]);
  });

  it('PCIe 7.5.3.4: reset value allows relaxed ordering and no snoop, 512-byte reads', () => {
    const { host, fn, at } = setup();
    expect(host.configRead(fn, at + 8, 2)).toBe(0x2810);
  });

  it('PCIe 7.5.3.6 and 7.5.3.8: the link shows its speed and width', () => {
    const { host, fn, at } = setup({ speed: 2, width: 4 });
    expect(host.configRead(fn, at + 0x0c, 4) & 0x3ff).toBe(0x42);
    expect(host.configRead(fn, at + 0x12, 2) & 0x3ff).toBe(0x42);
    expect(host.configRead(fn, at + 0x2c, 4)).toBe(0x06);
  });

  it('PCIe 7.5.3: an integrated endpoint has no link registers', () => {
    const host = new FakeHost();
    const fn = new FakeFunction();
    const { offset } = fn.addCapability(new ExpressCapability({ type: 'integrated-endpoint' }));
    host.root.plug(fn);
    expect(host.configRead(fn, offset + 0x0c, 4)).toBe(0);
    expect(host.configRead(fn, offset + 0x10, 4)).toBe(0);
  });

  it('only an endpoint has a function level reset', () => {
    expect(() => new ExpressCapability({ type: 'root-port', functionReset: true })).toThrow(
      /no function level reset/,
    );
  });
});
