import { storeBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import { frameSum } from './checksum';
import { crc32c } from './crc32c';
import { copyOut, rangeAt, replaceStart } from './frame';

// MACLEN has 7 bits, IPLEN 9 and L4LEN 8, so every field that offloads change lies in these first bytes.
const HEADER_REACH: u32 = 1023;

const TCP_CHECKSUM: u32 = 16;
const UDP_CHECKSUM: u32 = 6;
const SCTP_CHECKSUM: u32 = 8;
const IP_CHECKSUM: u32 = 10;

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

/** Copies up to `wanted` bytes of the start of the frame at hand, `length` bytes long, to where they may be changed. */
export function prepareHeader(s: u32, wanted: u32, length: u32): void {
  const n = min(min(length, wanted), HEADER_REACH);
  copyOut(s, 0, n, headerAt(s));
  replaceStart(s, n, headerAt(s), n);
}

/** Fields of a context descriptor. */
// @ts-ignore: decorator
@inline
export function macLength(context: u32): u32 {
  return (load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_MAC_IP) >> 9) & 0x7f;
}

// @ts-ignore: decorator
@inline
export function ipLength(context: u32): u32 {
  return load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_MAC_IP) & 0x1ff;
}

// @ts-ignore: decorator
@inline
export function transportLength(context: u32): u32 {
  return (load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_L4) >> 8) & 0xff;
}

// @ts-ignore: decorator
@inline
export function transportType(context: u32): u32 {
  return (load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_COMMAND) >> (9 + B.TUCMD_L4_SHIFT)) & 3;
}

// @ts-ignore: decorator
@inline
export function isIpv4(context: u32): bool {
  return ((load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_COMMAND) >> 9) & B.TUCMD_IPV4) != 0;
}

/** 7.2.2.3.x: POPTS.IXSM inserts the checksum of the IPv4 header, fields outside the packet are left alone. */
export function insertIpChecksum(s: u32, context: u32, length: u32): void {
  const start = macLength(context);
  const end = min(start + ipLength(context), length);
  put(s, start, start + IP_CHECKSUM, end, false, true);
}

/** POPTS.TXSM inserts the checksum of TCP or UDP, whose pseudo header software has summed, or the CRC of SCTP. */
export function insertTransportChecksum(s: u32, context: u32, length: u32): void {
  const start = macLength(context) + ipLength(context);
  const type = transportType(context);
  if (type == B.TUCMD_L4_TCP) put(s, start, start + TCP_CHECKSUM, length, false, false);
  else if (type == B.TUCMD_L4_UDP) put(s, start, start + UDP_CHECKSUM, length, true, false);
  else if (type == B.TUCMD_L4_SCTP) {
    const field = start + SCTP_CHECKSUM;
    if (start >= length || field + 4 > headerLength(s)) return;
    // RFC 9260 6.8: the field counts as zero.
    store<u32>(headerAt(s) + field, 0);
    store<u32>(headerAt(s) + field, crc32c(s, start, length));
  }
}

/** 7.2.2.1.x: insertion of a legacy descriptor, from `start` to the end of the packet. */
export function legacyChecksum(s: u32, start: u32, offset: u32, length: u32): void {
  put(s, start, offset, length, false, false);
}

function put(s: u32, start: u32, offset: u32, end: u32, udp: bool, zero: bool): void {
  if (start >= end || offset + 2 > headerLength(s)) return;
  if (zero) storeBe16(headerAt(s) + offset, 0);
  let value = ~frameSum(s, start, end) & 0xffff;
  // RFC 768: a UDP checksum of zero means none, so a computed zero is sent as ones.
  if (udp && value == 0) value = 0xffff;
  storeBe16(headerAt(s) + offset, value);
}

/** The type of tags and the tag go behind the addresses. A frame without both addresses cannot be tagged. */
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
