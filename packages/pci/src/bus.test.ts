import { describe, expect, it } from 'vitest';
import { PciError, type PciErrorCode } from './error.js';
import { ConventionalBridge, RootPort } from './port.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost } from './testing/index.js';

function codeOf(work: () => unknown): PciErrorCode | 'none' {
  try {
    work();
  } catch (error) {
    if (error instanceof PciError) return error.code;
    throw error;
  }
  return 'none';
}

class Refusing extends FakeFunction {
  protected override attached(): void {
    throw new Error('no');
  }
}

describe('plugging functions in', () => {
  it('slots are given out from the lowest free one, after the host bridge', () => {
    const host = new FakeHost();
    const [a, b] = [host.root.plug(new FakeFunction()), host.root.plug(new FakeFunction(), { slot: 3 })];
    const c = host.root.plug(new FakeFunction());
    const d = host.root.plug(new FakeFunction());
    expect([a, b, c, d].map((fn) => fn.address)).toEqual(['00:01.0', '00:03.0', '00:02.0', '00:04.0']);
  });

  it('conflicts are errors with a code and a sentence', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction({ name: 'nic' }), { slot: 7 });
    expect(codeOf(() => host.root.plug(new FakeFunction(), { slot: 7 }))).toBe('slot-occupied');
    expect(codeOf(() => host.root.plug(new FakeFunction(), { slot: 32 }))).toBe('bad-slot');
    expect(codeOf(() => host.root.plug(new FakeFunction(), { slot: 1.5 }))).toBe('bad-slot');
    expect(codeOf(() => host.root.plug(new FakeFunction(), { function: 1 }))).toBe('bad-slot');
    expect(codeOf(() => host.root.plug(new FakeFunction(), { slot: 8, function: 8 }))).toBe('bad-slot');
    expect(codeOf(() => host.root.plug(fn))).toBe('already-plugged');
    expect(codeOf(() => host.root.plug(new FakeFunction({ name: 'nic' })))).toBe('duplicate-name');
    expect(codeOf(() => host.root.rootBus.unplug(new FakeFunction()))).toBe('not-plugged');
    expect(codeOf(() => new FakeFunction().dma)).toBe('not-plugged');
    expect(() => host.root.plug(new FakeFunction(), { slot: 7 })).toThrow(
      'slot 7, function 0 of the root bus is taken by nic',
    );
  });

  it('a full bus is an error', () => {
    const host = new FakeHost();
    for (let slot = 1; slot < 32; slot++) host.root.plug(new FakeFunction());
    expect(codeOf(() => host.root.plug(new FakeFunction()))).toBe('bus-full');
  });

  it('PCIe 7.3.1: a link has device 0 only', () => {
    const port = new RootPort();
    port.plug(new FakeFunction());
    expect(codeOf(() => port.plug(new FakeFunction(), { slot: 1 }))).toBe('bad-slot');
    expect(codeOf(() => port.plug(new FakeFunction()))).toBe('slot-occupied');
  });

  it('a tree put together before it is plugged in is attached as a whole, and left as a whole', () => {
    const host = new FakeHost();
    const port = new RootPort();
    const fn = port.plug(new ConventionalBridge()).plug(new FakeFunction());
    expect(fn.told).toEqual([]);
    host.root.plug(port);
    expect(fn.told).toEqual(['attached at 0 ns']);
    expect(fn.name).toBe('fake-0');
    host.root.rootBus.unplug(port);
    expect(fn.told).toEqual(['attached at 0 ns', 'detached']);
    expect(codeOf(() => fn.dma)).toBe('not-plugged');
    expect([...host.root.functions()]).toHaveLength(1);
  });

  it('names are the model and a number, and never collide with given ones', () => {
    const host = new FakeHost({ functionPrefix: 'vm1.' });
    const names = [{ name: 'fake-0' }, {}, { name: 'x' }].map((options) =>
      host.root.plug(new FakeFunction(options)),
    );
    expect(names.map((fn) => fn.name)).toEqual(['vm1.fake-0', 'vm1.fake-1', 'vm1.x']);
    expect(host.root.find('x')).toBe(names[2]);
    expect(host.root.find('vm1.fake-1')).toBe(names[1]);
  });

  it('a model that refuses to be attached leaves the fabric as it was', () => {
    const host = new FakeHost();
    const port = new RootPort();
    port.plug(new Refusing());
    expect(() => host.root.plug(port)).toThrow('no');
    expect([...host.root.functions()]).toHaveLength(1);
    expect(port.bus).toBeUndefined();
    expect(host.root.plug(new FakeFunction()).address).toBe('00:01.0');
  });
});

describe('multi-function devices', () => {
  it('PCIe 7.5.1.1.9: bit 7 of the header type is set in every function of a device with several', () => {
    const host = new FakeHost();
    const first = host.root.plug(new FakeFunction(), { slot: 2 });
    expect(host.configRead(first, R.HEADER_TYPE, 1)).toBe(0);
    const second = host.root.plug(new FakeFunction(), { slot: 2, function: 5 });
    expect([first, second].map((fn) => host.configRead(fn, R.HEADER_TYPE, 1))).toEqual([0x80, 0x80]);
    first.reset();
    expect(host.configRead(first, R.HEADER_TYPE, 1)).toBe(0x80);
    host.root.rootBus.unplug(second);
    expect(host.configRead(first, R.HEADER_TYPE, 1)).toBe(0);
  });

  it('the requester ID has the function number', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(), { slot: 2, function: 5 });
    expect(fn.dma.requester).toBe((2 << 3) | 5);
  });

  it('PCIe 6.13: functions 8 and above of a link are reached while ARI forwarding is enabled', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    port.plug(new FakeFunction());
    const high = port.plug(new FakeFunction({ device: 0x1234 }), { function: 138 });
    host.enumerate();
    const control2 = host.findCapability(port, R.CAPABILITY_EXPRESS) + 0x28;
    expect(host.configRead(port, control2 - 4, 4) & 0x20).toBe(0x20);
    expect(host.configRead(high, 0, 4)).toBe(0xffff_ffff);
    host.configWrite(port, control2, 2, 0x20);
    expect(host.configRead(high, 0, 4)).toBe(0x1234_1b36);
    expect(high.dma.requester).toBe(0x018a);
    high.interrupt.set(true);
    expect(host.lines).toEqual([false, true, false, false]);
  });

  it('PCIe 6.13: a port without ARI forwarding support has the enable bit hardwired to 0', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort({ ariForwarding: false }));
    const control2 = host.findCapability(port, R.CAPABILITY_EXPRESS) + 0x28;
    host.configWrite(port, control2, 2, 0xffff);
    expect(host.configRead(port, control2, 2)).toBe(0);
  });
});
