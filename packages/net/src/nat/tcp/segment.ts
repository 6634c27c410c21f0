import { get16, get32, put16, put32 } from '../bytes.js';
import { IP_AT, type PacketBuffer } from '../buffer.js';
import { finish, pseudoHeader, sumWords } from '../checksum.js';
import { IPV4_HEADER, PROTOCOL_TCP, type Ipv4Header } from '../ipv4.js';
import { distance, type Sequence } from './sequence.js';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

/** Bytes of a header without options. */
export const TCP_HEADER = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
/** Largest shift (RFC 7323 2.3). */
const MAX_SHIFT = 14;

/** A received segment (RFC 9293 3.1) in numbers; reused from segment to segment. */
export class Segment {
  sourcePort = 0;
  destinationPort = 0;
  sequence: Sequence = 0;
  acknowledgment: Sequence = 0;
  flags = 0;
  /** As in the header, not scaled. */
  window = 0;
  /** Of the option, 0 without. */
  mss = 0;
  /** Of the option, -1 without. */
  windowShift = -1;
  /** The data, in `bytes`. */
  dataAt = 0;
  dataLength = 0;
  bytes: Uint8Array = EMPTY;

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** Sequence numbers taken: data, SYN and FIN. */
  get span(): number {
    return this.dataLength + (this.flags & SYN ? 1 : 0) + (this.flags & FIN ? 1 : 0);
  }

  /** Some part of it lies in the window of `window` numbers from `next` on (RFC 9293 3.4, table 6). */
  overlaps(next: Sequence, window: number): boolean {
    const start = distance(this.sequence, next);
    const end = start + this.span - 1;
    if (this.span === 0) return start === 0 || (start > 0 && start < window);
    return (start >= 0 && start < window) || (end >= 0 && end < window);
  }

  /** Reads `length` bytes at the even place `at`; false when header, options or checksum are not sound. */
  read(header: Ipv4Header, buffer: PacketBuffer, at: number, length: number): boolean {
    const { bytes, words } = buffer;
    if (length < TCP_HEADER) return false;
    const headerLength = (bytes[at + 12] >> 4) * 4;
    if (headerLength < TCP_HEADER || headerLength > length) return false;
    const pseudo = pseudoHeader(header.source, header.destination, PROTOCOL_TCP, length);
    if (finish(sumWords(words, bytes, at, length, pseudo)) !== 0) return false;
    this.bytes = bytes;
    this.sourcePort = get16(bytes, at);
    this.destinationPort = get16(bytes, at + 2);
    this.sequence = get32(bytes, at + 4);
    this.acknowledgment = get32(bytes, at + 8);
    this.flags = bytes[at + 13] & 0x3f;
    this.window = get16(bytes, at + 14);
    this.dataAt = at + headerLength;
    this.dataLength = length - headerLength;
    this.#options(at + TCP_HEADER, at + headerLength);
    return true;
  }

  #options(from: number, end: number): void {
    const { bytes } = this;
    this.mss = 0;
    this.windowShift = -1;
    for (let at = from; at < end;) {
      const kind = bytes[at];
      if (kind === OPTION_END) return;
      if (kind === OPTION_NOP) {
        at++;
        continue;
      }
      const length = at + 1 < end ? bytes[at + 1] : 0;
      // RFC 9293 3.1 MUST-7: options of an illegal length must not harm.
      if (length < 2 || at + length > end) return;
      if (kind === OPTION_MSS && length === 4) this.mss = get16(bytes, at + 2);
      else if (kind === OPTION_WINDOW_SCALE && length === 3) {
        this.windowShift = Math.min(bytes[at + 2], MAX_SHIFT);
      }
      at += length;
    }
  }
}

/** What a segment to a guest says. */
export interface SegmentFields {
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  sequence: Sequence;
  acknowledgment: Sequence;
  flags: number;
  /** As in the header, scaled already. */
  window: number;
}

/** Where data goes in a buffer before {@link writeSegment} without options. */
export const DATA_AT = IP_AT + IPV4_HEADER + TCP_HEADER;

/**
 * Writes the TCP header before `dataLength` bytes of data that lie at their place already; the segment's
 * length. `mss` and `shift` are sent as options where they are not negative, without data.
 */
export function writeSegment(
  buffer: PacketBuffer,
  fields: SegmentFields,
  dataLength: number,
  mss = -1,
  shift = -1,
): number {
  const { bytes, words } = buffer;
  const at = IP_AT + IPV4_HEADER;
  let options = at + TCP_HEADER;
  if (mss >= 0) {
    put16(bytes, options, (OPTION_MSS << 8) | 4);
    put16(bytes, options + 2, mss);
    options += 4;
  }
  if (shift >= 0) {
    put16(bytes, options, (OPTION_NOP << 8) | OPTION_WINDOW_SCALE);
    put16(bytes, options + 2, (3 << 8) | shift);
    options += 4;
  }
  const headerLength = options - at;
  const length = headerLength + dataLength;
  put16(bytes, at, fields.sourcePort);
  put16(bytes, at + 2, fields.destinationPort);
  put32(bytes, at + 4, fields.sequence);
  put32(bytes, at + 8, fields.acknowledgment);
  bytes[at + 12] = (headerLength / 4) << 4;
  bytes[at + 13] = fields.flags;
  put16(bytes, at + 14, fields.window);
  put32(bytes, at + 16, 0);
  const pseudo = pseudoHeader(fields.source, fields.destination, PROTOCOL_TCP, length);
  put16(bytes, at + 16, finish(sumWords(words, bytes, at, length, pseudo)));
  return length;
}

const EMPTY = new Uint8Array(0);
