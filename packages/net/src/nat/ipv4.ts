import type { Clock, SnapshotValue } from '@vmloom/device';
import { ETHERTYPE_IPV4 } from '../ethernet.js';
import type { Arp } from './arp.js';
import { BROADCAST } from './arp.js';
import { get16, get32, put16, put32, type Ipv4Address } from './bytes.js';
import { IP_AT, type PacketBuffer } from './buffer.js';
import { finish, sumWords } from './checksum.js';
import type { NatConfig } from './options.js';
import type { Output } from './output.js';

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
/** Bytes of a header without options. */
export const IPV4_HEADER = 20;
const TTL = 64;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** A received IPv4 header (RFC 791 3.1) in numbers; reused from packet to packet. */
export class Ipv4Header {
  headerLength = 0;
  totalLength = 0;
  identification = 0;
  moreFragments = false;
  /** Bytes. */
  fragmentOffset = 0;
  ttl = 0;
  protocol = 0;
  source: Ipv4Address = 0;
  destination: Ipv4Address = 0;

  /** Reads the header at the IP place of a buffer with `length` bytes of packet; false when it is not sound. */
  read(buffer: PacketBuffer, length: number): boolean {
    const { bytes, words } = buffer;
    if (length < IPV4_HEADER || bytes[IP_AT] >> 4 !== 4) return false;
    this.headerLength = (bytes[IP_AT] & 15) * 4;
    this.totalLength = get16(bytes, IP_AT + 2);
    if (
      this.headerLength < IPV4_HEADER ||
      this.totalLength < this.headerLength ||
      this.totalLength > length
    ) {
      return false;
    }
    if (finish(sumWords(words, bytes, IP_AT, this.headerLength)) !== 0) return false;
    this.identification = get16(bytes, IP_AT + 4);
    const fragment = get16(bytes, IP_AT + 6);
    this.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
    this.fragmentOffset = (fragment & 0x1fff) * 8;
    this.ttl = bytes[IP_AT + 8]!;
    this.protocol = bytes[IP_AT + 9]!;
    this.source = get32(bytes, IP_AT + 12);
    this.destination = get32(bytes, IP_AT + 16);
    return true;
  }
}

/** Sends IPv4 packets to guests. */
export class Ipv4 {
  #identification = 1;

  constructor(
    readonly config: NatConfig,
    readonly clock: Clock,
    readonly arp: Arp,
    readonly output: Output,
  ) {}

  /**
   * Writes the header of a packet whose payload of `length` bytes lies behind it in the output buffer.
   * `fragment` is flags and offset as in the header.
   */
  writeHeader(
    protocol: number,
    source: Ipv4Address,
    destination: Ipv4Address,
    length: number,
    fragment = DONT_FRAGMENT,
    identification = 0,
  ): void {
    const { bytes, words } = this.output.buffer;
    bytes[IP_AT] = 0x45;
    bytes[IP_AT + 1] = 0;
    put16(bytes, IP_AT + 2, IPV4_HEADER + length);
    put16(bytes, IP_AT + 4, identification);
    put16(bytes, IP_AT + 6, fragment);
    bytes[IP_AT + 8] = TTL;
    bytes[IP_AT + 9] = protocol;
    put16(bytes, IP_AT + 10, 0);
    put32(bytes, IP_AT + 12, source);
    put32(bytes, IP_AT + 16, destination);
    put16(bytes, IP_AT + 10, finish(sumWords(words, bytes, IP_AT, IPV4_HEADER)));
  }

  /** Queues a packet, in fragments where it is longer than the MTU (RFC 791 3.2). `to` is the guest's MAC, asked for unless told. */
  send(
    protocol: number,
    source: Ipv4Address,
    destination: Ipv4Address,
    payload: Uint8Array,
    to: Uint8Array | undefined = this.arp.lookup(destination),
  ): void {
    const most = (this.config.mtu - IPV4_HEADER) & ~7;
    const whole = payload.length <= this.config.mtu - IPV4_HEADER;
    const identification = whole ? 0 : this.#identification++ & 0xffff;
    for (let at = 0; at < payload.length; at += most) {
      const length = whole ? payload.length : Math.min(most, payload.length - at);
      this.output.buffer.bytes.set(payload.subarray(at, at + length), IP_AT + IPV4_HEADER);
      const more = at + length < payload.length ? MORE_FRAGMENTS : 0;
      this.writeHeader(
        protocol,
        source,
        destination,
        length,
        whole ? DONT_FRAGMENT : more | (at >> 3),
        identification,
      );
      if (destination === 0xffff_ffff) this.output.queue(BROADCAST, ETHERTYPE_IPV4, IPV4_HEADER + length);
      else if (to === undefined)
        this.arp.ask(destination, this.clock.now, ETHERTYPE_IPV4, IPV4_HEADER + length);
      else this.output.queue(to, ETHERTYPE_IPV4, IPV4_HEADER + length);
      if (whole) return;
    }
  }

  save(): SnapshotValue {
    return this.#identification;
  }

  restore(saved: SnapshotValue): void {
    this.#identification = saved as number;
  }
}
