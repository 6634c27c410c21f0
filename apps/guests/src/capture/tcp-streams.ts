import { GuestsError } from '../error.js';

const ETHERNET_HEADER = 14;
const IPV4 = 0x0800;
const TCP = 6;
const FIN = 1;
const SYN = 2;

/** One direction of a TCP connection, put together from its segments. */
export interface TcpStream {
  /** `source:port>destination:port`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** A FIN ended it, and nothing before it is missing. */
  readonly whole: boolean;
}

interface Segments {
  /** Sequence number of the first byte of data. */
  first: number | undefined;
  end: number | undefined;
  readonly parts: Map<number, Uint8Array>;
}

/**
 * The data of every TCP connection over IPv4 whose SYN is in the frames, by what its segments say of their
 * places (RFC 9293 3.4): how they were cut, and how often sent, makes no difference.
 * @throws GuestsError bad-capture when bytes sent again differ from the first time
 */
export function tcpStreams(frames: readonly Uint8Array[]): TcpStream[] {
  const found = new Map<string, Segments>();
  for (const frame of frames) addSegment(found, frame);
  return [...found].flatMap(([name, segments]) =>
    segments.first === undefined ? [] : [{ name, ...joinSegments(name, segments, segments.first) }],
  );
}

function addSegment(found: Map<string, Segments>, frame: Uint8Array): void {
  if (frame.length < ETHERNET_HEADER + 40) return;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint16(12) !== IPV4 || view.getUint8(ETHERNET_HEADER + 9) !== TCP) return;
  const headerLength = (view.getUint8(ETHERNET_HEADER) & 15) * 4;
  // What follows the packet is padding; a segment too large for the field says 0 there.
  const length = view.getUint16(ETHERNET_HEADER + 2) || frame.length - ETHERNET_HEADER;
  const tcp = ETHERNET_HEADER + headerLength;
  const address = (at: number): string => frame.slice(at, at + 4).join('.');
  const from = `${address(ETHERNET_HEADER + 12)}:${view.getUint16(tcp)}`;
  const name = `${from}>${address(ETHERNET_HEADER + 16)}:${view.getUint16(tcp + 2)}`;
  const segments: Segments = found.get(name) ?? { first: undefined, end: undefined, parts: new Map() };
  found.set(name, segments);
  const flags = view.getUint8(tcp + 13);
  const data = tcp + (view.getUint8(tcp + 12) >> 4) * 4;
  const bytes = frame.slice(data, ETHERNET_HEADER + length);
  const sequence = (view.getUint32(tcp + 4) + (flags & SYN ? 1 : 0)) >>> 0;
  if (flags & SYN) segments.first = sequence;
  if (flags & FIN) segments.end = (sequence + bytes.length) >>> 0;
  const known = segments.parts.get(sequence);
  if (bytes.length > (known?.length ?? 0)) segments.parts.set(sequence, bytes);
}

function joinSegments(
  name: string,
  { end, parts }: Segments,
  first: number,
): { bytes: Uint8Array; whole: boolean } {
  const placed = [...parts]
    .map(([sequence, bytes]) => ({ at: (sequence - first) | 0, bytes }))
    .sort((a, b) => a.at - b.at);
  const length = Math.max(0, ...placed.map(({ at, bytes }) => at + bytes.length));
  const joined = new Uint8Array(length);
  let reached = 0;
  for (const { at, bytes } of placed) {
    // A keep-alive's byte before the data, or one behind a hole.
    if (at < 0 || at > reached) break;
    const again = Math.min(reached - at, bytes.length);
    if (bytes.subarray(0, again).some((byte, index) => byte !== joined[at + index])) {
      throw new GuestsError('bad-capture', `${name}: byte ${at} and on differ when sent again`);
    }
    joined.set(bytes, at);
    reached = Math.max(reached, at + bytes.length);
  }
  const whole = end !== undefined && ((end - first) | 0) === reached;
  return { bytes: joined.subarray(0, reached), whole };
}
