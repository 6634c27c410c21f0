import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import {
  buildSegment,
  ethernetFrame,
  internetSum,
  NicBench,
  pattern,
  pseudoSum,
  type Segment,
} from './testing/index.js';

const WHOLE = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS;
const LONG = 5_000_000;
const NUMBER = { tcp: 6, udp: 17 } as const;

function setUp(): NicBench {
  const bench = new NicBench();
  bench.start();
  return bench;
}

function contextOf(
  segment: Segment,
  ip: 4 | 6,
  protocol: 'tcp' | 'udp',
): Parameters<NicBench['driver']['queueContext']>[0] {
  return {
    ipcss: segment.ipStart,
    ipcso: segment.ipStart + 10,
    ipcse: segment.transportStart - 1,
    tucss: segment.transportStart,
    tucso: segment.checksumOffset,
    tucse: 0,
    command: (protocol === 'tcp' ? R.TUCMD_TCP : 0) | (ip === 4 ? R.TUCMD_IP : 0),
  };
}

/** Queues bytes as data descriptors of `size` bytes. */
function queueBytes(
  bench: NicBench,
  bytes: Uint8Array,
  size: number,
  command: number,
  options: number,
  special = 0,
): void {
  const base = bench.driver.txBuffer(0);
  bench.driver.store(base, bytes);
  for (let at = 0; at < bytes.length; at += size) {
    const length = Math.min(size, bytes.length - at);
    const last = at + length === bytes.length;
    bench.driver.queueData(
      base + at,
      length,
      last ? command : command & ~(R.TXD_EOP | R.TXD_RS),
      options,
      special,
    );
  }
  bench.driver.ringTransmit();
  bench.run(LONG);
}

describe('checksum insertion', () => {
  it('8254x 3.3.3: a legacy descriptor with IC inserts the sum from CSS to the end at CSO', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 101 });
    frame.fill(0, 50, 52);
    bench.driver.store(bench.driver.txBuffer(0), frame);
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 101, WHOLE | R.TXD_IC, { css: 33, cso: 50 });
    bench.driver.ringTransmit();
    bench.run(LONG);
    const expected = frame.slice();
    new DataView(expected.buffer).setUint16(50, ~internetSum(frame, 33) & 0xffff);
    expect(bench.port.sent).toEqual([expected]);
  });

  it.each([
    [4, 'tcp', 1000],
    [4, 'udp', 1001],
    [6, 'tcp', 999],
    [6, 'udp', 1],
  ] as const)(
    '8254x 3.5: a context descriptor makes the checksums of IPv%i %s with %i bytes',
    (ip, protocol, length) => {
      const payload = pattern(length);
      const right = buildSegment({ ip, protocol, payload });
      const seeded = buildSegment({ ip, protocol, payload, checksums: 'pseudo' });
      for (const size of [5000, 333, 47]) {
        const bench = setUp();
        bench.driver.queueContext(contextOf(seeded, ip, protocol));
        queueBytes(bench, seeded.bytes, size, WHOLE, (ip === 4 ? R.POPTS_IXSM : 0) | R.POPTS_TXSM);
        expect(bench.port.sent[0].subarray(0, right.bytes.length)).toEqual(right.bytes);
      }
    },
  );

  it('8254x 3.5: POPTS chooses which checksums are made; the header alone is copied', () => {
    const payload = pattern(1200);
    const right = buildSegment({ payload });
    const seeded = buildSegment({ payload, checksums: 'pseudo' });
    const bench = setUp();
    bench.driver.queueContext(contextOf(seeded, 4, 'tcp'));
    queueBytes(bench, seeded.bytes, 2000, WHOLE, R.POPTS_IXSM);
    expect(bench.port.sent[0].subarray(0, 34)).toEqual(right.bytes.subarray(0, 34));
    expect(bench.port.sent[0].subarray(34)).toEqual(seeded.bytes.subarray(34));
    expect(bench.port.ranges[0].map(({ length }) => length)).toEqual([257, 1254 - 257]);
  });

  it('8254x 3.3.6: a context serves every packet until the next context', () => {
    const bench = setUp();
    const seeded = buildSegment({ payload: pattern(100), checksums: 'pseudo' });
    const right = buildSegment({ payload: pattern(100) });
    bench.driver.queueContext(contextOf(seeded, 4, 'tcp'));
    for (let packet = 0; packet < 3; packet++) {
      queueBytes(bench, seeded.bytes, 5000, WHOLE, R.POPTS_IXSM | R.POPTS_TXSM);
    }
    expect(bench.port.sent).toEqual([right.bytes, right.bytes, right.bytes]);
  });

  it('RFC 768: a computed UDP checksum of zero is sent as ones', () => {
    const bench = setUp();
    const payload = new Uint8Array(4);
    const seeded = buildSegment({ protocol: 'udp', payload, checksums: 'pseudo' });
    // The word that makes the sum all ones, so that its complement is zero.
    const sum = internetSum(seeded.bytes, seeded.transportStart);
    new DataView(seeded.bytes.buffer).setUint16(seeded.payloadStart, ~sum & 0xffff);
    bench.driver.queueContext(contextOf(seeded, 4, 'udp'));
    queueBytes(bench, seeded.bytes, 5000, WHOLE, R.POPTS_TXSM);
    const sent = bench.port.sent[0];
    expect([sent[seeded.checksumOffset], sent[seeded.checksumOffset + 1]]).toEqual([0xff, 0xff]);
  });

  it('offsets outside the packet change nothing', () => {
    const bench = setUp();
    const frame = ethernetFrame({ length: 64 });
    for (const context of [
      { ipcss: 200, ipcso: 20, tucss: 10, tucso: 63 },
      { ipcss: 64, ipcso: 20, tucss: 255, tucso: 255 },
    ]) {
      bench.driver.queueContext({ ...context, command: R.TUCMD_TCP | R.TUCMD_IP });
      queueBytes(bench, frame, 5000, WHOLE, R.POPTS_IXSM | R.POPTS_TXSM);
    }
    expect(bench.port.sent).toEqual([frame, frame]);
  });
});

describe('VLAN tags on transmit', () => {
  it.each(['legacy', 'data'])(
    '8254x 9.2: VLE in the last %s descriptor inserts VET and the tag when VME is set',
    (kind) => {
      const bench = setUp();
      const frame = ethernetFrame({ length: 200 });
      bench.driver.store(bench.driver.txBuffer(0), frame);
      const queue = (): void => {
        const address = bench.driver.txBuffer(0);
        if (kind === 'legacy') bench.driver.queueLegacy(address, 200, WHOLE | R.TXD_VLE, { special: 0x6123 });
        else bench.driver.queueData(address, 200, WHOLE | R.TXD_VLE, 0, 0x6123);
        bench.driver.ringTransmit();
        bench.run(LONG);
      };
      queue();
      bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
      queue();
      const tagged = new Uint8Array([
        ...frame.subarray(0, 12),
        0x81,
        0x00,
        0x61,
        0x23,
        ...frame.subarray(12),
      ]);
      expect(bench.port.sent).toEqual([frame, tagged]);
    },
  );

  it('a frame too short for its addresses is not tagged', () => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    bench.driver.store(bench.driver.txBuffer(0), ethernetFrame());
    bench.driver.queueLegacy(bench.driver.txBuffer(0), 11, WHOLE | R.TXD_VLE, { special: 1 });
    bench.driver.ringTransmit();
    bench.run(LONG);
    expect(bench.port.sent[0].length).toBe(60);
  });
});

/** Software's packet for segmentation: the seed of the TCP checksum lacks the length (3.5.6). */
function prototype(ip: 4 | 6, protocol: 'tcp' | 'udp', payload: Uint8Array, flags = 0x19): Segment {
  const segment = buildSegment({ ip, protocol, payload, flags, checksums: 'pseudo' });
  const view = new DataView(segment.bytes.buffer);
  view.setUint16(segment.checksumOffset, pseudoSum(segment, ip, NUMBER[protocol], 0));
  return segment;
}

function segmentation(
  segment: Segment,
  ip: 4 | 6,
  protocol: 'tcp' | 'udp',
  mss: number,
): Parameters<NicBench['driver']['queueContext']>[0] {
  const context = contextOf(segment, ip, protocol);
  return {
    ...context,
    command: context.command | R.TUCMD_TSE,
    hdrlen: segment.payloadStart,
    mss,
    paylen: segment.bytes.length - segment.payloadStart,
  };
}

describe('TCP segmentation', () => {
  it.each([
    [4, 3000, 1000],
    [4, 4097, 1448],
    [6, 3500, 1428],
    [4, 700, 1448],
    [4, 50, 7],
  ] as const)('8254x 3.5: IPv%i, %i bytes in segments of %i', (ip, length, mss) => {
    const payload = pattern(length);
    const packet = prototype(ip, 'tcp', payload);
    for (const size of [0xffff, 1500, 61]) {
      const bench = new NicBench();
      bench.run(20_000_000);
      bench.driver.start({ ring: 256 });
      bench.run(LONG);
      bench.driver.queueContext(segmentation(packet, ip, 'tcp', mss));
      queueBytes(bench, packet.bytes, size, WHOLE | R.TXD_TSE, R.POPTS_TXSM | (ip === 4 ? R.POPTS_IXSM : 0));
      const count = Math.ceil(length / mss);
      const expected = Array.from({ length: count }, (_, index) => {
        const part = payload.subarray(index * mss, (index + 1) * mss);
        const last = index === count - 1;
        const sequence = (0xffff_ff00 + index * mss) >>> 0;
        const { bytes } = buildSegment({
          ip,
          payload: part,
          sequence,
          id: 0x1234 + index,
          flags: last ? 0x19 : 0x10,
        });
        const padded = new Uint8Array(Math.max(60, bytes.length));
        padded.set(bytes);
        return padded;
      });
      expect(bench.port.sent).toEqual(expected);
      expect(bench.driver.read(R.REG_TSCTC)).toBe(1);
      expect(bench.driver.read(R.REG_GPTC)).toBe(count);
    }
  });

  it('8254x 3.5: UDP gets lengths and checksums of its own', () => {
    const bench = setUp();
    const payload = pattern(2500);
    const packet = prototype(4, 'udp', payload);
    bench.driver.queueContext(segmentation(packet, 4, 'udp', 1000));
    queueBytes(bench, packet.bytes, 0xffff, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    const expected = [0, 1, 2].map(
      (index) =>
        buildSegment({
          protocol: 'udp',
          payload: payload.subarray(index * 1000, (index + 1) * 1000),
          id: 0x1234 + index,
        }).bytes,
    );
    expect(bench.port.sent).toEqual(expected);
  });

  it('payload is never copied: each segment is a header and ranges of guest memory', () => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', pattern(3000));
    bench.driver.queueContext(segmentation(packet, 4, 'tcp', 1000));
    queueBytes(bench, packet.bytes, 0xffff, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    expect(bench.port.ranges.map((ranges) => ranges.map(({ length }) => length))).toEqual([
      [54, 1000],
      [54, 1000],
      [54, 1000],
    ]);
    expect(bench.count('copy', 'bytes')).toBe(0);
  });

  it('8254x 9.2: VLE tags every segment', () => {
    const bench = setUp();
    bench.driver.write(R.REG_CTRL, bench.driver.read(R.REG_CTRL) | R.CTRL_VME);
    const packet = prototype(4, 'tcp', pattern(2000));
    bench.driver.queueContext(segmentation(packet, 4, 'tcp', 1000));
    queueBytes(
      bench,
      packet.bytes,
      0xffff,
      WHOLE | R.TXD_TSE | R.TXD_VLE,
      R.POPTS_TXSM | R.POPTS_IXSM,
      0x0042,
    );
    expect(bench.port.sent.map((frame) => [...frame.subarray(12, 18)])).toEqual([
      [0x81, 0, 0, 0x42, 8, 0],
      [0x81, 0, 0, 0x42, 8, 0],
    ]);
  });

  it('continues behind a blocked wire and over several doorbells', () => {
    const bench = setUp();
    const payload = pattern(3000);
    const packet = prototype(4, 'tcp', payload);
    const base = bench.driver.txBuffer(0);
    bench.driver.store(base, packet.bytes);
    bench.driver.queueContext(segmentation(packet, 4, 'tcp', 1000));
    bench.port.accepting = false;
    for (let at = 0; at < packet.bytes.length; at += 700) {
      const length = Math.min(700, packet.bytes.length - at);
      const last = at + length === packet.bytes.length;
      const command = (last ? WHOLE : R.TXD_IFCS) | R.TXD_TSE;
      bench.driver.queueData(base + at, length, command, R.POPTS_TXSM | R.POPTS_IXSM);
      bench.driver.ringTransmit();
      bench.run(LONG);
      if (at === 1400) bench.port.unblock();
    }
    bench.run(LONG);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([1054, 1054, 1054]);
    const sent = bench.port.sent.flatMap((frame) => [...frame.subarray(54)]);
    expect(new Uint8Array(sent)).toEqual(payload);
  });

  it.each([
    ['MSS 0', { mss: 0 }],
    ['HDRLEN 0', { hdrlen: 0 }],
    ['HDRLEN beyond the packet', { hdrlen: 255 }],
    ['a segment larger than the FIFO', { mss: 0xffff }],
  ])('8254x 13.7: %s: nothing is sent, TSCTFC counts, the descriptors are given back', (_name, wrong) => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', pattern(100));
    bench.driver.queueContext({ ...segmentation(packet, 4, 'tcp', 1000), ...wrong });
    queueBytes(bench, packet.bytes, 60, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    expect(bench.port.sent).toEqual([]);
    expect(bench.driver.read(R.REG_TSCTFC)).toBe(1);
    expect(bench.driver.read(R.REG_TSCTC)).toBe(0);
    expect(bench.driver.read(R.REG_TDH)).toBe(bench.driver.txNext);
    bench.driver.send(ethernetFrame());
    bench.run(LONG);
    expect(bench.port.sent.length).toBe(1);
  });

  it('PAYLEN below the data: what lies beyond is not sent', () => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', pattern(3000));
    bench.driver.queueContext({ ...segmentation(packet, 4, 'tcp', 1000), paylen: 1500 });
    queueBytes(bench, packet.bytes, 400, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([1054, 554]);
    expect(bench.port.sent.map((frame) => frame[47] & 9)).toEqual([0, 9]);
  });

  it('PAYLEN above the data: the packet ends with its last descriptor', () => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', pattern(1500));
    bench.driver.queueContext({ ...segmentation(packet, 4, 'tcp', 1000), paylen: 0xfffff });
    queueBytes(bench, packet.bytes, 400, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([1054, 554]);
  });

  it('a packet that is all header leaves as one frame', () => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', new Uint8Array(0));
    bench.driver.queueContext(segmentation(packet, 4, 'tcp', 1000));
    queueBytes(bench, packet.bytes, 400, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    const right = buildSegment({ payload: new Uint8Array(0), flags: 0x19 }).bytes;
    expect(bench.port.sent.map((frame) => frame.subarray(0, 54))).toEqual([right]);
  });

  it('a million segments of one byte keep each event short', () => {
    const bench = setUp();
    const packet = prototype(4, 'tcp', pattern(100));
    bench.driver.queueContext({ ...segmentation(packet, 4, 'tcp', 1), paylen: 0xfffff });
    bench.driver.store(bench.driver.txBuffer(0), packet.bytes);
    bench.driver.queueData(bench.driver.txBuffer(0), 0xfffff, WHOLE | R.TXD_TSE, R.POPTS_TXSM);
    bench.driver.ringTransmit();
    bench.clock.runUntil(bench.clock.nextEvent);
    expect(bench.port.sent.length).toBeGreaterThan(0);
    expect(bench.port.sent.length).toBeLessThanOrEqual(400);
    bench.driver.write(R.REG_CTRL, R.CTRL_RST);
    bench.run(LONG);
    expect(bench.port.sent.length).toBeLessThanOrEqual(400);
  });

  it('a header whose fields lie outside it is sent as it is, in segments', () => {
    const bench = setUp();
    const bytes = ethernetFrame({ length: 300 });
    bench.driver.queueContext({
      ipcss: 250,
      ipcso: 251,
      tucss: 240,
      tucso: 254,
      command: R.TUCMD_TSE | R.TUCMD_TCP | R.TUCMD_IP,
      hdrlen: 20,
      mss: 100,
      paylen: 280,
    });
    queueBytes(bench, bytes, 5000, WHOLE | R.TXD_TSE, R.POPTS_TXSM | R.POPTS_IXSM);
    expect(bench.port.sent.map((frame) => frame.length)).toEqual([120, 120, 100]);
    for (const frame of bench.port.sent) expect(frame.subarray(0, 20)).toEqual(bytes.subarray(0, 20));
  });
});
