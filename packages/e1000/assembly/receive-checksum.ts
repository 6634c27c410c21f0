import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';
import { frameSum } from './checksum';

const ETHERTYPE_IPV4: u32 = 0x0800;
const ETHERTYPE_IPV6: u32 = 0x86dd;
const PROTOCOL_TCP: u32 = 6;
const PROTOCOL_UDP: u32 = 17;

/**
 * 3.2.9: checksums of a received frame of `length` bytes, from what RXCSUM enables. `header` holds its
 * first `have` bytes. Sets the frame's status, errors and packet checksum.
 */
export function checkReceived(s: u32, header: u32, have: u32, length: u32): void {
  const control = load<u32>(s + R.REG_RXCSUM);
  const strip = load<u32>(s + L.CORE_STATE_RX_STRIP);
  // With the FCS, where that is stored.
  packetChecksum(s, control & 0xff, strip, load<u32>(s + L.CORE_STATE_FRAME_LENGTH));
  let status: u32 = 0;
  if ((control & (R.RXCSUM_IPOFLD | R.RXCSUM_TUOFLD)) != 0) {
    let at: u32 = 12;
    if (loadBe16(header + at) == load<u32>(s + R.REG_VET)) at += 4;
    const type = loadBe16(header + at);
    at += 2;
    if (type == ETHERTYPE_IPV4 && at + 20 <= have) status = checkIpv4(s, control, header, at, length);
    else if (type == ETHERTYPE_IPV6 && at + 40 <= have && (control & R.RXCSUM_IPV6OFLD) != 0) {
      status = checkIpv6(s, control, header, at, length);
    }
  }
  if (status == 0) status = R.RXD_STATUS_IXSM;
  store<u32>(s + L.CORE_STATE_RX_STATUS, load<u32>(s + L.CORE_STATE_RX_STATUS) | status);
}

/** The complement of the sum from PCSS, counted in the frame as software will see it, to the end. */
function packetChecksum(s: u32, start: u32, strip: u32, length: u32): void {
  let sum: u32 = 0;
  if (strip != 0 && start < 12) {
    sum = frameSum(s, start, 12);
    const rest = frameSum(s, 16, length);
    // The part behind the tag begins at an even distance from the start only when the start is even.
    sum += (start & 1) != 0 ? ((rest & 0xff) << 8) | (rest >> 8) : rest;
    sum = (sum & 0xffff) + (sum >> 16);
  } else {
    const from = strip != 0 ? start + 4 : start;
    if (from < length) sum = frameSum(s, from, length);
  }
  store<u32>(s + L.CORE_STATE_RX_CHECKSUM, ~sum & 0xffff);
}

function fail(s: u32, error: u32): void {
  store<u32>(s + L.CORE_STATE_RX_ERRORS, load<u32>(s + L.CORE_STATE_RX_ERRORS) | error);
}

function checkIpv4(s: u32, control: u32, header: u32, at: u32, length: u32): u32 {
  const first = <u32>load<u8>(header + at);
  const headerLength = (first & 15) << 2;
  const total = loadBe16(header + at + 2);
  if (first >> 4 != 4 || headerLength < 20 || at + headerLength > length) return 0;
  let status: u32 = 0;
  if ((control & R.RXCSUM_IPOFLD) != 0) {
    status |= R.RXD_STATUS_IPCS;
    if (frameSum(s, at, at + headerLength) != 0xffff) fail(s, R.RXD_ERROR_IPE);
  }
  // Fragments carry no whole checksum.
  const fragment = (loadBe16(header + at + 6) & 0x3fff) != 0;
  if ((control & R.RXCSUM_TUOFLD) == 0 || fragment || total < headerLength || at + total > length) return status;
  const protocol = <u32>load<u8>(header + at + 9);
  const addresses = pseudoSum(header + at + 12, 8);
  return status | checkTransport(s, protocol, addresses, at + headerLength, total - headerLength);
}

function checkIpv6(s: u32, control: u32, header: u32, at: u32, length: u32): u32 {
  const payload = loadBe16(header + at + 4);
  if (load<u8>(header + at) >> 4 != 6 || at + 40 + payload > length) return 0;
  if ((control & R.RXCSUM_TUOFLD) == 0) return 0;
  const protocol = <u32>load<u8>(header + at + 6);
  return checkTransport(s, protocol, pseudoSum(header + at + 8, 32), at + 40, payload);
}

function pseudoSum(at: u32, length: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < length; i += 2) sum += loadBe16(at + i);
  return sum;
}

function checkTransport(s: u32, protocol: u32, addresses: u32, start: u32, size: u32): u32 {
  if (protocol == PROTOCOL_TCP) {
    if (size < 20) return 0;
  } else if (protocol == PROTOCOL_UDP) {
    // RFC 768: a sum of zero means that the sender made none.
    if (size < 8 || (byteOf(s, start + 6) | byteOf(s, start + 7)) == 0) return 0;
  } else return 0;
  let sum = frameSum(s, start, start + size) + addresses + protocol + size;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  if (sum != 0xffff) fail(s, R.RXD_ERROR_TCPE);
  return R.RXD_STATUS_TCPCS;
}

function byteOf(s: u32, position: u32): u32 {
  // The sum of one byte is that byte, in the high half.
  return frameSum(s, position, position + 1) >> 8;
}
