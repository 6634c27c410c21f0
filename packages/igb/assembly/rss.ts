import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { get, set } from './state';

// 7.1.1.7: receive side scaling.

// RSS types of the descriptor.
const TCP_IPV4: u32 = 1;
const IPV4: u32 = 2;
const TCP_IPV6: u32 = 3;
const IPV6_EX: u32 = 4;
const IPV6: u32 = 5;
const TCP_IPV6_EX: u32 = 6;
const UDP_IPV4: u32 = 7;
const UDP_IPV6: u32 = 8;
const UDP_IPV6_EX: u32 = 9;

/** Finds type and hash of the received frame; type 0 when MRQC enables none that applies. */
export function hash(s: u32, header: u32): void {
  const control = get(s, R.REG_MRQC);
  const mode = control & B.MRQC_MODE_MASK;
  let type: u32 = 0;
  if (mode == B.MRQC_RSS || mode == B.MRQC_VMDQ_RSS) type = choose(s, control);
  set(s, L.CORE_STATE_RX_RSS_TYPE, type);
  if (type == 0) return;
  const l3 = header + get(s, L.CORE_STATE_RX_L3);
  const l4 = header + get(s, L.CORE_STATE_RX_L4);
  const six = type != TCP_IPV4 && type != IPV4 && type != UDP_IPV4;
  const ports = type != IPV4 && type != IPV6 && type != IPV6_EX;
  const addresses: u32 = six ? 32 : 8;
  let value = toeplitz(s, 0, 0, l3 + (six ? 8 : 12), addresses);
  if (ports) value = toeplitz(s, value, addresses, l4, 4);
  set(s, L.CORE_STATE_RX_HASH, value);
}

function choose(s: u32, control: u32): u32 {
  const info = get(s, L.CORE_STATE_RX_PACKET_INFO);
  if ((info & B.PACKET_ETQF) != 0) return 0;
  const l4 = get(s, L.CORE_STATE_RX_L4) != 0;
  const tcp = l4 && (info & B.PACKET_TCP) != 0;
  const udp = l4 && (info & B.PACKET_UDP) != 0;
  if ((info & B.PACKET_IPV4) != 0) {
    if (tcp && (control & B.MRQC_IPV4_TCP) != 0) return TCP_IPV4;
    if (udp && (control & B.MRQC_IPV4_UDP) != 0) return UDP_IPV4;
    return (control & B.MRQC_IPV4) != 0 ? IPV4 : 0;
  }
  if ((info & B.PACKET_IPV6) == 0) return 0;
  // Home address options and routing headers are not looked into: the addresses of the header count.
  const extended = (info & B.PACKET_IPV6_EXTENSIONS) != 0;
  if (tcp) {
    if (extended && (control & B.MRQC_IPV6_TCP_EX) != 0) return TCP_IPV6_EX;
    if (!extended && (control & B.MRQC_IPV6_TCP) != 0) return TCP_IPV6;
    if (!extended && (control & B.MRQC_IPV6_TCP_EX) != 0) return TCP_IPV6_EX;
  }
  if (udp) {
    if (extended && (control & B.MRQC_IPV6_UDP_EX) != 0) return UDP_IPV6_EX;
    if (!extended && (control & B.MRQC_IPV6_UDP) != 0) return UDP_IPV6;
  }
  if (extended && (control & B.MRQC_IPV6_EX) != 0) return IPV6_EX;
  return (control & B.MRQC_IPV6) != 0 ? IPV6 : 0;
}

/** The Toeplitz hash of `length` bytes at `data` that begin `offset` bytes into the input. */
function toeplitz(s: u32, value: u32, offset: u32, data: u32, length: u32): u32 {
  const key = s + R.REG_RSSRK + offset;
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(data + i);
    // 40 bits of the key, of which each bit of the byte takes 32, one further each time.
    const window = (<u64>bswap<u32>(load<u32>(key + i)) << 8) | load<u8>(key + i, 4);
    for (let bit: u32 = 0; bit < 8; bit++) {
      if (((byte >> (7 - bit)) & 1) != 0) value ^= <u32>(window >> (8 - bit));
    }
  }
  return value;
}

/** The entry of RETA for the hash of the received frame; 0 without one. */
// @ts-ignore: decorator
@inline
export function redirect(s: u32): u32 {
  if (get(s, L.CORE_STATE_RX_RSS_TYPE) == 0) return 0;
  return load<u8>(s + R.REG_RETA + (get(s, L.CORE_STATE_RX_HASH) & 0x7f)) & 15;
}

/** The queue of the received frame without pools: a filter's, RSS's, or the default (7.1.1). */
export function chooseQueue(s: u32): u32 {
  const filtered = get(s, L.CORE_STATE_RX_FILTER_QUEUE);
  if (filtered != 0) return filtered - 1;
  const control = get(s, R.REG_MRQC);
  if ((control & B.MRQC_MODE_MASK) == B.MRQC_RSS) return redirect(s);
  return (control >> B.MRQC_DEFAULT_QUEUE_SHIFT) & 7;
}

/** The queue of the received frame in a pool (7.1.1.x): the pool's first, or its second where RSS says so. */
export function poolQueue(s: u32, pool: u32): u32 {
  const filtered = get(s, L.CORE_STATE_RX_FILTER_QUEUE);
  if (filtered != 0 && ((filtered - 1) & 7) == pool) return filtered - 1;
  const rss =
    (get(s, R.REG_MRQC) & B.MRQC_MODE_MASK) == B.MRQC_VMDQ_RSS &&
    (get(s, R.REG_VMOLR + (pool << 2)) & B.VMOLR_RSSE) != 0;
  return rss ? pool | (redirect(s) & 8) : pool;
}
