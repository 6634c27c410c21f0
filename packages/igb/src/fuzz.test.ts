import { describe, expect, it } from 'vitest';
import { REGISTERS } from './register-table.js';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, TEST_MAC } from './testing/index.js';

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
const OFFSETS = REGISTERS.flatMap(({ offset, count = 1, stride = 4 }) => [
  offset,
  offset + (count - 1) * stride,
]);
const HOT = [0, 1, 15].flatMap((queue) =>
  [
    R.REG_TDT,
    R.REG_TDLEN,
    R.REG_TDBAL,
    R.REG_TXDCTL,
    R.REG_TDWBAL,
    R.REG_RDT,
    R.REG_RDLEN,
    R.REG_RDBAL,
    R.REG_RXDCTL,
    R.REG_SRRCTL,
  ].map((register) => register + queue * R.QUEUE_STRIDE),
);
HOT.push(
  R.REG_RCTL,
  R.REG_TCTL,
  R.REG_CTRL,
  R.REG_IMS,
  R.REG_ICS,
  R.REG_EIMS,
  R.REG_EICS,
  R.REG_GPIE,
  R.REG_MRQC,
  R.REG_RXPBS,
  R.REG_MDIC,
  R.REG_TCPTIMER,
  R.REG_TIMINCA,
);
/** VMLOOM_FUZZ: how many times as much as in a short run; 170 is a million bad descriptors. */
const LENGTH = Number(process.env['VMLOOM_FUZZ'] ?? 1);
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
  bench.driver.write(R.REG_CTRL, B.CTRL_PHY_RST);
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
  it.each([1, 2, 3, 4])('registers, seed %i', (seed) => {
    const random = new Random(seed);
    const bench = new NicBench();
    const guard = guarded(bench);
    bench.start();
    for (let step = 0; step < 2000 * LENGTH; step++) {
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

  it.each([1, 2, 3, 4, 5, 6])('descriptors, seed %i', (seed) => {
    const random = new Random(seed + 100);
    const bench = new NicBench();
    const guard = guarded(bench);
    bench.run(20_000_000);
    const srrctl = random.pick([0x0200_0402, 0x0400_0402, 0x0a00_0402, 2, 0x0200_0000]);
    bench.driver.start({ queues: [0, 7], srrctl, rctl: B.RCTL_BAM | B.RCTL_LPE | B.RCTL_UPE });
    bench.driver.write(R.REG_PSRTYPE, 0xffff_ffff);
    bench.driver.write(R.REG_MRQC, random.pick([0, B.MRQC_RSS | 0x01ff_0000]));
    bench.run(1_000_000);
    const address = (): number =>
      random.pick([
        RAM + random.below(0x40_0000),
        RAM + 0x40_0000 - random.below(3000),
        random.next(),
        0,
        0xffff_fff0,
      ]);
    for (let step = 0; step < 1000 * LENGTH; step++) {
      const high = random.below(16) === 0 ? random.next() : 0;
      const length = random.pick([random.below(2000), random.below(0x1_0000), 0, 1]);
      const command = random.below(256);
      const queue = random.pick([0, 7]);
      switch (random.below(6)) {
        case 0:
          bench.driver.queue([random.next(), random.next(), random.next(), random.next()], queue);
          break;
        case 1:
          bench.driver.queue(
            [
              address(),
              high,
              length | (random.below(256) << 16) | ((command & ~B.TXD_DEXT) << 24),
              random.next(),
            ],
            queue,
          );
          break;
        case 2:
        case 3:
          bench.driver.queueData(address(), length, command, {
            popts: random.below(4),
            paylen: random.below(0x4_0000),
            index: random.below(2),
            queue,
          });
          break;
        case 4:
          bench.driver.queueContext(
            {
              maclen: random.below(128),
              iplen: random.below(512),
              l4len: random.below(256),
              mss: random.pick([0, 1, 536, 1448, 0xffff]),
              ipv4: random.below(2) === 0,
              l4type: random.below(4),
              index: random.below(2),
            },
            queue,
          );
          break;
        default:
          bench.driver.postReceive(random.below(64), queue, address());
          bench.port.deliver(ethernetFrame({ length: 14 + random.below(3000) }));
          bench.driver.writeQueue(R.REG_RDT, queue, random.below(64));
      }
      if (random.below(3) === 0) bench.driver.ringTransmit(queue);
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
});
