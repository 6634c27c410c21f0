import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as B from '../src/register-bits';
import * as R from '../src/register-map';
import { get } from './state';

// 7.1.2: which frames are for this station, where there are no pools. `header` is the start of the frame.

export function filter(s: u32, header: u32): u32 {
  const control = get(s, R.REG_RCTL);
  const passed = filterAddress(s, header, control);
  const tag = get(s, L.CORE_STATE_RX_TAG);
  if (passed == B.FILTER_REJECT || (control & B.RCTL_VFE) == 0 || tag == 0xffffffff) return passed;
  // CFIEN compares the tag's canonical form indicator with RCTL.CFI.
  if ((control & B.RCTL_CFIEN) != 0 && ((tag >> 12) & 1) != ((control & B.RCTL_CFI) != 0 ? 1 : 0)) {
    return B.FILTER_REJECT_VLAN;
  }
  const id = tag & 0xfff;
  const word = get(s, R.REG_VFTA + ((id >> 5) << 2));
  return ((word >> (id & 31)) & 1) != 0 ? passed : B.FILTER_REJECT_VLAN;
}

function matchesAddress(s: u32, header: u32, ral: u32): bool {
  const rah = get(s, ral + 4);
  if ((rah & B.RAH_AV) == 0) return false;
  const select = (rah >> B.RAH_ASEL_SHIFT) & 3;
  if (select > 1) return false;
  // An entry may match the source address instead.
  const at = header + (select == 1 ? 6 : 0);
  return get(s, ral) == load<u32>(at) && (rah & 0xffff) == <u32>load<u16>(at, 4);
}

function filterAddress(s: u32, header: u32, control: u32): u32 {
  const low = load<u32>(header);
  const high = <u32>load<u16>(header, 4);
  if (low == 0xffffffff && high == 0xffff && (control & B.RCTL_BAM) != 0) return B.FILTER_PASS;
  for (let i: u32 = 0; i < <u32>B.RAR_COUNT; i++) {
    const ral: u32 =
      i < <u32>B.RAR_FIRST_BANK ? R.REG_RAL0 + (i << 3) : R.REG_RAL16 + ((i - B.RAR_FIRST_BANK) << 3);
    if (matchesAddress(s, header, ral)) return B.FILTER_PASS;
  }
  if ((low & 1) == 0) return (control & B.RCTL_UPE) != 0 ? B.FILTER_PASS_INEXACT : B.FILTER_REJECT;
  if ((control & B.RCTL_MPE) != 0) return B.FILTER_PASS;
  // 12 bits of the address, chosen by RCTL.MO, index the 4096-bit table.
  const upper = (<u32>load<u8>(header, 4)) | (<u32>load<u8>(header, 5) << 8);
  const offset = (control >> B.RCTL_MO_SHIFT) & 3;
  const shift: u32 = offset == 3 ? 0 : 4 - offset;
  const hash = (upper >> shift) & 0xfff;
  const word = get(s, R.REG_MTA + ((hash >> 5) << 2));
  return ((word >> (hash & 31)) & 1) != 0 ? B.FILTER_PASS_INEXACT : B.FILTER_REJECT;
}

/** True when the frame goes to the address of the first receive address register. */
export function isOwn(s: u32, header: u32): bool {
  return load<u32>(header) == get(s, R.REG_RAL0) && <u32>load<u16>(header, 4) == (get(s, R.REG_RAH0) & 0xffff);
}

/** True when the frame goes to the address of flow control (FCAL, FCAH). */
export function isFlowControl(s: u32, header: u32): bool {
  return load<u32>(header) == get(s, R.REG_FCAL) && <u32>load<u16>(header, 4) == (get(s, R.REG_FCAH) & 0xffff);
}

/** 7.1.1.2 to 7.1.1.5: the queue filters. Sets the filter queue, the immediate interrupt and the time stamp's mark. */
export function matchQueueFilters(s: u32, header: u32, length: u32): void {
  store<u32>(s + L.CORE_STATE_RX_FILTER_QUEUE, 0);
  store<u32>(s + L.CORE_STATE_RX_IMMEDIATE, 0);
  store<u32>(s + L.CORE_STATE_RX1588, 0);
  if (matchTypes(s, header)) return;
  const l4 = get(s, L.CORE_STATE_RX_L4);
  if (get(s, L.CORE_STATE_RX_PACKET_INFO) == 0) return;
  const syn = matchSyn(s, header, l4);
  const tuple = matchTuples(s, header, l4, length);
  // RFCTL.SYNQFP: which of the two comes first.
  const first = (get(s, R.REG_RFCTL) & B.RFCTL_SYNQFP) != 0 ? syn : tuple;
  const queue = first != 0 ? first : max(syn, tuple);
  store<u32>(s + L.CORE_STATE_RX_FILTER_QUEUE, queue);
}

/** ETQF: filters by the type of the frame. True when one matched. */
function matchTypes(s: u32, header: u32): bool {
  const type = loadBe16(header + get(s, L.CORE_STATE_RX_L3) - 2);
  for (let i: u32 = 0; i < <u32>B.ETQF_COUNT; i++) {
    const etqf = get(s, R.REG_ETQF + (i << 2));
    if ((etqf & B.ETQF_ENABLE) == 0 || (etqf & 0xffff) != type) continue;
    store<u32>(s + L.CORE_STATE_RX_PACKET_INFO, B.PACKET_ETQF | (i << 4));
    if ((etqf & B.ETQF_QUEUE_ENABLE) != 0) {
      store<u32>(s + L.CORE_STATE_RX_FILTER_QUEUE, 1 + ((etqf >> B.ETQF_QUEUE_SHIFT) & 15));
    }
    if ((etqf & B.ETQF_IMM_INT) != 0) store<u32>(s + L.CORE_STATE_RX_IMMEDIATE, 1);
    if ((etqf & B.ETQF_1588) != 0) store<u32>(s + L.CORE_STATE_RX1588, get(s, L.CORE_STATE_RX_L3));
    return true;
  }
  return false;
}

/** SYNQF: connection requests. 1 + the queue, or 0. */
function matchSyn(s: u32, header: u32, l4: u32): u32 {
  const filter = get(s, R.REG_SYNQF);
  if ((filter & B.SYNQF_ENABLE) == 0 || l4 == 0) return 0;
  if ((get(s, L.CORE_STATE_RX_PACKET_INFO) & B.PACKET_TCP) == 0) return 0;
  // SYN without ACK.
  if ((load<u8>(header + l4 + 13) & 0x12) != 0x02) return 0;
  return 1 + ((filter >> B.SYNQF_QUEUE_SHIFT) & 15);
}

/** FTQF with SAQF, DAQF, SPQF, IMIR, IMIREXT: 5-tuple filters of IPv4. 1 + the queue of the first that names one, or 0. */
function matchTuples(s: u32, header: u32, l4: u32, length: u32): u32 {
  if ((get(s, L.CORE_STATE_RX_PACKET_INFO) & B.PACKET_IPV4) == 0) return 0;
  let queue: u32 = 0;
  let best: u32 = 0;
  for (let i: u32 = 0; i < <u32>B.FTQF_COUNT; i++) {
    const ftqf = get(s, R.REG_FTQF + (i << 2));
    const imir = get(s, R.REG_IMIR + (i << 2));
    const uses = ftqf & (B.FTQF_QUEUE_ENABLE | B.FTQF_1588);
    if (uses == 0 && (imir & B.IMIR_PORT_IM_EN) == 0) continue;
    if (!matchesTuple(s, header, l4, length, i, ftqf, imir)) continue;
    if ((imir & B.IMIR_PORT_IM_EN) != 0) store<u32>(s + L.CORE_STATE_RX_IMMEDIATE, 1);
    if ((ftqf & B.FTQF_1588) != 0 && l4 != 0) store<u32>(s + L.CORE_STATE_RX1588, l4 + 8);
    const priority: u32 = 1 + (imir >>> 29);
    if ((ftqf & B.FTQF_QUEUE_ENABLE) != 0 && priority > best) {
      best = priority;
      queue = 1 + ((ftqf >> B.FTQF_QUEUE_SHIFT) & 15);
    }
  }
  return queue;
}

function matchesTuple(s: u32, header: u32, l4: u32, length: u32, i: u32, ftqf: u32, imir: u32): bool {
  const at = i << 2;
  const ip = header + get(s, L.CORE_STATE_RX_L3);
  if ((ftqf & B.FTQF_PROTOCOL_BP) == 0 && (ftqf & 0xff) != get(s, L.CORE_STATE_RX_PROTOCOL)) return false;
  if ((ftqf & B.FTQF_SOURCE_ADDRESS_BP) == 0 && get(s, R.REG_SAQF + at) != load<u32>(ip, 12)) return false;
  if ((ftqf & B.FTQF_DEST_ADDRESS_BP) == 0 && get(s, R.REG_DAQF + at) != load<u32>(ip, 16)) return false;
  // Registers hold ports in the order of the wire.
  if ((ftqf & B.FTQF_SOURCE_PORT_BP) == 0) {
    if (l4 == 0 || get(s, R.REG_SPQF + at) != <u32>load<u16>(header + l4)) return false;
  }
  if ((imir & B.IMIR_PORT_BP) == 0) {
    if (l4 == 0 || (imir & 0xffff) != <u32>load<u16>(header + l4, 2)) return false;
  }
  const ext = get(s, R.REG_IMIREXT + at);
  // Size and control bits restrict immediate interrupts, and with them the filter.
  if ((imir & B.IMIR_PORT_IM_EN) == 0) return true;
  if ((ext & B.IMIREXT_SIZE_BP) == 0 && length > (ext & 0xfff)) return false;
  if ((ext & B.IMIREXT_CTRL_BP) != 0) return true;
  if (l4 == 0 || (get(s, L.CORE_STATE_RX_PACKET_INFO) & B.PACKET_TCP) == 0) return false;
  // IMIREXT has URG first and FIN last, the header the other way round.
  const flags = <u32>load<u8>(header + l4, 13);
  const wanted = (ext >> B.IMIREXT_CTRL_SHIFT) & 0x3f;
  let turned: u32 = 0;
  for (let bit: u32 = 0; bit < 6; bit++) turned |= ((flags >> bit) & 1) << (5 - bit);
  return (turned & wanted) != 0;
}
