import { describe, expect, it } from 'vitest';
import * as R from './registers.js';
import { FakeFunction, FakeHost } from './testing/index.js';

const options = {
  vendor: 0x8086,
  device: 0x100e,
  classCode: 0x02_00_00,
  revision: 3,
  subsystemVendor: 0x1af4,
  subsystem: 0x1100,
} as const;

describe('type 0 header', () => {
  it('PCIe 7.5.1.1.1 to 7.5.1.1.6: identity registers are read-only', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(options));
    for (const [offset, value] of [
      [0x00, 0x100e_8086],
      [0x08, 0x0200_0003],
      [0x2c, 0x1100_1af4],
    ] as const) {
      host.configWrite(fn, offset, 4, 0xffff_ffff);
      expect(host.configRead(fn, offset, 4)).toBe(value);
    }
  });

  it('PCIe 7.5.1.1.3: command bits without a function are hardwired to 0', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(options));
    host.configWrite(fn, R.COMMAND, 2, 0xffff);
    expect(host.configRead(fn, R.COMMAND, 2)).toBe(0x0547);
  });

  it('PCIe 7.5.1.1.4: the status register clears by 1 only what is an error bit', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(options));
    fn.interrupt.set(true);
    fn.config.setBits(R.STATUS, R.STATUS_RECEIVED_MASTER_ABORT | R.STATUS_RECEIVED_TARGET_ABORT);
    host.configWrite(fn, R.STATUS, 2, R.STATUS_RECEIVED_MASTER_ABORT | R.STATUS_INTERRUPT);
    expect(host.configRead(fn, R.STATUS, 2)).toBe(R.STATUS_RECEIVED_TARGET_ABORT | R.STATUS_INTERRUPT);
  });

  it('PCIe 7.5.1.1.7 and 7.5.1.1.12: cache line size and interrupt line hold what software writes', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(options));
    host.configWrite(fn, R.CACHE_LINE_SIZE, 1, 0x10);
    host.configWrite(fn, R.INTERRUPT_LINE, 1, 0x21);
    expect(host.configRead(fn, R.CACHE_LINE_SIZE, 4)).toBe(0x10);
    expect(host.configRead(fn, R.INTERRUPT_LINE, 2)).toBe(0x0121);
  });

  it('PCIe 7.5.1.1.13: the pin register is 0 without a pin, 4 for INTD', () => {
    const host = new FakeHost();
    const none = host.root.plug(new FakeFunction({ ...options, pin: 'none' }));
    const last = host.root.plug(new FakeFunction({ ...options, pin: 'D' }));
    expect(host.configRead(none, R.INTERRUPT_PIN, 1)).toBe(0);
    expect(host.configRead(last, R.INTERRUPT_PIN, 1)).toBe(4);
  });

  it('PCIe 7.2.1: a conventional function has no registers above FFh, they read all ones', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(options));
    expect(host.configRead(fn, 0x100, 4)).toBe(0xffff_ffff);
    host.configWrite(fn, 0x100, 4, 0);
    expect(host.configRead(fn, 0xfff, 1)).toBe(0xff);
  });
});
