import { formatMac, parseMac } from '../ethernet.js';
import { formatIpv4, get16, get32, parseIpv4, put16, put32 } from '../nat/bytes.js';
import { checksumOf } from '../nat/checksum.js';

/** Joins bytes. */
export function bytesOf(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export interface Ipv4Fields {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly ttl?: number;
  readonly identification?: number;
  /** Flags and offset as in the header. */
  readonly fragment?: number;
  /** Options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
}

/** An IPv4 packet (RFC 791) with a sound checksum. */
export function ipv4Packet(fields: Ipv4Fields): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const header = new Uint8Array(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  put16(header, 2, header.length + fields.payload.length);
  put16(header, 4, fields.identification ?? 0);
  put16(header, 6, fields.fragment ?? 0);
  header[8] = fields.ttl ?? 64;
  header[9] = fields.protocol;
  put32(header, 12, parseIpv4(fields.from));
  put32(header, 16, parseIpv4(fields.to));
  header.set(options, 20);
  put16(header, 10, checksumOf(header));
  return bytesOf(header, fields.payload);
}

const pseudo = (from: string, to: string, protocol: number, payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(12 + payload.length);
  put32(bytes, 0, parseIpv4(from));
  put32(bytes, 4, parseIpv4(to));
  bytes[9] = protocol;
  put16(bytes, 10, payload.length);
  bytes.set(payload, 12);
  return bytes;
};

/** A UDP datagram (RFC 768) with a sound checksum. */
export function udpDatagram(
  from: string,
  fromPort: number,
  to: string,
  toPort: number,
  data: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(8 + data.length);
  put16(datagram, 0, fromPort);
  put16(datagram, 2, toPort);
  put16(datagram, 4, datagram.length);
  datagram.set(data, 8);
  put16(datagram, 6, checksumOf(pseudo(from, to, 17, datagram)) || 0xffff);
  return datagram;
}

export interface TcpFields {
  readonly fromPort: number;
  readonly toPort: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16. */
  readonly flags: number;
  readonly window?: number;
  /** A multiple of 4 bytes. */
  readonly options?: Uint8Array;
  readonly data?: Uint8Array;
}

/** A TCP segment (RFC 9293 3.1) with a sound checksum. */
export function tcpSegment(from: string, to: string, fields: TcpFields): Uint8Array {
  const { options = new Uint8Array(0), data = new Uint8Array(0) } = fields;
  const segment = new Uint8Array(20 + options.length + data.length);
  put16(segment, 0, fields.fromPort);
  put16(segment, 2, fields.toPort);
  put32(segment, 4, fields.sequence);
  put32(segment, 8, fields.acknowledgment ?? 0);
  segment[12] = ((20 + options.length) / 4) << 4;
  segment[13] = fields.flags;
  put16(segment, 14, fields.window ?? 65_535);
  segment.set(options, 20);
  segment.set(data, 20 + options.length);
  put16(segment, 16, checksumOf(pseudo(from, to, 6, segment)));
  return segment;
}

/** An ICMP message (RFC 792) with a sound checksum. */
export function icmpMessage(type: number, code: number, rest: Uint8Array): Uint8Array {
  const message = bytesOf([type, code, 0, 0], rest);
  put16(message, 2, checksumOf(message));
  return message;
}

/** An ARP packet (RFC 826); operation 1 asks, 2 answers. */
export function arpPacket(
  operation: number,
  mac: string,
  ip: string,
  targetMac: string,
  targetIp: string,
): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0, 1, 8, 0, 6, 4, 0, operation]);
  packet.set(parseMac(mac), 8);
  put32(packet, 14, parseIpv4(ip));
  packet.set(parseMac(targetMac), 18);
  put32(packet, 24, parseIpv4(targetIp));
  return packet;
}

/** A frame taken apart; checksums are verified. */
export interface Decoded {
  readonly to: string;
  readonly from: string;
  readonly type: number;
  readonly arp?: { operation: number; mac: string; ip: string; targetMac: string; targetIp: string };
  readonly ip?: {
    from: string;
    to: string;
    protocol: number;
    ttl: number;
    identification: number;
    fragment: number;
    payload: Uint8Array;
    sound: boolean;
  };
  readonly udp?: { fromPort: number; toPort: number; data: Uint8Array; sound: boolean };
  readonly tcp?: {
    fromPort: number;
    toPort: number;
    sequence: number;
    acknowledgment: number;
    flags: number;
    window: number;
    options: Uint8Array;
    data: Uint8Array;
    sound: boolean;
  };
  readonly icmp?: { type: number; code: number; rest: Uint8Array; sound: boolean };
}

export function decodeFrame(bytes: Uint8Array): Decoded {
  const base = { to: formatMac(bytes), from: formatMac(bytes, 6), type: get16(bytes, 12) };
  const packet = bytes.subarray(14);
  if (base.type === 0x0806) {
    return {
      ...base,
      arp: {
        operation: get16(packet, 6),
        mac: formatMac(packet, 8),
        ip: formatIpv4(get32(packet, 14)),
        targetMac: formatMac(packet, 18),
        targetIp: formatIpv4(get32(packet, 24)),
      },
    };
  }
  if (base.type !== 0x0800) return base;
  const headerLength = (packet[0] & 15) * 4;
  const payload = packet.slice(headerLength, get16(packet, 2));
  const ip = {
    from: formatIpv4(get32(packet, 12)),
    to: formatIpv4(get32(packet, 16)),
    protocol: packet[9],
    ttl: packet[8],
    identification: get16(packet, 4),
    fragment: get16(packet, 6) & 0x3fff,
    payload,
    sound: checksumOf(packet.subarray(0, headerLength)) === 0,
  };
  if (ip.fragment !== 0) return { ...base, ip };
  return { ...base, ip, ...decodePayload(ip) };
}

/** Takes the payload of an IP packet apart. */
export function decodePayload(ip: NonNullable<Decoded['ip']>): Pick<Decoded, 'udp' | 'tcp' | 'icmp'> {
  const { payload, protocol, from, to } = ip;
  if (protocol === 1) {
    return {
      icmp: {
        type: payload[0],
        code: payload[1],
        rest: payload.slice(4),
        sound: checksumOf(payload) === 0,
      },
    };
  }
  const sound = checksumOf(pseudo(from, to, protocol, payload)) === 0;
  const ports = { fromPort: get16(payload, 0), toPort: get16(payload, 2) };
  if (protocol === 17) return { udp: { ...ports, data: payload.slice(8), sound } };
  if (protocol !== 6) return {};
  const offset = (payload[12] >> 4) * 4;
  return {
    tcp: {
      ...ports,
      sequence: get32(payload, 4),
      acknowledgment: get32(payload, 8),
      flags: payload[13],
      window: get16(payload, 14),
      options: payload.slice(20, offset),
      data: payload.slice(offset),
      sound,
    },
  };
}
