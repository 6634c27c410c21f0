import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { NicBench } from './testing/index.js';

describe('PHY', () => {
  it('82576 8.2.4: the PHY answers at address 1, with its identity', () => {
    const { driver } = new NicBench();
    expect([driver.readPhy(2), driver.readPhy(3)]).toEqual([0x02a8, 0x0391]);
    driver.write(R.REG_MDIC, B.MDIC_OP_READ | (2 << 16) | (2 << 21));
    expect(driver.read(R.REG_MDIC) & (B.MDIC_ERROR | B.MDIC_READY)).toBe(B.MDIC_ERROR | B.MDIC_READY);
  });

  it('802.3 28: autonegotiation takes its time and comes to 1000 Mb/s, full duplex', () => {
    const bench = new NicBench();
    const { driver } = bench;
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_SLU);
    expect(driver.read(R.REG_STATUS) & B.STATUS_LU).toBe(0);
    bench.run(20_000_000);
    driver.readPhy(1);
    expect(driver.readPhy(1) & 0x0024).toBe(0x0024);
    const wanted = B.STATUS_LU | B.STATUS_FD | (2 << B.STATUS_SPEED_SHIFT);
    expect(driver.read(R.REG_STATUS) & 0xc3).toBe(wanted);
    // Port status: 1000 Mb/s in bits 15:14.
    expect(driver.readPhy(17) >> 14).toBe(3);
  });

  it('802.3 22.2.4.2.13: a lost link is seen once, and LSC says so', () => {
    const bench = new NicBench();
    const { driver } = bench;
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_SLU);
    bench.run(20_000_000);
    driver.readPhy(1);
    driver.read(R.REG_ICR);
    bench.mac.plugged = false;
    expect(driver.read(R.REG_ICR) & B.ICR_LSC).toBe(B.ICR_LSC);
    bench.mac.plugged = true;
    bench.run(20_000_000);
    expect([driver.readPhy(1) & 4, driver.readPhy(1) & 4]).toEqual([0, 4]);
  });

  it('82576 3.5.8: pages: the gain of each pair is behind its page', () => {
    const bench = new NicBench();
    const { driver } = bench;
    bench.run(20_000_000);
    for (const page of [0x11b1, 0x12b1, 0x14b1, 0x18b1]) {
      driver.writePhy(31, page);
      expect((driver.readPhy(17) >> 9) & 0x7f).toBeGreaterThan(0);
    }
    driver.writePhy(31, 0);
    expect(driver.readPhy(18)).toBe(0x1000);
  });

  it('82576 8.2.1: CTRL.PHY_RST resets the PHY and sets PHYRA', () => {
    const { driver } = new NicBench();
    driver.writePhy(4, 0x0001);
    driver.write(R.REG_STATUS, 0);
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_PHY_RST);
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) & ~B.CTRL_PHY_RST);
    expect([driver.readPhy(4), driver.read(R.REG_STATUS) & B.STATUS_PHYRA]).toEqual([0x0de1, B.STATUS_PHYRA]);
  });
});
