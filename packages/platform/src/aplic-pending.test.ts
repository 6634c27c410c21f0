import { describe, expect, it } from 'vitest';
import { aplicBench, DETACHED, EDGE0, EDGE1, LEVEL0, LEVEL1, rootedBench } from './testing/index.js';

describe('pending bits (AIA 4.7)', () => {
  it.each(['direct', 'msi'] as const)('AIA 4.7: detached: by setip only, %s', (delivery) => {
    const { machine, set, pending } = rootedBench(delivery, DETACHED);
    set(true);
    expect(pending()).toBe(false);
    machine.pend(3);
    set(false);
    expect(pending()).toBe(true);
    machine.clear(3);
    expect(pending()).toBe(false);
  });

  it.each([
    ['direct', EDGE1, true],
    ['direct', EDGE0, false],
    ['msi', EDGE1, true],
    ['msi', EDGE0, false],
  ] as const)(
    'AIA 4.7: edges, %s, mode %i: set by an edge and by setip, whatever the wire does then',
    (delivery, mode, active) => {
      const all = aplicBench(delivery);
      all.wire(3)(!active);
      all.machine.configure(3, mode);
      const pending = () => all.machine.isPending(3);
      expect(pending()).toBe(false);
      all.wire(3)(active);
      expect(pending()).toBe(true);
      all.wire(3)(!active);
      expect(pending()).toBe(true);
      all.machine.clear(3);
      expect(pending()).toBe(false);
      all.machine.pend(3);
      expect(pending()).toBe(true);
    },
  );

  it.each([
    [LEVEL1, true],
    [LEVEL0, false],
  ])('AIA 4.7: levels, direct, mode %i: pending is the rectified input, nothing else', (mode, active) => {
    const { machine, set, pending } = rootedBench('direct', mode);
    set(!active);
    machine.pend(3);
    expect(pending()).toBe(false);
    set(active);
    expect(pending()).toBe(true);
    machine.clear(3);
    expect(pending()).toBe(true);
    machine.enable(3);
    expect(machine.claim(0) >>> 16).toBe(3);
    expect(pending()).toBe(true);
    set(!active);
    expect(pending()).toBe(false);
  });

  it.each([
    [LEVEL1, true],
    [LEVEL0, false],
  ])(
    'AIA 4.7: levels, messages, mode %i: set by a rise, or by setip while it is high; cleared when low',
    (mode, active) => {
      const { machine, set, pending } = rootedBench('msi', mode);
      set(!active);
      machine.clear(3);
      machine.pend(3);
      expect(pending()).toBe(false);
      set(active);
      expect(pending()).toBe(true);
      machine.clear(3);
      expect(pending()).toBe(false);
      machine.pend(3);
      expect(pending()).toBe(true);
      set(!active);
      expect(pending()).toBe(false);
    },
  );

  it('AIA 4.5.2: a level that is high when its source becomes active is pending; an edge has passed', () => {
    for (const delivery of ['direct', 'msi'] as const) {
      for (const [mode, expected] of [
        [LEVEL1, true],
        [EDGE1, false],
        [LEVEL0, false],
      ] as const) {
        const { machine, wire } = aplicBench(delivery);
        wire(7)(true);
        machine.configure(7, mode);
        expect([delivery, mode, machine.isPending(7)]).toEqual([delivery, mode, expected]);
      }
    }
  });
});
