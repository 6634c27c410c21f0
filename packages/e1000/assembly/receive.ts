import { noteStore } from '@vmloom/memory/assembly/store';
import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';
import { count, count64, countSize } from './counters';
import { frameFcs } from './crc';
import { bump, dmaWrite, map, mapCount, mapLength, mapOffset } from './dma';
import { fifoFits, fifoFront, fifoPop, fifoPush } from './fifo';
import { filter, isFlowControl, isOwn, PASS_INEXACT, REJECT, REJECT_VLAN } from './filter';
import { addRange, copyOut, rangeAt } from './frame';
import { readAhead } from './read-ahead';
import { checkReceived } from './receive-checksum';

const OPCODE_PAUSE: u32 = 1;
const HEADER_BYTES: u32 = 256;

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

function raise(s: u32, cause: u32): void {
  set(s, L.CORE_STATE_CAUSES, get(s, L.CORE_STATE_CAUSES) | cause);
}

function drop(s: u32, reason: u32): u32 {
  set(s, L.CORE_STATE_DROP_REASON, reason);
  return R.RX_DROPPED;
}

/** 13.4.22: bytes of a receive buffer, from BSIZE and BSEX. */
function bufferSize(s: u32): u32 {
  const control = get(s, R.REG_RCTL);
  const size = (control >> R.RCTL_BSIZE_SHIFT) & 3;
  return (control & R.RCTL_BSEX) != 0 && size != 0 ? 32768 >> size : 2048 >> size;
}

/** Free descriptors: those between RDH and RDT. None where software left either outside the ring. */
function freeDescriptors(s: u32): u32 {
  const head = get(s, R.REG_RDH);
  const tail = get(s, R.REG_RDT);
  const size = get(s, R.REG_RDLEN) >> 4;
  if (head >= size || tail >= size) return 0;
  return tail >= head ? tail - head : tail + size - head;
}

/** The frame at hand came over the wire. The answer is one of RX_*. */
export function receive(s: u32): u32 {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) < <u32>R.MIN_FRAME) {
    // A sender that knows no wire leaves out the padding.
    addRange(s, s + L.CORE_STATE_ZEROS, R.MIN_FRAME - get(s, L.CORE_STATE_FRAME_LENGTH));
  }
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  const onWire = length + R.FCS_BYTES;
  const control = get(s, R.REG_RCTL);
  set(s, L.CORE_STATE_RX_LENGTH, length);
  set(s, L.CORE_STATE_DROP_REASON, R.DROP_NONE);
  if ((control & R.RCTL_EN) == 0) return drop(s, R.DROP_DISABLED);
  count(s, R.REG_TPR);
  count64(s, R.REG_TORL, onWire);
  const header = s + L.CORE_STATE_RX_HEADER;
  const have = copyOut(s, 0, HEADER_BYTES, header);
  const verdict = filter(s, header);
  const limit: u32 = (control & R.RCTL_LPE) != 0 ? R.MAX_LONG_FRAME_WITH_FCS : R.MAX_FRAME_WITH_FCS;
  if (onWire > limit) {
    // 13.7.36: only frames that passed the filters count.
    if (verdict < REJECT) count(s, R.REG_ROC);
    return drop(s, R.DROP_OVERSIZE);
  }
  const paused = flowControl(s, header, control, verdict);
  if (paused == R.RX_DROPPED || (paused == R.RX_XOFF && get(s, L.CORE_STATE_DROP_REASON) != R.DROP_NONE)) {
    return paused;
  }
  if (verdict == REJECT || verdict == REJECT_VLAN) {
    drop(s, verdict == REJECT ? R.DROP_FILTER : R.DROP_VLAN);
    return paused == R.RX_XOFF ? paused : R.RX_DROPPED;
  }
  // 13.7: flow control packets are not among the good ones.
  if (paused != R.RX_XOFF) countGood(s, header, onWire);
  describe(s, header, have, length, verdict);
  const answer = accept(s, length, paused == R.RX_XOFF);
  return paused == R.RX_XOFF ? paused : answer;
}

/**
 * 8.7: PAUSE frames, and other frames of the MAC control type. RX_XOFF: a pause time is in rxPauseTime, and
 * the frame goes no further if a drop reason is set. RX_DROPPED: the frame goes no further. RX_DELIVERED:
 * an ordinary frame.
 */
function flowControl(s: u32, header: u32, control: u32, verdict: u32): u32 {
  if (loadBe16(header + 12) != get(s, R.REG_FCT)) return R.RX_DELIVERED;
  if ((get(s, R.REG_CTRL) & R.CTRL_RFCE) == 0) return R.RX_DELIVERED;
  const own = isOwn(s, header);
  if (!own && !isFlowControl(s, header)) return R.RX_DELIVERED;
  if (loadBe16(header + 14) != OPCODE_PAUSE) {
    count(s, R.REG_FCRUC);
    return (control & R.RCTL_PMCF) != 0 ? R.RX_DELIVERED : drop(s, R.DROP_MAC_CONTROL);
  }
  const time = loadBe16(header + 16);
  count(s, time == 0 ? R.REG_XONRXC : R.REG_XOFFRXC);
  set(s, L.CORE_STATE_RX_PAUSE_TIME, time);
  if ((control & R.RCTL_DPF) != 0 || verdict == REJECT || verdict == REJECT_VLAN) drop(s, R.DROP_PAUSE);
  return R.RX_XOFF;
}

function countGood(s: u32, header: u32, onWire: u32): void {
  count(s, R.REG_GPRC);
  count64(s, R.REG_GORCL, onWire);
  countSize(s, R.REG_PRC64, onWire);
  if ((load<u8>(header) & 1) == 0) return;
  const broadcast = load<u32>(header) == 0xffffffff && load<u16>(header, 4) == 0xffff;
  count(s, broadcast ? R.REG_BPRC : R.REG_MPRC);
}

/** Finds the frame's attributes, and adds the FCS where software wants it. */
function describe(s: u32, header: u32, have: u32, length: u32, verdict: u32): void {
  let status: u32 = verdict == PASS_INEXACT ? R.RXD_STATUS_PIF : 0;
  set(s, L.CORE_STATE_RX_STRIP, 0);
  set(s, L.CORE_STATE_RX_SPECIAL, 0);
  set(s, L.CORE_STATE_RX_ERRORS, 0);
  if ((get(s, R.REG_CTRL) & R.CTRL_VME) != 0 && loadBe16(header + 12) == get(s, R.REG_VET)) {
    status |= R.RXD_STATUS_VP;
    set(s, L.CORE_STATE_RX_SPECIAL, loadBe16(header + 14));
    set(s, L.CORE_STATE_RX_STRIP, 4);
  }
  set(s, L.CORE_STATE_RX_STATUS, status);
  if ((get(s, R.REG_RCTL) & R.RCTL_SECRC) == 0) {
    store<u32>(s + L.CORE_STATE_FCS, frameFcs(s, length));
    addRange(s, s + L.CORE_STATE_FCS, R.FCS_BYTES);
  }
  checkReceived(s, header, have, length);
  if (get(s, L.CORE_STATE_RX_STRIP) != 0) cutTag(s, header);
}

/** Takes the tag out: range 0 gets the addresses, the rest begins behind the tag. */
function cutTag(s: u32, header: u32): void {
  let cut: u32 = 16;
  for (let i: u32 = 1; cut > 0; i++) {
    const range = rangeAt(s, i);
    const n = min(load<u32>(range, 4), cut);
    store<u32>(range, load<u32>(range) + n);
    store<u32>(range, load<u32>(range, 4) - n, 4);
    cut -= n;
  }
  store<u32>(rangeAt(s, 0), header);
  store<u32>(rangeAt(s, 0), 12, 4);
  set(s, L.CORE_STATE_FRAME_LENGTH, get(s, L.CORE_STATE_FRAME_LENGTH) - 4);
}

/** To memory when nothing waits before it and descriptors suffice; else to the FIFO. */
function accept(s: u32, length: u32, paused: bool): u32 {
  const total = get(s, L.CORE_STATE_FRAME_LENGTH);
  if (length <= get(s, R.REG_RSRPD)) raise(s, R.ICR_SRPD);
  if (get(s, L.CORE_STATE_FIFO_COUNT) == 0 && freeDescriptors(s) != 0) {
    const done = deliver(s, 0, total);
    if (done == total) return R.RX_DELIVERED;
    if (done == FAILED) return drop(s, R.DROP_DMA);
    return keep(s, done, total);
  }
  if (!paused) count(s, R.REG_RNBC);
  return keep(s, 0, total);
}

function keep(s: u32, from: u32, total: u32): u32 {
  if (!fifoFits(s, total - from)) {
    count(s, R.REG_MPC);
    raise(s, R.ICR_RXO);
    return drop(s, R.DROP_FIFO_FULL);
  }
  fifoPush(s, from, total);
  return R.RX_STORED;
}

const FAILED: u32 = 0xffffffff;

/**
 * Moves bytes of the frame at hand, from `done` on, to the buffers of free descriptors. The count of bytes
 * that are there now, or FAILED when the port refused and the frame is lost.
 */
function deliver(s: u32, done: u32, total: u32): u32 {
  const size = get(s, R.REG_RDLEN) >> 4;
  const base = (<u64>get(s, R.REG_RDBAH) << 32) | get(s, R.REG_RDBAL);
  const buffer = bufferSize(s);
  for (let free = freeDescriptors(s); free > 0; free--) {
    const head = get(s, R.REG_RDH);
    const at = base + (head << 4);
    const d = readAhead(s, L.CORE_STATE_RX_AHEAD_FIRST, L.CORE_STATE_RX_AHEAD, base, head, size, free);
    if (d == 0) return FAILED;
    const address = load<u64>(d);
    // 3.2.3: a descriptor without a buffer is given back unused.
    const n = address == 0 ? 0 : min(buffer, total - done);
    const written = n == 0 || copyIn(s, address, done, n);
    const last = written && n != 0 && done + n == total;
    complete(s, d, at, written ? n : 0, last, !written);
    const next: u32 = head + 1 == size ? 0 : head + 1;
    set(s, R.REG_RDH, next);
    const threshold = size >> (1 + ((get(s, R.REG_RCTL) >> R.RCTL_RDMTS_SHIFT) & 3));
    if (free - 1 == threshold) raise(s, R.ICR_RXDMT0);
    if (!written) return FAILED;
    done += n;
    if (last) {
      raise(s, R.ICR_RXT0);
      return total;
    }
  }
  return done;
}

function complete(s: u32, d: u32, at: u64, length: u32, last: bool, failed: bool): void {
  let status: u32 = R.RXD_STATUS_DD;
  let errors: u32 = 0;
  store<u64>(d, 0, 8);
  store<u16>(d, length, L.RX_DESCRIPTOR_LENGTH);
  // 3.2.3: the packet checksum stands in the first descriptor too; here in all of them.
  store<u16>(d, get(s, L.CORE_STATE_RX_CHECKSUM), L.RX_DESCRIPTOR_CHECKSUM);
  if (last) {
    status |= get(s, L.CORE_STATE_RX_STATUS) | R.RXD_STATUS_EOP;
    errors = get(s, L.CORE_STATE_RX_ERRORS);
    store<u16>(d, get(s, L.CORE_STATE_RX_SPECIAL), L.RX_DESCRIPTOR_SPECIAL);
  }
  if (failed) {
    status |= R.RXD_STATUS_EOP;
    errors |= R.RXD_ERROR_RXE;
  }
  store<u8>(d, status, L.RX_DESCRIPTOR_STATUS);
  store<u8>(d, errors, L.RX_DESCRIPTOR_ERRORS);
  if (dmaWrite(s, at + 8, d + 8, 8)) bump(s + L.CORE_STATE_DESCRIPTORS_WRITTEN, 1);
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
      copyOut(s, from, n, to);
      noteStore(flags, to, n);
      from += n;
    }
    bump(s + L.CORE_STATE_BYTES_COPIED, covered);
    address += covered;
    length -= covered;
  }
  return true;
}

/**
 * Moves waiting frames from the FIFO to memory, as far as descriptors and the budget go. The count of
 * frames that left the FIFO.
 */
export function drain(s: u32): u32 {
  let moved: u32 = 0;
  while (get(s, L.CORE_STATE_FIFO_COUNT) != 0 && get(s, L.CORE_STATE_BUDGET) != 0) {
    if (freeDescriptors(s) == 0) break;
    const total = fifoFront(s);
    const done = deliver(s, min(get(s, L.CORE_STATE_FIFO_FRONT_DONE), total), total);
    set(s, L.CORE_STATE_BUDGET, get(s, L.CORE_STATE_BUDGET) - 1);
    if (done != total && done != FAILED) {
      set(s, L.CORE_STATE_FIFO_FRONT_DONE, done);
      break;
    }
    if (done == FAILED) bump(s + L.CORE_STATE_RX_LOST, 1);
    fifoPop(s, total);
    moved++;
  }
  return moved;
}
