import { parseMac } from '../ethernet.js';
import { Frame } from '../frame.js';
import {
  OFFLOAD_CHECKSUM,
  OFFLOAD_TCP4,
  OFFLOAD_TCP6,
  OFFLOAD_UDP4,
  OFFLOAD_UDP6,
} from '../offload/codes.js';

export interface TransportFields {
  readonly ip: 4 | 6;
  readonly protocol: 'tcp' | 'udp';
  readonly payload: Uint8Array;
  readonly to?: string;
  readonly from?: string;
  /** VLAN tags, outermost first. */
  readonly tags?: readonly number[];
  /** Bytes of IPv4 options, a multiple of 4, or of an IPv6 destination options header, a multiple of 8. */
  readonly options?: number;
  readonly ports?: readonly [from: number, to: number];
  readonly sequence?: number;
  readonly flags?: number;
  readonly identification?: number;
  /** The last octets of the two network addresses; 1 and 2 unless told. */
  readonly hosts?: readonly [from: number, to: number];
}

/** A TCP or UDP packet in an Ethernet frame, and where its parts are. */
export interface TransportPacket {
  readonly bytes: Uint8Array;
  readonly fields: TransportFields;
  readonly network: number;
  readonly transport: number;
  readonly payload: number;
  /** Of the checksum within the transport header. */
  readonly checksumOffset: 16 | 6;
}

/** Builds a packet with sound checksums, the slow and obvious way. */
export function transportPacket(fields: TransportFields): TransportPacket {
  const { ip, payload, tags = [], options = 0, ports = [1000, 2000], hosts = [1, 2] } = fields;
  const tcp = fields.protocol === 'tcp';
  const network = 14 + 4 * tags.length;
  const transport = network + (ip === 4 ? 20 : 40) + options;
  const start = transport + (tcp ? 20 : 8);
  const bytes = new Uint8Array(start + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(parseMac(fields.to ?? '02:00:00:00:00:02'));
  bytes.set(parseMac(fields.from ?? '02:00:00:00:00:01'), 6);
  tags.forEach((tag, index) => view.setUint32(12 + 4 * index, ((0x8100 << 16) | tag) >>> 0));
  view.setUint16(network - 2, ip === 4 ? 0x0800 : 0x86dd);
  const number = tcp ? 6 : 17;
  const size = bytes.length - transport;
  if (ip === 4) {
    bytes[network] = 0x40 | (5 + options / 4);
    view.setUint16(network + 2, bytes.length - network);
    view.setUint16(network + 4, fields.identification ?? 0x1234);
    bytes[network + 8] = 64;
    bytes[network + 9] = number;
    bytes.set([10, 0, 0, hosts[0], 10, 0, 0, hosts[1]], network + 12);
    view.setUint16(network + 10, ~sumOf(bytes, network, transport) & 0xffff);
  } else {
    bytes[network] = 0x60;
    view.setUint16(network + 4, bytes.length - network - 40);
    bytes[network + 6] = options === 0 ? number : 60;
    bytes[network + 7] = 64;
    bytes.set([0xfe, 0x80], network + 8);
    bytes[network + 23] = hosts[0];
    bytes.set([0xfe, 0x80], network + 24);
    bytes[network + 39] = hosts[1];
    if (options > 0) bytes.set([number, options / 8 - 1], network + 40);
  }
  view.setUint16(transport, ports[0]);
  view.setUint16(transport + 2, ports[1]);
  if (tcp) {
    view.setUint32(transport + 4, fields.sequence ?? 0xffff_fe00);
    bytes[transport + 12] = 0x50;
    bytes[transport + 13] = fields.flags ?? 0x10;
    view.setUint16(transport + 14, 8192);
  } else view.setUint16(transport + 4, size);
  bytes.set(payload, start);
  const checksumOffset = tcp ? 16 : 6;
  const packet: TransportPacket = { bytes, fields, network, transport, payload: start, checksumOffset };
  const sum = add(pseudoSum(packet, size), sumOf(bytes, transport, bytes.length));
  view.setUint16(transport + checksumOffset, ~sum & 0xffff || 0xffff);
  return packet;
}

/** The packet with the pseudo header's sum where the checksum belongs, as a driver leaves it. */
export function partialChecksum(packet: TransportPacket): TransportPacket {
  const bytes = packet.bytes.slice();
  const size = bytes.length - packet.transport;
  new DataView(bytes.buffer).setUint16(packet.transport + packet.checksumOffset, pseudoSum(packet, size));
  return { ...packet, bytes };
}

/** The packet as a frame whose checksum is left undone, and which is to be cut where a segment size is given. */
export function undoneFrame(packet: TransportPacket, segmentSize = 0): Frame {
  const { ip, protocol } = packet.fields;
  const frame = Frame.of(partialChecksum(packet).bytes);
  const cut =
    protocol === 'tcp' ? (ip === 4 ? OFFLOAD_TCP4 : OFFLOAD_TCP6) : ip === 4 ? OFFLOAD_UDP4 : OFFLOAD_UDP6;
  frame.needs = OFFLOAD_CHECKSUM | (segmentSize > 0 ? cut : 0);
  frame.checksumStart = packet.transport;
  frame.checksumOffset = packet.checksumOffset;
  frame.segmentSize = segmentSize;
  return frame;
}

/** What a receiver that takes nothing undone must get: each segment built by itself. */
export function expectedSegments(fields: TransportFields, segmentSize: number): Uint8Array[] {
  const { payload, sequence = 0xffff_fe00, identification = 0x1234, flags = 0x10 } = fields;
  const count = Math.max(1, Math.ceil(payload.length / segmentSize));
  return Array.from({ length: count }, (_, index) => {
    const at = index * segmentSize;
    const last = index === count - 1;
    return transportPacket({
      ...fields,
      payload: payload.subarray(at, at + segmentSize),
      sequence: (sequence + at) >>> 0,
      identification: (identification + index) & 0xffff,
      flags: flags & (last ? 0xff : 0xf6) & (index === 0 ? 0xff : 0x7f),
    }).bytes;
  });
}

function pseudoSum(packet: TransportPacket, size: number): number {
  const { bytes, network, fields } = packet;
  const addresses = fields.ip === 4 ? [network + 12, network + 20] : [network + 8, network + 40];
  return add(add(sumOf(bytes, addresses[0], addresses[1]), fields.protocol === 'tcp' ? 6 : 17), size);
}

function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 2) sum = add(sum, (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0));
  return sum;
}

function add(a: number, b: number): number {
  const sum = a + b;
  return (sum & 0xffff) + (sum >>> 16);
}
