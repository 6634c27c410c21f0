import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { ethernetFrame, NicBench } from './testing/index.js';

const LONG = 5_000_000;

function started(): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start();
  bench.run(1_000_000);
  bench.driver.read(R.REG_ICR);
  return bench;
}

function messages(bench: NicBench): void {
  bench.driver.write(R.REG_GPIE, B.GPIE_MULTIPLE_MSIX | B.GPIE_NSICR | B.GPIE_PBA | B.GPIE_EIAME);
}

describe('INTx and MSI', () => {
  it('82576 8.8.9: an enabled cause raises the line, a read of ICR clears it; ICS sets causes', () => {
    const bench = started();
    const { driver, line } = bench;
    driver.write(R.REG_ICS, B.ICR_LSC);
    bench.run(1000);
    expect(line.level).toBe(false);
    driver.write(R.REG_IMS, B.ICR_LSC);
    bench.run(1000);
    expect(line.level).toBe(true);
    expect(driver.read(R.REG_ICR)).toBe((B.ICR_LSC | B.ICR_INTA) >>> 0);
    expect([line.level, driver.read(R.REG_ICR)]).toEqual([false, 0]);
  });

  it('82576 8.8.9: without NSICR a read that finds nothing asserted clears nothing while a cause is enabled', () => {
    const bench = started();
    const { driver } = bench;
    driver.write(R.REG_IMS, B.ICR_RXDMT0);
    driver.write(R.REG_ICS, B.ICR_LSC);
    expect([driver.read(R.REG_ICR), driver.read(R.REG_ICR)]).toEqual([B.ICR_LSC, B.ICR_LSC]);
    driver.write(R.REG_GPIE, B.GPIE_NSICR);
    expect([driver.read(R.REG_ICR), driver.read(R.REG_ICR)]).toEqual([B.ICR_LSC, 0]);
  });

  it('82576 8.8.13: IAM masks with the read of ICR that takes the interrupt', () => {
    const bench = started();
    const { driver, line } = bench;
    driver.write(R.REG_IAM, B.ICR_RXDW | B.ICR_LSC);
    driver.write(R.REG_IMS, B.ICR_RXDW | B.ICR_LSC);
    bench.port.deliver(ethernetFrame({}));
    bench.run(1000);
    expect(line.level).toBe(true);
    expect(driver.read(R.REG_ICR) & B.ICR_RXDW).toBe(B.ICR_RXDW);
    expect(driver.read(R.REG_IMS)).toBe(0);
  });

  it('82576 8.8.12: EITR 0 spaces interrupts of the line', () => {
    const bench = started();
    const { driver, line } = bench;
    driver.write(R.REG_EITR, (100 << B.EITR_INTERVAL_SHIFT) | B.EITR_CNT_INGR);
    driver.write(R.REG_IMS, B.ICR_RXDW);
    bench.port.deliver(ethernetFrame({}));
    bench.run(10);
    driver.read(R.REG_ICR);
    bench.port.deliver(ethernetFrame({}));
    bench.run(90_000);
    expect(line.level).toBe(false);
    bench.run(11_000);
    expect(line.level).toBe(true);
  });
});

describe('MSI-X', () => {
  it('82576 8.8.13: IVAR leads queues to vectors, IVAR_MISC other causes; EIMS enables', () => {
    const bench = started();
    const { driver } = bench;
    messages(bench);
    driver.write(R.REG_IVAR, B.IVAR_VALID | 3 | ((B.IVAR_VALID | 4) << 8));
    driver.write(R.REG_IVAR_MISC, (B.IVAR_VALID | 1) << 8);
    bench.port.deliver(ethernetFrame({}));
    bench.run(LONG);
    expect(bench.messages).toEqual([]);
    expect(driver.read(R.REG_EICR)).toBe(1 << 3);
    driver.write(R.REG_EIMS, (1 << 1) | (1 << 3) | (1 << 4));
    bench.port.deliver(ethernetFrame({}));
    driver.send(ethernetFrame({}));
    bench.run(LONG);
    driver.write(R.REG_IMS, B.ICR_LSC);
    driver.write(R.REG_ICS, B.ICR_LSC);
    bench.run(LONG);
    expect(bench.messages).toEqual([3, 4, 1]);
  });

  it('82576 7.3.2: EIAC clears the cause with the message, EIAM masks it', () => {
    const bench = started();
    const { driver } = bench;
    messages(bench);
    driver.write(R.REG_EIAC, 1 << 2);
    driver.write(R.REG_EIAM, 1 << 2);
    driver.write(R.REG_EIMS, 1 << 2);
    driver.write(R.REG_EICS, 1 << 2);
    bench.run(LONG);
    expect(bench.messages).toEqual([2]);
    expect([driver.read(R.REG_EICR), driver.read(R.REG_EIMS)]).toEqual([0, 0]);
  });

  it('82576 8.8.12: EITR spaces a vector s messages; nothing is lost', () => {
    const bench = started();
    const { driver } = bench;
    messages(bench);
    driver.write(R.REG_EIAC, 0xff);
    driver.write(R.REG_EIMS, 0xff);
    driver.write(R.REG_EITR + 8, (200 << B.EITR_INTERVAL_SHIFT) | B.EITR_CNT_INGR);
    for (let nth = 0; nth < 10; nth++) {
      driver.write(R.REG_EICS, (1 << 2) | (1 << 5));
      bench.run(50_000);
    }
    expect(bench.messages.filter((vector) => vector === 5).length).toBe(10);
    expect(bench.messages.filter((vector) => vector === 2).length).toBe(3);
  });

  it('82576 7.10.2: vectors that a virtual function owns are its own', () => {
    const bench = started();
    const { driver, mac } = bench;
    messages(bench);
    mac.interrupts.claim(0, true);
    driver.write(R.REG_EIMS, 0xffff_ffff);
    expect(driver.read(R.REG_EIMS) & (7 << 22)).toBe(0);
    mac.interrupts.setMask(1 << 23, 7 << 22);
    mac.interrupts.setCauses(1 << 23, 7 << 22);
    bench.run(1000);
    expect(bench.messages).toEqual(['0.1']);
    expect(driver.read(R.REG_EICR)).toBe(0);
  });

  it('82576 8.8: the TCP timer: kick, interrupt, loop', () => {
    const bench = started();
    const { driver } = bench;
    messages(bench);
    driver.write(R.REG_IVAR_MISC, B.IVAR_VALID | 6);
    driver.write(R.REG_EIAC, 0xff);
    driver.write(R.REG_EIMS, 0xff);
    driver.write(R.REG_TCPTIMER, 5 | B.TCPTIMER_KICK | B.TCPTIMER_COUNT_EN);
    bench.run(4_990_000);
    expect(bench.messages).toEqual([]);
    bench.run(20_000_000);
    expect(bench.messages).toEqual([6]);
    driver.write(R.REG_TCPTIMER, 5 | B.TCPTIMER_KICK | B.TCPTIMER_COUNT_EN | B.TCPTIMER_LOOP);
    bench.run(26_000_000);
    expect(bench.messages.length).toBe(6);
    expect(driver.read(R.REG_ICR) & B.ICR_TCP_TIMER).not.toBe(0);
  });

  it('82576 8.15: the free running timer counts microseconds, milliseconds and seconds', () => {
    const bench = new NicBench();
    bench.run(3_004_005_000);
    expect(bench.driver.read(R.REG_FRTIMER)).toBe((3 << 20) | (4 << 10) | 5);
  });
});
