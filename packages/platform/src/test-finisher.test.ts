import { Clock } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { SYSCON_ACTIONS, TestFinisher, type FinishRequest } from './test-finisher.js';

function make() {
  const clock = new Clock();
  const requests: FinishRequest[] = [];
  const finisher = new TestFinisher({ clock, finish: (request) => requests.push(request) });
  return { clock, requests, finisher };
}

describe('sifive,test0', () => {
  it('0x5555 passes, 0x3333 fails with the code in bits 31:16, 0x7777 resets', () => {
    for (const [value, request] of [
      [0x5555, { kind: 'pass', code: 0 }],
      [0x002a_3333, { kind: 'fail', code: 42 }],
      [0x7777, { kind: 'reset', code: 0 }],
    ] as const) {
      const { clock, requests, finisher } = make();
      finisher.write(0, 4, value);
      clock.runUntil(0);
      expect(requests).toEqual([request]);
    }
  });

  it('a write never delivers: the request comes from the event queue and ends the running slice', () => {
    const { clock, requests, finisher } = make();
    let end = 1000;
    clock.beginSlice(end, (when) => (end = when));
    finisher.write(0, 4, 0x5555);
    expect([requests, end]).toEqual([[], 0]);
  });

  it('the first request stands; other values and offsets are ignored', () => {
    const { clock, requests, finisher } = make();
    finisher.write(4, 4, 0x5555);
    finisher.write(0, 4, 0x1234);
    finisher.write(0, 4, 0x7777);
    finisher.write(0, 4, 0x5555);
    clock.runUntil(0);
    expect(requests).toEqual([{ kind: 'reset', code: 0 }]);
    expect(finisher.read(0, 4)).toBe(0);
  });

  it('reset takes a request back, and a restored one comes', () => {
    const { clock, requests, finisher } = make();
    finisher.write(0, 4, 0x5555);
    const saved = finisher.save();
    const clockSaved = clock.save();
    finisher.reset();
    clock.runUntil(0);
    expect(requests).toEqual([]);
    const other = make();
    other.clock.restore(clockSaved);
    other.finisher.restore(saved);
    other.clock.runUntil(0);
    expect(other.requests).toEqual([{ kind: 'pass', code: 0 }]);
  });

  it('power/reset bindings: the syscon actions are writes that this device understands', () => {
    const kinds = SYSCON_ACTIONS.map(({ offset, value }) => {
      const { clock, requests, finisher } = make();
      finisher.write(offset, 4, value);
      clock.runUntil(0);
      return requests[0].kind;
    });
    expect(kinds).toEqual(['pass', 'reset']);
  });
});
