import { fold, loadBe16, storeBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';
import { dmaRead } from './dma';
import { rangeAt } from './frame';
import { headerAt, insertChecksum } from './offload';
import { discard, gather, TX_FIFO } from './transmit';

// 3.5: TCP segmentation. The first HDRLEN bytes of the packet are the prototype header; the rest is cut
// into segments of MSS bytes. Payload stays where it is: a segment is a header of our own making and
// ranges of guest memory.

// @ts-ignore: decorator
@inline
function context(s: u32, field: u32): u32 {
  return load<u32>(s + L.CORE_STATE_TX_SEGMENTATION + field);
}

// @ts-ignore: decorator
@inline
function get(s: u32, field: u32): u32 {
  return load<u32>(s + field);
}

export function beginSegmentation(s: u32): void {
  store<u32>(s + L.CORE_STATE_TX_HEADER_HAVE, 0);
  store<u32>(s + L.CORE_STATE_TX_PAYLOAD_SENT, 0);
  store<u32>(s + L.CORE_STATE_TX_SEGMENTS, 0);
  const header = context(s, L.OFFLOAD_CONTEXT_HEADER_LENGTH);
  const size = context(s, L.OFFLOAD_CONTEXT_SEGMENT_SIZE);
  if (header == 0 || size == 0 || header + size > TX_FIFO) discard(s, R.DROP_TSO);
}

/** Takes 1 to `available` bytes at `address` into the prototype header or the segment at hand; the count. */
export function segmentData(s: u32, address: u64, available: u32): u32 {
  const header = context(s, L.OFFLOAD_CONTEXT_HEADER_LENGTH);
  const have = get(s, L.CORE_STATE_TX_HEADER_HAVE);
  if (have < header) {
    const n = min(available, header - have);
    if (!dmaRead(s, address, s + L.CORE_STATE_TX_PROTOTYPE + have, n)) discard(s, R.DROP_DMA);
    store<u32>(s + L.CORE_STATE_TX_HEADER_HAVE, have + n);
    return n;
  }
  const segment = get(s, L.CORE_STATE_FRAME_LENGTH);
  const planned = context(s, L.OFFLOAD_CONTEXT_PAYLOAD_LENGTH);
  const taken = get(s, L.CORE_STATE_TX_PAYLOAD_SENT) + segment;
  // What lies beyond PAYLEN is not sent.
  if (taken >= planned) return available;
  const room = min(context(s, L.OFFLOAD_CONTEXT_SEGMENT_SIZE) - segment, planned - taken);
  const n = min(available, room);
  gather(s, address, n);
  return n;
}

/** True when the segment at hand is complete; it is the frame at hand then. */
export function segmentEnd(s: u32, last: bool): bool {
  if (get(s, L.CORE_STATE_TX_DISCARDING) != 0) return false;
  if (get(s, L.CORE_STATE_TX_HEADER_HAVE) < context(s, L.OFFLOAD_CONTEXT_HEADER_LENGTH)) {
    if (last) discard(s, R.DROP_TSO);
    return false;
  }
  const segment = get(s, L.CORE_STATE_FRAME_LENGTH);
  const sent = get(s, L.CORE_STATE_TX_PAYLOAD_SENT);
  const final = last || sent + segment == context(s, L.OFFLOAD_CONTEXT_PAYLOAD_LENGTH);
  const headerOnly = last && get(s, L.CORE_STATE_TX_SEGMENTS) == 0;
  if (segment == context(s, L.OFFLOAD_CONTEXT_SEGMENT_SIZE) || (final && (segment > 0 || headerOnly))) {
    build(s, segment, sent, final);
    return true;
  }
  return false;
}

function build(s: u32, payload: u32, sent: u32, final: bool): void {
  const c = s + L.CORE_STATE_TX_SEGMENTATION;
  const headerLength = context(s, L.OFFLOAD_CONTEXT_HEADER_LENGTH);
  const header = headerAt(s);
  const length = headerLength + payload;
  const command = context(s, L.OFFLOAD_CONTEXT_COMMAND);
  const ip = context(s, L.OFFLOAD_CONTEXT_IP_START);
  const tcp = context(s, L.OFFLOAD_CONTEXT_TCP_START);
  const segments = get(s, L.CORE_STATE_TX_SEGMENTS);
  const isTcp = (command & R.TUCMD_TCP) != 0;
  memory.copy(header, s + L.CORE_STATE_TX_PROTOTYPE, headerLength);
  if ((command & R.TUCMD_IP) != 0) {
    if (ip + 20 <= headerLength) {
      storeBe16(header + ip + 2, length - ip);
      storeBe16(header + ip + 4, loadBe16(header + ip + 4) + segments);
    }
  } else if (ip + 40 <= headerLength) storeBe16(header + ip + 4, length - ip - 40);
  if (isTcp) {
    if (tcp + 20 <= headerLength) {
      store<u32>(header + tcp + 4, bswap<u32>(bswap<u32>(load<u32>(header + tcp + 4)) + sent));
      // 3.5.7: FIN and PSH go with the last segment only.
      if (!final) store<u8>(header + tcp + 13, load<u8>(header + tcp + 13) & ~0x09);
    }
  } else if (tcp + 8 <= headerLength) storeBe16(header + tcp + 4, length - tcp);
  const range = rangeAt(s, 0);
  store<u32>(range, header);
  store<u32>(range, headerLength, 4);
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, length);
  const options = get(s, L.CORE_STATE_TX_OPTIONS);
  if ((options & R.POPTS_IXSM) != 0) insertChecksum(s, c, L.OFFLOAD_CONTEXT_IP_START, length, false);
  if ((options & R.POPTS_TXSM) != 0) {
    const field = context(s, L.OFFLOAD_CONTEXT_TCP_OFFSET);
    if (field + 2 <= headerLength && tcp < length) {
      // 3.5.6: software's pseudo header sum lacks the length, which differs from segment to segment.
      storeBe16(header + field, fold(<u64>loadBe16(header + field) + (length - tcp)));
    }
    insertChecksum(s, c, L.OFFLOAD_CONTEXT_TCP_START, length, !isTcp);
  }
  store<u32>(s + L.CORE_STATE_TX_SEGMENTS, segments + 1);
  store<u32>(s + L.CORE_STATE_TX_PAYLOAD_SENT, sent + payload);
}
