import { describe, expect, it } from 'vitest';
import { ConventionalBridge, RootPort, SwitchDownstreamPort, SwitchUpstreamPort } from './port.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost } from './testing/index.js';

describe('INTx', () => {
  it('the board: pin and slot give the line, (slot + pin - 1) modulo 4', () => {
    for (const pin of ['A', 'B', 'C', 'D'] as const) {
      for (let slot = 1; slot < 9; slot++) {
        const host = new FakeHost();
        host.root.plug(new FakeFunction({ pin }), { slot }).interrupt.set(true);
        expect(host.lines.indexOf(true)).toBe((slot + 'ABCD'.indexOf(pin)) % 4);
      }
    }
  });

  it('PCIe 2.2.8.1: every bridge on the way up rotates by device number, a link by 0', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort(), { slot: 2 });
    const upstream = port.plug(new SwitchUpstreamPort());
    const down = upstream.plug(new SwitchDownstreamPort(), { slot: 3 });
    const bridge = down.plug(new ConventionalBridge());
    const fn = bridge.plug(new FakeFunction({ pin: 'B' }), { slot: 6 });
    fn.interrupt.set(true);
    expect(host.lines.indexOf(true)).toBe((1 + 6 + 0 + 3 + 0 + 2) % 4);
    expect(host.root.routeInterrupt(fn, 2)).toBe(0);
  });

  it('PCIe 6.1.2: a shared line stays high until the last function lets go', () => {
    const host = new FakeHost();
    const [a, b] = [1, 5].map((slot) => host.root.plug(new FakeFunction(), { slot }));
    a.interrupt.set(true);
    b.interrupt.set(true);
    a.interrupt.set(false);
    expect(host.lines).toEqual([false, true, false, false]);
    b.interrupt.set(false);
    expect(host.lines).toEqual([false, false, false, false]);
  });

  it('PCIe 7.5.1.1.3 and 7.5.1.1.4: interrupt disable takes the line away, not the status bit', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(), { slot: 4 });
    fn.interrupt.set(true);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_INTERRUPT_DISABLE);
    expect(host.lines[0]).toBe(false);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_INTERRUPT).toBe(R.STATUS_INTERRUPT);
    host.configWrite(fn, R.COMMAND, 2, 0);
    expect(host.lines[0]).toBe(true);
    fn.interrupt.set(false);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_INTERRUPT).toBe(0);
  });

  it('PCIe 7.5.1.1.3: interrupt disable of a bridge leaves interrupts from below alone', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const fn = port.plug(new FakeFunction());
    host.configWrite(port, R.COMMAND, 2, R.COMMAND_INTERRUPT_DISABLE);
    fn.interrupt.set(true);
    expect(host.lines).toEqual([false, true, false, false]);
  });

  it('a function without a pin drives no line and shows no status', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction({ pin: 'none' }));
    fn.interrupt.set(true);
    expect(host.lines).toEqual([false, false, false, false]);
    expect(host.configRead(fn, R.STATUS, 2)).toBe(0);
    expect(fn.interrupt.send()).toBe(false);
  });

  it('a completion at the controller reaches the functions of the line that assert it, then offers it again', () => {
    const host = new FakeHost();
    const heard: string[] = [];
    const fns = [1, 5, 2].map((slot) => host.root.plug(new FakeFunction(), { slot }));
    fns.forEach((fn) => fn.interrupt.onComplete(() => heard.push(fn.name)));
    fns[0].interrupt.set(true);
    host.root.intx[1].connect((level) => heard.push(`line ${level}`));
    host.root.intx[1].complete();
    expect(heard).toEqual(['line true', 'fake-0', 'line true']);
  });

  it('a function that is unplugged lets its line go', () => {
    const host = new FakeHost();
    const fn = host.root.plug(new FakeFunction(), { slot: 4 });
    fn.interrupt.set(true);
    host.root.rootBus.unplug(fn);
    expect(host.lines).toEqual([false, false, false, false]);
  });
});
