import * as C from '../src/codes';
import * as L from '../src/layout-offsets';
import * as B from './bits';
import { bump, get, get64, hostAt, load64, set, set64 } from './memory';
import { ACCESS, DONE, GUEST, implicitAccess, READ } from './stages';

// Device and process directories (3.3.1, 3.3.2), and the caches of their leaves. An answer is a cause, or 0.

/** The mode of a page table is one that there is: Bare, or a width that the capabilities have. */
function goodMode(mode: u64, capabilities: u32, sv39: u32): bool {
  if (mode == 0) return true;
  return mode >= 8 && mode <= 10 && (capabilities & (sv39 << <u32>(mode - 8))) != 0;
}

/** 3.1.4: the checks of a valid device context at hand. */
function misconfigured(s: u32): bool {
  const capabilities = get(s, L.WALK_STATE_CAPABILITIES);
  const high = get(s, L.WALK_STATE_CAPABILITIES_HIGH);
  const tc = get64(s, L.WALK_STATE_TC);
  const iohgatp = get64(s, L.WALK_STATE_IOHGATP);
  const fsc = get64(s, L.WALK_STATE_FSC);
  const secondMode = iohgatp >> B.MODE_SHIFT;
  if ((tc & B.TC_RESERVED) != 0 || (fsc & B.POINTER_RESERVED) != 0) return true;
  if ((get64(s, L.WALK_STATE_TA) & B.DC_TA_RESERVED) != 0) return true;
  if ((tc & (B.TC_EN_ATS | B.TC_EN_PRI | B.TC_PRPR)) != 0 && (capabilities & C.CAP_ATS) == 0) return true;
  if ((tc & B.TC_EN_ATS) == 0 && (tc & (B.TC_T2GPA | B.TC_EN_PRI)) != 0) return true;
  if ((tc & (B.TC_EN_PRI | B.TC_PRPR)) == B.TC_PRPR) return true;
  if ((tc & B.TC_T2GPA) != 0 && ((capabilities & C.CAP_T2GPA) == 0 || secondMode == 0)) return true;
  const mode = fsc >> B.MODE_SHIFT;
  if ((tc & B.TC_PDTV) != 0) {
    if (mode > 3 || (mode != 0 && (high & (C.CAP_HIGH_PD8 << <u32>(mode - 1))) == 0)) return true;
  } else if ((tc & B.TC_DPE) != 0 || !goodMode(mode, capabilities, C.CAP_SV39)) return true;
  if (!goodMode(secondMode, capabilities, C.CAP_SV39X4)) return true;
  if (secondMode != 0 && (iohgatp & 3) != 0) return true;
  if ((tc & (B.TC_SADE | B.TC_GADE)) != 0 && (capabilities & C.CAP_AMO_HWAD) == 0) return true;
  // fctl.GXL is hardwired to 0, so SXL is too; with both byte orders SBE may be either.
  if ((tc & B.TC_SXL) != 0) return true;
  const bigEndian = get(s, L.WALK_STATE_BIG_ENDIAN) != 0;
  if ((capabilities & C.CAP_END) == 0 && ((tc & B.TC_SBE) != 0) != bigEndian) return true;
  if ((capabilities & C.CAP_MSI_FLAT) == 0) return false;
  const msiptp = get64(s, L.WALK_STATE_MSIPTP);
  const msiMode = msiptp >> B.MODE_SHIFT;
  if (msiMode > 1 || (msiMode != 0 && secondMode == 0) || (msiptp & B.POINTER_RESERVED) != 0) return true;
  // 3.1.3.6: pages of virtual interrupt files lie where guest-physical addresses reach.
  const width: u64 = (capabilities & C.CAP_SV57X4) != 0 ? 47 : (capabilities & C.CAP_SV48X4) != 0 ? 38 : 29;
  return ((get64(s, L.WALK_STATE_MSI_MASK) | get64(s, L.WALK_STATE_MSI_PATTERN)) >> width) != 0;
}

// @ts-ignore: decorator
@inline
function deviceEntry(s: u32, device: u32): u32 {
  const set = (device ^ (device >> 8)) & (get(s, L.WALK_STATE_DEVICE_ENTRIES) - 1);
  return get(s, L.WALK_STATE_DEVICE_CACHE) + set * L.DEVICE_ENTRY_SIZE;
}

/** 3.3 steps 3 to 6: the device context of the request becomes the one at hand. */
export function locateDevice(s: u32, device: u32): u32 {
  const entry = deviceEntry(s, device);
  if (load<u32>(entry) != 0 && load<u32>(entry, L.DEVICE_ENTRY_DEVICE_ID) == device) {
    bump(s, L.WALK_STATE_DEVICE_HITS);
    memory.copy(s + L.WALK_STATE_TC, entry + L.DEVICE_ENTRY_TC, L.DEVICE_ENTRY_SIZE - L.DEVICE_ENTRY_TC);
    return 0;
  }
  const ddtp = get64(s, L.WALK_STATE_DDTP);
  const mode = <u32>ddtp & 15;
  const extended = (get(s, L.WALK_STATE_CAPABILITIES) & C.CAP_MSI_FLAT) != 0;
  const leafBits: u32 = extended ? 6 : 7;
  if (mode < <u32>C.DDTP_3LVL && device >> (mode == C.DDTP_1LVL ? leafBits : leafBits + 9) != 0) {
    return C.CAUSE_TYPE_DISALLOWED;
  }
  const bigEndian = get(s, L.WALK_STATE_BIG_ENDIAN) != 0;
  let table = ((ddtp >> 10) & B.PPN) << 12;
  for (let level = mode - C.DDTP_1LVL; level > 0; level--) {
    const index = (device >> (leafBits + 9 * (level - 1))) & 0x1ff;
    const host = hostAt(s, table + index * 8, 8, false);
    bump(s, L.WALK_STATE_DEVICE_WALKS);
    if (host == 0) return C.CAUSE_DDT_ACCESS;
    bump(s, L.WALK_STATE_WALK_READS);
    const next = load64(host, bigEndian);
    if ((next & B.ENTRY_V) == 0) return C.CAUSE_DDT_INVALID;
    if ((next & B.ENTRY_RESERVED) != 0) return C.CAUSE_DDT_MISCONFIGURED;
    table = ((next >> B.PTE_PPN_SHIFT) & B.PPN) << 12;
  }
  const size: u32 = extended ? 64 : 32;
  const host = hostAt(s, table + (device & ((1 << leafBits) - 1)) * size, size, false);
  bump(s, L.WALK_STATE_DEVICE_WALKS);
  if (host == 0) return C.CAUSE_DDT_ACCESS;
  bump(s, L.WALK_STATE_WALK_READS);
  for (let at: u32 = 0; at < 56; at += 8) {
    set64(s, L.WALK_STATE_TC + at, at < size ? load64(host + at, bigEndian) : 0);
  }
  if ((get64(s, L.WALK_STATE_TC) & B.TC_V) == 0) return C.CAUSE_DDT_INVALID;
  if (misconfigured(s) || (extended && load<u64>(host, 56) != 0)) return C.CAUSE_DDT_MISCONFIGURED;
  memory.copy(entry + L.DEVICE_ENTRY_TC, s + L.WALK_STATE_TC, L.DEVICE_ENTRY_SIZE - L.DEVICE_ENTRY_TC);
  store<u32>(entry, device, L.DEVICE_ENTRY_DEVICE_ID);
  store<u32>(entry, 1);
  return 0;
}

// @ts-ignore: decorator
@inline
function processEntry(s: u32, device: u32, process: u32): u32 {
  const set = (process ^ (process >> 7) ^ (device * 5)) & (get(s, L.WALK_STATE_PROCESS_ENTRIES) - 1);
  return get(s, L.WALK_STATE_PROCESS_CACHE) + set * L.PROCESS_ENTRY_SIZE;
}

/** Bits of a process ID that the mode of pdtp has: 8, 17 or 20. */
export function processBits(mode: u64): u32 {
  return mode == 1 ? 8 : mode == 2 ? 17 : 20;
}

/** 3.3.2; `guestFault` is the cause of a guest page fault of the original access. */
export function locateProcess(s: u32, device: u32, process: u32, guestFault: u32): u32 {
  const entry = processEntry(s, device, process);
  if (
    load<u32>(entry) != 0 &&
    load<u32>(entry, L.PROCESS_ENTRY_DEVICE_ID) == device &&
    load<u32>(entry, L.PROCESS_ENTRY_PROCESS_ID) == process
  ) {
    bump(s, L.WALK_STATE_PROCESS_HITS);
    set64(s, L.WALK_STATE_PC_TA, load<u64>(entry, L.PROCESS_ENTRY_TA));
    set64(s, L.WALK_STATE_PC_FSC, load<u64>(entry, L.PROCESS_ENTRY_FSC));
    return 0;
  }
  const bigEndian = (get64(s, L.WALK_STATE_TC) & B.TC_SBE) != 0;
  const pdtp = get64(s, L.WALK_STATE_FSC);
  let table = (pdtp & B.PPN) << 12;
  for (let level = <u32>(pdtp >> B.MODE_SHIFT) - 1; ; level--) {
    const leaf = level == 0;
    const place = leaf
      ? table + (process & 0xff) * 16
      : table + ((process >> (9 * level - 1)) & 0x1ff) * 8;
    const implicit = implicitAccess(s, place, READ);
    if (implicit == GUEST) return guestFault;
    if (implicit == ACCESS) return C.CAUSE_PDT_ACCESS;
    const host = hostAt(s, get64(s, L.WALK_STATE_SECOND_ADDRESS), leaf ? 16 : 8, false);
    bump(s, L.WALK_STATE_PROCESS_WALKS);
    if (host == 0) return C.CAUSE_PDT_ACCESS;
    bump(s, L.WALK_STATE_WALK_READS);
    const first = load64(host, bigEndian);
    if ((first & B.ENTRY_V) == 0) return C.CAUSE_PDT_INVALID;
    if (!leaf) {
      if ((first & B.ENTRY_RESERVED) != 0) return C.CAUSE_PDT_MISCONFIGURED;
      table = ((first >> B.PTE_PPN_SHIFT) & B.PPN) << 12;
      continue;
    }
    const fsc = load64(host + 8, bigEndian);
    if (
      (first & B.PC_TA_RESERVED) != 0 ||
      (fsc & B.POINTER_RESERVED) != 0 ||
      !goodMode(fsc >> B.MODE_SHIFT, get(s, L.WALK_STATE_CAPABILITIES), C.CAP_SV39)
    ) {
      return C.CAUSE_PDT_MISCONFIGURED;
    }
    set64(s, L.WALK_STATE_PC_TA, first);
    set64(s, L.WALK_STATE_PC_FSC, fsc);
    store<u32>(entry, 1);
    store<u32>(entry, device, L.PROCESS_ENTRY_DEVICE_ID);
    store<u32>(entry, process, L.PROCESS_ENTRY_PROCESS_ID);
    store<u64>(entry, first, L.PROCESS_ENTRY_TA);
    store<u64>(entry, fsc, L.PROCESS_ENTRY_FSC);
    return 0;
  }
}

/** IODIR.INVAL_DDT: the contexts of one device, or of all. */
export function invalidateDevices(s: u32, one: bool, device: u32): void {
  const devices = get(s, L.WALK_STATE_DEVICE_CACHE);
  for (let i: u32 = 0; i < get(s, L.WALK_STATE_DEVICE_ENTRIES); i++) {
    const entry = devices + i * L.DEVICE_ENTRY_SIZE;
    if (!one || load<u32>(entry, L.DEVICE_ENTRY_DEVICE_ID) == device) store<u32>(entry, 0);
  }
  invalidateProcesses(s, one, device, false, 0);
}

/** IODIR.INVAL_PDT: one process of a device; for INVAL_DDT all of one device, or of all. */
export function invalidateProcesses(s: u32, oneDevice: bool, device: u32, one: bool, process: u32): void {
  const processes = get(s, L.WALK_STATE_PROCESS_CACHE);
  for (let i: u32 = 0; i < get(s, L.WALK_STATE_PROCESS_ENTRIES); i++) {
    const entry = processes + i * L.PROCESS_ENTRY_SIZE;
    if (oneDevice && load<u32>(entry, L.PROCESS_ENTRY_DEVICE_ID) != device) continue;
    if (one && load<u32>(entry, L.PROCESS_ENTRY_PROCESS_ID) != process) continue;
    store<u32>(entry, 0);
  }
}
