import { Clock, decodeSnapshot, encodeSnapshot, Ledger } from '@vmloom/device';
import { HostMemory } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, pattern } from './testing/index.js';

const WHOLE = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS;
const LONG = 5_000_000;

/** The same controller in a new process: memory, clock and device from their snapshots. */
function revive(bench: NicBench): NicBench {
  const mac = encodeSnapshot(bench.mac.save());
  const clock = encodeSnapshot(bench.clock.save());
  const copy = new NicBench({ clock: new Clock(), ledger: new Ledger() });
  const { ramOffset, ramSize } = bench.memory;
  copy.memory.write(copy.memory.ramOffset, bench.memory.read(ramOffset, ramSize));
  copy.clock.restore(decodeSnapshot(clock));
  copy.mac.restore(decodeSnapshot(mac));
  const { ring, bufferSize, txNext, rxNext } = bench.driver;
  Object.assign(copy.driver, { ring, bufferSize, txNext, rxNext });
  return copy;
}

/** Does the same to a controller and to its copy, and compares what comes of it. */
function expectSame(bench: NicBench, act: (bench: NicBench) => unknown): void {
  const copy = revive(bench);
  const sentBefore = bench.port.sent.length;
  expect(act(copy)).toEqual(act(bench));
  expect(copy.port.sent).toEqual(bench.port.sent.slice(sentBefore));
  expect(copy.clock.now).toBe(bench.clock.now);
  expect(encodeSnapshot(copy.mac.save()) === encodeSnapshot(bench.mac.save())).toBe(true);
}

describe('snapshot in mid-flight', () => {
  it('a packet whose end has not been queued', () => {
    const bench = new NicBench();
    bench.start();
    bench.driver.store(bench.driver.txBuffer(0), ethernetFrame({ length: 300 }));
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 200, R.TXD_RS);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expectSame(bench, (one) => {
      one.driver.queueLegacy(one.driver.txBuffer(0) + 200, 100, WHOLE);
      one.driver.ringTransmit();
      one.run(LONG);
      return one.port.sent.at(-1);
    });
    expect(bench.port.sent).toEqual([ethernetFrame({ length: 300 })]);
  });

  it('a segmentation that waits for the wire', () => {
    const bench = new NicBench();
    bench.start();
    const { driver } = bench;
    bench.port.accepting = false;
    driver.store(driver.txBuffer(0), pattern(3054));
    driver.queueContext({
      ipcss: 14,
      ipcso: 24,
      ipcse: 33,
      tucss: 34,
      tucso: 50,
      command: R.TUCMD_TSE | R.TUCMD_TCP | R.TUCMD_IP,
      hdrlen: 54,
      mss: 1000,
      paylen: 3000,
    });
    driver.queueData(driver.txBuffer(0), 3054, WHOLE | R.TXD_TSE, R.POPTS_IXSM | R.POPTS_TXSM);
    driver.ringTransmit();
    bench.run(LONG);
    expectSame(bench, (one) => {
      one.port.unblock();
      one.run(LONG);
      return one.port.sent.length;
    });
    expect(bench.port.sent.map(({ length }) => length)).toEqual([1054, 1054, 1054]);
  });

  it('doorbells, moderation timers and a pause that are still running', () => {
    const bench = new NicBench();
    bench.start();
    const { driver } = bench;
    driver.write(R.REG_ITR, 200);
    driver.write(R.REG_RDTR, 20);
    driver.write(R.REG_RADV, 50);
    driver.write(R.REG_TIDV, 30);
    driver.write(R.REG_TADV, 60);
    driver.write(R.REG_IMS, R.ICR_RXT0 | R.ICR_TXDW);
    for (let packet = 0; packet < 3; packet++) {
      driver.send(ethernetFrame({ seed: packet }), WHOLE | R.TXD_IDE);
      bench.run(9000);
      bench.port.deliver(ethernetFrame({ seed: packet }));
    }
    driver.send(ethernetFrame({ seed: 9 }), WHOLE | R.TXD_IDE);
    expectSame(bench, (one) => {
      const rises: number[] = [];
      one.line.connect((level) => {
        if (level) rises.push(one.clock.now);
      });
      one.run(LONG);
      return rises;
    });
  });

  it('frames in the FIFO, and a packet half delivered', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 8, bufferSize: 256, rctl: R.RCTL_BAM | R.RCTL_SECRC | (3 << 16) });
    for (let packet = 0; packet < 5; packet++)
      bench.port.deliver(ethernetFrame({ length: 700, seed: packet }));
    expectSame(bench, (one) => {
      const packets: unknown[] = [];
      for (let round = 0; round < 5; round++) {
        packets.push(...one.driver.pollAll().map(({ bytes }) => bytes));
        one.run(LONG);
      }
      return packets;
    });
  });

  it('an EEPROM command half shifted, a negotiation under way', () => {
    const bench = new NicBench();
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    bench.run(5_000_000);
    for (const pins of [0x40, 0x42, 0x46, 0x47, 0x46, 0x47]) bench.driver.write(R.REG_EECD, pins);
    expectSame(bench, (one) => {
      for (const pins of [0x42, 0x43, 0x42, 0x43, 0x42]) one.driver.write(R.REG_EECD, pins);
      one.run(LONG + 1);
      return [one.driver.read(R.REG_STATUS), one.driver.read(R.REG_EECD)];
    });
  });

  it('schedules nothing by itself: the clock may be restored before or after the controller', () => {
    const bench = new NicBench();
    bench.start();
    bench.driver.write(R.REG_IMS, R.ICR_RXT0);
    bench.driver.write(R.REG_RDTR, 50);
    bench.port.deliver(ethernetFrame());
    bench.driver.send(ethernetFrame());
    const copy = new NicBench({ clock: new Clock(), ledger: new Ledger() });
    const before = encodeSnapshot(copy.clock.save());
    copy.mac.restore(decodeSnapshot(encodeSnapshot(bench.mac.save())));
    expect(encodeSnapshot(copy.clock.save())).toBe(before);
  });

  it('refuses a snapshot of something else', () => {
    const bench = new NicBench();
    expect(() => bench.mac.restore({ type: 'uart', version: 1 })).toThrowError(
      /expected e1000-mac version 1/,
    );
  });
});

describe('memory of every kind', () => {
  it.each([
    ['shared', () => new HostMemory({ ram: 4 << 20, reserve: 1 << 20, shared: true })],
    [
      'across the 2 GiB line',
      () => new HostMemory({ ram: 4 << 20, reserve: 1 << 20, ramOffset: 2 ** 31 - (2 << 20) }),
    ],
    [
      'at the last page',
      () => new HostMemory({ ram: 4 << 20, reserve: 1 << 20, ramOffset: 2 ** 32 - (4 << 20) }),
    ],
  ])('sends and receives in memory %s', (_name, make) => {
    const memory = make();
    const bench = new NicBench({ memory, base: 0x8000_0000 + memory.ramSize - (1 << 20) });
    bench.start();
    for (const base of [0x8000_0000 + memory.ramSize - 1514, bench.driver.txBuffer(0)]) {
      const frame = ethernetFrame({ length: 1514 });
      bench.driver.store(base, frame);
      bench.driver.queueLegacy(base, 1514, WHOLE);
      bench.driver.ringTransmit();
      bench.run(LONG);
      expect(bench.port.sent.at(-1)).toEqual(frame);
      bench.driver.postReceive(bench.driver.rxNext, bench.driver.rxBuffer(bench.driver.rxNext));
      bench.port.deliver(frame);
      expect(bench.driver.poll()?.bytes).toEqual(frame);
    }
  });
});
