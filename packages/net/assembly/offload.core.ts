// Offloads on a whole packet in one piece: its checksum, and the headers of its segments. No state.
import * as O from '../src/offload/codes';
import { blockSum, fold, loadBe16, storeBe16, swap16 } from './checksum';

const ETHERTYPE_IPV4: u32 = 0x0800;
const ETHERTYPE_IPV6: u32 = 0x86dd;
const ETHERTYPE_VLAN: u32 = 0x8100;
const ETHERTYPE_SERVICE_VLAN: u32 = 0x88a8;
const TCP_CHECKSUM: u32 = 16;
const UDP_CHECKSUM: u32 = 6;

/** Puts the checksum of everything from `start` on to `start + offset`, whose sum is there already. */
export function complete(packet: u32, length: u32, start: u32, offset: u32): void {
  const sum = ~fold(blockSum(packet + start, length - start)) & 0xffff;
  // RFC 768: a UDP checksum of zero means none; to all others both zeros are the same.
  store<u16>(packet + start + offset, <u16>(sum == 0 ? 0xffff : sum));
}

/**
 * Where the network header begins (bits 31:16) and where the payload does (bits 15:0) of a packet that is to be
 * cut; 0 where its headers are not what `needs` says, or are longer than `limit` bytes.
 */
export function headers(packet: u32, length: u32, needs: u32, start: u32, limit: u32): u32 {
  if (start >= limit || start + 8 > length) return 0;
  const ip = networkHeader(packet);
  const tcp = (needs & (O.OFFLOAD_TCP4 | O.OFFLOAD_TCP6)) != 0;
  const four = (needs & (O.OFFLOAD_TCP4 | O.OFFLOAD_UDP4)) != 0;
  const protocol: u32 = tcp ? 6 : 17;
  const type = loadBe16(packet + ip - 2);
  if (four) {
    if (type != ETHERTYPE_IPV4 || !transportOf4(packet, ip, start, protocol)) return 0;
  } else if (type != ETHERTYPE_IPV6 || !transportOf6(packet, ip, start, protocol)) return 0;
  let end = start + 8;
  if (tcp) {
    if (start + 20 > length) return 0;
    const size = (<u32>load<u8>(packet + start + 12) >> 4) << 2;
    if (size < 20) return 0;
    end = start + size;
  }
  return end > length || end > limit ? 0 : (ip << 16) | end;
}

/** Behind the type of the frame, and behind up to two tags. */
function networkHeader(packet: u32): u32 {
  let at: u32 = 14;
  for (let tags = 0; tags < 2; tags++) {
    const type = loadBe16(packet + at - 2);
    if (type != ETHERTYPE_VLAN && type != ETHERTYPE_SERVICE_VLAN) break;
    at += 4;
  }
  return at;
}

function transportOf4(packet: u32, ip: u32, start: u32, protocol: u32): bool {
  const version = <u32>load<u8>(packet + ip);
  if (version >> 4 != 4 || (version & 15) < 5 || ip + ((version & 15) << 2) != start) return false;
  // A fragment has no whole datagram.
  return load<u8>(packet + ip + 9) == protocol && (loadBe16(packet + ip + 6) & 0x3fff) == 0;
}

/** RFC 8200 4.1: hop-by-hop options, destination options and routing may lie in between. */
function transportOf6(packet: u32, ip: u32, start: u32, protocol: u32): bool {
  if (ip + 40 > start || load<u8>(packet + ip) >> 4 != 6) return false;
  let next: u32 = load<u8>(packet + ip + 6);
  let at = ip + 40;
  while (at < start) {
    if (next != 0 && next != 43 && next != 60) return false;
    next = load<u8>(packet + at);
    at += (<u32>load<u8>(packet + at + 1) + 1) << 3;
  }
  return at == start && next == protocol;
}

/**
 * Writes the header of a segment to `target`: `layout` is what `headers` answered, `sent` the bytes of payload of
 * the segments before, `payload` those of this one, which stay in the packet.
 */
export function segment(
  packet: u32,
  length: u32,
  layout: u32,
  needs: u32,
  start: u32,
  index: u32,
  sent: u32,
  payload: u32,
  target: u32,
): void {
  const ip = layout >> 16;
  const header = layout & 0xffff;
  const tcp = (needs & (O.OFFLOAD_TCP4 | O.OFFLOAD_TCP6)) != 0;
  const last = header + sent + payload == length;
  memory.copy(target, packet, header);
  if ((needs & (O.OFFLOAD_TCP4 | O.OFFLOAD_UDP4)) != 0) {
    storeBe16(target + ip + 2, header - ip + payload);
    storeBe16(target + ip + 4, loadBe16(target + ip + 4) + index);
    store<u16>(target + ip + 10, 0);
    store<u16>(target + ip + 10, <u16>~fold(blockSum(target + ip, start - ip)));
  } else storeBe16(target + ip + 4, header - ip - 40 + payload);
  const t = target + start;
  if (tcp) {
    store<u32>(t + 4, bswap<u32>(bswap<u32>(load<u32>(t + 4)) + sent));
    let flags: u32 = load<u8>(t + 13);
    // FIN and PSH belong to the last segment, CWR to the first (RFC 3168 6.1.2).
    if (!last) flags &= ~0x09;
    if (index != 0) flags &= ~0x80;
    store<u8>(t + 13, flags);
  } else storeBe16(t + 4, header - start + payload);
  // The field has the sum of the pseudo header with the length of the whole; this segment has its own.
  const field = t + (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  const lengths = <u64>swap16(~(length - start) & 0xffff) + <u64>swap16(header - start + payload);
  const sum = lengths + blockSum(t, header - start) + blockSum(packet + header + sent, payload);
  const checksum = ~fold(sum) & 0xffff;
  store<u16>(field, <u16>(checksum == 0 ? 0xffff : checksum));
}
