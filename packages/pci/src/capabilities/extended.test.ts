import { describe, expect, it } from 'vitest';
import { RootPort } from '../port.js';
import * as R from '../registers.js';
import { FakeFunction, FakeHost } from '../testing/index.js';
import { AerCapability, UNCORRECTABLE } from './aer.js';
import { ExpressCapability } from './express.js';
import { SerialNumberCapability } from './serial-number.js';
import { VendorCapability } from './vendor.js';

function setup(): { host: FakeHost; fn: FakeFunction; aer: AerCapability } {
  const host = new FakeHost();
  const fn = new FakeFunction();
  fn.addCapability(new ExpressCapability({ type: 'endpoint' }));
  const aer = fn.addCapability(new AerCapability());
  host.install(fn);
  return { host, fn, aer };
}

describe('advanced error reporting', () => {
  it('PCIe 7.8.4.2 to 7.8.4.6: masks, severities and their reset values', () => {
    const { host, fn } = setup();
    const read = (at: number): number => host.configRead(fn, 0x100 + at, 4);
    expect([read(4), read(8), read(0xc), read(0x10), read(0x14)]).toEqual([0, 0, 0x0006_2010, 0, 0x2000]);
    for (const at of [4, 8, 0xc, 0x10, 0x14]) host.configWrite(fn, 0x100 + at, 4, 0xffff_ffff);
    expect([read(4), read(8), read(0xc), read(0x10), read(0x14)]).toEqual([
      0, 0x0017_f010, 0x0017_f010, 0, 0x31c1,
    ]);
  });

  it('PCIe 7.8.4.7 and 7.8.4.8: the first unmasked error leaves its number and its header', () => {
    const { host, fn, aer } = setup();
    const read = (at: number): number => host.configRead(fn, 0x100 + at, 4);
    host.configWrite(fn, 0x108, 4, UNCORRECTABLE.malformedRequest);
    aer.recordUncorrectable(UNCORRECTABLE.malformedRequest, [9, 9, 9, 9]);
    aer.recordUncorrectable(UNCORRECTABLE.unsupportedRequest, [1, 2, 3, 0xffff_ffff]);
    aer.recordUncorrectable(UNCORRECTABLE.completerAbort, [5, 6, 7, 8]);
    expect(read(4)).toBe(
      UNCORRECTABLE.malformedRequest | UNCORRECTABLE.unsupportedRequest | UNCORRECTABLE.completerAbort,
    );
    expect(read(0x18)).toBe(20);
    expect([read(0x1c), read(0x20), read(0x24), read(0x28)]).toEqual([1, 2, 3, 0xffff_ffff]);
    host.configWrite(fn, 0x104, 4, UNCORRECTABLE.unsupportedRequest);
    aer.recordUncorrectable(UNCORRECTABLE.completerAbort, [5, 6, 7, 8]);
    expect([read(0x18), read(0x1c)]).toEqual([15, 5]);
  });

  it('PCIe 7.8.4.5: correctable errors are cleared by writing 1, and survive a function level reset', () => {
    const { host, fn, aer } = setup();
    aer.recordCorrectable(0x1001);
    fn.reset('function');
    expect(host.configRead(fn, 0x110, 4)).toBe(0x1001);
    host.configWrite(fn, 0x110, 4, 1);
    expect(host.configRead(fn, 0x110, 4)).toBe(0x1000);
    fn.reset();
    expect(host.configRead(fn, 0x110, 4)).toBe(0);
  });

  it('PCIe 7.8.4.9: a root port has root error command, status and source', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const at = host.findExtendedCapability(port, R.EXTENDED_AER);
    host.configWrite(port, at + 0x2c, 4, 0xffff_ffff);
    expect(host.configRead(port, at + 0x2c, 4)).toBe(7);
  });
});

describe('device serial number', () => {
  it('PCIe 7.9.3: an EUI-64, low half first; from a MAC address with FFFEh in the middle', () => {
    const host = new FakeHost();
    const fn = new FakeFunction();
    fn.addCapability(new ExpressCapability({ type: 'endpoint' }));
    const mac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
    const number = fn.addCapability(SerialNumberCapability.fromMac(mac));
    host.root.plug(fn);
    expect(host.configRead(fn, number.offset + 4, 4)).toBe(0xfe12_3456);
    expect(host.configRead(fn, number.offset + 8, 4)).toBe(0x5254_00ff);
    expect(number.fields()).toEqual({ number: '52-54-00-ff-fe-12-34-56' });
  });
});

describe('vendor-specific capability', () => {
  it('PCIe 7.9.4: the length byte counts the whole capability; only writable bits take writes', () => {
    const host = new FakeHost();
    const fn = new FakeFunction();
    const { offset } = fn.addCapability(
      new VendorCapability(Uint8Array.of(1, 2, 3), Uint8Array.of(0, 0xf0, 0)),
    );
    host.root.plug(fn);
    host.configWrite(fn, offset + 3, 1, 0xff);
    host.configWrite(fn, offset + 4, 2, 0xffff);
    expect(host.configRead(fn, offset, 4)).toBe(0x0106_0009);
    expect(host.configRead(fn, offset + 4, 2)).toBe(0x03f2);
  });
});
