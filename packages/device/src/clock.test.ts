import { describe, expect, it } from 'vitest';
import { Clock } from './clock.js';
import { DeviceError } from './error.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot.js';
import { FakeOwner } from './testing/index.js';

describe('Clock', () => {
  it('contract Clock: events run by time, and in the order of their scheduling within one instant', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    for (const [kind, when] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
    ] as const) {
      clock.schedule(owner, kind, when);
    }
    expect(clock.nextEvent).toBe(10);
    expect(clock.runUntil(20)).toBe(3);
    expect(owner.log).toEqual(['10 a', '20 b1', '20 b2']);
    expect(clock.now).toBe(20);
    expect(clock.runUntil(100)).toBe(1);
    expect(clock.now).toBe(100);
    expect(clock.nextEvent).toBe(Infinity);
  });

  it('contract Clock: diverted events go to the handler until the diversion ends', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock, 'nic');
    const taken: string[] = [];
    clock.divert('nic', (kind, args) => taken.push(`${clock.now} ${kind} ${JSON.stringify(args)}`));
    clock.schedule(owner, 'work', 10, { n: 1 });
    clock.runUntil(20);
    clock.divert('nic', undefined);
    clock.schedule(owner, 'work', 30);
    clock.runUntil(40);
    expect(taken).toEqual(['10 work {"n":1}']);
    expect(owner.log).toEqual(['30 work']);
  });

  it('finds an owner by its name until it is unregistered', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock, 'disk');
    expect(clock.owner('disk')).toBe(owner);
    clock.unregister(owner);
    expect(clock.owner('disk')).toBeUndefined();
  });

  it('an event may schedule another for the same instant', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    owner.react = (kind) => {
      if (kind === 'first') clock.after(owner, 'second', 0);
    };
    clock.schedule(owner, 'first', 5);
    clock.runUntil(5);
    expect(owner.log).toEqual(['5 first', '5 second']);
  });

  it('an event of the past runs now, never earlier', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    clock.runUntil(50);
    clock.schedule(owner, 'late', 10);
    clock.runUntil(50);
    expect(owner.log).toEqual(['50 late']);
  });

  it('cancels exactly the event that is named, wherever it is in the queue', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    const ids = Array.from({ length: 50 }, (_, index) =>
      clock.schedule(owner, `e${index}`, (index * 37) % 50),
    );
    for (let index = 0; index < 50; index += 3) {
      expect(clock.cancel(ids[index])).toBe(true);
      expect(clock.cancel(ids[index])).toBe(false);
    }
    expect(clock.pending(ids[1])).toBe(true);
    clock.runUntil(100);
    const times = owner.log.map((line) => Number(line.split(' ')[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(owner.log.length).toBe(50 - 17);
    expect(owner.log.some((line) => line.endsWith(' e3'))).toBe(false);
  });

  it('contract Clock: an event before the end of the running slice shortens that slice', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    const ends: number[] = [];
    clock.beginSlice(1000, (when) => ends.push(when));
    clock.schedule(owner, 'after', 2000);
    clock.schedule(owner, 'within', 600);
    clock.schedule(owner, 'later', 700);
    clock.schedule(owner, 'at once', 0);
    clock.endSlice();
    clock.schedule(owner, 'outside', 0);
    expect(ends).toEqual([600, 0]);
  });

  it('contract Snapshot: events in flight are data, saved and restored in another process', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock, 'nic');
    clock.runUntil(7);
    clock.schedule(owner, 'frame', 20, { bytes: new Uint8Array([1, 2, 255]), address: 0x1_0000_0001n });
    clock.schedule(owner, 'first', 20);
    clock.schedule(owner, 'tick', 9);
    const text = encodeSnapshot(clock.save());

    const other = new Clock();
    const heir = new FakeOwner(other, 'nic');
    other.restore(decodeSnapshot(text));
    expect(other.now).toBe(7);
    other.schedule(heir, 'new', 20);
    other.runUntil(20);
    expect(heir.log).toEqual(['9 tick', '20 frame', '20 first', '20 new']);
    expect(heir.arguments[1]).toEqual({ bytes: new Uint8Array([1, 2, 255]), address: 0x1_0000_0001n });
  });

  it('names what is wrong', () => {
    const clock = new Clock();
    const owner = new FakeOwner(clock);
    const snapshot = (clock.schedule(owner, 'x', 1), clock.save());
    expect(() => new FakeOwner(clock)).toThrow(/called fake/);
    expect(() => clock.schedule({ name: 'stranger', onEvent: () => undefined }, 'x', 1)).toThrow(DeviceError);
    expect(() => clock.schedule(owner, 'x', Number.NaN)).toThrow(/NaN/);
    expect(() => new Clock().restore(snapshot)).toThrow(/event of fake/);
    expect(() => clock.restore({ type: 'uart', version: 1 })).toThrow(/expected clock/);
  });

  it('an owner that leaves takes its events with it', () => {
    const clock = new Clock();
    const [stays, leaves] = [new FakeOwner(clock, 'stays'), new FakeOwner(clock, 'leaves')];
    for (let when = 1; when < 20; when++) clock.schedule(when % 3 === 0 ? stays : leaves, 'x', when);
    clock.unregister(leaves);
    clock.runUntil(100);
    expect(leaves.log).toEqual([]);
    expect(stays.log).toEqual([3, 6, 9, 12, 15, 18].map((when) => `${when} x`));
  });
});
