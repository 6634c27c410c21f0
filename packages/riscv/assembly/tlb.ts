import {
  BANKS,
  BANK_SETS,
  S_BANK,
  S_BANK_LABELS,
  S_BANK_NEXT,
  S_FETCH_TLB,
  S_MSTATUS,
  S_PRIVILEGE,
  S_READ_TLB,
  S_SATP,
  S_TLB_BASE,
  S_V,
  S_VMID,
  S_WRITE_TLB,
  TLB_BITS,
  TLB_ENTRIES,
  TLB_ENTRY_SIZE,
  TLB_FILTERS,
  TLB_FILTER_SIZE,
  TLB_LEVELS,
  TLB_PART,
  TLB_SETS,
  TLB_SET_SIZE,
  TLB_USE,
} from '../src/layout';
import { MACHINE, MPP, MPP_SHIFT, MPRV, SUM, USER } from './status';

// No address looks like this under the mask of any width: a misaligned one in page 0 has low bits up to 7.
const INVALID: u64 = 8;
const MACHINE_SET: u32 = TLB_SETS - 1;

/** The entry of a table that may hold `address`. */
// @ts-ignore: decorator
@inline
export function tlbEntry(table: u32, address: u64): u32 {
  return table + ((u32(address >> 12) & (TLB_ENTRIES - 1)) << 4);
}

// @ts-ignore: decorator
@inline
function setAddress(s: u32, set: u32): u32 {
  return load<u32>(s, S_TLB_BASE) + set * TLB_SET_SIZE;
}

/** The filter for superpages of a level, 1 to 3. */
// @ts-ignore: decorator
@inline
function filterAddress(table: u32, level: u32): u32 {
  return table + TLB_FILTERS + (level - 1) * TLB_FILTER_SIZE;
}

/** The bit of a superpage in its filter: neighbours, and those of user and kernel, have different ones. */
// @ts-ignore: decorator
@inline
function filterIndex(address: u64, level: u32): u32 {
  return u32(((address >> u64(12 + 9 * level)) * 0x9e3779b97f4a7c15) >> 55);
}

export function flushSet(table: u32): void {
  if (load<u32>(table, TLB_USE) == 0) return;
  const end = table + 3 * TLB_PART;
  for (let entry = table; entry < end; entry += TLB_ENTRY_SIZE) store<u64>(entry, INVALID);
  store<u32>(table, 0, TLB_USE);
  memory.fill(table + TLB_FILTERS, 0, 3 * TLB_FILTER_SIZE);
}

/** The label of the translations that satp, the VMID and V select. */
function currentLabel(s: u32): u64 {
  const satp = load<u64>(s, S_SATP);
  return (satp >> 44) | (u64(load<u32>(s, S_VMID)) << 20) | (u64(load<u32>(s, S_V)) << 40) | (1 << 63);
}

/** The bank of the present address space; the oldest one is emptied for a new space. */
function selectBank(s: u32): u32 {
  const label = currentLabel(s);
  const current = load<u32>(s, S_BANK);
  if (load<u64>(s + (current << 3), S_BANK_LABELS) == label) return current;
  for (let bank: u32 = 0; bank < u32(BANKS); bank++) {
    if (load<u64>(s + (bank << 3), S_BANK_LABELS) != label) continue;
    store<u32>(s, bank, S_BANK);
    return bank;
  }
  const bank = load<u32>(s, S_BANK_NEXT);
  store<u32>(s, (bank + 1) & (BANKS - 1), S_BANK_NEXT);
  flushBank(s, bank);
  store<u64>(s + (bank << 3), label, S_BANK_LABELS);
  store<u32>(s, bank, S_BANK);
  return bank;
}

function flushBank(s: u32, bank: u32): void {
  const first = setAddress(s, bank * BANK_SETS);
  flushSet(first);
  flushSet(first + TLB_SET_SIZE);
  flushSet(first + 2 * TLB_SET_SIZE);
}

/** The mode under which loads and stores are checked (mstatus.MPRV). */
export function dataPrivilege(s: u32): u32 {
  const status = load<u64>(s, S_MSTATUS);
  const privilege = load<u32>(s, S_PRIVILEGE);
  return privilege == MACHINE && (status & MPRV) != 0 ? u32((status & MPP) >> MPP_SHIFT) : privilege;
}

/** Points the active tables at the sets of the present modes and address space. */
export function updateContext(s: u32): void {
  const privilege = load<u32>(s, S_PRIVILEGE);
  const data = dataPrivilege(s);
  let first: u32 = 0;
  if (privilege != MACHINE || data != MACHINE) first = selectBank(s) * BANK_SETS;
  const fetchSet = privilege == MACHINE ? MACHINE_SET : first + privilege;
  let dataSet = MACHINE_SET;
  if (data != MACHINE) {
    dataSet = first + (data == USER ? 0 : (load<u64>(s, S_MSTATUS) & SUM) != 0 ? 2 : 1);
  }
  store<u32>(s, setAddress(s, fetchSet), S_FETCH_TLB);
  const table = setAddress(s, dataSet);
  store<u32>(s, table + TLB_PART, S_READ_TLB);
  store<u32>(s, table + 2 * TLB_PART, S_WRITE_TLB);
}

export function flushAll(s: u32): void {
  for (let set: u32 = 0; set < u32(TLB_SETS); set++) flushSet(setAddress(s, set));
}

/** Remembers at what level the walk for an entry ended, so that a fence for one address finds superpages. */
export function noteLevel(table: u32, part: u32, entry: u32, address: u64, level: u32): void {
  const position = (part << TLB_BITS) + ((entry - table - part * TLB_PART) >> 4);
  store<u8>(table + position, level, TLB_LEVELS);
  store<u32>(table, 1, TLB_USE);
  if (level == 0) return;
  const index = filterIndex(address, level);
  const filter = filterAddress(table, level) + (index >>> 3);
  store<u8>(filter, u32(load<u8>(filter)) | ((<u32>1) << (index & 7)));
}

/** Drops the entries of the page at an address, and of any superpage that holds it. */
function flushAddressIn(table: u32, address: u64): void {
  if (load<u32>(table, TLB_USE) == 0) return;
  const page = address & ~0xfff;
  for (let part: u32 = 0; part < 3; part++) {
    const entry = tlbEntry(table + part * TLB_PART, address);
    if (load<u64>(entry) == page) store<u64>(entry, INVALID);
  }
  for (let level: u32 = 1; level < 4; level++) {
    const index = filterIndex(address, level);
    const bits: u32 = load<u8>(filterAddress(table, level) + (index >>> 3));
    if ((bits & ((<u32>1) << (index & 7))) != 0) flushSuperpage(table, address, level);
  }
}

function flushSuperpage(table: u32, address: u64, level: u32): void {
  const shift = u64(12 + 9 * level);
  const wanted = address >> shift;
  for (let index: u32 = 0; index < u32(3 * TLB_ENTRIES); index++) {
    if (load<u8>(table + index, TLB_LEVELS) != level) continue;
    const entry = table + (index << 4);
    if (load<u64>(entry) >> shift == wanted) store<u64>(entry, INVALID);
  }
}

/** SFENCE.VMA: of every bank, or of one address space; of everything, or of one address. */
export function fence(s: u32, address: u64, anyAddress: bool, asid: u64, anyAsid: bool): void {
  for (let bank: u32 = 0; bank < u32(BANKS); bank++) {
    if (!anyAsid && (load<u64>(s + (bank << 3), S_BANK_LABELS) & 0xffff) != (asid & 0xffff)) continue;
    if (anyAddress) {
      flushBank(s, bank);
      continue;
    }
    const first = setAddress(s, bank * BANK_SETS);
    flushAddressIn(first, address);
    flushAddressIn(first + TLB_SET_SIZE, address);
    flushAddressIn(first + 2 * TLB_SET_SIZE, address);
  }
}
