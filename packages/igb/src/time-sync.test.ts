import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { ethernetFrame, NicBench } from './testing/index.js';

/** 16 ns a step; the unit of SYSTIM is 1 / 2^19 ns, as Linux has it. */
const TIMINCA = (1 << 24) | (16 << 19);

function started(): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start();
  bench.driver.write(R.REG_TIMINCA, TIMINCA);
  bench.driver.write(R.REG_SYSTIML, 0);
  bench.driver.write(R.REG_SYSTIMH, 0);
  return bench;
}

function time(bench: NicBench): number {
  const low = bench.driver.read(R.REG_SYSTIML);
  return (bench.driver.read(R.REG_SYSTIMH) * 2 ** 32 + low) / 2 ** 19;
}

/** An Ethernet PTP message, version 2. */
function ptp(type: number, sequence: number): Uint8Array {
  const frame = ethernetFrame({ to: '01:1b:19:00:00:00', type: 0x88f7, length: 64 });
  frame.set([type, 2], 14);
  frame.set([1, 2, 3, 4, 5, 6, 7, 8, 0, 1, sequence >> 8, sequence & 255], 14 + 20);
  return frame;
}

describe('IEEE 1588', () => {
  it('82576 7.9.3: SYSTIM runs by TIMINCA, and monotonic', () => {
    const bench = started();
    bench.run(1_000_000);
    expect(time(bench)).toBeCloseTo(1_000_000, 6);
    let last = time(bench);
    for (let nth = 0; nth < 100; nth++) {
      bench.run(17 * nth);
      const now = time(bench);
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  it('82576 7.9.3: a faster increment makes a faster clock, and nothing jumps', () => {
    const bench = started();
    bench.run(1_000_000);
    bench.driver.write(R.REG_TIMINCA, (1 << 24) | (17 << 19));
    expect(time(bench)).toBeCloseTo(1_000_000, 6);
    bench.run(1_600_000);
    expect(time(bench)).toBeCloseTo(2_700_000, 6);
  });

  it('82576 7.9.3.3: TIMADJ adds and subtracts', () => {
    const bench = started();
    bench.run(16_000);
    bench.driver.write(R.REG_TIMADJL, 1000 * 2 ** 19);
    bench.driver.write(R.REG_TIMADJH, 0);
    expect(time(bench)).toBeCloseTo(17_000, 6);
    bench.driver.write(R.REG_TIMADJL, 3000 * 2 ** 19);
    bench.driver.write(R.REG_TIMADJH, B.TIMADJH_SIGN);
    expect(time(bench)).toBeCloseTo(14_000, 6);
  });

  it('82576 7.9.2: a sent packet s time is kept until it has been read', () => {
    const bench = started();
    const { driver } = bench;
    driver.write(R.REG_TSYNCTXCTL, B.TSYNC_ENABLED);
    const send = (): void => {
      driver.store(driver.txBuffer(0), ptp(0, 1));
      driver.queueData(driver.txBuffer(0), 64, B.TXD_EOP | B.TXD_IFCS | B.TXD_RS, { mac: B.TXD_TSTAMP });
      driver.ringTransmit();
      bench.run(10_000);
    };
    send();
    expect(driver.read(R.REG_TSYNCTXCTL) & B.TSYNC_VALID).toBe(1);
    const first = driver.read(R.REG_TXSTMPL);
    send();
    expect(driver.read(R.REG_TXSTMPL)).toBe(first);
    driver.read(R.REG_TXSTMPH);
    expect(driver.read(R.REG_TSYNCTXCTL) & B.TSYNC_VALID).toBe(0);
    send();
    expect(driver.read(R.REG_TXSTMPL)).not.toBe(first);
  });

  it('82576 7.9.5: received messages of the selected type are stamped, others are not', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.write(R.REG_RCTL, driver.read(R.REG_RCTL) | B.RCTL_MPE);
    driver.write(R.REG_ETQF + 12, 0x88f7 | B.ETQF_ENABLE | B.ETQF_1588);
    driver.write(R.REG_TSYNCRXCTL, B.TSYNC_ENABLED | (5 << B.TSYNC_TYPE_SHIFT));
    port.deliver(ptp(8, 3));
    expect(driver.poll()!.status & B.RXD_STATUS_TS).toBe(0);
    port.deliver(ptp(1, 0x1234));
    expect(driver.poll()!.status & B.RXD_STATUS_TS).toBe(B.RXD_STATUS_TS);
    expect(driver.read(R.REG_TSYNCRXCTL) & B.TSYNC_VALID).toBe(1);
    expect(driver.read(R.REG_RXSATRH) >>> 16).toBe(0x1234);
    port.deliver(ptp(1, 0x1235));
    expect(driver.poll()!.status & B.RXD_STATUS_TS).toBe(0);
    driver.read(R.REG_RXSTMPH);
    port.deliver(ptp(1, 0x1236));
    expect(driver.poll()!.status & B.RXD_STATUS_TS).toBe(B.RXD_STATUS_TS);
  });

  it('82576 7.9.5: messages over UDP, by a filter of the port', () => {
    const bench = started();
    const { driver, port } = bench;
    const frame = ethernetFrame({ type: 0x0800, length: 100 });
    frame.set([0x45, 0, 0, 86, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 224, 0, 1, 129], 14);
    frame.set([319 >> 8, 319 & 255, 319 >> 8, 319 & 255, 0, 66, 0, 0], 34);
    frame.set([0, 2], 42);
    driver.write(R.REG_IMIR + 12, ((319 & 255) << 8) | (319 >> 8));
    const mask = B.FTQF_SOURCE_ADDRESS_BP | B.FTQF_DEST_ADDRESS_BP | B.FTQF_SOURCE_PORT_BP;
    driver.write(R.REG_FTQF + 12, 17 | B.FTQF_VF_BP | B.FTQF_1588 | mask);
    driver.write(R.REG_TSYNCRXCTL, B.TSYNC_ENABLED | (2 << B.TSYNC_TYPE_SHIFT));
    port.deliver(frame);
    expect(driver.poll()!.status & B.RXD_STATUS_TS).toBe(B.RXD_STATUS_TS);
  });
});
