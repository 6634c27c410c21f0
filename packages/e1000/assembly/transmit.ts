import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';
import { count, countTransmitted } from './counters';
import { bump, dmaWrite, map, mapCount, mapLength, mapOffset, MAP_LIMIT } from './dma';
import { frameFcs } from './crc';
import { readAhead } from './read-ahead';
import { addRange, clearFrame, copyOut, MAX_RANGES, trimEnd } from './frame';
import { insertChecksum, prepareHeader, insertTag, legacyChecksum } from './offload';
import { beginSegmentation, segmentData, segmentEnd } from './segmentation';

/** The transmit FIFO of the default packet buffer allocation (16 KiB): no packet is larger. */
export const TX_FIFO: u32 = 16384;

// @ts-ignore: decorator
@inline
function get(s: u32, field: u32): u32 {
  return load<u32>(s + field);
}

// @ts-ignore: decorator
@inline
function set(s: u32, field: u32, value: u32): void {
  store<u32>(s + field, value);
}

/**
 * Processes transmit descriptors from TDH on until a frame is ready for the wire. The frame's ranges are
 * valid until the end of the event; on any other answer the data of an incomplete packet have been staged.
 */
export function transmit(s: u32): u32 {
  if (get(s, L.CORE_STATE_TX_IN_PACKET) == 0) clearFrame(s);
  else resume(s);
  for (;;) {
    const answer = step(s);
    if (answer == CONTINUE) continue;
    if (answer != R.TX_FRAME) stage(s);
    return answer;
  }
}

const CONTINUE: u32 = 0xff;

/** The frame at hand of an incomplete packet is what was staged of it. */
function resume(s: u32): void {
  clearFrame(s);
  const staged = get(s, L.CORE_STATE_TX_STAGED);
  if (staged != 0) addRange(s, s + L.CORE_STATE_TX_STAGING, staged);
}

/** Copies the ranges at hand to the staging area, behind what is there already. */
function stage(s: u32): void {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  const staged = get(s, L.CORE_STATE_TX_STAGED);
  if (length > staged) {
    copyOut(s, staged, length - staged, s + L.CORE_STATE_TX_STAGING + staged);
    bump(s + L.CORE_STATE_BYTES_COPIED, length - staged);
    set(s, L.CORE_STATE_TX_STAGED, length);
  }
}

function endPacket(s: u32): void {
  set(s, L.CORE_STATE_TX_IN_PACKET, 0);
  set(s, L.CORE_STATE_TX_DISCARDING, 0);
  set(s, L.CORE_STATE_TX_STAGED, 0);
}

/** From here to the end of the packet nothing is sent. */
export function discard(s: u32, reason: u32): void {
  set(s, L.CORE_STATE_TX_DISCARDING, reason);
  set(s, L.CORE_STATE_TX_STAGED, 0);
  clearFrame(s);
}

function step(s: u32): u32 {
  const head = get(s, R.REG_TDH);
  const tail = get(s, R.REG_TDT);
  const size = get(s, R.REG_TDLEN) >> 4;
  // 3.4: software keeps head and tail inside the ring. Where it does not, there is nothing to fetch.
  if (head == tail || head >= size || tail >= size) return R.TX_IDLE;
  if (get(s, L.CORE_STATE_BUDGET) == 0) return R.TX_BUDGET;
  const base = (<u64>get(s, R.REG_TDBAH) << 32) | get(s, R.REG_TDBAL);
  const at = base + (head << 4);
  const left: u32 = tail > head ? tail - head : tail + size - head;
  const d = readAhead(s, L.CORE_STATE_TX_AHEAD_FIRST, L.CORE_STATE_TX_AHEAD, base, head, size, left);
  if (d == 0) {
    if (get(s, L.CORE_STATE_TX_IN_PACKET) != 0) {
      endPacket(s);
      clearFrame(s);
    }
    return R.TX_FAULT;
  }
  set(s, L.CORE_STATE_BUDGET, get(s, L.CORE_STATE_BUDGET) - 1);
  const lower = load<u32>(d, 8);
  const command = lower >> 24;
  const extended = (command & R.TXD_DEXT) != 0;
  const type = (lower >> 20) & 15;
  if (extended && type != R.TXD_DTYP_DATA) {
    if (type == R.TXD_DTYP_CONTEXT) loadContext(s, d, lower);
    complete(s, d, at, head, tail, size, command);
    return CONTINUE;
  }
  if (get(s, L.CORE_STATE_TX_IN_PACKET) == 0) beginPacket(s, d, command, extended);
  // 3.3.3: a descriptor without a buffer transfers nothing.
  const length: u32 = load<u64>(d) == 0 ? 0 : extended ? lower & 0xfffff : lower & 0xffff;
  const last = (command & R.TXD_EOP) != 0;
  if (get(s, L.CORE_STATE_TX_SEGMENTING) != 0) {
    return segmentStep(s, d, at, head, tail, size, command, length, last);
  }
  if (get(s, L.CORE_STATE_TX_DISCARDING) == 0) gather(s, load<u64>(d), length);
  complete(s, d, at, head, tail, size, command);
  return last ? finish(s, d, command) : CONTINUE;
}

function beginPacket(s: u32, d: u32, command: u32, extended: bool): void {
  clearFrame(s);
  set(s, L.CORE_STATE_TX_IN_PACKET, 1);
  set(s, L.CORE_STATE_TX_EXTENDED, extended ? 1 : 0);
  // POPTS, or CSS of a legacy descriptor: both count in the first descriptor of a packet.
  set(s, L.CORE_STATE_TX_OPTIONS, load<u8>(d, 13));
  set(s, L.CORE_STATE_TX_TAKEN, 0);
  const segmenting = extended && (command & R.TXD_TSE) != 0;
  set(s, L.CORE_STATE_TX_SEGMENTING, segmenting ? 1 : 0);
  set(s, L.CORE_STATE_TX_VLAN, segmenting && (command & R.TXD_VLE) != 0 ? 1 : 0);
  set(s, L.CORE_STATE_TX_TAG, load<u16>(d, 14));
  if (segmenting) beginSegmentation(s);
}

/** Adds a buffer to the frame at hand: ranges of guest memory, nothing is copied. */
export function gather(s: u32, address: u64, length: u32): void {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) + length > TX_FIFO) {
    discard(s, R.DROP_OVERSIZE);
    return;
  }
  while (length > 0) {
    const covered = map(address, min(length, MAP_LIMIT), false);
    if (covered == 0) {
      bump(s + L.CORE_STATE_DMA_FAILURES, 1);
      discard(s, R.DROP_DMA);
      return;
    }
    const ranges = mapCount(s);
    // Three ranges are kept for padding and for the tail of a range that a header cuts.
    if (get(s, L.CORE_STATE_FRAME_COUNT) + ranges + 3 > MAX_RANGES) {
      stage(s);
      resume(s);
    }
    for (let i: u32 = 0; i < ranges; i++) addRange(s, mapOffset(s, i), mapLength(s, i));
    address += covered;
    length -= covered;
  }
}

/** 3.3.3.2: the descriptor is done; its status is written back where software asked for it. */
function complete(s: u32, d: u32, at: u64, head: u32, tail: u32, size: u32, command: u32): void {
  if ((command & (R.TXD_RS | R.TXD_RPS)) != 0) {
    const status = d + L.TX_LEGACY_DESCRIPTOR_STATUS;
    store<u8>(status, load<u8>(status) | R.TXD_STATUS_DD);
    if (dmaWrite(s, at + L.TX_LEGACY_DESCRIPTOR_STATUS, status, 1)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
    if ((command & R.TXD_IDE) != 0) set(s, L.CORE_STATE_TX_DELAYED, 1);
    else raise(s, R.ICR_TXDW);
  }
  const next: u32 = head + 1 == size ? 0 : head + 1;
  set(s, R.REG_TDH, next);
  const pending: u32 = tail >= next ? tail - next : tail + size - next;
  if (pending == 0) raise(s, R.ICR_TXQE);
  const low = (get(s, R.REG_TXDCTL) >>> R.TXDCTL_LWTHRESH_SHIFT) << 3;
  if (low != 0 && pending == low) raise(s, R.ICR_TXD_LOW);
}

function raise(s: u32, cause: u32): void {
  set(s, L.CORE_STATE_CAUSES, get(s, L.CORE_STATE_CAUSES) | cause);
}

function loadContext(s: u32, d: u32, lower: u32): void {
  const c = s + ((lower >> 24) & R.TUCMD_TSE ? L.CORE_STATE_TX_SEGMENTATION : L.CORE_STATE_TX_NORMAL);
  store<u32>(c, load<u8>(d, 0), L.OFFLOAD_CONTEXT_IP_START);
  store<u32>(c, load<u8>(d, 1), L.OFFLOAD_CONTEXT_IP_OFFSET);
  store<u32>(c, load<u16>(d, 2), L.OFFLOAD_CONTEXT_IP_END);
  store<u32>(c, load<u8>(d, 4), L.OFFLOAD_CONTEXT_TCP_START);
  store<u32>(c, load<u8>(d, 5), L.OFFLOAD_CONTEXT_TCP_OFFSET);
  store<u32>(c, load<u16>(d, 6), L.OFFLOAD_CONTEXT_TCP_END);
  store<u32>(c, lower >> 24, L.OFFLOAD_CONTEXT_COMMAND);
  store<u32>(c, load<u8>(d, 13), L.OFFLOAD_CONTEXT_HEADER_LENGTH);
  store<u32>(c, load<u16>(d, 14), L.OFFLOAD_CONTEXT_SEGMENT_SIZE);
  store<u32>(c, lower & 0xfffff, L.OFFLOAD_CONTEXT_PAYLOAD_LENGTH);
}

/** A whole packet that is not segmented lies in the frame at hand. */
function finish(s: u32, d: u32, command: u32): u32 {
  const discarding = get(s, L.CORE_STATE_TX_DISCARDING);
  const options = get(s, L.CORE_STATE_TX_OPTIONS);
  const extended = get(s, L.CORE_STATE_TX_EXTENDED) != 0;
  endPacket(s);
  if (discarding != 0) return drop(s, discarding);
  if (get(s, L.CORE_STATE_FRAME_LENGTH) == 0) return drop(s, R.DROP_EMPTY);
  // 3.3.3.1: IFCS, IC and VLE count in the last descriptor only.
  if ((command & R.TXD_IFCS) == 0 && !takeFcs(s)) return drop(s, R.DROP_FCS);
  const tagged = (command & R.TXD_VLE) != 0 && (get(s, R.REG_CTRL) & R.CTRL_VME) != 0;
  const inserts = extended ? options & (R.POPTS_IXSM | R.POPTS_TXSM) : command & R.TXD_IC;
  if (inserts != 0 || tagged) {
    const length = get(s, L.CORE_STATE_FRAME_LENGTH);
    if (extended) {
      const c = s + L.CORE_STATE_TX_NORMAL;
      prepareHeader(s, length);
      if ((options & R.POPTS_IXSM) != 0) insertChecksum(s, c, L.OFFLOAD_CONTEXT_IP_START, length, false);
      if ((options & R.POPTS_TXSM) != 0) {
        const udp = (load<u32>(c, L.OFFLOAD_CONTEXT_COMMAND) & R.TUCMD_TCP) == 0;
        insertChecksum(s, c, L.OFFLOAD_CONTEXT_TCP_START, length, udp);
      }
    } else {
      prepareHeader(s, length);
      if (inserts != 0) legacyChecksum(s, options, load<u8>(d, 10), length);
    }
    if (tagged) insertTag(s, load<u16>(d, 14), get(s, R.REG_VET));
  }
  return send(s, (command & R.TXD_IFCS) != 0);
}

/** The frame at hand goes on the wire. */
export function send(s: u32, mayPad: bool): u32 {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  if (mayPad && length < <u32>R.MIN_FRAME && (get(s, R.REG_TCTL) & R.TCTL_PSP) != 0) {
    addRange(s, s + L.CORE_STATE_ZEROS, R.MIN_FRAME - length);
  }
  const address = s + L.CORE_STATE_DESCRIPTOR;
  store<u64>(address, 0);
  copyOut(s, 0, 6, address);
  const onWire = get(s, L.CORE_STATE_FRAME_LENGTH) + R.FCS_BYTES;
  countTransmitted(s, onWire, load<u32>(address), load<u16>(address, 4));
  return R.TX_FRAME;
}

function drop(s: u32, reason: u32): u32 {
  clearFrame(s);
  set(s, L.CORE_STATE_DROP_REASON, reason);
  return R.TX_DROPPED;
}

/** IFCS clear: the last four bytes are software's own FCS. False when it is wrong (a receiver drops it). */
function takeFcs(s: u32): bool {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  if (length <= <u32>R.FCS_BYTES) return false;
  const own = s + L.CORE_STATE_FCS;
  copyOut(s, length - R.FCS_BYTES, R.FCS_BYTES, own);
  if (frameFcs(s, length - R.FCS_BYTES) != load<u32>(own)) return false;
  trimEnd(s, R.FCS_BYTES);
  return true;
}

/** One descriptor, or the part of it that completes a segment. */
function segmentStep(
  s: u32,
  d: u32,
  at: u64,
  head: u32,
  tail: u32,
  size: u32,
  command: u32,
  length: u32,
  last: bool,
): u32 {
  const address = load<u64>(d);
  let taken = get(s, L.CORE_STATE_TX_TAKEN);
  let ready = false;
  while (taken < length && !ready && get(s, L.CORE_STATE_TX_DISCARDING) == 0) {
    taken += segmentData(s, address + taken, length - taken);
    ready = segmentEnd(s, last && taken == length);
  }
  const done = taken >= length || get(s, L.CORE_STATE_TX_DISCARDING) != 0;
  if (done) {
    // Software may have emptied the last descriptor, so that the segment ends without data.
    if (!ready && last) ready = segmentEnd(s, true);
    set(s, L.CORE_STATE_TX_TAKEN, 0);
    complete(s, d, at, head, tail, size, command);
  } else set(s, L.CORE_STATE_TX_TAKEN, taken);
  if (done && last) {
    const discarding = get(s, L.CORE_STATE_TX_DISCARDING);
    if (discarding != 0) {
      if (discarding == R.DROP_TSO) count(s, R.REG_TSCTFC);
      endPacket(s);
      return drop(s, discarding);
    }
    count(s, R.REG_TSCTC);
    endPacket(s);
    return ready ? sendSegment(s) : CONTINUE;
  }
  if (!ready) return CONTINUE;
  set(s, L.CORE_STATE_TX_STAGED, 0);
  return sendSegment(s);
}

function sendSegment(s: u32): u32 {
  if (get(s, L.CORE_STATE_TX_VLAN) != 0 && (get(s, R.REG_CTRL) & R.CTRL_VME) != 0) {
    insertTag(s, get(s, L.CORE_STATE_TX_TAG), get(s, R.REG_VET));
  }
  return send(s, true);
}

/** Keeps the frame at hand beyond the event: the wire was not free. */
export function stash(s: u32): void {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  copyOut(s, 0, length, s + L.CORE_STATE_STASH);
  bump(s + L.CORE_STATE_BYTES_COPIED, length);
  set(s, L.CORE_STATE_STASH_LENGTH, length);
}
