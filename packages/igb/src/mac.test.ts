import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, TEST_MAC } from './testing/index.js';

function started(options: Parameters<NicBench['driver']['start']>[0] = {}): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start(options);
  bench.run(1_000_000);
  return bench;
}

describe('the controller', () => {
  it('82576 4.5: link up, rings, a packet each way', () => {
    const bench = started();
    const { driver, port } = bench;
    expect(driver.read(R.REG_STATUS) & (B.STATUS_LU | B.STATUS_FD)).toBe(B.STATUS_LU | B.STATUS_FD);
    const frame = ethernetFrame({ length: 200 });
    const index = driver.send(frame);
    expect([port.sent.length, driver.transmitted(index)]).toEqual([0, false]);
    bench.run(20_000);
    expect(driver.transmitted(index)).toBe(true);
    expect(port.sent).toEqual([frame]);
    expect(driver.readQueue(R.REG_TDH, 0)).toBe(1);
    const back = ethernetFrame({ to: TEST_MAC, length: 300, seed: 7 });
    port.deliver(back);
    const packet = driver.poll()!;
    expect(packet.bytes).toEqual(back);
    expect(packet.status & (B.RXD_STATUS_EOP | B.RXD_STATUS_PIF)).toBe(B.RXD_STATUS_EOP);
  });

  it('82576 8.2.1: CTRL.RST resets registers, and loads the station address', () => {
    const { driver } = started();
    driver.write(R.REG_RAL0, 0);
    driver.write(R.REG_FCTTV, 0x1234);
    driver.write(R.REG_CTRL, B.CTRL_RST);
    expect(driver.read(R.REG_FCTTV)).toBe(0);
    expect([driver.read(R.REG_RAL0), driver.read(R.REG_RAH0)]).toEqual([0x1200_5452, 0x8000_5634]);
    expect(driver.read(R.REG_EECD) & B.EECD_AUTO_RD).not.toBe(0);
  });

  it('82576 8.2.2: STATUS.PHYRA stands after a reset and is cleared by writing 0; the master bit follows CTRL', () => {
    const { driver } = started();
    expect(driver.read(R.REG_STATUS) & B.STATUS_PHYRA).not.toBe(0);
    driver.write(R.REG_STATUS, 0);
    expect(driver.read(R.REG_STATUS) & (B.STATUS_PHYRA | B.STATUS_MASTER_ENABLE)).toBe(
      B.STATUS_MASTER_ENABLE,
    );
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_MASTER_DISABLE);
    expect(driver.read(R.REG_STATUS) & B.STATUS_MASTER_ENABLE).toBe(0);
  });

  it('82576 8.16: SMBI is taken by the read that finds it 0', () => {
    const { driver } = started();
    expect(driver.read(R.REG_SWSM) & B.SWSM_SMBI).toBe(0);
    expect(driver.read(R.REG_SWSM) & B.SWSM_SMBI).toBe(B.SWSM_SMBI);
    driver.write(R.REG_SWSM, 0);
    expect(driver.read(R.REG_SWSM) & B.SWSM_SMBI).toBe(0);
  });

  it('82576 3.5.8: PHY loopback brings sent packets back, and the wire sees none', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.writePhy(0, 0x4140);
    driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | B.CTRL_FRCSPD | B.CTRL_FRCDPLX);
    const frame = ethernetFrame({ length: 128 });
    driver.send(frame);
    bench.run(20_000);
    expect(driver.poll()?.bytes).toEqual(frame);
    expect(port.sent).toEqual([]);
  });
});
