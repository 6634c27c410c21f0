import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { frameSum } from './checksum';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './parse';
import { get, set } from './state';

/** 7.1.7: checksums of the received frame of `length` bytes, from what RXCSUM enables, into its status. */
export function checkReceived(s: u32, header: u32, length: u32): void {
  const control = get(s, R.REG_RXCSUM);
  const info = get(s, L.CORE_STATE_RX_PACKET_INFO);
  let status: u32 = 0;
  if ((info & B.PACKET_ETQF) == 0) {
    const at = get(s, L.CORE_STATE_RX_L3);
    if ((info & B.PACKET_IPV4) != 0) status = checkIpv4(s, control, header, at, length);
    else if ((info & B.PACKET_IPV6) != 0 && (control & B.RXCSUM_TUOFLD) != 0) {
      const end = at + 40 + loadBe16(header + at + 4);
      const l4 = get(s, L.CORE_STATE_RX_L4);
      if (l4 != 0 && end >= l4 && end <= length) {
        status = checkTransport(s, header, pseudoSum(header + at + 8, 32), l4, end - l4);
      }
    }
  }
  set(s, L.CORE_STATE_RX_STATUS, get(s, L.CORE_STATE_RX_STATUS) | status);
  // With RXCSUM.PCSD the descriptor holds the hash, otherwise the packet checksum.
  set(s, L.CORE_STATE_RX_CHECKSUM, (control & B.RXCSUM_PCSD) != 0 ? 0 : packetChecksum(s, control & 0xff, length));
}

/** The complement of the sum from PCSS to the end of the frame, a tag not counted. */
function packetChecksum(s: u32, start: u32, length: u32): u32 {
  const from = get(s, L.CORE_STATE_RX_TAG) != 0xffffffff && start >= 12 ? start + 4 : start;
  return from < length ? ~frameSum(s, from, length) & 0xffff : 0;
}

function checkIpv4(s: u32, control: u32, header: u32, at: u32, length: u32): u32 {
  const headerLength = (<u32>load<u8>(header + at) & 15) << 2;
  const total = loadBe16(header + at + 2);
  let status: u32 = 0;
  if ((control & B.RXCSUM_IPOFLD) != 0) {
    status |= B.RXD_STATUS_IPCS;
    if (frameSum(s, at, at + headerLength) != 0xffff) status |= B.RXD_ERROR_IPE;
  }
  const l4 = get(s, L.CORE_STATE_RX_L4);
  // Fragments carry no whole checksum.
  if ((control & B.RXCSUM_TUOFLD) == 0 || l4 == 0 || total < headerLength || at + total > length) return status;
  return status | checkTransport(s, header, pseudoSum(header + at + 12, 8), l4, total - headerLength);
}

function pseudoSum(at: u32, length: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < length; i += 2) sum += loadBe16(at + i);
  return sum;
}

function checkTransport(s: u32, header: u32, addresses: u32, start: u32, size: u32): u32 {
  const protocol = get(s, L.CORE_STATE_RX_PROTOCOL);
  let status: u32 = B.RXD_STATUS_L4I;
  if (protocol == PROTOCOL_TCP) {
    if (size < 20) return 0;
  } else if (protocol == PROTOCOL_UDP) {
    // RFC 768: a sum of zero means that the sender made none.
    if (size < 8 || load<u16>(header + start, 6) == 0) return 0;
    status |= B.RXD_STATUS_UDPCS | B.RXD_STATUS_UDPV;
  } else return 0;
  let sum = frameSum(s, start, start + size) + addresses + protocol + size;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum != 0xffff ? status | B.RXD_ERROR_L4E : status;
}
