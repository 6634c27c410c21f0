import { internetSum, macBytes } from './frames.js';

export interface SegmentOptions {
  readonly ip?: 4 | 6;
  readonly protocol?: 'tcp' | 'udp';
  readonly payload: Uint8Array;
  readonly to?: string;
  /** A VLAN tag in the frame. */
  readonly tag?: number;
  /** TCP sequence number. */
  readonly sequence?: number;
  /** IPv4 identification. */
  readonly id?: number;
  /** TCP flags. ACK unless told. */
  readonly flags?: number;
  /** Bytes of IPv4 options, a multiple of 4. */
  readonly ipOptions?: number;
  /** What lies in the checksum fields: right ones, zero with the pseudo header's sum, or wrong ones. */
  readonly checksums?: 'right' | 'pseudo' | 'wrong-ip' | 'wrong-transport';
}

/** A TCP or UDP packet in an Ethernet frame, and where its parts are. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly ipStart: number;
  readonly transportStart: number;
  readonly payloadStart: number;
  readonly checksumOffset: number;
}

const SOURCE = [10, 0, 0, 1];
const DESTINATION = [10, 0, 0, 2];

/** Builds a packet the slow and obvious way. */
export function buildSegment(options: SegmentOptions): Segment {
  const { ip = 4, protocol = 'tcp', payload, to = '52:54:00:12:34:56', tag, ipOptions = 0 } = options;
  const checksums = options.checksums ?? 'right';
  const ipStart = tag === undefined ? 14 : 18;
  const ipLength = ip === 4 ? 20 + ipOptions : 40;
  const transportStart = ipStart + ipLength;
  const transportLength = protocol === 'tcp' ? 20 : 8;
  const payloadStart = transportStart + transportLength;
  const bytes = new Uint8Array(payloadStart + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set([...macBytes(to), 2, 0, 0, 0, 0, 1]);
  if (tag !== undefined) view.setUint32(12, (0x8100 << 16) | tag);
  view.setUint16(ipStart - 2, ip === 4 ? 0x0800 : 0x86dd);
  const number = protocol === 'tcp' ? 6 : 17;
  const size = transportLength + payload.length;
  if (ip === 4) {
    bytes[ipStart] = 0x40 | (ipLength / 4);
    view.setUint16(ipStart + 2, ipLength + size);
    view.setUint16(ipStart + 4, options.id ?? 0x1234);
    bytes[ipStart + 8] = 64;
    bytes[ipStart + 9] = number;
    bytes.set([...SOURCE, ...DESTINATION], ipStart + 12);
    if (checksums !== 'pseudo') {
      const sum = ~internetSum(bytes, ipStart, ipStart + ipLength) & 0xffff;
      view.setUint16(ipStart + 10, checksums === 'wrong-ip' ? sum ^ 1 : sum);
    }
  } else {
    bytes[ipStart] = 0x60;
    view.setUint16(ipStart + 4, size);
    bytes[ipStart + 6] = number;
    bytes[ipStart + 7] = 64;
    bytes.set([0xfe, 0x80, ...new Array<number>(13).fill(0), 1], ipStart + 8);
    bytes.set([0xfe, 0x80, ...new Array<number>(13).fill(0), 2], ipStart + 24);
  }
  view.setUint16(transportStart, 1000);
  view.setUint16(transportStart + 2, 2000);
  if (protocol === 'tcp') {
    view.setUint32(transportStart + 4, options.sequence ?? 0xffff_ff00);
    bytes[transportStart + 12] = 0x50;
    bytes[transportStart + 13] = options.flags ?? 0x10;
    view.setUint16(transportStart + 14, 8192);
  } else view.setUint16(transportStart + 4, size);
  bytes.set(payload, payloadStart);
  const checksumOffset = transportStart + (protocol === 'tcp' ? 16 : 6);
  const segment = { bytes, ipStart, transportStart, payloadStart, checksumOffset };
  if (checksums === 'pseudo') view.setUint16(checksumOffset, pseudoSum(segment, ip, number, size));
  else {
    const wrong = checksums === 'wrong-transport' ? 1 : 0;
    view.setUint16(checksumOffset, transportChecksum(segment, ip, number) ^ wrong);
  }
  return segment;
}

/** The one's complement sum of the pseudo header; `size` 0 leaves the length out. */
export function pseudoSum(segment: Segment, ip: 4 | 6, protocol: number, size: number): number {
  const from = segment.ipStart + (ip === 4 ? 12 : 8);
  const to = segment.ipStart + (ip === 4 ? 20 : 40);
  return add(add(internetSum(segment.bytes, from, to), protocol), size);
}

/** What belongs into the checksum field of the transport header. */
export function transportChecksum(segment: Segment, ip: 4 | 6, protocol: number): number {
  const copy = segment.bytes.slice();
  copy.fill(0, segment.checksumOffset, segment.checksumOffset + 2);
  const size = copy.length - segment.transportStart;
  const sum = add(pseudoSum(segment, ip, protocol, size), internetSum(copy, segment.transportStart));
  const value = ~sum & 0xffff;
  return protocol === 17 && value === 0 ? 0xffff : value;
}

function add(a: number, b: number): number {
  const sum = a + b;
  return (sum & 0xffff) + (sum >>> 16);
}

/** Bytes that differ from their neighbours. */
export function pattern(length: number, seed = 7): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 73 + (index >> 8) * 29 + seed) & 0xff);
}
