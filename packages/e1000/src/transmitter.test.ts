import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { ethernetFrame, fcs, NicBench, RAM_BASE } from './testing/index.js';

function setUp(): NicBench {
  const bench = new NicBench();
  bench.start();
  return bench;
}

const WHOLE = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS;
/** Long enough for anything that a test sends. */
const LONG = 1_000_000;

/** Puts a frame into the driver's first buffers, in parts of `size`; the addresses and lengths. */
function scatter(bench: NicBench, frame: Uint8Array, size: number): [number, number][] {
  const parts: [number, number][] = [];
  for (let at = 0; at < frame.length; at += size) {
    const part = frame.subarray(at, at + size);
    const address = bench.driver.txBuffer(parts.length);
    bench.driver.store(address, part);
    parts.push([address, part.length]);
  }
  return parts;
}

describe('the transmit ring', () => {
  it('8254x 3.3: a packet of several legacy descriptors leaves as one frame', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 500 });
    const parts = scatter(bench, frame, 130);
    parts.forEach(([address, length], index) =>
      bench.driver.queueLegacy(address, length, index === parts.length - 1 ? WHOLE : 0),
    );
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
    expect(bench.driver.read(R.REG_TDH)).toBe(4);
  });

  it('8254x 3.3: extended data descriptors without offload do the same', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 500 });
    const parts = scatter(bench, frame, 300);
    parts.forEach(([address, length], index) =>
      bench.driver.queueData(address, length, index === 1 ? WHOLE : 0),
    );
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
  });

  it('a plain packet leaves as ranges of guest memory: nothing is copied', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 1000 });
    const [first, second] = scatter(bench, frame, 600) as [[number, number], [number, number]];
    bench.driver.queueLegacy(first[0], first[1], 0);
    bench.driver.queueLegacy(second[0], second[1], WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    const offset = (address: number): number => address - RAM_BASE + bench.memory.ramOffset;
    expect(bench.port.ranges).toEqual([
      [
        { offset: offset(first[0]), length: 600 },
        { offset: offset(second[0]), length: 400 },
      ],
    ]);
    expect(bench.count('copy', 'bytes')).toBe(0);
  });

  it('8254x 3.3.3.2: DD is written back for descriptors with RS only', () => {
    const bench = setUp();
    const frame = ethernetFrame();
    bench.driver.store(bench.driver.txBuffer(0), frame);
    const without = bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, R.TXD_EOP | R.TXD_IFCS);
    const reported = bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.driver.transmitted(without)).toBe(false);
    expect(bench.driver.transmitted(reported)).toBe(true);
    expect(bench.count('dma', 'descriptors written')).toBe(1);
  });

  it('8254x 3.3: the parts of a packet may come with several doorbells; each is written back as it is taken', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 900 });
    const parts = scatter(bench, frame, 300);
    parts.forEach(([address, length], index) => {
      const descriptor = bench.driver.queueLegacy(address, length, index === 2 ? WHOLE : R.TXD_RS);
      bench.driver.ringTransmit();
      bench.run(LONG);
      expect(bench.driver.transmitted(descriptor)).toBe(true);
      // What has been taken may be overwritten: it has been staged.
      bench.driver.store(address, new Uint8Array(length));
    });
    expect(bench.port.sent).toEqual([frame]);
  });

  it('8254x 3.4: goes round at the end of the ring', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 8 });
    bench.run(LONG);
    const frames = Array.from({ length: 20 }, (_, seed) => ethernetFrame({ seed }));
    for (const frame of frames) {
      bench.driver.send(frame);
      bench.run(10_000);
    }
    expect(bench.port.sent).toEqual(frames);
    expect(bench.driver.read(R.REG_TDH)).toBe(20 % 8);
  });

  it('8254x 3.3.3: a null address or a length of 0 transfers nothing, but is written back', () => {
    const bench = setUp();
    const frame = ethernetFrame();
    bench.driver.store(bench.driver.txBuffer(0), frame);
    const empty = bench.driver.queueLegacy(0, 100, R.TXD_RS);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 0, 0);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    const alone = bench.driver.queueLegacy(0, 0, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
    expect([empty, alone].map((index) => bench.driver.transmitted(index))).toEqual([true, true]);
    expect(bench.count('tx-drop', 'empty packet')).toBe(1);
  });

  it('8254x 13.4.33: PSP pads short packets to 64 bytes with FCS; without it they stay short', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 42 });
    bench.driver.send(frame);
    bench.run(LONG);
    bench.driver.write(R.REG_TCTL, R.TCTL_EN);
    bench.driver.send(frame);
    bench.run(LONG);
    const padded = new Uint8Array(60);
    padded.set(frame);
    expect(bench.port.sent).toEqual([padded, frame]);
  });

  it('8254x 3.3.3.1: without IFCS the last four bytes are the FCS; a wrong one makes no frame', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 100 });
    const withFcs = new Uint8Array(104);
    withFcs.set(frame);
    new DataView(withFcs.buffer).setUint32(100, fcs(frame), true);
    bench.driver.send(withFcs, R.TXD_EOP | R.TXD_RS);
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
    withFcs[50] ^= 1;
    bench.driver.send(withFcs, R.TXD_EOP | R.TXD_RS);
    bench.run(LONG);
    expect(bench.port.sent.length).toBe(1);
    expect(bench.count('tx-drop', 'bad fcs')).toBe(1);
  });

  it('8254x 13.4.33: nothing is fetched while TCTL.EN is clear', () => {
    const bench = setUp();
    bench.driver.write(R.REG_TCTL, 0);
    bench.driver.send(ethernetFrame());
    bench.run(LONG);
    expect(bench.driver.read(R.REG_TDH)).toBe(0);
    bench.driver.write(R.REG_TCTL, R.TCTL_EN);
    bench.run(LONG);
    expect(bench.port.sent.length).toBe(1);
  });

  it('8254x 8.6: nothing leaves without a link, and all of it once there is one', () => {
    const bench = setUp();
    bench.port.up = false;
    bench.driver.send(ethernetFrame());
    bench.run(LONG);
    expect(bench.port.sent.length).toBe(0);
    bench.port.up = true;
    bench.run(20_000_000);
    expect(bench.port.sent.length).toBe(1);
  });

  it('goes no faster than the wire: 1000 frames of 1514 bytes take 12.3 ms', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 1024 });
    bench.run(LONG);
    const address = bench.driver.txBuffer(0);
    bench.driver.store(address, ethernetFrame({ length: 1514 }));
    for (let packet = 0; packet < 1000; packet++) bench.driver.queueLegacy(address, 1514, WHOLE);
    bench.driver.ringTransmit();
    bench.run(11_500_000);
    expect(bench.port.sent.length).toBeLessThan(1000);
    bench.run(900_000);
    expect(bench.port.sent.length).toBe(1000);
  });

  it('8254x 8.6.2.2: at 100 Mb/s 100 frames of 1514 bytes take 12.3 ms', () => {
    const bench = setUp();
    bench.driver.writePhy(9, 0);
    bench.driver.writePhy(0, 0x1340);
    bench.run(20_000_000);
    const address = bench.driver.txBuffer(0);
    bench.driver.store(address, ethernetFrame({ length: 1514 }));
    const sendAll = (count: number): void => {
      for (let packet = 0; packet < count; packet++) bench.driver.queueLegacy(address, 1514, WHOLE);
      bench.driver.ringTransmit();
    };
    sendAll(60);
    bench.run(6_000_000);
    sendAll(40);
    bench.run(5_500_000);
    expect(bench.port.sent.length).toBeLessThan(100);
    bench.run(900_000);
    expect(bench.port.sent.length).toBe(100);
  });

  it('counts doorbells apart from packets', () => {
    const bench = setUp();
    const before = bench.count('doorbell', 'TDT');
    bench.driver.store(bench.driver.txBuffer(0), ethernetFrame());
    for (let packet = 0; packet < 5; packet++) bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.count('doorbell', 'TDT') - before).toBe(1);
    expect([bench.count('tx', 'packets'), bench.count('tx', 'bytes')]).toEqual([5, 320]);
  });
});

describe('a wire that is blocked', () => {
  it('one frame waits in the controller, the rest in the ring, and all leave in order', () => {
    const bench = setUp();
    const frames = Array.from({ length: 5 }, (_, seed) => ethernetFrame({ seed, length: 200 }));
    bench.port.accepting = false;
    for (const frame of frames) bench.driver.send(frame);
    bench.run(LONG);
    expect(bench.port.sent).toEqual([]);
    expect(bench.driver.read(R.REG_TDH)).toBe(1);
    // The frame has left the ring, so its buffer is software's again.
    bench.driver.store(bench.driver.txBuffer(0), new Uint8Array(200));
    bench.port.unblock();
    bench.run(LONG);
    expect(bench.port.sent).toEqual(frames);
  });
});

describe('a wire that goes away while it is blocked', () => {
  it('takes what waited once the link is up again', () => {
    const bench = setUp();
    bench.port.accepting = false;
    bench.driver.send(ethernetFrame());
    bench.run(LONG);
    bench.port.up = false;
    bench.run(LONG);
    bench.port.accepting = true;
    bench.port.up = true;
    bench.run(20_000_000);
    expect(bench.port.sent).toEqual([ethernetFrame()]);
  });
});

describe('hostile rings', () => {
  it('8254x 13.4.38: a ring of length 0 has nothing to fetch', () => {
    const bench = setUp();
    bench.driver.write(R.REG_TDLEN, 0);
    bench.driver.write(R.REG_TDT, 5);
    bench.run(LONG);
    expect(bench.count('dma', 'descriptors read')).toBe(0);
  });

  it('8254x 13.4.39: a head or tail outside the ring stops the fetching', () => {
    const bench = setUp();
    bench.driver.write(R.REG_TDH, 0xffff);
    bench.driver.write(R.REG_TDT, 3);
    bench.run(LONG);
    bench.driver.write(R.REG_TDH, 0);
    bench.driver.write(R.REG_TDT, 64);
    bench.run(LONG);
    expect(bench.count('dma', 'descriptors read')).toBe(0);
    expect(bench.clock.nextEvent).toBe(Infinity);
  });

  it('a ring outside memory: the fetch is refused, once a doorbell', () => {
    const bench = setUp();
    bench.driver.write(R.REG_TDBAL, 0x1000);
    bench.driver.write(R.REG_TDT, 3);
    bench.run(LONG);
    bench.driver.write(R.REG_TDBAH, 0xffff_ffff);
    bench.driver.write(R.REG_TDT, 4);
    bench.run(LONG);
    expect(bench.count('dma', 'refused')).toBe(2);
    expect(bench.driver.read(R.REG_TDH)).toBe(0);
    expect(bench.clock.nextEvent).toBe(Infinity);
  });

  it('a buffer outside memory: the packet is dropped, its descriptors are given back', () => {
    const bench = setUp();
    bench.driver.store(bench.driver.txBuffer(0), ethernetFrame());
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, R.TXD_RS);
    bench.driver.queueLegacy(0x10, 64, R.TXD_RS);
    const last = bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.driver.transmitted(last)).toBe(true);
    expect(bench.count('tx-drop', 'dma refused')).toBe(1);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([64]);
  });

  it('a packet larger than the FIFO is dropped, whether or not it ends', () => {
    const bench = setUp();
    for (let part = 0; part < 40; part++) {
      bench.driver.queueData(bench.driver.txBuffer(0), 0xffff, part === 39 ? WHOLE : 0);
    }
    bench.driver.store(bench.driver.txBuffer(1), ethernetFrame());
    bench.driver.queueLegacy(bench.driver.txBuffer(1), 64, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([64]);
    expect(bench.count('tx-drop', 'oversize')).toBe(1);
  });

  it('a chain without an end costs each event a bounded number of descriptors', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 1024 });
    bench.run(LONG);
    for (let part = 0; part < 1023; part++) bench.driver.queueLegacy(bench.driver.txBuffer(0), 1, 0);
    bench.driver.ringTransmit();
    bench.clock.runUntil(bench.clock.nextEvent);
    expect(bench.driver.read(R.REG_TDH)).toBe(256);
    bench.run(LONG);
    expect(bench.driver.read(R.REG_TDH)).toBe(1023);
    expect(bench.port.sent).toEqual([]);
  });

  it('a packet in more pieces than the frame has ranges is put together in the controller', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    bench.driver.start({ ring: 1024 });
    bench.run(LONG);
    const frame = ethernetFrame({ length: 900 });
    // Every other byte of a buffer, so that no two pieces touch.
    const spread = new Uint8Array(1800);
    frame.forEach((byte, index) => (spread[2 * index] = byte));
    bench.driver.store(bench.driver.txBuffer(0), spread);
    frame.forEach((_, index) => {
      bench.driver.queueLegacy(bench.driver.txBuffer(0) + 2 * index, 1, index === 899 ? WHOLE : 0);
    });
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
  });

  it('descriptors of reserved types are passed over', () => {
    const bench = setUp();
    bench.driver.store(bench.driver.txBuffer(0), ethernetFrame());
    const odd = bench.driver.queue([1, 2, (7 << 20) | ((R.TXD_DEXT | R.TXD_RS) << 24), 0]);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 64, WHOLE);
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.driver.transmitted(odd)).toBe(true);
    expect(bench.port.sent.length).toBe(1);
  });

  it('8254x 14.9: a reset in mid-packet forgets the packet', () => {
    const bench = setUp();
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 500, 0);
    bench.driver.ringTransmit();
    bench.run(LONG);
    bench.driver.start();
    bench.run(LONG);
    const frame = ethernetFrame();
    bench.driver.send(frame);
    bench.run(LONG);
    expect(bench.port.sent).toEqual([frame]);
  });
});
