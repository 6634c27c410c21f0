import { noteStore } from '@vmloom/memory/assembly/store';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { count } from './counters';
import { bump, dmaWrite, map, mapCount, mapLength, mapOffset } from './dma';
import { packetInfo } from './fifo';
import { readAhead, RX_AHEAD } from './read-ahead';
import { get, queueRegister, raise, rxQueue, set } from './state';
import { copyStripped } from './strip';

// 7.1.4, 7.1.5 and 7.1.10: received bytes into the buffers of descriptors, and the descriptors' write-back.

/** The port refused: the frame is lost. */
export const FAILED: u32 = 0xffffffff;

/** Free descriptors: those between head and tail. None where software left the tail outside the ring. */
export function freeDescriptors(s: u32, q: u32): u32 {
  const head = get(s, queueRegister(R.REG_RDH, q));
  const tail = get(s, queueRegister(R.REG_RDT, q));
  const size = get(s, queueRegister(R.REG_RDLEN, q)) >> 4;
  if (head >= size || tail >= size) return 0;
  return tail >= head ? tail - head : tail + size - head;
}

/** 8.10.2: bytes of a packet buffer, from SRRCTL or, where that is 0, RCTL. */
function bufferSize(s: u32, control: u32): u32 {
  const size = (control & B.SRRCTL_BSIZEPACKET_MASK) << 10;
  return size != 0 ? size : 2048 >> ((get(s, R.REG_RCTL) >> B.RCTL_BSIZE_SHIFT) & 3);
}

/**
 * Moves bytes of the frame at hand, from `done` on, to the buffers of free descriptors of queue `q`. The count of bytes
 * that are there now, or FAILED.
 */
export function place(s: u32, q: u32, done: u32, total: u32): u32 {
  const size = get(s, queueRegister(R.REG_RDLEN, q)) >> 4;
  const base = (<u64>get(s, queueRegister(R.REG_RDBAH, q)) << 32) | get(s, queueRegister(R.REG_RDBAL, q));
  const control = get(s, queueRegister(R.REG_SRRCTL, q));
  const type = (control >> B.SRRCTL_DESCTYPE_SHIFT) & 7;
  const buffer = bufferSize(s, control);
  for (let free = freeDescriptors(s, q); free > 0; free--) {
    const head = get(s, queueRegister(R.REG_RDH, q));
    const at = base + (head << 4);
    const cache = s + L.CORE_STATE_RX_AHEAD + q * (RX_AHEAD << 4);
    const d = readAhead(s, rxQueue(s, q), cache, RX_AHEAD, base, head, size, free);
    if (d == 0) return FAILED;
    const address = load<u64>(d);
    let headerInfo: u32 = 0;
    let failed = false;
    // Only the first descriptor of a packet has its header buffer used.
    if (done == 0 && (type == B.DESCTYPE_SPLIT || type == B.DESCTYPE_SPLIT_ALWAYS)) {
      headerInfo = splitHeader(s, q, type, control, load<u64>(d, 8) & ~(<u64>1), total);
      failed = headerInfo == FAILED;
      if (!failed) done = headerInfo >> 16;
    }
    // A descriptor without a buffer is given back unused.
    const n: u32 = address == 0 || failed ? 0 : min(buffer, total - done);
    if (n != 0 && !copyIn(s, address, done, n)) failed = true;
    const last = !failed && done + n == total && (n != 0 || headerInfo >> 16 != 0);
    complete(s, d, at, type, failed ? 0 : n, headerInfo & 0xffff, last, failed);
    const next: u32 = head + 1 == size ? 0 : head + 1;
    set(s, queueRegister(R.REG_RDH, q), next);
    const threshold = ((control >> B.SRRCTL_RDMTS_SHIFT) & 31) << 4;
    if (threshold != 0 && free - 1 == threshold) {
      raise(s, B.ICR_RXDMT0);
      count(s, R.REG_RXDMTC);
    }
    if (failed) {
      set(s, L.CORE_STATE_RX_QUEUES_DONE, get(s, L.CORE_STATE_RX_QUEUES_DONE) | (1 << q));
      return FAILED;
    }
    done += n;
    if (last) {
      set(s, L.CORE_STATE_RX_QUEUES_DONE, get(s, L.CORE_STATE_RX_QUEUES_DONE) | (1 << q));
      return total;
    }
  }
  return done;
}

/**
 * 7.1.10: the header of the frame at hand goes to the header buffer at `address`. The answer has the count of bytes that
 * went there in bits 31:16 and SPH and HDR_LEN in 15:0, or is FAILED.
 */
function splitHeader(s: u32, q: u32, type: u32, control: u32, address: u64, total: u32): u32 {
  const room = ((control >> B.SRRCTL_BSIZEHEADER_SHIFT) & B.SRRCTL_BSIZEHEADER_MASK) << 6;
  const kinds = get(s, R.REG_PSRTYPE + ((q & 7) << 2));
  const kind = get(s, L.CORE_STATE_RX_SPLIT_KIND);
  const known = kind != 0 && ((kinds >> kind) & 1) != 0;
  const length: u32 = known ? get(s, L.CORE_STATE_RX_SPLIT_LENGTH) - get(s, L.CORE_STATE_RX_STRIP) : 0;
  let n: u32 = 0;
  let info: u32 = 0;
  if (known) {
    info = B.RXD_SPH | (min(length, <u32>0x3ff) << B.RXD_HDR_LEN_SHIFT);
    if (length <= room) n = min(length, total);
    else {
      // The header does not fit: split-always fills the header buffer, split leaves it alone.
      set(s, L.CORE_STATE_RX_STATUS, get(s, L.CORE_STATE_RX_STATUS) | B.RXD_ERROR_HBO);
      n = type == B.DESCTYPE_SPLIT_ALWAYS ? min(room, total) : 0;
    }
  } else if (type == B.DESCTYPE_SPLIT_ALWAYS) {
    n = min(room, total);
    info = n << B.RXD_HDR_LEN_SHIFT;
  }
  if (address == 0) return info;
  if (n != 0 && !copyIn(s, address, 0, n)) return FAILED;
  return (n << 16) | (info & 0xffff);
}

function complete(
  s: u32,
  d: u32,
  at: u64,
  type: u32,
  length: u32,
  headerInfo: u32,
  last: bool,
  failed: bool,
): void {
  let status: u32 = B.RXD_STATUS_DD;
  if (last) status |= get(s, L.CORE_STATE_RX_STATUS) | B.RXD_STATUS_EOP;
  if (failed) status |= B.RXD_STATUS_EOP | B.RXD_ERROR_RXE;
  const tag: u32 = (status & B.RXD_STATUS_VP) != 0 ? get(s, L.CORE_STATE_RX_TAG) & 0xffff : 0;
  const checksum = get(s, L.CORE_STATE_RX_CHECKSUM);
  if (type == B.DESCTYPE_LEGACY) {
    store<u16>(d, length, L.RX_LEGACY_DESCRIPTOR_LENGTH);
    store<u16>(d, checksum, L.RX_LEGACY_DESCRIPTOR_CHECKSUM);
    // Bits 7:0 of the status are those of the advanced one; errors are its bits 31:24.
    store<u8>(d, status, L.RX_LEGACY_DESCRIPTOR_STATUS);
    store<u8>(d, status >> 24, L.RX_LEGACY_DESCRIPTOR_ERRORS);
    store<u16>(d, tag, L.RX_LEGACY_DESCRIPTOR_VLAN);
    if (dmaWrite(s, at + 8, d + 8, 8)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
    return;
  }
  store<u16>(d, packetInfo(s), L.RX_WRITE_BACK_DESCRIPTOR_PACKET_INFO);
  store<u16>(d, headerInfo, L.RX_WRITE_BACK_DESCRIPTOR_HEADER_INFO);
  const hashed = get(s, L.CORE_STATE_RX_RSS_TYPE) != 0;
  const hash: u32 = hashed ? get(s, L.CORE_STATE_RX_HASH) : checksum << 16;
  store<u32>(d, hash, L.RX_WRITE_BACK_DESCRIPTOR_HASH);
  store<u32>(d, status, L.RX_WRITE_BACK_DESCRIPTOR_STATUS);
  store<u16>(d, length, L.RX_WRITE_BACK_DESCRIPTOR_LENGTH);
  store<u16>(d, tag, L.RX_WRITE_BACK_DESCRIPTOR_VLAN);
  if (dmaWrite(s, at, d, 16)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
}

/** The one copy of a frame's bytes to their buffer. */
function copyIn(s: u32, address: u64, from: u32, length: u32): bool {
  const flags = get(s, L.CORE_STATE_PAGE_FLAGS);
  while (length > 0) {
    const covered = map(address, length, true);
    if (covered == 0) {
      bump(s + L.CORE_STATE_DMA_FAILURES, 1);
      return false;
    }
    const ranges = mapCount(s);
    for (let i: u32 = 0; i < ranges; i++) {
      const n = mapLength(s, i);
      const to = mapOffset(s, i);
      copyStripped(s, from, n, to);
      noteStore(flags, to, n);
      from += n;
    }
    bump(s + L.CORE_STATE_BYTES_COPIED, covered);
    address += covered;
    length -= covered;
  }
  return true;
}
