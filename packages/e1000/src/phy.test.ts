import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { NicBench } from './testing/index.js';

const UP = 20_000_000;

describe('MDIC', () => {
  it('8254x 13.4.7: the PHY answers at address 1 with its identity', () => {
    const { driver } = new NicBench();
    expect([driver.readPhy(2), driver.readPhy(3)]).toEqual([0x0141, 0x0c20]);
    expect(driver.read(R.REG_MDIC) & (R.MDIC_READY | R.MDIC_ERROR)).toBe(R.MDIC_READY);
  });

  it('8254x 13.4.7: another address ends with E set', () => {
    const { driver } = new NicBench();
    driver.readPhy(2, 7);
    expect(driver.read(R.REG_MDIC) & (R.MDIC_READY | R.MDIC_ERROR)).toBe((R.MDIC_READY | R.MDIC_ERROR) >>> 0);
  });

  it('8254x 13.4.7: with I set the end of an access raises MDAC', () => {
    const bench = new NicBench();
    bench.driver.write(R.REG_IMS, R.ICR_MDAC);
    bench.driver.write(R.REG_MDIC, R.MDIC_OP_READ | R.MDIC_INTERRUPT | (1 << 21));
    expect(bench.line.level).toBe(false);
    bench.run(1);
    expect(bench.line.level).toBe(true);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_MDAC);
  });
});

describe('PHY', () => {
  it('8254x 11.2, 11.4.1: comes up with Energy Detect+ and crossover by itself', () => {
    const { driver } = new NicBench();
    expect((driver.readPhy(16) >> 8) & 3).toBe(3);
    expect((driver.readPhy(16) >> 5) & 3).toBe(3);
  });

  it('802.3 28.2: negotiates 1000 Mb/s full duplex with its partner', () => {
    const bench = new NicBench();
    const { driver } = bench;
    expect(driver.readPhy(0)).toBe(0x1140);
    expect(driver.readPhy(1) & 0x24).toBe(0);
    bench.run(UP);
    expect(driver.readPhy(1)).toBe(0x7949 | 0x24);
    expect(driver.readPhy(17) & 0xec00).toBe(0xac00);
    expect(driver.readPhy(5) & 0x0400).toBe(0x0400);
    expect(driver.readPhy(10)).toBe(0x3c00);
  });

  it('802.3 22.2.4.1.7: restart of negotiation takes the link down until it has ended', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    bench.driver.writePhy(0, 0x1340);
    expect(bench.driver.readPhy(0)).toBe(0x1140);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(0);
    bench.run(UP);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });

  it('802.3 22.2.4.2.13: a lost link reads as 0 once', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.writePhy(0, 0x1340);
    bench.run(UP);
    expect([bench.driver.readPhy(1) & 4, bench.driver.readPhy(1) & 4]).toEqual([0, 4]);
  });

  it('802.3 22.2.4.1.5: power down ends the link', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.writePhy(0, 0x1940);
    bench.run(UP);
    bench.driver.readPhy(1);
    expect(bench.driver.readPhy(1) & 4).toBe(0);
    bench.driver.writePhy(0, 0x1140);
    bench.run(UP);
    bench.driver.readPhy(1);
    expect(bench.driver.readPhy(1) & 4).toBe(4);
  });

  it.each([
    ['100 full', 0x0000, 0x0101, 1, true],
    ['100 half', 0x0000, 0x0081, 1, false],
    ['10 full', 0x0000, 0x0041, 0, true],
    ['10 half', 0x0000, 0x0021, 0, false],
    ['1000 full', 0x0200, 0x01e1, 2, true],
  ] as const)(
    '802.3 28.2.3.3: the best advertised mode wins: %s',
    (_name, gigabit, advertise, speed, full) => {
      const bench = new NicBench();
      bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
      bench.driver.writePhy(9, gigabit);
      bench.driver.writePhy(4, advertise);
      bench.driver.writePhy(0, 0x1340);
      bench.run(UP);
      const status = bench.driver.read(R.REG_STATUS);
      expect((status >> R.STATUS_SPEED_SHIFT) & 3).toBe(speed);
      expect((status & R.STATUS_FD) !== 0).toBe(full);
      expect(status & R.STATUS_LU).toBe(R.STATUS_LU);
    },
  );

  it('8254x 8.6.2.2.1: FRCSPD and FRCDPLX take speed and duplex from CTRL', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU | R.CTRL_FRCSPD | R.CTRL_FRCDPLX | (1 << R.CTRL_SPEED_SHIFT));
    const status = bench.driver.read(R.REG_STATUS);
    expect((status >> R.STATUS_SPEED_SHIFT) & 3).toBe(1);
    expect(status & R.STATUS_FD).toBe(0);
  });

  it('8254x 13.4.1: PHY_RST holds the PHY in reset and gives it its defaults', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.writePhy(4, 0x0021);
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU | R.CTRL_PHY_RST);
    bench.run(UP);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(0);
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    bench.run(UP);
    expect(bench.driver.readPhy(4)).toBe(0x0de1);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });

  it('8254x 14.9: CTRL.RST leaves the PHY and its link alone', () => {
    const bench = new NicBench();
    bench.run(UP);
    bench.driver.writePhy(9, 0x0200);
    bench.driver.write(R.REG_CTRL, R.CTRL_RST);
    expect(bench.driver.readPhy(9)).toBe(0x0200);
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });

  it('registers 18 and 19: an enabled interrupt of the PHY raises PHYINT, and is read once', () => {
    const bench = new NicBench();
    bench.driver.writePhy(18, 0x0400);
    bench.run(UP);
    expect(bench.driver.read(R.REG_ICR) & R.ICR_PHYINT).toBe(R.ICR_PHYINT);
    expect([bench.driver.readPhy(19), bench.driver.readPhy(19)]).toEqual([0x0c00, 0]);
  });

  it('registers 29 and 30: each page keeps its own value', () => {
    const { driver } = new NicBench();
    driver.writePhy(29, 0x1f);
    driver.writePhy(30, 0x8ffc);
    driver.writePhy(29, 0x1a);
    driver.writePhy(30, 0x8ff0);
    expect([driver.readPhy(29), driver.readPhy(30)]).toEqual([0x1a, 0x8ff0]);
    driver.writePhy(29, 0x1f);
    expect(driver.readPhy(30)).toBe(0x8ffc);
  });

  it('without a carrier there is no link, and it comes with the carrier', () => {
    const bench = new NicBench();
    bench.port.up = false;
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    bench.run(UP);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(0);
    bench.port.up = true;
    bench.run(UP);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });
});
