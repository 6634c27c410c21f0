import { Clock, decodeSnapshot, encodeSnapshot, Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, pattern } from './testing/index.js';

const LONG = 5_000_000;
const WHOLE = B.TXD_EOP | B.TXD_IFCS | B.TXD_RS;

/** The same controller in a new process: memory, clock and device from their snapshots. */
function revive(bench: NicBench): NicBench {
  const mac = encodeSnapshot(bench.mac.save());
  const clock = encodeSnapshot(bench.clock.save());
  const copy = new NicBench({ clock: new Clock(), ledger: new Ledger() });
  const { ramOffset, ramSize } = bench.memory;
  copy.memory.write(copy.memory.ramOffset, bench.memory.read(ramOffset, ramSize));
  copy.clock.restore(decodeSnapshot(clock));
  copy.mac.restore(decodeSnapshot(mac));
  const { ring, srrctl, txNext, rxNext } = bench.driver;
  Object.assign(copy.driver, { ring, srrctl, txNext: [...txNext], rxNext: [...rxNext] });
  return copy;
}

/** Does the same to a controller and to its copy, and compares what comes of it. */
function expectSame(bench: NicBench, act: (bench: NicBench) => unknown): void {
  const copy = revive(bench);
  const sentBefore = bench.port.sent.length;
  const messagesBefore = bench.messages.length;
  expect(act(copy)).toEqual(act(bench));
  expect(copy.port.sent).toEqual(bench.port.sent.slice(sentBefore));
  expect(copy.messages).toEqual(bench.messages.slice(messagesBefore));
  expect(copy.clock.now).toBe(bench.clock.now);
  expect(encodeSnapshot(copy.mac.save()) === encodeSnapshot(bench.mac.save())).toBe(true);
}

describe('snapshot in mid-flight', () => {
  it('a segmentation that waits for the wire', () => {
    const bench = new NicBench();
    bench.start();
    const { driver, port } = bench;
    port.accepting = false;
    driver.store(driver.txBuffer(0), pattern(3054));
    driver.queueContext({ l4len: 20, mss: 1000 });
    driver.queueData(driver.txBuffer(0), 3054, WHOLE | B.TXD_TSE, { paylen: 3000, popts: 3 });
    driver.ringTransmit();
    bench.run(LONG);
    expectSame(bench, (one) => {
      one.port.unblock();
      one.run(LONG);
      return one.port.sent.length;
    });
    expect(port.sent.length).toBe(3);
  });

  it('frames that wait for descriptors, causes, moderation, timers and the clock', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 8 });
    bench.run(1_000_000);
    const { driver, port } = bench;
    driver.write(R.REG_GPIE, B.GPIE_MULTIPLE_MSIX | B.GPIE_NSICR);
    driver.write(R.REG_IVAR, B.IVAR_VALID | 3);
    driver.write(R.REG_EIAC, 0xff);
    driver.write(R.REG_EIMS, 0xff);
    driver.write(R.REG_EITR + 12, (500 << B.EITR_INTERVAL_SHIFT) | B.EITR_CNT_INGR);
    driver.write(R.REG_TCPTIMER, 3 | B.TCPTIMER_KICK | B.TCPTIMER_COUNT_EN | B.TCPTIMER_LOOP);
    driver.write(R.REG_TIMINCA, (1 << 24) | (16 << 19));
    for (let nth = 0; nth < 12; nth++) port.deliver(ethernetFrame({ seed: nth }));
    bench.run(1000);
    expectSame(bench, (one) => {
      const first = one.driver.pollAll().length;
      one.run(LONG);
      const low = one.driver.read(R.REG_SYSTIML);
      return [first, one.driver.pollAll().length, low, one.driver.read(R.REG_SYSTIMH)];
    });
  });
});
