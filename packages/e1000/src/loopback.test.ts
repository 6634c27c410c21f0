import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, NicBench } from './testing/index.js';

const LONG = 1_000_000;

function setUp(): NicBench {
  const bench = new NicBench();
  bench.start();
  return bench;
}

describe('loopback', () => {
  it('8254x 13.4.22: LBM 01: what the MAC sends it receives, through its filters; the wire sees nothing', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_LBM_MAC);
    const frame = ethernetFrame({ length: 321 });
    bench.driver.send(frame);
    bench.driver.send(ethernetFrame({ to: '02:00:00:00:00:77' }));
    bench.run(LONG);
    expect(bench.driver.pollAll().map(({ bytes }) => bytes)).toEqual([frame]);
    expect(bench.port.sent).toEqual([]);
  });

  it('802.3 22.2.4.1.2: the PHY loops back with or without a carrier', () => {
    for (const up of [true, false]) {
      const bench = setUp();
      bench.port.up = up;
      bench.driver.writePhy(0, 0x4140);
      expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
      const frame = ethernetFrame({ length: 99 });
      bench.driver.send(frame);
      bench.run(LONG);
      expect(bench.driver.poll()?.bytes).toEqual(frame);
      expect(bench.port.sent).toEqual([]);
    }
  });

  it('in loopback nothing from outside gets in, and nothing blocks', () => {
    const bench = setUp();
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_LBM_MAC);
    expect(bench.port.deliver(ethernetFrame())).toBe(true);
    expect(bench.driver.poll()).toBeUndefined();
    bench.port.accepting = false;
    for (let packet = 0; packet < 60; packet++) bench.driver.send(ethernetFrame());
    bench.run(LONG);
    expect(bench.driver.read(R.REG_TDH)).toBe(60);
    expect(bench.driver.read(R.REG_GPRC)).toBe(60);
  });

  it('segments and tags pass through loopback unharmed', () => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_LBM_MAC);
    const frame = ethernetFrame({ length: 900 });
    bench.driver.store(bench.driver.txBuffer(0), frame);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 900, R.TXD_EOP | R.TXD_IFCS | R.TXD_VLE, {
      special: 0x123,
    });
    bench.driver.ringTransmit();
    bench.run(LONG);
    const packet = bench.driver.poll()!;
    expect(packet.bytes).toEqual(frame);
    expect(packet.special).toBe(0x123);
  });
});
