import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { buildSegment, ethernetFrame, fcs, NicBench, pattern, transportChecksum } from './testing/index.js';

const WHOLE = B.TXD_EOP | B.TXD_IFCS | B.TXD_RS;
const LONG = 5_000_000;

function started(queues: readonly number[] = [0]): NicBench {
  const bench = new NicBench();
  bench.run(20_000_000);
  bench.driver.start({ queues });
  bench.run(1_000_000);
  return bench;
}

describe('transmit', () => {
  it('82576 7.2.2.3: a packet of several buffers, and one whose end is not there yet', () => {
    const bench = started();
    const { driver, port } = bench;
    const frame = ethernetFrame({ length: 900 });
    driver.store(driver.txBuffer(0), frame);
    driver.queueData(driver.txBuffer(0), 300, B.TXD_IFCS);
    driver.queueData(driver.txBuffer(0) + 300, 300, B.TXD_IFCS);
    driver.ringTransmit();
    bench.run(LONG);
    expect([port.sent.length, driver.readQueue(R.REG_TDH, 0)]).toEqual([0, 0]);
    const last = driver.queueData(driver.txBuffer(0) + 600, 300, WHOLE);
    driver.ringTransmit();
    bench.run(LONG);
    expect(port.sent).toEqual([frame]);
    expect([driver.transmitted(0), driver.transmitted(last)]).toEqual([false, true]);
  });

  it('82576 7.2.2.1: legacy descriptors, with a checksum from CSS at CSO', () => {
    const bench = started();
    const { driver, port } = bench;
    const { bytes, transportStart, checksumOffset } = buildSegment({
      payload: pattern(100),
      checksums: 'pseudo',
    });
    driver.store(driver.txBuffer(0), bytes);
    driver.queueLegacy(driver.txBuffer(0), bytes.length, WHOLE | B.TXD_IC, {
      css: transportStart,
      cso: checksumOffset,
    });
    driver.ringTransmit();
    bench.run(LONG);
    const right = buildSegment({ payload: pattern(100), checksums: 'right' }).bytes;
    expect(port.sent[0].subarray(transportStart)).toEqual(right.subarray(transportStart));
  });

  it('82576 7.2.2.3: IFCS clear: the last four bytes are software s own FCS', () => {
    const bench = started();
    const { driver, port } = bench;
    const frame = ethernetFrame({ length: 100 });
    const own = new Uint8Array(104);
    own.set(frame);
    new DataView(own.buffer).setUint32(100, fcs(frame), true);
    driver.send(own, B.TXD_EOP | B.TXD_RS);
    own[103] ^= 1;
    driver.send(own, B.TXD_EOP | B.TXD_RS);
    bench.run(LONG);
    expect(port.sent).toEqual([frame]);
    expect(bench.count('tx-drop', 'bad fcs')).toBe(1);
  });

  it('82576 7.2.3: head write-back instead of DD', () => {
    const bench = started();
    const { driver } = bench;
    const place = driver.rxHeaderBuffer(0);
    driver.writeQueue(R.REG_TDWBAL, 0, place | B.TDWBAL_HEAD_WB);
    const index = driver.send(ethernetFrame({}));
    driver.send(ethernetFrame({}));
    bench.run(LONG);
    expect([driver.load32(place), driver.transmitted(index)]).toEqual([2, false]);
  });

  it('82576 7.2.1: queues take turns', () => {
    const bench = started([0, 5]);
    const { driver, port } = bench;
    for (let nth = 0; nth < 4; nth++) {
      driver.store(driver.txBuffer(nth), ethernetFrame({ seed: nth, length: 100 + nth }));
      driver.queueData(driver.txBuffer(nth), 100 + nth, WHOLE, { queue: nth < 2 ? 0 : 5 });
    }
    driver.ringTransmit(0);
    driver.ringTransmit(5);
    bench.run(LONG);
    expect(port.sent.map(({ length }) => length)).toEqual([100, 102, 101, 103]);
  });

  it('82576 8.12: a queue that is not enabled does nothing', () => {
    const bench = started();
    bench.driver.writeQueue(R.REG_TXDCTL, 0, 0);
    bench.driver.send(ethernetFrame({}));
    bench.run(LONG);
    expect(bench.port.sent).toEqual([]);
  });

  it.each([4, 6] as const)(
    '82576 7.2.2.2: checksums of TCP and UDP over IPv%i by the context that IDX names',
    (ip) => {
      const bench = started();
      const { driver, port } = bench;
      const expected: Uint8Array[] = [];
      for (const [index, protocol] of (['tcp', 'udp'] as const).entries()) {
        const payload = pattern(301, index);
        const { bytes, transportStart } = buildSegment({ ip, protocol, payload, checksums: 'pseudo' });
        expected.push(buildSegment({ ip, protocol, payload }).bytes);
        driver.queueContext({
          iplen: transportStart - 14,
          ipv4: ip === 4,
          l4type: protocol === 'tcp' ? 1 : 0,
          index,
        });
        driver.store(driver.txBuffer(index), bytes);
        const popts = B.POPTS_TXSM | (ip === 4 ? B.POPTS_IXSM : 0);
        driver.queueData(driver.txBuffer(index), bytes.length, WHOLE, { popts, index });
      }
      driver.ringTransmit();
      bench.run(LONG);
      expect(port.sent).toEqual(expected);
    },
  );

  it('82576 7.2.2.2: the CRC of SCTP (RFC 9260 appendix A)', () => {
    const bench = started();
    const { driver, port } = bench;
    const bytes = new Uint8Array(14 + 20 + 32);
    bytes.set(ethernetFrame({ type: 0x0800, length: 14 }));
    bytes.set([0x45, 0, 0, 52, 0, 0, 0, 0, 64, 132], 14);
    bytes.set(pattern(32), 34);
    driver.queueContext({ l4len: 12, l4type: B.TUCMD_L4_SCTP });
    driver.store(driver.txBuffer(0), bytes);
    driver.queueData(driver.txBuffer(0), bytes.length, WHOLE, { popts: B.POPTS_TXSM });
    driver.ringTransmit();
    bench.run(LONG);
    const sent = port.sent[0];
    const chunk = sent.slice(34, 66);
    const found = new DataView(chunk.buffer).getUint32(8, true);
    chunk.fill(0, 8, 12);
    let crc = 0xffff_ffff;
    for (const byte of chunk) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
    }
    expect(found).toBe(~crc >>> 0);
  });

  it.each([
    [4, 'tcp', 3000],
    [6, 'tcp', 2920],
    [4, 'udp', 3000],
  ] as const)('82576 7.2.4: segmentation over IPv%i of %s, %i bytes', (ip, protocol, length) => {
    const bench = started();
    const { driver, port } = bench;
    const payload = pattern(length);
    const built = buildSegment({ ip, protocol, payload, checksums: 'pseudo', flags: 0x19, sequence: 1000 });
    const { bytes, transportStart, payloadStart, checksumOffset } = built;
    const view = new DataView(bytes.buffer);
    // Software leaves the length out of the pseudo header's sum.
    let sum = view.getUint16(checksumOffset) - (bytes.length - transportStart);
    if (sum < 0) sum += 0xffff;
    view.setUint16(checksumOffset, sum);
    driver.store(driver.txBuffer(0), bytes);
    const mss = 1460;
    driver.queueContext({
      iplen: transportStart - 14,
      l4len: payloadStart - transportStart,
      mss,
      ipv4: ip === 4,
      l4type: protocol === 'tcp' ? 1 : 0,
    });
    const popts = B.POPTS_TXSM | (ip === 4 ? B.POPTS_IXSM : 0);
    driver.queueData(driver.txBuffer(0), 100, B.TXD_IFCS | B.TXD_TSE, { popts, paylen: length });
    driver.queueData(driver.txBuffer(0) + 100, bytes.length - 100, WHOLE | B.TXD_TSE, {
      popts,
      paylen: length,
    });
    driver.ringTransmit();
    bench.run(LONG);
    expect(port.sent.length).toBe(Math.ceil(length / mss));
    const whole = new Uint8Array(length);
    port.sent.forEach((frame, nth) => {
      whole.set(frame.subarray(payloadStart), nth * mss);
      const got = new DataView(frame.buffer, frame.byteOffset);
      const segment = { ...built, bytes: frame };
      expect(got.getUint16(checksumOffset)).toBe(transportChecksum(segment, ip, protocol === 'tcp' ? 6 : 17));
      if (ip === 4) expect(got.getUint16(18)).toBe(0x1234 + nth);
      if (protocol === 'tcp') {
        expect(got.getUint32(transportStart + 4)).toBe(1000 + nth * mss);
        const last = nth === port.sent.length - 1;
        expect(frame[transportStart + 13]).toBe(last ? 0x19 : 0x10);
      }
    });
    expect(whole).toEqual(payload);
    expect(driver.read(R.REG_TSCTC)).toBe(1);
  });

  it('82576 7.2.4: a context that cannot segment loses the packet, and the next one goes', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.queueContext({ l4len: 20, mss: 0 });
    driver.store(driver.txBuffer(0), pattern(500));
    driver.queueData(driver.txBuffer(0), 500, WHOLE | B.TXD_TSE, { paylen: 446 });
    driver.ringTransmit();
    const frame = ethernetFrame({ length: 77 });
    driver.send(frame);
    bench.run(LONG);
    expect(port.sent).toEqual([frame]);
    expect(bench.count('tx-drop', 'bad segmentation context')).toBe(1);
  });

  it('82576 7.2.2.3: VLE tags with the context s tag', () => {
    const bench = started();
    const { driver, port } = bench;
    driver.queueContext({ vlan: 0x2123 });
    const frame = ethernetFrame({ length: 100 });
    driver.store(driver.txBuffer(1), frame);
    driver.queueData(driver.txBuffer(1), 100, WHOLE | B.TXD_VLE);
    driver.ringTransmit();
    bench.run(LONG);
    expect([...port.sent[0].subarray(12, 16)]).toEqual([0x81, 0x00, 0x21, 0x23]);
    expect(port.sent[0].subarray(16)).toEqual(frame.subarray(12));
  });

  it('82576 7.2.1: a packet of too many descriptors is lost, not the queue', () => {
    const bench = new NicBench();
    bench.run(20_000_000);
    // A ring as large as the place for it.
    bench.driver.start({ ring: 256 });
    const { driver, port } = bench;
    for (let nth = 0; nth < 255; nth++) driver.queueData(driver.txBuffer(0), 0, B.TXD_IFCS);
    driver.ringTransmit();
    bench.run(LONG);
    expect(driver.readQueue(R.REG_TDH, 0)).toBe(0);
    driver.writeQueue(R.REG_TDT, 0, 300);
    bench.run(LONG);
    expect(port.sent).toEqual([]);
  });

  it('82576 8.12: head and tail outside the ring: nothing is fetched', () => {
    const bench = started();
    bench.driver.writeQueue(R.REG_TDT, 0, 0xffff);
    bench.run(LONG);
    expect([bench.port.sent.length, bench.count('dma', 'descriptors read')]).toEqual([0, 0]);
  });

  it('82576 7.2.3: a blocked wire holds the frame, and it goes once there is room', () => {
    const bench = started();
    const { driver, port } = bench;
    port.accepting = false;
    const frames = [ethernetFrame({ seed: 1 }), ethernetFrame({ seed: 2 })];
    for (const frame of frames) driver.send(frame);
    bench.run(LONG);
    expect(port.sent).toEqual([]);
    port.unblock();
    bench.run(LONG);
    expect(port.sent).toEqual(frames);
  });

  it('82576 8.18: counters of sent packets', () => {
    const bench = started();
    const { driver } = bench;
    driver.send(ethernetFrame({ length: 60 }));
    driver.send(ethernetFrame({ to: '33:33:00:00:00:01', length: 1000 }));
    bench.run(LONG);
    const read = (register: number): number => driver.read(register);
    expect([read(R.REG_GPTC), read(R.REG_BPTC), read(R.REG_MPTC)]).toEqual([2, 1, 1]);
    expect([read(R.REG_PTC64), read(R.REG_PTC64 + 16)]).toEqual([1, 1]);
    expect([read(R.REG_GOTCL), read(R.REG_GOTCL + 4), read(R.REG_GOTCL)]).toEqual([1068, 0, 0]);
  });
});
