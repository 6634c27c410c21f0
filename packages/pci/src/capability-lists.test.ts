import { describe, expect, it } from 'vitest';
import { ExtendedCapability } from './capability.js';
import { ExpressCapability } from './capabilities/express.js';
import { MsiCapability } from './capabilities/msi.js';
import { PowerCapability } from './capabilities/power.js';
import { SerialNumberCapability } from './capabilities/serial-number.js';
import { VendorCapability } from './capabilities/vendor.js';
import type { ConfigRegister } from './config-space.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost } from './testing/index.js';

class Scratch extends ExtendedCapability {
  readonly name = 'scratch';
  readonly version = 2;

  constructor(
    readonly id: number,
    readonly size: number,
  ) {
    super();
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [{ name: 'scratch', offset: offset + 4, size: 4, write: 0xffff_ffff }];
  }
}

describe('capability lists', () => {
  it('PCIe 7.5.1.1.4 and 7.5.1.1.11: without capabilities status bit 4 and the pointer are 0', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction());
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_CAPABILITIES).toBe(0);
    expect(host.configRead(fn, R.CAPABILITIES_POINTER, 1)).toBe(0);
  });

  it('PCIe 7.5.1.1.11: the pointer leads from one to the next, in the order of adding, to 0', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction());
    const added = [new PowerCapability(), new MsiCapability(), new ExpressCapability({ type: 'endpoint' })];
    for (const capability of added) fn.addCapability(capability);
    const seen: number[] = [];
    for (
      let at = host.configRead(fn, R.CAPABILITIES_POINTER, 1);
      at !== 0;
      at = host.configRead(fn, at + 1, 1)
    ) {
      expect(at % 4).toBe(0);
      seen.push(host.configRead(fn, at, 1));
    }
    expect(seen).toEqual([R.CAPABILITY_POWER, R.CAPABILITY_MSI, R.CAPABILITY_EXPRESS]);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_CAPABILITIES).toBe(R.STATUS_CAPABILITIES);
    fn.reset();
    expect(host.findCapability(fn, R.CAPABILITY_EXPRESS)).toBe(added[2].offset);
  });

  it('a capability lies where it was asked to, and others go around it', () => {
    const fn = new FakeFunction();
    const placed = fn.addCapability(new PowerCapability(), 0xc8);
    const first = fn.addCapability(new MsiCapability({ masking: false }));
    expect([placed.offset, first.offset]).toEqual([0xc8, 0x40]);
    expect(() => fn.addCapability(new VendorCapability(new Uint8Array(9)), 0xcc)).toThrow(/overlaps/);
    expect(() => fn.addCapability(new VendorCapability(new Uint8Array(9)), 0x3c)).toThrow(/multiple of 4/);
    expect(() => fn.addCapability(placed)).toThrow(/owner already/);
  });

  it('a capability that finds no room is refused with a sentence', () => {
    const fn = new FakeFunction();
    fn.addCapability(new VendorCapability(new Uint8Array(177)));
    expect(() => fn.addCapability(new MsiCapability())).toThrow(/no room for the MSI capability/);
  });

  it('PCIe 7.6.2 and 7.6.3: extended capabilities begin at 100h; header is ID, version and next', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction());
    expect(() => fn.addCapability(new SerialNumberCapability(1, 2))).toThrow(
      /needs a PCI Express capability/,
    );
    fn.addCapability(new ExpressCapability({ type: 'endpoint' }));
    expect(host.configRead(fn, 0x100, 4)).toBe(0);
    expect(() => fn.addCapability(new Scratch(0x1e, 8), 0x200)).toThrow(/first extended capability/);
    fn.addCapability(new Scratch(0x1e, 0x20));
    fn.addCapability(new Scratch(0x1f, 8), 0x150);
    fn.addCapability(new SerialNumberCapability(0x1122_3344, 0x5566_7788));
    expect(host.configRead(fn, 0x100, 4)).toBe(0x1502_001e);
    expect(host.configRead(fn, 0x150, 4)).toBe(0x1202_001f);
    // Reserved bytes at the end of the first belong to it.
    expect(host.findExtendedCapability(fn, R.EXTENDED_SERIAL_NUMBER)).toBe(0x120);
    expect(host.configRead(fn, 0x120, 4)).toBe(0x0001_0003);
    host.configWrite(fn, 0x154, 4, 0xdead_beef);
    expect(host.configRead(fn, 0x154, 4)).toBe(0xdead_beef);
  });
});
