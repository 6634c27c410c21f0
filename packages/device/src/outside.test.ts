import { describe, expect, it } from 'vitest';
import { Clock } from './clock.js';
import { OutsideIo } from './outside.js';
import { FakeOwner } from './testing/index.js';

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('OutsideIo', () => {
  it('contract Outside I/O: work is submitted, its completion is an event', async () => {
    const clock = new Clock();
    const outside = new OutsideIo(clock);
    const owner = new FakeOwner(clock);
    let woken = 0;
    outside.onArrival = () => woken++;
    outside.submit(owner, 'done', () => Promise.resolve({ bytes: new Uint8Array([1]) }));
    outside.submit(owner, 'done', () => Promise.reject(new Error('no such file')));
    expect(outside.outstanding).toBe(2);
    await settled();
    expect(owner.log).toEqual([]);
    expect(woken).toBe(2);
    clock.runUntil(100);
    expect(outside.deliver()).toBe(2);
    expect(outside.outstanding).toBe(0);
    clock.runUntil(100);
    expect(owner.log).toEqual(['100 done', '100 done']);
    expect(owner.arguments).toEqual([{ bytes: new Uint8Array([1]) }, { error: 'no such file' }]);
  });

  it('contract Outside I/O: a record played back repeats every arrival, in order and to the nanosecond', () => {
    const clock = new Clock();
    const outside = new OutsideIo(clock);
    const owner = new FakeOwner(clock);
    const records = outside.record();
    clock.schedule(owner, 'tick', 10);
    clock.runUntil(10);
    outside.post(owner, 'key', { code: 65 });
    outside.deliver();
    clock.schedule(owner, 'same instant', 10);
    clock.runUntil(10);
    clock.runUntil(30);
    outside.post(owner, 'key', { code: 66 });
    outside.deliver();
    clock.runUntil(30);

    const again = new Clock();
    const replayed = new OutsideIo(again);
    const heir = new FakeOwner(again);
    replayed.replay(records, () => heir);
    replayed.post(heir, 'key', { code: 99 });
    replayed.submit(heir, 'done', () => expect.unreachable());
    again.schedule(heir, 'tick', 10);
    expect(replayed.nextArrival).toBe(10);
    again.runUntil(10);
    replayed.deliver();
    again.schedule(heir, 'same instant', 10);
    again.runUntil(replayed.nextArrival);
    expect(replayed.deliver()).toBe(1);
    again.runUntil(30);
    expect(heir.log).toEqual(owner.log);
    expect(heir.arguments).toEqual(owner.arguments);
    expect(replayed.nextArrival).toBe(Infinity);
  });

  it('is live while a source is attached, except in replay', () => {
    const clock = new Clock();
    const outside = new OutsideIo(clock);
    const [first, second] = [outside.attachSource(), outside.attachSource()];
    first();
    first();
    expect(outside.live).toBe(true);
    second();
    expect(outside.live).toBe(false);
    outside.attachSource();
    outside.replay([], () => undefined);
    expect(outside.live).toBe(false);
  });

  it('a record is played back in the slice it came in, however the times of harts interleave', () => {
    const clock = new Clock();
    const outside = new OutsideIo(clock);
    const owner = new FakeOwner(clock);
    outside.replay([{ when: 80, slice: 3, owner: 'fake', kind: 'key', args: {} }], () => owner);
    clock.now = 100;
    expect(outside.deliver(2)).toBe(0);
    clock.now = 80;
    expect(outside.deliver(3)).toBe(1);
  });

  it('a record of somebody who is not here is refused before anything runs', () => {
    const clock = new Clock();
    const records = [{ when: 1, slice: 0, owner: 'nat', kind: 'udp', args: {} }];
    expect(() => new OutsideIo(clock).replay(records, () => undefined)).toThrow(/names nat/);
    expect(clock.nextEvent).toBe(Infinity);
  });
});
