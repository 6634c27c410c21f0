import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { count, countTransmitted } from './counters';
import { frameFcs } from './crc';
import { bump, dmaWrite } from './dma';
import { addRange, clearFrame, copyOut, trimEnd } from './frame';
import { gather, OK } from './gather';
import {
  insertIpChecksum,
  insertTag,
  insertTransportChecksum,
  ipLength,
  legacyChecksum,
  macLength,
  prepareHeader,
  transportLength,
} from './offload';
import { readAhead, TX_AHEAD } from './read-ahead';
import { contextOf, segmentData, segmentEnd, validContext } from './segmentation';
import { get, pooled, queueRegister, set, txQueue } from './state';

/** Descriptors of one packet at most. Software that makes more of them loses the packet. */
const MOST_DESCRIPTORS: u32 = 256;
const CONTINUE: u32 = 0xff;

/**
 * Processes descriptors of transmit queue `q` from its head on until a frame is ready. The frame's ranges are valid
 * until the next call. A packet is begun when all of its descriptors are there.
 */
export function transmit(s: u32, q: u32): u32 {
  set(s, L.CORE_STATE_TX_STAMP, 0);
  let answer = step(s, q);
  while (answer == CONTINUE) answer = step(s, q);
  return answer;
}

/** Descriptors from head to tail; 0 where software left either outside the ring. */
function pending(s: u32, q: u32): u32 {
  const head = get(s, queueRegister(R.REG_TDH, q));
  const tail = get(s, queueRegister(R.REG_TDT, q));
  const size = get(s, queueRegister(R.REG_TDLEN, q)) >> 4;
  if (head >= size || tail >= size) return 0;
  return tail >= head ? tail - head : tail + size - head;
}

/** Where the block has the descriptor `ahead` places behind the head, of `left`; 0 when the port refuses. */
function descriptor(s: u32, q: u32, ahead: u32, left: u32): u32 {
  const size = get(s, queueRegister(R.REG_TDLEN, q)) >> 4;
  const base = (<u64>get(s, queueRegister(R.REG_TDBAH, q)) << 32) | get(s, queueRegister(R.REG_TDBAL, q));
  let index = get(s, queueRegister(R.REG_TDH, q)) + ahead;
  if (index >= size) index -= size;
  const cache = s + L.CORE_STATE_TX_AHEAD + q * (TX_AHEAD << 4);
  return readAhead(s, txQueue(s, q), cache, TX_AHEAD, base, index, size, left - ahead);
}

// @ts-ignore: decorator
@inline
function isContext(lower: u32): bool {
  return ((lower >> 24) & B.TXD_DEXT) != 0 && ((lower >> 20) & 15) != B.TXD_DTYP_DATA;
}

function step(s: u32, q: u32): u32 {
  const left = pending(s, q);
  if (left == 0) {
    abandon(s, q);
    return B.TX_IDLE;
  }
  if (get(s, L.CORE_STATE_BUDGET) == 0) return B.TX_BUDGET;
  const queue = txQueue(s, q);
  if (load<u32>(queue, L.TX_QUEUE_SEGMENTING) != 0) return segmentStep(s, q, left);
  const d = descriptor(s, q, 0, left);
  if (d == 0) return B.TX_FAULT;
  const lower = load<u32>(d, 8);
  if (isContext(lower)) {
    spend(s, 1);
    if (((lower >> 20) & 15) == B.TXD_DTYP_CONTEXT) {
      const second = ((load<u32>(d, 12) >> B.TXD_IDX_SHIFT) & 1) != 0;
      memory.copy(queue + (second ? L.TX_QUEUE_CONTEXT1 : L.TX_QUEUE_CONTEXT0), d, 16);
    }
    complete(s, q, lower >> 24);
    return CONTINUE;
  }
  const n = packetDescriptors(s, q, left);
  if (n == 0) return B.TX_IDLE;
  if (n == FAULT) return B.TX_FAULT;
  const extended = ((lower >> 24) & B.TXD_DEXT) != 0;
  if (extended && ((lower >> 24) & B.TXD_TSE) != 0 && n <= MOST_DESCRIPTORS) {
    return beginSegmentation(s, q, n, left, lower, load<u32>(d, 12));
  }
  return whole(s, q, n, left, lower, load<u32>(d, 12));
}

function spend(s: u32, n: u32): void {
  const budget = get(s, L.CORE_STATE_BUDGET);
  set(s, L.CORE_STATE_BUDGET, budget > n ? budget - n : 0);
}

/** Software took back the descriptors of a packet in progress: what was sent of it was all. */
function abandon(s: u32, q: u32): void {
  store<u32>(txQueue(s, q), 0, L.TX_QUEUE_SEGMENTING);
}

const FAULT: u32 = 0xffffffff;

/** Descriptors from the head to the end of the packet; 0 when that is not there yet; more than the most when too many. */
function packetDescriptors(s: u32, q: u32, left: u32): u32 {
  const limit = min(left, MOST_DESCRIPTORS);
  for (let i: u32 = 0; i < limit; i++) {
    const d = descriptor(s, q, i, left);
    if (d == 0) return FAULT;
    if (((load<u32>(d, 8) >> 24) & B.TXD_EOP) != 0) return i + 1;
  }
  return left >= MOST_DESCRIPTORS ? MOST_DESCRIPTORS + 1 : 0;
}

/** A packet of `n` descriptors that is not segmented. */
function whole(s: u32, q: u32, n: u32, left: u32, first: u32, options: u32): u32 {
  clearFrame(s);
  let reason: u32 = n > MOST_DESCRIPTORS ? B.DROP_TOO_MANY : B.DROP_NONE;
  const extended = ((first >> 24) & B.TXD_DEXT) != 0;
  let last = first;
  let lastWord: u32 = options;
  const taken = min(n, MOST_DESCRIPTORS);
  spend(s, taken);
  for (let i: u32 = 0; i < taken; i++) {
    const d = descriptor(s, q, i, left);
    if (d == 0) {
      reason = B.DROP_DMA;
      break;
    }
    last = load<u32>(d, 8);
    lastWord = load<u32>(d, 12);
    // A descriptor without a buffer transfers nothing; a context within a packet is none of its data.
    if (reason != B.DROP_NONE || load<u64>(d) == 0 || isContext(last)) continue;
    reason = gather(s, load<u64>(d), last & 0xffff);
  }
  // The offsets of a legacy checksum stand in the first descriptor: CSO in bits 23:16, CSS in the last word.
  if (reason == OK) reason = finish(s, q, extended, first, options, last, lastWord);
  for (let i: u32 = 0; i < taken; i++) {
    // Each completion moves the head, and with it the next descriptor.
    const d = descriptor(s, q, 0, left - i);
    complete(s, q, d == 0 ? 0 : load<u32>(d, 8) >> 24);
  }
  if (reason != OK) return drop(s, reason);
  return B.TX_FRAME;
}

/** Offloads of the packet at hand; OK, or why it is dropped. */
function finish(s: u32, q: u32, extended: bool, first: u32, options: u32, last: u32, lastWord: u32): u32 {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) == 0) return B.DROP_EMPTY;
  const command = last >> 24;
  // IFCS clear: the last four bytes are software's own FCS; a wrong one ends at the receiver.
  const mayPad = (command & B.TXD_IFCS) != 0;
  if (!mayPad && !takeFcs(s)) return B.DROP_FCS;
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  const context = contextOf(s, q, options);
  const tag = chooseTag(s, q, ((first | last) >> 24) & B.TXD_VLE, extended ? load<u16>(context, 2) : lastWord >> 16);
  if (extended) {
    const popts = (options >> 8) & (B.POPTS_IXSM | B.POPTS_TXSM);
    if (popts != 0 || tag != NO_TAG) {
      prepareHeader(s, macLength(context) + ipLength(context) + max(transportLength(context), 20), length);
      if ((popts & B.POPTS_IXSM) != 0) insertIpChecksum(s, context, length);
      if ((popts & B.POPTS_TXSM) != 0) insertTransportChecksum(s, context, length);
    }
    if ((first & B.TXD_TSTAMP) != 0) set(s, L.CORE_STATE_TX_STAMP, 1);
  } else {
    const inserts = (command & B.TXD_IC) != 0;
    if (inserts || tag != NO_TAG) prepareHeader(s, 257, length);
    if (inserts) legacyChecksum(s, (options >> 8) & 0xff, (first >> 16) & 0xff, length);
  }
  if (tag != NO_TAG) insertTag(s, tag, get(s, R.REG_VET) & 0xffff);
  if (mayPad) pad(s);
  return OK;
}

const NO_TAG: u32 = 0xffffffff;

/** 8.14.x: VMVIR of the pool may insert a tag of its own or none; else the descriptor decides. */
function chooseTag(s: u32, q: u32, asked: u32, tag: u32): u32 {
  if (pooled(s)) {
    const policy = get(s, R.REG_VMVIR + ((q & 7) << 2));
    if ((policy & B.VMVIR_DEFAULT) != 0) return policy & 0xffff;
    if ((policy & B.VMVIR_NEVER) != 0) return NO_TAG;
  }
  return asked != 0 ? tag & 0xffff : NO_TAG;
}

/** 8.12.x: TCTL.PSP pads short packets. */
function pad(s: u32): void {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  if (length < <u32>B.MIN_FRAME && (get(s, R.REG_TCTL) & B.TCTL_PSP) != 0) {
    addRange(s, s + L.CORE_STATE_ZEROS, B.MIN_FRAME - length);
  }
}

function drop(s: u32, reason: u32): u32 {
  clearFrame(s);
  set(s, L.CORE_STATE_DROP_REASON, reason);
  return B.TX_DROPPED;
}

/** False when software's FCS is wrong. */
function takeFcs(s: u32): bool {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  if (length <= <u32>B.FCS_BYTES) return false;
  const own = s + L.CORE_STATE_FCS;
  copyOut(s, length - B.FCS_BYTES, B.FCS_BYTES, own);
  if (frameFcs(s, length - B.FCS_BYTES) != load<u32>(own)) return false;
  trimEnd(s, B.FCS_BYTES);
  return true;
}

/** 7.2.3: the descriptor at the head is done; software that asked for it (RS) is told, by DD or by the head. */
function complete(s: u32, q: u32, command: u32): void {
  const size = get(s, queueRegister(R.REG_TDLEN, q)) >> 4;
  const headAt = queueRegister(R.REG_TDH, q);
  const head = get(s, headAt);
  const next: u32 = head + 1 == size ? 0 : head + 1;
  set(s, headAt, next);
  if ((command & B.TXD_RS) == 0) return;
  const low = get(s, queueRegister(R.REG_TDWBAL, q));
  const scratch = s + L.CORE_STATE_DESCRIPTOR;
  if ((low & B.TDWBAL_HEAD_WB) != 0) {
    const to = (<u64>get(s, queueRegister(R.REG_TDWBAH, q)) << 32) | (low & ~3);
    store<u32>(scratch, next);
    if (dmaWrite(s, to, scratch, 4)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
  } else {
    const base = (<u64>get(s, queueRegister(R.REG_TDBAH, q)) << 32) | get(s, queueRegister(R.REG_TDBAL, q));
    const at = base + (head << 4) + 12;
    store<u8>(scratch, B.TXD_STATUS_DD);
    if (dmaWrite(s, at, scratch, 1)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
  }
  set(s, L.CORE_STATE_TX_QUEUES_DONE, get(s, L.CORE_STATE_TX_QUEUES_DONE) | (1 << q));
}

function beginSegmentation(s: u32, q: u32, n: u32, left: u32, first: u32, options: u32): u32 {
  const queue = txQueue(s, q);
  if (!validContext(contextOf(s, q, options))) return skip(s, q, n, left, B.DROP_TSO);
  store<u32>(queue, 1, L.TX_QUEUE_SEGMENTING);
  store<u32>(queue, 0, L.TX_QUEUE_TAKEN);
  store<u32>(queue, 0, L.TX_QUEUE_HEADER_HAVE);
  store<u32>(queue, 0, L.TX_QUEUE_PAYLOAD_SENT);
  store<u32>(queue, 0, L.TX_QUEUE_SEGMENTS);
  store<u32>(queue, first, L.TX_QUEUE_COMMAND);
  store<u32>(queue, options, L.TX_QUEUE_OPTIONS);
  return CONTINUE;
}

/** Uses up `n` descriptors, or all to the end of the packet when that comes first, and sends nothing. */
function skip(s: u32, q: u32, n: u32, left: u32, reason: u32): u32 {
  store<u32>(txQueue(s, q), 0, L.TX_QUEUE_SEGMENTING);
  spend(s, n);
  for (let i: u32 = 0; i < n && left > i; i++) {
    const d = descriptor(s, q, 0, left - i);
    const command: u32 = d == 0 ? 0 : load<u32>(d, 8) >> 24;
    complete(s, q, command);
    if ((command & B.TXD_EOP) != 0) break;
  }
  return drop(s, reason);
}

/** The next segment of the packet in progress. */
function segmentStep(s: u32, q: u32, left: u32): u32 {
  const context = contextOf(s, q, load<u32>(txQueue(s, q), L.TX_QUEUE_OPTIONS));
  // Software may have changed the context by now: a packet goes by what it finds.
  if (!validContext(context)) return skip(s, q, MOST_DESCRIPTORS, left, B.DROP_TSO);
  clearFrame(s);
  let answer: u32 = CONTINUE;
  for (; left > 0 && answer == CONTINUE; left--) answer = segmentDescriptor(s, q, context, left);
  if (answer == ENDED) return CONTINUE;
  if (answer != CONTINUE) return answer;
  // Software took the end of the packet back.
  abandon(s, q);
  return drop(s, B.DROP_TSO);
}

/** The packet is over, and its last segment is out already. */
const ENDED: u32 = 0xfe;

/** What the descriptor at the head adds: CONTINUE when it is used up and the segment wants more. */
function segmentDescriptor(s: u32, q: u32, context: u32, left: u32): u32 {
  const queue = txQueue(s, q);
  const d = descriptor(s, q, 0, left);
  if (d == 0) {
    abandon(s, q);
    return B.TX_FAULT;
  }
  const lower = load<u32>(d, 8);
  const last = ((lower >> 24) & B.TXD_EOP) != 0;
  const address = load<u64>(d);
  const length: u32 = address == 0 || isContext(lower) ? 0 : lower & 0xffff;
  let taken = load<u32>(queue, L.TX_QUEUE_TAKEN);
  let ready = false;
  while (taken < length && !ready) {
    const n = segmentData(s, q, context, address + taken, length - taken);
    if (n == 0) return skip(s, q, MOST_DESCRIPTORS, left, get(s, L.CORE_STATE_DROP_REASON));
    taken += n;
    ready = segmentEnd(s, q, context, last && taken >= length);
  }
  spend(s, 1);
  if (taken < length) {
    store<u32>(queue, taken, L.TX_QUEUE_TAKEN);
    return sendSegment(s, q, context);
  }
  // The last descriptor may hold nothing, so that the segment ends without further data.
  if (!ready && last) ready = segmentEnd(s, q, context, true);
  store<u32>(queue, 0, L.TX_QUEUE_TAKEN);
  complete(s, q, lower >> 24);
  if (last) {
    store<u32>(queue, 0, L.TX_QUEUE_SEGMENTING);
    if (load<u32>(queue, L.TX_QUEUE_SEGMENTS) == 0) return drop(s, B.DROP_TSO);
    count(s, R.REG_TSCTC);
    if (!ready) return ENDED;
  }
  return ready ? sendSegment(s, q, context) : CONTINUE;
}

function sendSegment(s: u32, q: u32, context: u32): u32 {
  const command = load<u32>(txQueue(s, q), L.TX_QUEUE_COMMAND);
  const tag = chooseTag(s, q, (command >> 24) & B.TXD_VLE, load<u16>(context, 2));
  if (tag != NO_TAG) insertTag(s, tag, get(s, R.REG_VET) & 0xffff);
  if ((command & B.TXD_TSTAMP) != 0) set(s, L.CORE_STATE_TX_STAMP, 1);
  pad(s);
  return B.TX_FRAME;
}

/** The frame at hand left on the wire, and for queue `q` of a pool. */
export function countSent(s: u32): void {
  const address = s + L.CORE_STATE_DESCRIPTOR;
  store<u64>(address, 0);
  copyOut(s, 0, 6, address);
  countTransmitted(s, get(s, L.CORE_STATE_FRAME_LENGTH) + B.FCS_BYTES, load<u32>(address), load<u16>(address, 4));
}

/** Keeps the frame at hand beyond the event: the wire was not free. */
export function stash(s: u32): void {
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  copyOut(s, 0, length, s + L.CORE_STATE_STASH);
  bump(s + L.CORE_STATE_BYTES_COPIED, length);
  set(s, L.CORE_STATE_STASH_LENGTH, length);
}
