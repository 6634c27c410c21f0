import { PAGE_LOAD_WATCHED } from '@vmloom/memory/assembly/constants';
import { noteAlignedStore } from '@vmloom/memory/assembly/store';
import {
  C_FLAGS,
  S_CORE,
  S_FAULT_ADDRESS,
  S_FAULT_CAUSE,
  S_FETCH_TLB,
  S_MENVCFG,
  S_MSTATUS,
  S_PHYSICAL,
  S_PRIVILEGE,
  S_READ_TLB,
  S_SATP,
  S_WALK_LEVEL,
  S_WRITE_TLB,
  TLB_PART,
} from '../src/layout';
import { codePage } from './code-cache';
import { flagAddress, pmpAllows, pmpUniform, ramOffset } from './physical';
import {
  ADUE,
  FETCH,
  FETCH_ACCESS_FAULT,
  FETCH_PAGE_FAULT,
  LOAD_ACCESS_FAULT,
  LOAD_PAGE_FAULT,
  MACHINE,
  MXR,
  READ,
  STORE_ACCESS_FAULT,
  STORE_PAGE_FAULT,
  SUM,
  SUPERVISOR,
  USER,
  WRITE,
} from './status';
import { dataPrivilege, noteLevel, tlbEntry } from './tlb';

// Page-table entries (privileged architecture 4.3.1, 4.4.1).
const PTE_V: u64 = 1;
const PTE_R: u64 = 2;
const PTE_W: u64 = 4;
const PTE_X: u64 = 8;
const PTE_U: u64 = 16;
const PTE_A: u64 = 64;
const PTE_D: u64 = 128;
// N, PBMT and the reserved bits: Svnapot and Svpbmt are not there.
const PTE_RESERVED: u64 = 0xffc0000000000000;
const PTE_PPN: u64 = 0x003ffffffffffc00;

/** The access is to MMIO: S_PHYSICAL says where. */
export const AT_MMIO: u32 = 0;
/** A fault: S_FAULT_CAUSE and S_FAULT_ADDRESS are set. */
export const AT_FAULT: u32 = 1;

export function pageFault(access: u32): u32 {
  return access == FETCH ? FETCH_PAGE_FAULT : access == READ ? LOAD_PAGE_FAULT : STORE_PAGE_FAULT;
}

export function accessFault(access: u32): u32 {
  return access == FETCH ? FETCH_ACCESS_FAULT : access == READ ? LOAD_ACCESS_FAULT : STORE_ACCESS_FAULT;
}

/**
 * Translates for a mode: 0 with S_PHYSICAL set, or the exception's cause. `commit` false leaves A and D
 * bits alone (debuggers).
 */
export function walk(s: u32, address: u64, access: u32, privilege: u32, commit: bool): u32 {
  const satp = load<u64>(s, S_SATP);
  const mode = u32(satp >> 60);
  store<u32>(s, 0, S_WALK_LEVEL);
  if (privilege == MACHINE || mode == 0) {
    store<u64>(s, address, S_PHYSICAL);
    return 0;
  }
  let level: i32 = mode == 8 ? 2 : 3;
  const unused: u64 = mode == 8 ? 25 : 16;
  if (u64((i64(address) << unused) >> unused) != address) return pageFault(access);
  const status = load<u64>(s, S_MSTATUS);
  let table = (satp & 0xfffffffffff) << 12;
  for (; level >= 0; level--) {
    const shift = u64(12 + 9 * level);
    const at = table + (((address >> shift) & 511) << 3);
    const offset = pmpAllows(s, at, 8, READ, SUPERVISOR) ? ramOffset(s, at, 8, false) : 0;
    if (offset == 0) return accessFault(access);
    let pte = load<u64>(offset);
    if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W || (pte & PTE_RESERVED) != 0)
      return pageFault(access);
    if (!(pte & (PTE_R | PTE_X))) {
      if (pte & (PTE_A | PTE_D | PTE_U)) return pageFault(access);
      table = (pte & PTE_PPN) << 2;
      continue;
    }
    if (pte & PTE_U) {
      if (privilege == SUPERVISOR && (access == FETCH || !(status & SUM))) return pageFault(access);
    } else if (privilege == USER) return pageFault(access);
    const readable = (pte & PTE_R) != 0 || ((status & MXR) != 0 && (pte & PTE_X) != 0);
    const allowed = access == FETCH ? (pte & PTE_X) != 0 : access == READ ? readable : (pte & PTE_W) != 0;
    if (!allowed) return pageFault(access);
    const low = ((<u64>1) << shift) - 1;
    const base = (pte & PTE_PPN) << 2;
    if ((base & low) != 0) return pageFault(access);
    const wanted: u64 = access == WRITE ? PTE_A | PTE_D : PTE_A;
    if ((pte & wanted) != wanted) {
      if (!(load<u64>(s, S_MENVCFG) & ADUE)) return pageFault(access);
      if (!pmpAllows(s, at, 8, WRITE, SUPERVISOR)) return accessFault(access);
      const target = ramOffset(s, at, 8, true);
      if (target == 0) return accessFault(access);
      if (commit) {
        pte |= wanted;
        store<u64>(target, pte);
        noteAlignedStore(load<u32>(load<u32>(s, S_CORE), C_FLAGS), target, 8);
      }
    }
    store<u64>(s, base | (address & low), S_PHYSICAL);
    store<u32>(s, level, S_WALK_LEVEL);
    return 0;
  }
  return pageFault(access);
}

function fault(s: u32, cause: u32, address: u64): u32 {
  store<u32>(s, cause, S_FAULT_CAUSE);
  store<u64>(s, address, S_FAULT_ADDRESS);
  return AT_FAULT;
}

/**
 * Where `length` bytes of data at a virtual address lie, which do not cross a page: a host offset, or
 * AT_MMIO, or AT_FAULT. Fills the translation buffer where all of the page is one kind of memory.
 */
export function dataOffset(s: u32, address: u64, length: u64, access: u32): u32 {
  const table = access == READ ? load<u32>(s, S_READ_TLB) : load<u32>(s, S_WRITE_TLB);
  const entry = tlbEntry(table, address);
  const page = address & ~0xfff;
  if (load<u64>(entry) == page) return u32(address) + load<u32>(entry, 8);
  const privilege = dataPrivilege(s);
  const cause = walk(s, address, access, privilege, true);
  if (cause != 0) return fault(s, cause, address);
  const physical = load<u64>(s, S_PHYSICAL);
  if (!pmpAllows(s, physical, length, access, privilege)) return fault(s, accessFault(access), address);
  const offset = ramOffset(s, physical, length, access == WRITE);
  if (offset == 0) return AT_MMIO;
  const frame = ramOffset(s, physical & ~0xfff, 4096, access == WRITE);
  if (frame != 0 && pmpUniform(s, physical & ~0xfff)) {
    const flag = flagAddress(s, frame);
    // Loads from a watched page come here every time, so that the others need not look.
    if (access == READ && (load<u8>(flag) & PAGE_LOAD_WATCHED) != 0) return offset;
    store<u64>(entry, page);
    store<u32>(entry, frame - u32(page), 8);
    store<u32>(entry, flag, 12);
    const part: u32 = access == READ ? 1 : 2;
    noteLevel(table - part * TLB_PART, part, entry, address, load<u32>(s, S_WALK_LEVEL));
  }
  return offset;
}

/** The host offset of two bytes of code, or AT_FAULT. Leaves the translation buffer alone. */
export function fetchOffset(s: u32, address: u64): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  const cause = walk(s, address, FETCH, privilege, true);
  if (cause != 0) return fault(s, cause, address);
  const physical = load<u64>(s, S_PHYSICAL);
  const allowed = pmpAllows(s, physical, 2, FETCH, privilege);
  const offset = allowed ? ramOffset(s, physical, 2, false) : 0;
  return offset != 0 ? offset : fault(s, FETCH_ACCESS_FAULT, address);
}

/**
 * The decoded page that holds the code at a virtual address, in the active fetch table from now on; 0 for a
 * fault. A page that is not whole (its RAM ends, or a PMP range begins in it) answers AT_MMIO: its
 * instructions are fetched one by one.
 */
export function fetchPage(s: u32, address: u64): u32 {
  const table = load<u32>(s, S_FETCH_TLB);
  const entry = tlbEntry(table, address);
  const page = address & ~0xfff;
  if (load<u64>(entry) == page) return load<u32>(entry, 8);
  if (fetchOffset(s, address) == AT_FAULT) return 0;
  const physical = load<u64>(s, S_PHYSICAL) & ~0xfff;
  const frame = ramOffset(s, physical, 4096, false);
  if (frame == 0 || !pmpUniform(s, physical)) return AT_FAULT;
  const records = codePage(load<u32>(s, S_CORE), frame);
  store<u64>(entry, page);
  store<u32>(entry, records, 8);
  store<u32>(entry, frame, 12);
  noteLevel(table, 0, entry, address, load<u32>(s, S_WALK_LEVEL));
  return records;
}
