import { describe, expect, it } from 'vitest';
import { aplicBench, DETACHED, LEVEL1, rootedBench } from './testing/index.js';

describe('direct delivery (AIA 4.8)', () => {
  it('AIA 4.8.2: a hart is interrupted while IE, idelivery and an enabled pending source come together', () => {
    const { machine, harts, set } = rootedBench('direct', LEVEL1);
    const signal = harts[0].machine;
    set(true);
    expect(signal.level).toBe(false);
    machine.enable(3);
    expect([signal.level, signal.priority]).toEqual([true, 5]);
    machine.enabled = false;
    expect(signal.level).toBe(false);
    machine.enabled = true;
    machine.setDelivery(0, false);
    expect([signal.level, machine.top(0)]).toEqual([false, 0x3_0005]);
    machine.setDelivery(0, true);
    machine.disable(3);
    expect([signal.level, machine.top(0)]).toEqual([false, 0]);
    expect([harts[0].supervisor.level, harts[1].machine.level]).toEqual([false, false]);
  });

  it('AIA 4.5.16: smaller numbers are stronger, of equals the lowest source; each hart has its own', () => {
    const { machine } = aplicBench('direct');
    for (const [source, hart, priority] of [
      [10, 0, 4],
      [11, 0, 3],
      [12, 0, 3],
      [13, 1, 1],
    ]) {
      machine.configure(source, DETACHED);
      machine.setTarget(source, hart, priority);
      machine.enable(source);
      machine.pend(source);
    }
    const claims = (hart: number) => [0, 1, 2, 3].map(() => machine.claim(hart));
    expect(claims(0)).toEqual([0xb_0003, 0xc_0003, 0xa_0004, 0]);
    expect(claims(1)).toEqual([0xd_0001, 0, 0, 0]);
  });

  it('AIA 4.8.1: priorities at the threshold and above do not interrupt; 0 is no threshold', () => {
    const { machine, harts, set } = rootedBench('direct', LEVEL1);
    machine.enable(3);
    set(true);
    for (const [threshold, level] of [
      [5, false],
      [6, true],
      [1, false],
      [0, true],
    ] as const) {
      machine.setThreshold(0, threshold);
      expect([threshold, harts[0].machine.level, machine.top(0) !== 0]).toEqual([threshold, level, level]);
    }
  });

  it('AIA 4.8.1: iforce interrupts without a source, until claimi finds nothing', () => {
    const { machine, harts } = rootedBench('direct', DETACHED);
    machine.enable(3);
    machine.pend(3);
    machine.force(0);
    expect(machine.claim(0)).toBe(0x3_0005);
    expect([harts[0].machine.level, machine.forced(0)]).toEqual([true, true]);
    expect(machine.claim(0)).toBe(0);
    expect([harts[0].machine.level, machine.forced(0)]).toEqual([false, false]);
  });

  it('AIA 4.8.1: topi and claimi ignore writes, topi is looked at without a claim', () => {
    const { machine } = rootedBench('direct', DETACHED);
    machine.enable(3);
    machine.pend(3);
    machine.write(0x4018, 0);
    machine.write(0x401c, 0);
    expect([machine.top(0), machine.top(0), machine.isPending(3)]).toEqual([0x3_0005, 0x3_0005, true]);
  });

  it('AIA 4.8.1: for a hart that is not there everything reads 0, and its sources go nowhere', () => {
    const { machine, harts, set } = rootedBench('direct', LEVEL1);
    machine.enable(3);
    machine.setTarget(3, 2, 1);
    machine.setDelivery(2, true);
    set(true);
    expect([machine.read(0x4040), machine.top(2), machine.claim(2)]).toEqual([0, 0, 0]);
    expect(harts.some(({ machine: { level } }) => level)).toBe(false);
  });

  it('AIA 4.5.15: genmsi is read-only 0', () => {
    const { machine } = aplicBench('direct');
    machine.write(0x3000, 0x4_0007);
    expect(machine.read(0x3000)).toBe(0);
  });
});
