import { expect } from 'vitest';
import type { UserNatOptions } from '../src/nat/options.js';
import { Random } from '../src/random.js';
import { setUpNat, type Decoded, type TcpFields } from '../src/testing/index.js';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;
export const SERVER = '192.0.2.80';
export const MSS_1460 = Uint8Array.of(2, 4, 5, 0xb4);
/** MSS 1460 and a window scale of 7. */
export const MSS_AND_SCALE = Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7);

export type Tcp = NonNullable<Decoded['tcp']>;

/** A NAT whose guest has sent a SYN. */
export function open(options: Partial<UserNatOptions> = {}, syn: Partial<TcpFields> = {}) {
  const parts = setUpNat(options);
  const { guest, outside, settle } = parts;
  const segments = (frames: Decoded[]): Tcp[] => {
    for (const frame of frames) {
      if (frame.tcp !== undefined) expect([frame.ip!.sound, frame.tcp.sound]).toEqual([true, true]);
    }
    return frames.flatMap((frame) => frame.tcp ?? []);
  };
  const raw = (fields: Partial<TcpFields>): Tcp[] =>
    segments(guest.tcp(SERVER, { fromPort: 40_000, toPort: 80, sequence: 0, flags: ACK, ...fields }));
  const begin = (): Tcp[] => raw({ sequence: 1000, flags: SYN, options: MSS_1460, ...syn });
  expect(begin()).toEqual([]);
  const { flow } = outside.of('tcpConnect').at(-1)!;
  const arrived = (): Tcp[] => segments(settle());
  return { ...parts, raw, begin, flow: flow!, arrived, segments };
}

/** A NAT with an open connection of its guest. */
export function established(options: Partial<UserNatOptions> = {}, syn: Partial<TcpFields> = {}) {
  const parts = open(options, syn);
  const { outside, raw, flow, arrived } = parts;
  outside.arrive('tcp-connected', { flow });
  const [answer] = arrived();
  const iss = answer.sequence;
  let sequence = 1001;
  let acknowledgment = (iss + 1) >>> 0;
  /** A segment in order; data moves the guest's sequence on. */
  const send = (fields: Partial<TcpFields> = {}): Tcp[] => {
    const at = sequence;
    if (fields.sequence === undefined) {
      sequence += (fields.data?.length ?? 0) + ((fields.flags ?? 0) & FIN ? 1 : 0);
    }
    return raw({ sequence: at, acknowledgment, ...fields, flags: ACK | (fields.flags ?? 0) });
  };
  /** Acknowledges everything up to the end of these segments. */
  const take = (segments: Tcp[]): void => {
    for (const { sequence: at, data, flags } of segments) {
      acknowledgment = (at + data.length + (flags & FIN ? 1 : 0)) >>> 0;
    }
  };
  expect(send()).toEqual([]);
  return { ...parts, answer, iss, send, take, next: () => sequence };
}

export const bytes = (length: number, seed = 1): Uint8Array => new Random(seed).fill(new Uint8Array(length));
export const join = (segments: Tcp[]): Uint8Array =>
  Uint8Array.from(segments.flatMap(({ data }) => [...data]));
