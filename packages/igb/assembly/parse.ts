import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { get, set } from './state';

const ETHERTYPE_IPV4: u32 = 0x0800;
const ETHERTYPE_IPV6: u32 = 0x86dd;
export const PROTOCOL_TCP: u32 = 6;
export const PROTOCOL_UDP: u32 = 17;
export const PROTOCOL_SCTP: u32 = 132;
const HOP_BY_HOP: u32 = 0;
const ROUTING: u32 = 43;
const FRAGMENT: u32 = 44;
const DESTINATION: u32 = 60;
const PORT_NFS: u32 = 2049;

/** 7.1.5.2: the headers of the received frame, of which `header` holds the first `have` bytes. */
export function parse(s: u32, header: u32, have: u32): void {
  let at: u32 = 12;
  let type = loadBe16(header + at);
  set(s, L.CORE_STATE_RX_TAG, 0xffffffff);
  if (type == (get(s, R.REG_VET) & 0xffff) && have >= 18) {
    set(s, L.CORE_STATE_RX_TAG, loadBe16(header + 14));
    at = 16;
    type = loadBe16(header + at);
  }
  at += 2;
  set(s, L.CORE_STATE_RX_L3, at);
  set(s, L.CORE_STATE_RX_L4, 0);
  set(s, L.CORE_STATE_RX_PROTOCOL, 0);
  set(s, L.CORE_STATE_RX_FRAGMENT, 0);
  set(s, L.CORE_STATE_RX_SPLIT_LENGTH, 0);
  set(s, L.CORE_STATE_RX_SPLIT_KIND, 0);
  let info: u32 = 0;
  if (type == ETHERTYPE_IPV4 && at + 20 <= have) info = parseIpv4(s, header, at, have);
  else if (type == ETHERTYPE_IPV6 && at + 40 <= have) info = parseIpv6(s, header, at, have);
  set(s, L.CORE_STATE_RX_PACKET_INFO, info);
}

function parseIpv4(s: u32, header: u32, at: u32, have: u32): u32 {
  const first = <u32>load<u8>(header + at);
  const length = (first & 15) << 2;
  if (first >> 4 != 4 || length < 20 || at + length > have) return 0;
  const info: u32 = B.PACKET_IPV4 | (length > 20 ? B.PACKET_IPV4_OPTIONS : 0);
  const fragment = (loadBe16(header + at + 6) & 0x3fff) != 0;
  set(s, L.CORE_STATE_RX_FRAGMENT, fragment ? 1 : 0);
  set(s, L.CORE_STATE_RX_PROTOCOL, load<u8>(header + at + 9));
  split(s, at + length, 1);
  return fragment ? info : info | parseTransport(s, header, at + length, have, 1);
}

function parseIpv6(s: u32, header: u32, at: u32, have: u32): u32 {
  if (load<u8>(header + at) >> 4 != 6) return 0;
  let info: u32 = B.PACKET_IPV6;
  let next = <u32>load<u8>(header + at + 6);
  let to = at + 40;
  // Extension headers as far as the controller looks.
  for (let i = 0; i < 8; i++) {
    if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION && next != FRAGMENT) break;
    info |= B.PACKET_IPV6_EXTENSIONS;
    if (to + 8 > have) return info;
    if (next == FRAGMENT) {
      set(s, L.CORE_STATE_RX_FRAGMENT, 1);
      return info;
    }
    next = load<u8>(header + to);
    to += (<u32>load<u8>(header + to + 1) + 1) << 3;
  }
  set(s, L.CORE_STATE_RX_PROTOCOL, next);
  if (to > have) return info;
  split(s, to, 7);
  return info | parseTransport(s, header, to, have, 7);
}

/** `kind`: the bit of PSRTYPE of the network header alone; those with TCP and UDP follow. */
function parseTransport(s: u32, header: u32, at: u32, have: u32, kind: u32): u32 {
  const protocol = get(s, L.CORE_STATE_RX_PROTOCOL);
  if (protocol == PROTOCOL_TCP) {
    if (at + 20 > have) return 0;
    set(s, L.CORE_STATE_RX_L4, at);
    const length = (<u32>load<u8>(header + at + 12) >> 4) << 2;
    if (length >= 20 && at + length <= have) split(s, at + length, kind + 1);
    return B.PACKET_TCP | nfs(header + at);
  }
  if (protocol == PROTOCOL_UDP) {
    if (at + 8 > have) return 0;
    set(s, L.CORE_STATE_RX_L4, at);
    split(s, at + 8, kind + 2);
    return B.PACKET_UDP | nfs(header + at);
  }
  if (protocol == PROTOCOL_SCTP && at + 12 <= have) {
    set(s, L.CORE_STATE_RX_L4, at);
    return B.PACKET_SCTP;
  }
  return 0;
}

function split(s: u32, length: u32, kind: u32): void {
  set(s, L.CORE_STATE_RX_SPLIT_LENGTH, length);
  set(s, L.CORE_STATE_RX_SPLIT_KIND, kind);
}

/** RFCTL lets NFS be told apart by its port; the type says so, headers are not parsed further. */
function nfs(transport: u32): u32 {
  return loadBe16(transport) == PORT_NFS || loadBe16(transport + 2) == PORT_NFS ? B.PACKET_NFS : 0;
}
