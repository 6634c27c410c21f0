import { decodeFrame, type Decoded } from '@vmloom/net/testing';

const TYPE_AT = 12;
const TAG_LENGTH = 4;
/** IEEE 802.1Q 9.6. */
const VLAN_TYPE = 0x8100;
const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;

/** A frame with a TCP segment over IPv4. */
export interface Segment {
  /** Bytes of the frame, its tag included. */
  readonly length: number;
  /** Of its VLAN; undefined without a tag. */
  readonly vlan: number | undefined;
  readonly ip: NonNullable<Decoded['ip']>;
  readonly tcp: NonNullable<Decoded['tcp']>;
}

/** A TCP connection as it passed a wire, in the order in which it did. */
export interface Connection {
  /** Port of whoever opened it. */
  readonly port: number;
  /** By whoever opened it. */
  readonly sent: readonly Segment[];
  readonly received: readonly Segment[];
}

/** The VLAN of a frame, and the frame without its tag. */
export function withoutTag(frame: Uint8Array): { readonly vlan?: number; readonly frame: Uint8Array } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < TYPE_AT + TAG_LENGTH + 2 || view.getUint16(TYPE_AT) !== VLAN_TYPE) return { frame };
  const rest = new Uint8Array(frame.length - TAG_LENGTH);
  rest.set(frame.subarray(0, TYPE_AT));
  rest.set(frame.subarray(TYPE_AT + TAG_LENGTH), TYPE_AT);
  return { vlan: view.getUint16(TYPE_AT + 2) & 0xfff, frame: rest };
}

/** The connections to a host's address whose SYN is in the frames, in the order of these. */
export function connectionsTo(address: string, frames: readonly Uint8Array[]): Connection[] {
  const found = new Map<number, { sent: Segment[]; received: Segment[] }>();
  for (const whole of frames) {
    const { vlan, frame } = withoutTag(whole);
    const { ip, tcp } = decodeFrame(frame);
    if (ip === undefined || tcp === undefined) continue;
    const segment: Segment = { length: whole.length, vlan, ip, tcp };
    if (ip.to === address) {
      if ((tcp.flags & SYN) !== 0) found.set(tcp.fromPort, { sent: [], received: [] });
      found.get(tcp.fromPort)?.sent.push(segment);
    } else if (ip.from === address) found.get(tcp.toPort)?.received.push(segment);
  }
  return [...found].map(([port, segments]) => ({ port, ...segments }));
}

/** What one side sent, until it had no more to say: RFC 9293 3.4. */
export interface Progress {
  /** The first segment that did not go on where the one before had ended. */
  readonly gap: Segment | undefined;
  /** The first whose identification (RFC 791 3.1) is not one more than that of the one before. */
  readonly strayIdentification: Segment | undefined;
  /** Sequence numbers behind the segments that were pushed. */
  readonly pushes: readonly number[];
}

/** How one side's segments follow each other, from its SYN to its FIN. */
export function progressOf(segments: readonly Segment[]): Progress {
  let gap: Segment | undefined;
  let strayIdentification: Segment | undefined;
  const pushes: number[] = [];
  let next: number | undefined;
  let identification: number | undefined;
  for (const segment of segments) {
    const { ip, tcp } = segment;
    const { flags, sequence, data } = tcp;
    if ((flags & RST) !== 0) break;
    if (next !== undefined && sequence !== next) gap ??= segment;
    if (identification !== undefined && ip.identification !== ((identification + 1) & 0xffff)) {
      strayIdentification ??= segment;
    }
    next = (sequence + data.length + ((flags & SYN) !== 0 ? 1 : 0)) >>> 0;
    ({ identification } = ip);
    if ((flags & PSH) !== 0) pushes.push(next);
    if ((flags & FIN) !== 0) break;
  }
  return { gap, strayIdentification, pushes };
}
