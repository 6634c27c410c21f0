import { describe, expect, it } from 'vitest';
import { REGISTERS } from './register-table.js';
import * as R from './register-map.js';
import { ethernetFrame, joinedPorts, NicBench, TEST_MAC } from './testing/index.js';

/** xorshift32: the same numbers in every run. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 0x9e37_79b9 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

const RAM = 0x8000_0000;
const OFFSETS = REGISTERS.map(({ offset }) => offset);
const HOT = [
  R.REG_TDT,
  R.REG_TDH,
  R.REG_TDLEN,
  R.REG_TDBAL,
  R.REG_RDT,
  R.REG_RDH,
  R.REG_RDLEN,
  R.REG_RDBAL,
  R.REG_RCTL,
  R.REG_TCTL,
  R.REG_CTRL,
  R.REG_IMS,
  R.REG_ICS,
  R.REG_PBA,
  R.REG_FCRTH,
  R.REG_RXCSUM,
  R.REG_MDIC,
];
const GUARD = 0xa5;

/** Runs the clock for a while; the number of events must stay in proportion to the time. */
function runBounded(bench: NicBench, time: number): void {
  const before = bench.clock.now;
  const count = bench.clock.runUntil(before + time);
  expect(count).toBeLessThan(1000 + time / 50);
}

/** Nothing but the state block and RAM may change: the null page, and a canary behind the state block. */
function guarded(bench: NicBench): { check(): void } {
  const { bytes } = bench.memory;
  const at = bench.memory.reserve(4096);
  bytes.fill(GUARD, at, at + 4096);
  return {
    check: () => {
      expect(bytes.subarray(at, at + 4096).every((byte) => byte === GUARD)).toBe(true);
      expect(bytes.subarray(0, bench.memory.flags.offset).every((byte) => byte === 0)).toBe(true);
    },
  };
}

function alive(bench: NicBench): void {
  bench.port.accepting = true;
  bench.port.unblock();
  bench.port.up = true;
  bench.driver.write(R.REG_CTRL, R.CTRL_PHY_RST);
  bench.driver.write(R.REG_CTRL, 0);
  bench.driver.start();
  bench.run(50_000_000);
  bench.driver.writePhy(0, 0x9140);
  bench.run(50_000_000);
  bench.driver.start();
  bench.run(1_000_000);
  const count = bench.port.sent.length;
  bench.driver.send(ethernetFrame({ seed: 3 }));
  bench.run(1_000_000);
  expect(bench.port.sent.slice(count)).toEqual([ethernetFrame({ seed: 3 })]);
  bench.port.deliver(ethernetFrame({ seed: 4 }));
  expect(bench.driver.poll()?.bytes).toEqual(ethernetFrame({ seed: 4 }));
}

describe('hostile drivers, with fixed seeds', () => {
  it.each([1, 2, 3, 4, 5, 6])('registers, seed %i', (seed) => {
    const random = new Random(seed);
    const bench = new NicBench();
    const guard = guarded(bench);
    bench.start();
    for (let step = 0; step < 4000; step++) {
      switch (random.below(8)) {
        case 0:
          bench.driver.read(random.below(0x2_0000) & ~3);
          break;
        case 1:
          bench.mac.write(random.below(0x2_0000), random.pick([1, 2, 4] as const), random.next());
          break;
        case 2:
        case 3:
          bench.driver.write(random.pick(OFFSETS), random.next());
          break;
        case 4:
        case 5: {
          const value = random.pick([
            random.next(),
            random.below(80),
            RAM + random.below(0x40_0000),
            0xffff_ffff,
            0,
          ]);
          bench.driver.write(random.pick(HOT), value);
          break;
        }
        case 6:
          bench.port.accepting = random.below(4) !== 0;
          if (bench.port.accepting) bench.port.unblock();
          bench.port.deliver(
            ethernetFrame({ length: 18 + random.below(3000), tag: random.below(4096), to: TEST_MAC }),
          );
          break;
        default:
          runBounded(bench, random.below(20_000));
      }
    }
    guard.check();
    alive(bench);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('descriptors, seed %i', (seed) => {
    const random = new Random(seed + 100);
    const bench = new NicBench();
    const guard = guarded(bench);
    bench.run(20_000_000);
    bench.driver.start({ ring: 64 });
    bench.run(1_000_000);
    const address = (): number =>
      random.pick([
        RAM + random.below(0x40_0000),
        RAM + 0x40_0000 - random.below(3000),
        random.next(),
        0,
        0xffff_fff0,
      ]);
    for (let step = 0; step < 1500; step++) {
      const high = random.below(16) === 0 ? random.next() : 0;
      const length = random.pick([random.below(2000), random.below(0x10_0000), 0, 1]);
      const command = random.below(256);
      switch (random.below(6)) {
        case 0:
          bench.driver.queue([random.next(), random.next(), random.next(), random.next()]);
          break;
        case 1:
          bench.driver.queue([
            address(),
            high,
            (length & 0xffff) | (random.below(256) << 16) | (command << 24),
            random.next(),
          ]);
          break;
        case 2:
        case 3: {
          const kind = R.TXD_DTYP_DATA << 20;
          bench.driver.queue([
            address(),
            high,
            length | kind | ((command | R.TXD_DEXT) << 24),
            random.next(),
          ]);
          break;
        }
        case 4:
          bench.driver.queueContext({
            ipcss: random.below(256),
            ipcso: random.below(256),
            ipcse: random.below(0x1_0000),
            tucss: random.below(256),
            tucso: random.below(256),
            tucse: random.below(0x1_0000),
            command: random.below(256),
            paylen: random.below(0x10_0000),
            hdrlen: random.below(256),
            mss: random.pick([0, 1, 536, 1448, 0xffff]),
          });
          break;
        default:
          bench.driver.postReceive(random.below(64), address());
          bench.port.deliver(ethernetFrame({ length: 14 + random.below(3000) }));
          bench.driver.write(R.REG_RDT, random.below(64));
      }
      if (random.below(3) === 0) bench.driver.ringTransmit();
      if (random.below(40) === 0) {
        bench.port.accepting = !bench.port.accepting;
        if (bench.port.accepting) bench.port.unblock();
      }
      runBounded(bench, random.below(50_000));
      bench.port.sent.length = bench.port.ranges.length = 0;
    }
    guard.check();
    alive(bench);
  });

  it('two controllers that send garbage to each other, twice the same', () => {
    const play = (): string => {
      const random = new Random(77);
      const [left, right] = joinedPorts();
      const a = new NicBench({ port: left, name: 'a' });
      const shared = { clock: a.clock, ledger: a.ledger, memory: a.memory };
      const b = new NicBench({ ...shared, port: right, name: 'b', base: RAM + 0x20_0000 });
      a.start();
      b.start();
      for (let step = 0; step < 1500; step++) {
        const { driver } = random.pick([a, b]);
        driver.queueLegacy(RAM + random.below(0x40_0000), random.below(4000), random.below(256));
        if (random.below(2) === 0) driver.ringTransmit();
        if (random.below(8) === 0) driver.pollAll();
        if (random.below(20) === 0) driver.write(R.REG_RCTL, random.next());
        if (random.below(20) === 0) driver.write(R.REG_CTRL, (random.next() | R.CTRL_SLU) & ~R.CTRL_RST);
        a.run(random.below(20_000));
      }
      const counts = a.ledger
        .select()
        .map(({ owner, event, reason, value }) => [owner, event, reason, value]);
      return JSON.stringify([a.clock.now, counts]);
    };
    const first = play();
    expect(first).toContain('"tx","packets"');
    expect(play()).toBe(first);
  });
});
