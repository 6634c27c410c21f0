import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, NicBench } from './testing/index.js';

/** A running controller, with the line's changes noted as [time since the start in ns, level]. */
function setUp(): { bench: NicBench; changes: [number, boolean][]; since: () => number } {
  const bench = new NicBench();
  bench.start();
  bench.driver.read(R.REG_ICR);
  const start = bench.clock.now;
  const changes: [number, boolean][] = [];
  bench.line.connect((level) => changes.push([bench.clock.now - start, level]));
  return { bench, changes, since: () => bench.clock.now - start };
}

const send = (bench: NicBench, command: number): void => {
  bench.driver.send(ethernetFrame(), command);
};
const IMMEDIATE = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS;
const DELAYED = IMMEDIATE | R.TXD_IDE;

describe('causes and mask', () => {
  it('8254x 13.4.17: reading ICR clears it and lets the line go', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.port.deliver(ethernetFrame());
    expect(bench.line.level).toBe(true);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_RXT0);
    expect(bench.line.level).toBe(false);
    expect(bench.driver.read(R.REG_ICR)).toBe(0);
  });

  it('8254x 13.4.17: writing 1 to a bit of ICR clears that bit only', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_ICS, R.ICR_RXT0 | R.ICR_LSC);
    bench.driver.write(R.REG_ICR, R.ICR_LSC);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_RXT0);
  });

  it('8254x 13.4.19: a write of ICS sets causes; the line rises by an event, not by the write', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_IMS, R.ICR_LSC);
    bench.driver.write(R.REG_ICS, R.ICR_LSC);
    expect(changes).toEqual([]);
    bench.run(1);
    expect(changes).toEqual([[0, true]]);
    expect(bench.driver.read(R.REG_ICS)).toBe(0);
  });

  it('8254x 13.4.20 and 13.4.21: IMS sets, IMC clears; IMC reads as 0', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_IMS, 0x85);
    bench.driver.write(R.REG_IMS, 0x10);
    bench.driver.write(R.REG_IMC, 0x01);
    expect(bench.driver.read(R.REG_IMS)).toBe(0x94);
    expect(bench.driver.read(R.REG_IMC)).toBe(0);
  });

  it('8254x 13.4.20: a cause that is masked is kept, and interrupts when it is unmasked', () => {
    const { bench } = setUp();
    bench.port.deliver(ethernetFrame());
    expect(bench.line.level).toBe(false);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.run(1);
    expect(bench.line.level).toBe(true);
  });

  it('8254x 13.4.21: masking the last cause lets the line go', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_IMS, R.ICR_RXT0 | R.ICR_LSC);
    bench.driver.write(R.REG_ICS, R.ICR_RXT0 | R.ICR_LSC);
    bench.run(1);
    bench.driver.write(R.REG_IMC, R.ICR_RXT0);
    expect(bench.line.level).toBe(true);
    bench.driver.write(R.REG_IMC, R.ICR_LSC);
    expect(bench.line.level).toBe(false);
  });

  it('8254x 13.4.19: every cause from 0 to 9 can be set and interrupts alone', () => {
    const { bench } = setUp();
    for (let bit = 0; bit < 10; bit++) {
      bench.driver.write(R.REG_IMC, 0xffff_ffff);
      bench.driver.write(R.REG_IMS, 1 << bit);
      bench.driver.write(R.REG_ICS, ~(1 << bit) & 0x7fff);
      bench.run(1000);
      expect(bench.line.level).toBe(false);
      bench.driver.read(R.REG_ICR);
      bench.driver.write(R.REG_ICS, 1 << bit);
      bench.run(1000);
      expect(bench.line.level).toBe(true);
      expect(bench.driver.read(R.REG_ICR)).toBe(1 << bit);
    }
  });

  it('counts interrupts by their cause', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.port.deliver(ethernetFrame());
    bench.port.deliver(ethernetFrame());
    bench.driver.read(R.REG_ICR);
    bench.port.deliver(ethernetFrame());
    expect(bench.count('interrupt', 'raised')).toBe(2);
    expect(bench.count('interrupt-cause', 'RXT0')).toBe(2);
  });
});

describe('ITR', () => {
  it('8254x 13.4.18: the line rises at most once an interval of ITR times 256 ns', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_ITR, 100);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    for (let packet = 0; packet < 20; packet++) {
      bench.port.deliver(ethernetFrame());
      if (bench.line.level) bench.driver.read(R.REG_ICR);
      bench.run(3000);
      if (bench.line.level) bench.driver.read(R.REG_ICR);
    }
    const rises = changes.filter(([, level]) => level).map(([time]) => time);
    expect(rises).toEqual([0, 25_600, 51_200]);
  });

  it('8254x 13.4.18: 0 throttles nothing', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    for (let packet = 0; packet < 3; packet++) {
      bench.port.deliver(ethernetFrame());
      bench.driver.read(R.REG_ICR);
    }
    expect(changes.filter(([, level]) => level).length).toBe(3);
  });
});

describe('receive delay timers', () => {
  it('8254x 13.4.30: RDTR is counted in units of 1.024 us from the last packet', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_RDTR, 10);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.port.deliver(ethernetFrame());
    bench.run(9000);
    bench.port.deliver(ethernetFrame());
    bench.run(30_000);
    expect(changes).toEqual([[9000 + 10_240, true]]);
  });

  it('8254x 13.4.31: RADV bounds the wait of the first packet', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_RDTR, 10);
    bench.driver.write(R.REG_RADV, 20);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    for (let packet = 0; packet < 4; packet++) {
      bench.port.deliver(ethernetFrame());
      bench.run(9000);
    }
    expect(changes).toEqual([[20_480, true]]);
  });

  it('8254x 13.4.30: FPD lets the timer expire at once, and reads as 0', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_RDTR, 1000);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.port.deliver(ethernetFrame());
    bench.run(1000);
    expect(changes).toEqual([]);
    bench.driver.write(R.REG_RDTR, 1000 + R.RDTR_FPD);
    bench.run(1000);
    expect(changes).toEqual([[1000, true]]);
    expect(bench.driver.read(R.REG_RDTR)).toBe(1000);
  });

  it('8254x 13.4.32: a packet of at most RSRPD bytes raises SRPD at once', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_RDTR, 1000);
    bench.driver.write(R.REG_RSRPD, 100);
    bench.driver.write(R.REG_IMS, R.ICR_RXT0 | R.ICR_SRPD);
    bench.port.deliver(ethernetFrame({ length: 101 }));
    bench.run(1000);
    expect(changes).toEqual([]);
    bench.port.deliver(ethernetFrame({ length: 100 }));
    expect(changes).toEqual([[1000, true]]);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_SRPD);
  });
});

describe('transmit delay timers', () => {
  it('8254x 13.4.41: without IDE the write-back raises TXDW at once', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_TIDV, 100);
    bench.driver.write(R.REG_IMS, R.ICR_TXDW);
    send(bench, IMMEDIATE);
    bench.run(5000);
    expect(changes.length).toBe(1);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_TXDW | R.ICR_TXQE);
  });

  it('8254x 13.4.41: with IDE, TIDV runs from the last write-back', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_TIDV, 10);
    bench.driver.write(R.REG_IMS, R.ICR_TXDW);
    send(bench, DELAYED);
    bench.run(8000);
    send(bench, DELAYED);
    bench.run(30_000);
    expect(changes).toEqual([[8000 + 500 + 10_240, true]]);
  });

  it('8254x 13.4.44: TADV bounds the wait of the first write-back', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_TIDV, 10);
    bench.driver.write(R.REG_TADV, 20);
    bench.driver.write(R.REG_IMS, R.ICR_TXDW);
    for (let packet = 0; packet < 4; packet++) {
      send(bench, DELAYED);
      bench.run(8000);
    }
    expect(changes).toEqual([[500 + 20_480, true]]);
  });

  it('8254x 13.4.41: a write-back without IDE brings the delayed ones with it', () => {
    const { bench, changes } = setUp();
    bench.driver.write(R.REG_TIDV, 1000);
    bench.driver.write(R.REG_IMS, R.ICR_TXDW);
    send(bench, DELAYED);
    bench.run(2000);
    expect(changes).toEqual([]);
    send(bench, IMMEDIATE);
    bench.run(2000);
    expect(bench.driver.read(R.REG_ICR) & R.ICR_TXDW).toBe(R.ICR_TXDW);
    bench.run(2_000_000);
    expect(bench.driver.read(R.REG_ICR) & R.ICR_TXDW).toBe(0);
  });

  it('8254x 13.4.17: TXQE when the ring runs empty, TXD_LOW at LWTHRESH times 8 descriptors', () => {
    const { bench } = setUp();
    bench.driver.write(R.REG_TXDCTL, (1 << R.TXDCTL_LWTHRESH_SHIFT) >>> 0);
    for (let packet = 0; packet < 9; packet++) {
      const address = bench.driver.txBuffer(packet);
      bench.driver.store(address, ethernetFrame());
      bench.driver.queueLegacy(address, 64, R.TXD_EOP | R.TXD_IFCS);
    }
    bench.driver.ringTransmit();
    bench.run(100_000);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_TXQE | R.ICR_TXD_LOW);
    send(bench, R.TXD_EOP | R.TXD_IFCS);
    bench.run(100_000);
    expect(bench.driver.read(R.REG_ICR)).toBe(R.ICR_TXQE);
  });
});
