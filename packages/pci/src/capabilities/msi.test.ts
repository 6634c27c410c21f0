import { describe, expect, it } from 'vitest';
import * as R from '../registers.js';
import { FakeFunction, FakeHost } from '../testing/index.js';
import { MsiCapability, type MsiOptions } from './msi.js';

const ADDRESS = 0x2800_0000;

function setup(options: MsiOptions = {}): { host: FakeHost; fn: FakeFunction; at: number } {
  const host = new FakeHost();
  const fn = new FakeFunction();
  const { offset } = fn.addCapability(new MsiCapability(options));
  host.install(fn);
  return { host, fn, at: offset };
}

/** Address and data, then the enable bit with 2^`log` vectors allocated; 64-bit layout. */
function program({ host, fn, at }: ReturnType<typeof setup>, log = 0): void {
  host.configWrite(fn, at + 4, 4, ADDRESS);
  host.configWrite(fn, at + 8, 4, 1);
  host.configWrite(fn, at + 12, 2, 0x4140);
  host.configWrite(fn, at + 2, 2, 1 | (log << 4));
}

describe('MSI', () => {
  it('PCIe 7.7.1.2: control shows what the device is capable of; enable and allocation are writable', () => {
    const { host, fn, at } = setup({ vectors: 8 });
    expect(host.configRead(fn, at + 2, 2)).toBe(0x0186);
    host.configWrite(fn, at + 2, 2, 0xffff);
    expect(host.configRead(fn, at + 2, 2)).toBe(0x01f7);
  });

  it('PCIe 7.7.1.4: without the 64-bit address the data register lies at 08h, and the low address bits are 0', () => {
    const { host, fn, at } = setup({ address64: false, masking: false });
    expect(host.configRead(fn, at + 2, 2)).toBe(0);
    host.configWrite(fn, at + 4, 4, 0xffff_ffff);
    host.configWrite(fn, at + 8, 4, 0xffff_4321);
    expect(host.configRead(fn, at + 4, 4)).toBe(0xffff_fffc);
    expect(host.configRead(fn, at + 8, 4)).toBe(0x4321);
    host.configWrite(fn, at + 2, 2, 1);
    fn.interrupt.send();
    host.run();
    expect(host.messages).toMatchObject([{ address: 0xffff_fffc, data: 0x4321 }]);
  });

  it('PCIe 6.1.4: a message is a write of the data to the address, in the name of the function', () => {
    const it = setup();
    program(it);
    expect(it.fn.interrupt.mode).toBe('msi');
    expect(it.fn.interrupt.send(0)).toBe(true);
    it.host.run();
    expect(it.host.messages).toEqual([{ requester: 0x0008, address: 0x1_2800_0000, data: 0x4140, at: 0 }]);
    expect(it.host.ledger.total({ owner: it.fn.name, event: 'message' })).toBe(1);
  });

  it('a signal sends nothing by itself: the message leaves with the next event', () => {
    const it = setup();
    program(it);
    it.fn.interrupt.send();
    it.fn.interrupt.send();
    expect(it.host.messages).toEqual([]);
    expect(it.host.clock.nextEvent).toBe(0);
    it.host.run();
    expect(it.host.messages).toHaveLength(1);
  });

  it('PCIe 6.1.4.2 and 7.7.1.5: the vector replaces as many low data bits as were allocated', () => {
    const it = setup({ vectors: 8 });
    program(it, 2);
    it.host.configWrite(it.fn, it.at + 12, 2, 0x4143);
    expect(it.fn.interrupt.vectors).toBe(4);
    for (const vector of [3, 1, 6]) it.fn.interrupt.send(vector);
    it.host.run();
    expect(it.host.messages.map(({ data }) => data)).toEqual([0x4143, 0x4141, 0x4142]);
  });

  it('more vectors allocated than the device has (undefined by 7.7.1.2) count as all it has', () => {
    const it = setup({ vectors: 4 });
    program(it, 7);
    expect(it.fn.interrupt.vectors).toBe(4);
    it.fn.interrupt.send(5);
    it.host.run();
    expect(it.host.messages[0].data).toBe(0x4141);
  });

  it('PCIe 7.7.1.7 and 7.7.1.8: a masked vector becomes pending and is sent once, at the unmask', () => {
    const it = setup({ vectors: 4 });
    program(it, 2);
    const { host, fn, at } = it;
    host.configWrite(fn, at + 16, 4, 0xffff_fff4);
    expect(host.configRead(fn, at + 16, 4)).toBe(4);
    fn.interrupt.send(2);
    fn.interrupt.send(2);
    fn.interrupt.send(1);
    host.run();
    expect(host.messages.map(({ data }) => data)).toEqual([0x4141]);
    expect(host.configRead(fn, at + 20, 4)).toBe(4);
    host.configWrite(fn, at + 16, 4, 0);
    expect(host.configRead(fn, at + 20, 4)).toBe(0);
    host.run();
    expect(host.messages.map(({ data }) => data)).toEqual([0x4141, 0x4142]);
    host.configWrite(fn, at + 16, 4, 4);
    host.configWrite(fn, at + 16, 4, 0);
    expect(host.run()).toBe(0);
  });

  it('a vector masked between signal and event is pending, not sent', () => {
    const it = setup();
    program(it);
    it.fn.interrupt.send();
    it.host.configWrite(it.fn, it.at + 16, 4, 1);
    it.host.run();
    expect(it.host.messages).toEqual([]);
    expect(it.host.configRead(it.fn, it.at + 20, 4)).toBe(1);
  });

  it('PCIe 6.1.4: with MSI enabled the function does not use INTx', () => {
    const it = setup();
    it.fn.interrupt.set(true);
    expect(it.host.lines).toEqual([false, true, false, false]);
    program(it);
    expect(it.host.lines).toEqual([false, false, false, false]);
    it.host.configWrite(it.fn, it.at + 2, 2, 0);
    expect(it.host.lines).toEqual([false, true, false, false]);
    expect(it.fn.interrupt.send()).toBe(false);
  });

  it('PCIe 7.5.1.1.3: without bus master enable no message is sent; the ledger tells', () => {
    const it = setup();
    program(it);
    it.host.configWrite(it.fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    it.fn.interrupt.send();
    it.host.run();
    expect(it.host.messages).toEqual([]);
    expect(it.host.ledger.total({ owner: it.fn.name, event: 'message-dropped' })).toBe(1);
  });

  it('a capability with an impossible count of vectors is refused', () => {
    expect(() => new MsiCapability({ vectors: 3 })).toThrow(/1, 2, 4, 8, 16 or 32/);
  });
});
