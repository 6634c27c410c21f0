import { describe, expect, it } from 'vitest';
import { HostBridge } from './host-bridge.js';
import * as R from './registers.js';
import { ConventionalBridge, RootPort } from './port.js';
import { FakeFunction, FakeHost, RAM_BASE } from './testing/index.js';

const ECAM = 0x3000_0000;

describe('root complex', () => {
  it('PCIe 7.2.2: the ECAM address is bus, device, function and register', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction({ vendor: 0x8086, device: 0x100e }), { slot: 3 });
    expect(host.load(ECAM + (3 << 15), 4)).toBe(0x100e_8086);
    expect(host.load(ECAM + (3 << 15) + 2, 2)).toBe(0x100e);
    expect(host.load(ECAM + (3 << 15) + 1, 1)).toBe(0x80);
    expect(fn.address).toBe('00:03.0');
  });

  it('PCIe 2.3.2: a read of an absent function completes with all ones', () => {
    const host = new FakeHost();
    expect(host.load(ECAM + (9 << 15), 4)).toBe(0xffff_ffff);
    expect(host.load(ECAM + (200 << 20) + 2, 2)).toBe(0xffff);
    expect(host.store(ECAM + (9 << 15), 0x1234, 4)).toBe(true);
  });

  it('the board: the host bridge is 1b36:0008 at 00:00.0', () => {
    const host = new FakeHost();
    expect(host.load(ECAM)).toBe(0x0008_1b36);
    expect(host.load(ECAM + 8)).toBe(0x0600_0000);
    expect(host.root.find('00:00.0')).toBeInstanceOf(HostBridge);
  });

  it('an enumerated function behind two bridges answers, masters the bus and interrupts', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const bridge = port.plug(new ConventionalBridge());
    const fn = bridge.plug(new FakeFunction(), { slot: 2 });
    const found = host.enumerate();
    expect(found.map(({ bus, devfn }) => [bus, devfn >> 3])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [2, 2],
    ]);
    host.enable(fn);
    expect(host.write(fn, 0, 8, 0x1234_5678)).toBe(true);
    expect(host.read(fn, 0, 8)).toBe(0x1234_5678);
    expect(fn.dma.write(RAM_BASE, 0, new Uint8Array([1, 2, 3]))).toBe(0);
    expect(host.load(RAM_BASE + 2, 1)).toBe(3);
    expect(fn.dma.requester).toBe(0x0210);
    fn.interrupt.set(true);
    // Slot 2 of the conventional bus rotates by 2, device 0 of the link by 0, slot 1 of the root bus by 1.
    expect(host.lines).toEqual([false, false, false, true]);
    host.configWrite(bridge, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(fn.dma.write(RAM_BASE, 0, new Uint8Array([9]))).toBe(1);
    host.configWrite(port, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(host.read(fn, 0, 8)).toBe(0xffff_ffff);
  });
});
