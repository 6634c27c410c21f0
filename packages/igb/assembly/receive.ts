import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { count, count64, countSize } from './counters';
import { bump } from './dma';
import { fifoFits, fifoFront, fifoPop, fifoPush, fifoQueue } from './fifo';
import { filter, isFlowControl, isOwn, matchQueueFilters } from './filter';
import { addRange, copyOut } from './frame';
import { frameFcs } from './crc';
import { parse } from './parse';
import { FAILED, freeDescriptors, place } from './place';
import { checkReceived } from './receive-checksum';
import { hash } from './rss';
import { get, pooled, queueRegister, raise, set } from './state';

const OPCODE_PAUSE: u32 = 1;
const HEADER_BYTES: u32 = 256;

function drop(s: u32, reason: u32): u32 {
  set(s, L.CORE_STATE_DROP_REASON, reason);
  return B.RX_DROPPED;
}

/** Makes the first bytes of the frame at hand readable in rxHeader, and finds its tag; their count. */
export function peek(s: u32): u32 {
  const header = s + L.CORE_STATE_RX_HEADER;
  const have = copyOut(s, 0, HEADER_BYTES, header);
  // What lies behind the end of a short frame is not of this frame.
  if (have < 64) memory.fill(header + have, 0, 64 - have);
  set(s, L.CORE_STATE_RX_HAVE, have);
  const tagged = have >= 18 && loadBe16(header + 12) == (get(s, R.REG_VET) & 0xffff);
  set(s, L.CORE_STATE_RX_TAG, tagged ? loadBe16(header + 14) : 0xffffffff);
  return have;
}

/**
 * Looks at the frame at hand, which came over the wire or, with `local`, from another pool: RX_ACCEPTED, RX_DROPPED
 * with a reason, or RX_PAUSE. Without pools the address filters have decided; with them the switch does.
 */
export function examine(s: u32, local: u32): u32 {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) < <u32>B.MIN_FRAME) {
    // A sender that knows no wire leaves out the padding.
    addRange(s, s + L.CORE_STATE_ZEROS, B.MIN_FRAME - get(s, L.CORE_STATE_FRAME_LENGTH));
  }
  const length = get(s, L.CORE_STATE_FRAME_LENGTH);
  const onWire = length + B.FCS_BYTES;
  const control = get(s, R.REG_RCTL);
  set(s, L.CORE_STATE_RX_LENGTH, length);
  set(s, L.CORE_STATE_DROP_REASON, B.DROP_NONE);
  if ((control & B.RCTL_EN) == 0) return drop(s, B.DROP_DISABLED);
  if (local == 0) {
    count(s, R.REG_TPR);
    count64(s, R.REG_TORL, onWire);
  }
  const header = s + L.CORE_STATE_RX_HEADER;
  const have = peek(s);
  parse(s, header, have);
  const pools = pooled(s);
  const verdict: u32 = pools ? B.FILTER_PASS : filter(s, header);
  set(s, L.CORE_STATE_RX_VERDICT, verdict);
  if (onWire > longest(s, control)) {
    // 8.18: only frames that passed the filters count.
    if (local == 0 && verdict < <u32>B.FILTER_REJECT) count(s, R.REG_ROC);
    return drop(s, B.DROP_OVERSIZE);
  }
  let answer: u32 = B.RX_ACCEPTED;
  if (local == 0) {
    answer = flowControl(s, header, control, verdict);
    if (answer == B.RX_DROPPED) return answer;
  }
  if (verdict >= <u32>B.FILTER_REJECT) {
    if (get(s, L.CORE_STATE_DROP_REASON) == B.DROP_NONE) {
      drop(s, verdict == B.FILTER_REJECT ? B.DROP_FILTER : B.DROP_VLAN);
    }
    return answer == B.RX_PAUSE ? answer : B.RX_DROPPED;
  }
  if (answer == B.RX_PAUSE && get(s, L.CORE_STATE_DROP_REASON) != B.DROP_NONE) return answer;
  if (answer != B.RX_PAUSE && local == 0 && !pools) countGood(s);
  set(
    s,
    L.CORE_STATE_RX_STATUS,
    (verdict == B.FILTER_PASS_INEXACT ? B.RXD_STATUS_PIF : 0) | (local != 0 ? B.RXD_STATUS_LB : 0),
  );
  matchQueueFilters(s, header, length);
  hash(s, header);
  checkReceived(s, header, length);
  if (get(s, L.CORE_STATE_RX_IMMEDIATE) != 0) {
    set(s, L.CORE_STATE_RX_STATUS, get(s, L.CORE_STATE_RX_STATUS) | B.RXD_STATUS_LLINT);
  }
  return answer;
}

/** Bytes of the longest frame, with FCS: RCTL.LPE and RLPML; with pools each pool has its own (VMOLR). */
function longest(s: u32, control: u32): u32 {
  if (pooled(s)) return B.MAX_LONG_FRAME_WITH_FCS;
  if ((control & B.RCTL_LPE) == 0) return B.MAX_FRAME_WITH_FCS;
  return min(get(s, R.REG_RLPML), <u32>B.MAX_LONG_FRAME_WITH_FCS);
}

/** 3.5.x: PAUSE frames, and other frames of the MAC control type. A drop reason says that it goes no further. */
function flowControl(s: u32, header: u32, control: u32, verdict: u32): u32 {
  if (loadBe16(header + 12) != get(s, R.REG_FCT)) return B.RX_ACCEPTED;
  if ((get(s, R.REG_CTRL) & B.CTRL_RFCE) == 0) return B.RX_ACCEPTED;
  if (!isOwn(s, header) && !isFlowControl(s, header)) return B.RX_ACCEPTED;
  if (loadBe16(header + 14) != OPCODE_PAUSE) {
    count(s, R.REG_FCRUC);
    return (control & B.RCTL_PMCF) != 0 ? B.RX_ACCEPTED : drop(s, B.DROP_MAC_CONTROL);
  }
  const time = loadBe16(header + 16);
  count(s, time == 0 ? R.REG_XONRXC : R.REG_XOFFRXC);
  set(s, L.CORE_STATE_RX_PAUSE_TIME, time);
  if ((control & B.RCTL_DPF) != 0 || verdict >= <u32>B.FILTER_REJECT) drop(s, B.DROP_PAUSE);
  return B.RX_PAUSE;
}

/** 8.18: the frame at hand is a good one of the wire that someone here wants. */
export function countGood(s: u32): void {
  const header = s + L.CORE_STATE_RX_HEADER;
  const onWire = get(s, L.CORE_STATE_RX_LENGTH) + B.FCS_BYTES;
  count(s, R.REG_GPRC);
  count64(s, R.REG_GORCL, onWire);
  countSize(s, R.REG_PRC64, onWire);
  if ((load<u8>(header) & 1) == 0) return;
  const broadcast = load<u32>(header) == 0xffffffff && load<u16>(header, 4) == 0xffff;
  count(s, broadcast ? R.REG_BPRC : R.REG_MPRC);
}

/** 8.19: counters of a pool go round. */
function countPool(s: u32, pool: u32, local: bool): void {
  const at = s + pool * R.VF_STRIDE;
  const bytes = get(s, L.CORE_STATE_RX_LENGTH) + B.FCS_BYTES;
  if (local) {
    bump(at + R.REG_VFGPRLBC, 1);
    bump(at + R.REG_VFGORLBC, bytes);
  } else {
    bump(at + R.REG_VFGPRC, 1);
    bump(at + R.REG_VFGORC, bytes);
  }
  const header = s + L.CORE_STATE_RX_HEADER;
  if ((load<u8>(header) & 1) != 0) bump(at + R.REG_VFMPRC, 1);
}

/**
 * Gives the frame at hand, examined before, to queue `q` of `pool`: to memory when nothing waits before it and
 * descriptors suffice, else to the FIFO. The frame stays as it is, for further queues.
 */
export function deliver(s: u32, q: u32, pool: u32): u32 {
  const pools = pooled(s);
  const tagged = get(s, L.CORE_STATE_RX_TAG) != 0xffffffff;
  const options = get(s, R.REG_VMOLR + (pool << 2));
  const strips = pools ? (options & B.VMOLR_STRVLAN) != 0 : (get(s, R.REG_CTRL) & B.CTRL_VME) != 0;
  const strip: u32 = tagged && strips ? 4 : 0;
  const status = get(s, L.CORE_STATE_RX_STATUS) & ~(B.RXD_STATUS_VP | B.RXD_ERROR_HBO);
  set(s, L.CORE_STATE_RX_STATUS, strip != 0 ? status | B.RXD_STATUS_VP : status);
  set(s, L.CORE_STATE_RX_STRIP, strip);
  set(s, L.CORE_STATE_RX_POOL, pool);
  const length = get(s, L.CORE_STATE_RX_LENGTH);
  if (pools) {
    // 8.10.x: the longest packet of the pool, tag not counted.
    const limit: u32 = (options & B.VMOLR_LPE) != 0 ? options & B.VMOLR_RLPML_MASK : 1518;
    if (length + B.FCS_BYTES - (tagged ? 4 : 0) > limit) return drop(s, B.DROP_OVERSIZE);
  }
  const cuts = pools ? (options & B.VMOLR_STRCRC) != 0 : (get(s, R.REG_RCTL) & B.RCTL_SECRC) != 0;
  if (!cuts) appendFcs(s, length);
  const total = length - strip + (cuts ? 0 : B.FCS_BYTES);
  const answer = accept(s, q, total);
  if (answer != B.RX_DROPPED && pools) countPool(s, pool, (status & B.RXD_STATUS_LB) != 0);
  return answer;
}

/** Once for all receivers: those that cut it take fewer bytes. */
function appendFcs(s: u32, length: u32): void {
  if (get(s, L.CORE_STATE_FRAME_LENGTH) != length) return;
  store<u32>(s + L.CORE_STATE_FCS, frameFcs(s, length));
  addRange(s, s + L.CORE_STATE_FCS, B.FCS_BYTES);
}

function accept(s: u32, q: u32, total: u32): u32 {
  if (get(s, L.CORE_STATE_FIFO_COUNT) == 0 && freeDescriptors(s, q) != 0) {
    const done = place(s, q, 0, total);
    if (done == total) return B.RX_DELIVERED;
    if (done == FAILED) return drop(s, B.DROP_DMA);
    return keep(s, q, done, total);
  }
  if (freeDescriptors(s, q) == 0) {
    if (drops(s, q)) {
      count(s, queueRegister(R.REG_RQDPC, q));
      return drop(s, B.DROP_NO_DESCRIPTOR);
    }
    count(s, R.REG_RNBC);
  }
  return keep(s, q, 0, total);
}

/** SRRCTL.Drop_En or QDE: a queue without descriptors loses its frames instead of holding up the others. */
// @ts-ignore: decorator
@inline
function drops(s: u32, q: u32): bool {
  return (get(s, queueRegister(R.REG_SRRCTL, q)) & B.SRRCTL_DROP_EN) != 0 || ((get(s, R.REG_QDE) >> q) & 1) != 0;
}

function keep(s: u32, q: u32, from: u32, total: u32): u32 {
  if (!fifoFits(s, total)) {
    count(s, R.REG_MPC);
    raise(s, B.ICR_RXMISS);
    return drop(s, B.DROP_FIFO_FULL);
  }
  fifoPush(s, q, total);
  // Some of it may be in memory already; the buffer was empty then.
  if (from != 0) set(s, L.CORE_STATE_FIFO_FRONT_DONE, from);
  return B.RX_STORED;
}

/**
 * Moves waiting frames from the FIFO to memory, as far as descriptors and the budget go. The count of frames that left
 * the FIFO.
 */
export function drain(s: u32): u32 {
  let moved: u32 = 0;
  while (get(s, L.CORE_STATE_FIFO_COUNT) != 0 && get(s, L.CORE_STATE_BUDGET) != 0) {
    const q = fifoQueue(s) & 15;
    const enabled = (get(s, queueRegister(R.REG_RXDCTL, q)) & B.DCTL_ENABLE) != 0;
    const free = freeDescriptors(s, q);
    const lost = !enabled || (free == 0 && drops(s, q));
    if (free == 0 && !lost) break;
    const total = fifoFront(s);
    set(s, L.CORE_STATE_BUDGET, get(s, L.CORE_STATE_BUDGET) - 1);
    if (lost) {
      // A queue that was switched off, or that drops, does not hold up the others.
      if (enabled) count(s, queueRegister(R.REG_RQDPC, q));
      bump(s + L.CORE_STATE_RX_QUEUE_DROPPED, 1);
    } else {
      const done = place(s, q, min(get(s, L.CORE_STATE_FIFO_FRONT_DONE), total), total);
      if (done != total && done != FAILED) {
        set(s, L.CORE_STATE_FIFO_FRONT_DONE, done);
        break;
      }
      if (done == FAILED) bump(s + L.CORE_STATE_RX_LOST, 1);
    }
    fifoPop(s, total);
    moved++;
  }
  return moved;
}
