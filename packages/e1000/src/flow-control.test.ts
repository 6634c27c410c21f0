import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, NicBench, TEST_MAC } from './testing/index.js';

const LONG = 1_000_000;
const PAUSE_ADDRESS = '01:80:c2:00:00:01';

function setUp(ctrl: number, ring = 8): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  const { driver } = bench;
  driver.start({ ring });
  driver.write(R.REG_FCAL, 0x00c2_8001);
  driver.write(R.REG_FCAH, 0x0100);
  driver.write(R.REG_FCT, 0x8808);
  driver.write(R.REG_FCTTV, 0x0680);
  driver.write(R.REG_FCRTH, 0x8000);
  driver.write(R.REG_FCRTL, R.FCRTL_XONE + 0x4000);
  driver.write(R.REG_CTRL, driver.read(R.REG_CTRL) | ctrl);
  bench.run(LONG);
  return bench;
}

function pause(time: number, to = PAUSE_ADDRESS, opcode = 1): Uint8Array {
  const frame = ethernetFrame({ to, type: 0x8808, length: 60 });
  new DataView(frame.buffer).setUint32(14, (opcode << 16) | time);
  frame.fill(0, 18);
  return frame;
}

describe('PAUSE frames received', () => {
  it.each([PAUSE_ADDRESS, TEST_MAC])(
    '8254x 8.7.3: XOFF to %s stops transmission for its quanta of 512 bit times',
    (to) => {
      const bench = setUp(R.CTRL_RFCE);
      bench.port.deliver(pause(100, to));
      bench.driver.send(ethernetFrame());
      bench.run(51_000);
      expect(bench.port.sent.length).toBe(0);
      expect(bench.driver.read(R.REG_STATUS) & R.STATUS_TXOFF).toBe(R.STATUS_TXOFF);
      bench.run(400);
      expect(bench.port.sent.length).toBe(1);
      expect(bench.driver.read(R.REG_STATUS) & R.STATUS_TXOFF).toBe(0);
      expect(bench.driver.read(R.REG_XOFFRXC)).toBe(1);
    },
  );

  it('8254x 8.7.3: a packet under way is finished; a time of 0 (XON) ends the pause', () => {
    const bench = setUp(R.CTRL_RFCE);
    bench.port.deliver(pause(0xffff));
    bench.driver.send(ethernetFrame());
    bench.run(10_000);
    bench.port.deliver(pause(0));
    bench.run(10_000);
    expect(bench.port.sent.length).toBe(1);
    expect(bench.driver.read(R.REG_XONRXC)).toBe(1);
  });

  it('8254x 8.7.1: without RFCE a PAUSE frame is a packet like any other', () => {
    const bench = setUp(0);
    bench.port.deliver(pause(0xffff, TEST_MAC));
    bench.driver.send(ethernetFrame());
    bench.run(10_000);
    expect(bench.port.sent.length).toBe(1);
    expect(bench.driver.pollAll().length).toBe(1);
    expect(bench.driver.read(R.REG_XOFFRXC)).toBe(0);
  });

  it('8254x 8.7.4: DPF keeps PAUSE frames from memory; without it filters decide', () => {
    const bench = setUp(R.CTRL_RFCE);
    bench.port.deliver(pause(1, TEST_MAC));
    expect(bench.driver.pollAll().length).toBe(1);
    bench.port.deliver(pause(1));
    expect(bench.driver.pollAll().length).toBe(0);
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_DPF);
    bench.port.deliver(pause(1, TEST_MAC));
    expect(bench.driver.pollAll().length).toBe(0);
    expect(bench.driver.read(R.REG_XOFFRXC)).toBe(3);
    expect(bench.driver.read(R.REG_GPRC)).toBe(0);
  });

  it('8254x 8.7.4: other MAC control frames count as unsupported, and pass with PMCF only', () => {
    const bench = setUp(R.CTRL_RFCE);
    bench.port.deliver(pause(1, TEST_MAC, 2));
    expect(bench.driver.pollAll().length).toBe(0);
    bench.driver.write(R.REG_RCTL, bench.driver.read(R.REG_RCTL) | R.RCTL_PMCF);
    bench.port.deliver(pause(1, TEST_MAC, 2));
    expect(bench.driver.pollAll().length).toBe(1);
    expect(bench.driver.read(R.REG_FCRUC)).toBe(2);
  });
});

describe('PAUSE frames sent', () => {
  it('8254x 8.7.5: XOFF when the FIFO fills to FCRTH, XON when it has emptied to FCRTL', () => {
    const bench = setUp(R.CTRL_TFCE);
    const frame = ethernetFrame({ length: 1514 });
    for (let packet = 0; packet < 7 + 21; packet++) bench.port.deliver(frame);
    bench.run(1000);
    expect(bench.port.sent).toEqual([]);
    for (let packet = 0; packet < 3; packet++) bench.port.deliver(frame);
    bench.run(1000);
    const xoff = bench.port.sent[0];
    expect(xoff.length).toBe(60);
    expect([...xoff.subarray(0, 18)]).toEqual([
      0x01, 0x80, 0xc2, 0, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x88, 0x08, 0, 1, 0x06, 0x80,
    ]);
    expect(bench.port.sent.length).toBe(1);
    for (let round = 0; round < 3; round++) {
      bench.driver.pollAll();
      bench.run(LONG);
    }
    expect([...bench.port.sent[1].subarray(12, 18)]).toEqual([0x88, 0x08, 0, 1, 0, 0]);
    expect(bench.port.sent.length).toBe(2);
    expect([bench.driver.read(R.REG_XOFFTXC), bench.driver.read(R.REG_XONTXC)]).toEqual([1, 1]);
    expect([bench.driver.read(R.REG_TPT), bench.driver.read(R.REG_GPTC)]).toEqual([2, 0]);
  });

  it('8254x 13.4.24: without XONE there is no XON, and an XOFF each time that the fill reaches FCRTH', () => {
    const bench = setUp(R.CTRL_TFCE);
    bench.driver.write(R.REG_FCRTL, 0x4000);
    const frame = ethernetFrame({ length: 1514 });
    for (let round = 0; round < 3; round++) {
      for (let packet = 0; packet < 7 + 24; packet++) bench.port.deliver(frame);
      bench.run(1000);
      for (let drained = 0; drained < 6; drained++) {
        bench.driver.pollAll();
        bench.run(LONG);
      }
    }
    expect([bench.driver.read(R.REG_XOFFTXC), bench.driver.read(R.REG_XONTXC)]).toEqual([3, 0]);
  });

  it('with TFCE a full FIFO blocks the wire, nothing is missed, and ready follows', () => {
    const bench = setUp(R.CTRL_TFCE);
    const frame = ethernetFrame({ length: 1514 });
    let taken = 0;
    while (bench.port.deliver(frame)) taken++;
    expect(taken).toBeLessThan(60);
    expect(bench.driver.read(R.REG_MPC)).toBe(0);
    expect(bench.port.readyCalls).toBe(0);
    let received = bench.driver.pollAll().length;
    for (let round = 0; round < 10; round++) {
      bench.run(LONG);
      received += bench.driver.pollAll().length;
    }
    expect(received).toBe(taken);
    expect(bench.port.readyCalls).toBe(1);
    expect(bench.port.deliver(frame)).toBe(true);
  });

  it('a receiver that is switched off or reset lets go of a blocked wire', () => {
    for (const release of [
      (bench: NicBench) => bench.driver.write(R.REG_RCTL, 0),
      (bench: NicBench) => bench.driver.write(R.REG_CTRL, R.CTRL_RST),
    ]) {
      const bench = setUp(R.CTRL_TFCE);
      while (bench.port.deliver(ethernetFrame({ length: 1514 })));
      release(bench);
      expect(bench.port.readyCalls).toBe(0);
      bench.run(LONG);
      expect(bench.port.readyCalls).toBe(1);
    }
  });

  it('8254x 13.4.33: SWXOFF sends an XOFF, by an event, and clears itself', () => {
    const bench = setUp(0);
    bench.driver.write(R.REG_TCTL, bench.driver.read(R.REG_TCTL) | R.TCTL_SWXOFF);
    expect(bench.port.sent).toEqual([]);
    expect(bench.driver.read(R.REG_TCTL) & R.TCTL_SWXOFF).toBe(0);
    bench.run(1000);
    expect(bench.port.sent.length).toBe(1);
  });

  it('a PAUSE frame that finds the wire blocked leaves when it is free', () => {
    const bench = setUp(0);
    bench.port.accepting = false;
    bench.driver.write(R.REG_TCTL, bench.driver.read(R.REG_TCTL) | R.TCTL_SWXOFF);
    bench.run(1000);
    bench.port.unblock();
    bench.run(1000);
    expect(bench.port.sent.length).toBe(1);
  });
});
