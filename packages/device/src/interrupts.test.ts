import { describe, expect, it } from 'vitest';
import { requesterId, WiredOr } from './interrupts.js';

describe('WiredOr', () => {
  it('contract Interrupts: the output is high while any input is', () => {
    const levels: boolean[] = [];
    const line = new WiredOr((level) => levels.push(level));
    const [a, b] = [line.input(), line.input()];
    a.set(true);
    b.set(true);
    b.set(true);
    a.set(false);
    expect(line.level).toBe(true);
    b.set(false);
    b.set(false);
    expect(levels).toEqual([true, false]);
  });

  it('contract Interrupts: a line still high at completion is pended again, after the resampling', () => {
    const log: string[] = [];
    const line = new WiredOr((level) => log.push(level ? 'high' : 'low'));
    const [assigned, other] = [line.input(), line.input()];
    line.onComplete(() => {
      log.push('resample');
      assigned.set(false);
    });
    assigned.set(true);
    other.set(true);
    line.complete();
    other.set(false);
    line.complete();
    expect(log).toEqual(['high', 'resample', 'high', 'low', 'resample']);
  });

  it('a late output is told of a line that is high', () => {
    const line = new WiredOr();
    line.input().set(true);
    const levels: boolean[] = [];
    line.connect((level) => levels.push(level));
    expect(levels).toEqual([true]);
  });
});

it('PCIe 2.2.4.2: the requester ID holds bus, device and function', () => {
  expect(requesterId(0x12, 0x1f, 7)).toBe(0x12ff);
  expect(requesterId(0x100, 0x20, 8)).toBe(0);
});
