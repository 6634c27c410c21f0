import { describe, expect, it } from 'vitest';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import { VirtualBench } from '../testing/virtual-bench.js';
import type { EmbeddedSwitch } from './embedded-switch.js';

function setup(speed: 0 | 1 | 2): VirtualBench & { rates: EmbeddedSwitch['rates'] } {
  const bench = new VirtualBench();
  const { registers, steering } = bench.card.controller!;
  registers.set(R.REG_STATUS, speed << B.STATUS_SPEED_SHIFT);
  return Object.assign(bench, { rates: (steering as EmbeddedSwitch).rates });
}

/** As a driver sets it: the link's speed divided by the rate, with 14 bits behind the point. */
function limit(bench: VirtualBench, queue: number, link: number, rate: number): void {
  bench.write(R.REG_RTTDQSEL, queue);
  bench.write(R.REG_RTTBCNRC, rate === 0 ? 0 : (0x8000_0000 | Math.floor((link / rate) * 2 ** 14)) >>> 0);
}

describe('rate limits', () => {
  it.each([
    [2, 1000, 100],
    [2, 1000, 333],
    [1, 100, 7],
  ] as const)(
    '82576 8.12: on link %i of %i Mbit/s a queue keeps to %i Mbit/s within 1 %%',
    (speed, link, rate) => {
      const bench = setup(speed);
      limit(bench, 3, link, rate);
      const frames = 500;
      let now = 0;
      for (let frame = 0; frame < frames; frame++) {
        now = Math.max(now, bench.rates.readyAt(3));
        bench.host.run(now - bench.host.clock.now);
        bench.rates.sent(3, 1514);
      }
      const megabits = (frames * (1514 + 24) * 8 * 1000) / bench.rates.readyAt(3);
      expect(megabits / rate).toBeGreaterThan(0.99);
      expect(megabits / rate).toBeLessThan(1.01);
    },
  );

  it('82576 8.12: RTTDQSEL says whose RTTBCNRC is; other queues are not held', () => {
    const bench = setup(2);
    limit(bench, 3, 1000, 10);
    limit(bench, 9, 1000, 20);
    expect(bench.read(R.REG_RTTBCNRC)).toBe((0x8000_0000 | (50 << 14)) >>> 0);
    bench.write(R.REG_RTTDQSEL, 3);
    expect(bench.read(R.REG_RTTBCNRC)).toBe((0x8000_0000 | (100 << 14)) >>> 0);
    bench.rates.sent(3, 60);
    bench.rates.sent(4, 60);
    expect([bench.rates.readyAt(3), bench.rates.readyAt(4)]).toEqual([84 * 8 * 100, 0]);
  });

  it('a limit that is taken away, or changed, holds nothing back', () => {
    const bench = setup(2);
    limit(bench, 0, 1000, 1);
    bench.rates.sent(0, 1514);
    expect(bench.rates.readyAt(0)).toBeGreaterThan(10_000_000);
    limit(bench, 0, 1000, 0);
    expect(bench.rates.readyAt(0)).toBe(bench.host.clock.now);
  });

  it('any value that software writes leaves a time that ends', () => {
    const bench = setup(0);
    bench.write(R.REG_RTTDQSEL, 0xffff_ffff);
    for (const value of [0xffff_ffff, 0x8000_0000, 0x8000_0001, 0x80ff_ffff]) {
      bench.write(R.REG_RTTBCNRC, value);
      bench.rates.sent(15, 9728);
      const wait = bench.rates.readyAt(15) - bench.host.clock.now;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThan(10_000_000_000);
      bench.host.run(wait);
    }
  });
});
