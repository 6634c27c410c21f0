import { storeBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import { frameSum } from './checksum';
import { copyOut, rangeAt, replaceStart } from './frame';

// Checksum offsets have 8 bits, so every field that offloads change lies in these first bytes.
const HEADER_REACH: u32 = 257;

/** The header of our own making begins 4 bytes into its area, so that a VLAN tag fits in front. */
// @ts-ignore: decorator
@inline
export function headerAt(s: u32): u32 {
  return s + L.CORE_STATE_TX_HEADER + 4;
}

// @ts-ignore: decorator
@inline
function headerLength(s: u32): u32 {
  return load<u32>(rangeAt(s, 0), 4);
}

/** Copies the start of the frame at hand, `length` bytes long, to where it may be changed. */
export function prepareHeader(s: u32, length: u32): void {
  const n = min(length, HEADER_REACH);
  copyOut(s, 0, n, headerAt(s));
  replaceStart(s, n, headerAt(s), n);
}

/**
 * 3.5: checksum insertion by a context whose start, offset and end lie at `field`: the end is inclusive, 0
 * means the end of the packet. Fields outside the packet or the header are left alone.
 */
export function insertChecksum(s: u32, context: u32, field: u32, length: u32, udp: bool): void {
  const start = load<u32>(context + field);
  const offset = load<u32>(context + field, 4);
  const inclusive = load<u32>(context + field, 8);
  put(s, start, offset, inclusive == 0 ? length : min(length, inclusive + 1), udp);
}

/** 3.3.3: legacy insertion, from `start` to the end of the packet. */
export function legacyChecksum(s: u32, start: u32, offset: u32, length: u32): void {
  put(s, start, offset, length, false);
}

function put(s: u32, start: u32, offset: u32, end: u32, udp: bool): void {
  if (start >= end || offset + 2 > headerLength(s)) return;
  let value = ~frameSum(s, start, end) & 0xffff;
  // RFC 768: a UDP checksum of zero means none, so a computed zero is sent as ones.
  if (udp && value == 0) value = 0xffff;
  storeBe16(headerAt(s) + offset, value);
}

/** 9.2: VET and the tag go behind the addresses. A frame without both addresses cannot be tagged. */
export function insertTag(s: u32, tag: u32, etherType: u32): void {
  const range = rangeAt(s, 0);
  const length = headerLength(s);
  if (length < 12) return;
  const to = headerAt(s) - 4;
  memory.copy(to, to + 4, 12);
  storeBe16(to + 12, etherType);
  storeBe16(to + 14, tag);
  store<u32>(range, to);
  store<u32>(range, length + 4, 4);
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, load<u32>(s + L.CORE_STATE_FRAME_LENGTH) + 4);
}
