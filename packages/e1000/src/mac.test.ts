import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, joinedPorts, TEST_MAC } from './testing/index.js';

describe('a driver and the controller', () => {
  it('8254x 14.3: the link comes up after SLU is set', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(0);
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_SLU);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
    expect((bench.driver.read(R.REG_STATUS) >> R.STATUS_SPEED_SHIFT) & 3).toBe(2);
  });

  it('8254x 3.4: a packet goes from the ring to the wire by an event, never by the doorbell', () => {
    const bench = new NicBench();
    bench.start();
    const frame = ethernetFrame({ length: 200 });
    const index = bench.driver.send(frame);
    expect(bench.port.sent).toEqual([]);
    bench.run(10_000);
    expect(bench.port.sent).toEqual([frame]);
    expect(bench.driver.transmitted(index)).toBe(true);
    expect(bench.driver.read(R.REG_TDH)).toBe(1);
  });

  it('8254x 3.2: a packet for the station arrives in its buffer', () => {
    const bench = new NicBench();
    bench.start();
    const frame = ethernetFrame({ to: TEST_MAC, length: 300 });
    expect(bench.port.deliver(frame)).toBe(true);
    const packet = bench.driver.poll();
    expect(packet?.bytes).toEqual(frame);
    expect(packet?.status).toBe(R.RXD_STATUS_DD | R.RXD_STATUS_EOP | R.RXD_STATUS_IXSM);
    expect(bench.driver.poll()).toBeUndefined();
  });

  it('two controllers on one host exchange a frame with one copy of its bytes', () => {
    const [left, right] = joinedPorts();
    const a = new NicBench({ port: left, name: 'a' });
    const b = new NicBench({
      port: right,
      name: 'b',
      mac: '52:54:00:00:00:02',
      clock: a.clock,
      ledger: a.ledger,
      memory: a.memory,
      base: 0x8020_0000,
    });
    a.start();
    b.start();
    const frame = ethernetFrame({ to: '52:54:00:00:00:02', from: TEST_MAC, length: 1514 });
    a.driver.send(frame);
    a.run(20_000);
    expect(b.driver.poll()?.bytes).toEqual(frame);
    expect(a.count('copy', 'bytes')).toBe(0);
    expect(b.count('copy', 'bytes')).toBe(1514);
  });
});
