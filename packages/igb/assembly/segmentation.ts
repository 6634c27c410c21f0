import { fold, loadBe16, storeBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { dmaRead } from './dma';
import { rangeAt } from './frame';
import { gather, OK } from './gather';
import {
  headerAt,
  insertIpChecksum,
  insertTransportChecksum,
  ipLength,
  isIpv4,
  macLength,
  transportLength,
  transportType,
} from './offload';
import { get, txQueue } from './state';

// 7.2.4: segmentation of TCP and UDP. The first MACLEN + IPLEN + L4LEN bytes of the packet are the prototype header; the
// rest is cut into segments of MSS bytes. Payload stays where it is: a segment is a header of our own making and ranges
// of guest memory.

const MOST_SEGMENT: u32 = 9728;

/** The context that the packet at hand of queue `q` names (IDX). */
export function contextOf(s: u32, q: u32, options: u32): u32 {
  const second = ((options >> B.TXD_IDX_SHIFT) & 1) != 0;
  return txQueue(s, q) + (second ? L.TX_QUEUE_CONTEXT1 : L.TX_QUEUE_CONTEXT0);
}

// @ts-ignore: decorator
@inline
export function headerOf(context: u32): u32 {
  return macLength(context) + ipLength(context) + transportLength(context);
}

// @ts-ignore: decorator
@inline
export function segmentSize(context: u32): u32 {
  return load<u32>(context, L.TX_CONTEXT_DESCRIPTOR_L4) >> 16;
}

/** 7.2.2.2: a context that cannot be used drops the packet. */
export function validContext(context: u32): bool {
  const header = headerOf(context);
  const size = segmentSize(context);
  if (header == 0 || header > 1023 || size == 0 || header + size > MOST_SEGMENT) return false;
  const type = transportType(context);
  return type == B.TUCMD_L4_TCP || type == B.TUCMD_L4_UDP;
}

/**
 * Takes 1 to `available` bytes at `address` into the prototype header or the segment at hand. The count, or 0 with a
 * reason in dropReason.
 */
export function segmentData(s: u32, q: u32, context: u32, address: u64, available: u32): u32 {
  const queue = txQueue(s, q);
  const header = headerOf(context);
  const have = load<u32>(queue, L.TX_QUEUE_HEADER_HAVE);
  if (have < header) {
    const n = min(available, header - have);
    const to = s + L.CORE_STATE_TX_PROTOTYPES + (q << 10) + have;
    if (!dmaRead(s, address, to, n)) {
      store<u32>(s + L.CORE_STATE_DROP_REASON, B.DROP_DMA);
      return 0;
    }
    store<u32>(queue, have + n, L.TX_QUEUE_HEADER_HAVE);
    return n;
  }
  const segment = get(s, L.CORE_STATE_FRAME_LENGTH);
  const planned = load<u32>(queue, L.TX_QUEUE_OPTIONS) >> 14;
  const taken = load<u32>(queue, L.TX_QUEUE_PAYLOAD_SENT) + segment;
  // What lies beyond PAYLEN is not sent.
  if (taken >= planned) return available;
  const n = min(available, min(segmentSize(context) - segment, planned - taken));
  const answer = gather(s, address, n);
  if (answer == OK) return n;
  store<u32>(s + L.CORE_STATE_DROP_REASON, answer);
  return 0;
}

/** True when the segment at hand is complete; it is the frame at hand then. `last`: no more data follow. */
export function segmentEnd(s: u32, q: u32, context: u32, last: bool): bool {
  const queue = txQueue(s, q);
  if (load<u32>(queue, L.TX_QUEUE_HEADER_HAVE) < headerOf(context)) return false;
  const segment = get(s, L.CORE_STATE_FRAME_LENGTH);
  const sent = load<u32>(queue, L.TX_QUEUE_PAYLOAD_SENT);
  const planned = load<u32>(queue, L.TX_QUEUE_OPTIONS) >> 14;
  const final = last || sent + segment >= planned;
  const alone = last && load<u32>(queue, L.TX_QUEUE_SEGMENTS) == 0;
  if (segment < segmentSize(context) && !(final && (segment > 0 || alone))) return false;
  build(s, q, context, segment, sent, final);
  return true;
}

function build(s: u32, q: u32, context: u32, payload: u32, sent: u32, final: bool): void {
  const queue = txQueue(s, q);
  const headerLength = headerOf(context);
  const header = headerAt(s);
  const length = headerLength + payload;
  const ip = macLength(context);
  const l4 = ip + ipLength(context);
  const segments = load<u32>(queue, L.TX_QUEUE_SEGMENTS);
  const tcp = transportType(context) == B.TUCMD_L4_TCP;
  memory.copy(header, s + L.CORE_STATE_TX_PROTOTYPES + (q << 10), headerLength);
  if (isIpv4(context)) {
    if (ip + 20 <= headerLength) {
      storeBe16(header + ip + 2, length - ip);
      storeBe16(header + ip + 4, loadBe16(header + ip + 4) + segments);
    }
  } else if (ip + 40 <= headerLength) storeBe16(header + ip + 4, length - ip - 40);
  if (tcp) {
    if (l4 + 20 <= headerLength) {
      store<u32>(header + l4 + 4, bswap<u32>(bswap<u32>(load<u32>(header + l4 + 4)) + sent));
      flags(s, header + l4 + 12, segments == 0, final);
    }
  } else if (l4 + 8 <= headerLength) storeBe16(header + l4 + 4, length - l4);
  const range = rangeAt(s, 0);
  store<u32>(range, header);
  store<u32>(range, headerLength, 4);
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, length);
  const options = load<u32>(queue, L.TX_QUEUE_OPTIONS) >> 8;
  if ((options & B.POPTS_IXSM) != 0) insertIpChecksum(s, context, length);
  if ((options & B.POPTS_TXSM) != 0) {
    const field = l4 + (tcp ? 16 : 6);
    if (field + 2 <= headerLength) {
      // Software's pseudo header sum lacks the length, which differs from segment to segment.
      storeBe16(header + field, fold(<u64>loadBe16(header + field) + (length - l4)));
    }
    insertTransportChecksum(s, context, length);
  }
  store<u32>(queue, segments + 1, L.TX_QUEUE_SEGMENTS);
  store<u32>(queue, sent + payload, L.TX_QUEUE_PAYLOAD_SENT);
}

/** 8.12.x: DTXTCPFLGL and DTXTCPFLGH mask the flags of first, middle and last segments. A segment that is all keeps them. */
function flags(s: u32, at: u32, first: bool, last: bool): void {
  if (first && last) return;
  const low = get(s, R.REG_DTXTCPFLGL);
  const mask = first ? low : last ? get(s, R.REG_DTXTCPFLGH) : low >> 16;
  storeBe16(at, loadBe16(at) & (0xf000 | (mask & 0xfff)));
}
