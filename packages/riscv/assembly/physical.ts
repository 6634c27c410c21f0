import {
  C_FLAGS,
  RAM_ENTRY_SIZE,
  S_CORE,
  S_PMPADDR,
  S_PMPCFG,
  S_PMP_ACTIVE,
  S_PMP_LOCKED,
  S_RAM_COUNT,
  S_RAM_MAP,
} from '../src/layout';
import { FETCH, MACHINE, READ } from './status';

/**
 * The host offset of `length` bytes of RAM or ROM at a physical address; 0 where one region does not hold
 * them all, or where a store would meet ROM.
 */
export function ramOffset(s: u32, address: u64, length: u64, forStore: bool): u32 {
  let entry = s + S_RAM_MAP;
  for (let left = load<u32>(s, S_RAM_COUNT); left != 0; left--, entry += RAM_ENTRY_SIZE) {
    const first = load<u64>(entry);
    if (address < first || address >= load<u64>(entry, 8)) continue;
    if (load<u64>(entry, 8) - address < length || (forStore && load<u32>(entry, 20) != 0)) return 0;
    return load<u32>(entry, 16) + u32(address - first);
  }
  return 0;
}

/** The address of the flag byte of the page that holds a host offset. */
// @ts-ignore: decorator
@inline
export function flagAddress(s: u32, offset: u32): u32 {
  return load<u32>(load<u32>(s, S_CORE), C_FLAGS) + (offset >>> 12);
}

// pmpcfg fields (privileged architecture 3.7.1).
const PMP_A: u32 = 0x18;
const PMP_TOR: u32 = 0x08;
const PMP_NA4: u32 = 0x10;
const PMP_LOCK: u32 = 0x80;
const PMP_ENTRIES: u32 = 16;
const ALL: u64 = -1;

// @ts-ignore: decorator
@inline
function pmpFirst(s: u32, index: u32, mode: u32): u64 {
  if (mode == PMP_TOR) return index == 0 ? 0 : load<u64>(s + (index << 3) - 8, S_PMPADDR) << 2;
  const field = load<u64>(s + (index << 3), S_PMPADDR);
  if (mode == PMP_NA4) return field << 2;
  return (field & (field + 1)) << 2;
}

/** The last byte of an entry's range; a TOR range may be empty, its last byte is then below its first. */
// @ts-ignore: decorator
@inline
function pmpLast(s: u32, index: u32, mode: u32): u64 {
  const field = load<u64>(s + (index << 3), S_PMPADDR);
  if (mode == PMP_TOR) return (field << 2) - 1;
  if (mode == PMP_NA4) return (field << 2) | 3;
  return ((field | (field + 1)) << 2) | 3;
}

/** Whether PMP lets `privilege` access `length` bytes (3.7.1.3). */
export function pmpAllows(s: u32, address: u64, length: u64, access: u32, privilege: u32): bool {
  if (privilege == MACHINE && load<u32>(s, S_PMP_LOCKED) == 0) return true;
  if (load<u32>(s, S_PMP_ACTIVE) == 0) return privilege == MACHINE;
  const last = address + length - 1;
  for (let index: u32 = 0; index < PMP_ENTRIES; index++) {
    const config = load<u8>(s + index, S_PMPCFG);
    const mode = config & PMP_A;
    if (mode == 0) continue;
    const first = pmpFirst(s, index, mode);
    const end = pmpLast(s, index, mode);
    if (mode == PMP_TOR && (end == ALL || end < first)) continue;
    if (last < first || address > end) continue;
    if (address < first || last > end) return false;
    if (privilege == MACHINE && (config & PMP_LOCK) == 0) return true;
    const bit: u32 = access == FETCH ? 4 : access == READ ? 1 : 2;
    return (config & bit) != 0;
  }
  return privilege == MACHINE;
}

/** Whether no PMP range begins or ends inside the page, so that one answer holds for all of it. */
export function pmpUniform(s: u32, page: u64): bool {
  if (load<u32>(s, S_PMP_ACTIVE) == 0) return true;
  const last = page | 0xfff;
  for (let index: u32 = 0; index < PMP_ENTRIES; index++) {
    const mode = load<u8>(s + index, S_PMPCFG) & PMP_A;
    if (mode == 0) continue;
    const first = pmpFirst(s, index, mode);
    const end = pmpLast(s, index, mode);
    if (mode == PMP_TOR && (end == ALL || end < first)) continue;
    if (last < first || page > end) continue;
    if (page < first || last > end) return false;
  }
  return true;
}
