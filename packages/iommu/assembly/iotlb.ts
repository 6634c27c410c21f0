import * as C from '../src/codes';
import * as L from '../src/layout-offsets';
import * as B from './bits';
import { get, get64, set, set64 } from './memory';
import { CHECK, EXECUTE, PRIVILEGED, READ, WRITE } from './stages';

// The cache of translations: sets of IOTLB_WAYS entries, replaced in the order in which they came. An entry is tagged with
// GSCID and PSCID, each with its valid bit, as the invalidation commands of 4.1.1 need them.

// @ts-ignore: decorator
@inline
function firstOfSet(s: u32, page: u64, gscid: u32, pscid: u32): u32 {
  let hash = <u32>page ^ <u32>(page >> 20) ^ (pscid * 0x9e37) ^ (gscid * 0x85eb);
  hash ^= hash >> 8;
  const set = hash & (get(s, L.WALK_STATE_IOTLB_SETS) - 1);
  return get(s, L.WALK_STATE_IOTLB) + set * (C.IOTLB_WAYS * L.IOTLB_ENTRY_SIZE);
}

/** The entry grants it; where it does not, a walk finds out why. */
function grants(s: u32, flags: u32, wanted: u32): bool {
  if ((flags & wanted & (READ | WRITE | EXECUTE)) != (wanted & (READ | WRITE | EXECUTE))) return false;
  if ((flags & C.ENTRY_FIRST_STAGE) == 0) return true;
  const user = (flags & C.ENTRY_USER) != 0;
  if ((wanted & PRIVILEGED) == 0) return user;
  return !user || ((wanted & EXECUTE) == 0 && get(s, L.WALK_STATE_SUM) != 0);
}

/** True: the translation of the IOVA for the address space at hand is in the answer. */
export function lookUp(s: u32, iova: u64, wanted: u32): bool {
  const gscid = get(s, L.WALK_STATE_GSCID);
  const pscid = get(s, L.WALK_STATE_PSCID);
  for (let sizes = get64(s, L.WALK_STATE_IOTLB_SIZES); sizes != 0; sizes &= sizes - 1) {
    const above = ctz(sizes);
    const page = (iova >> 12) >> above;
    let entry = firstOfSet(s, page, gscid, pscid);
    for (let way = 0; way < C.IOTLB_WAYS; way++, entry += L.IOTLB_ENTRY_SIZE) {
      const flags = load<u32>(entry, L.IOTLB_ENTRY_FLAGS);
      if ((flags & C.ENTRY_VALID) == 0 || load<u64>(entry) != page << above) continue;
      const shift = load<u32>(entry, L.IOTLB_ENTRY_SHIFTS) & 0xff;
      if (<u64>shift != above + 12) continue;
      if (load<u32>(entry, L.IOTLB_ENTRY_GSCID) != gscid || load<u32>(entry, L.IOTLB_ENTRY_PSCID) != pscid) continue;
      if (!grants(s, flags, wanted)) return false;
      set64(s, L.WALK_STATE_ADDRESS, (load<u64>(entry, L.IOTLB_ENTRY_FRAME) << 12) | (iova & ((<u64>1 << shift) - 1)));
      set(s, L.WALK_STATE_SHIFT, shift);
      set(s, L.WALK_STATE_PERMISSIONS, flags & 0xff);
      set(s, L.WALK_STATE_MEMORY_TYPE, (flags >> C.ENTRY_TYPE_SHIFT) & 3);
      set(s, L.WALK_STATE_TARGET, (flags & C.ENTRY_INTERRUPT_FILE) != 0 ? C.TO_INTERRUPT_FILE : C.TO_MEMORY);
      return true;
    }
  }
  return false;
}

/** Keeps the answer at hand. Write permission is kept only with D set, so that the first write walks. */
export function keep(s: u32, iova: u64, firstShift: u32): void {
  const gscid = get(s, L.WALK_STATE_GSCID);
  const pscid = get(s, L.WALK_STATE_PSCID);
  const shift = get(s, L.WALK_STATE_SHIFT);
  const above = <u64>(shift - 12);
  const page = (iova >> 12) >> above;
  const base = firstOfSet(s, page, gscid, pscid);
  // A stale entry of the same page (other permissions) gives way first.
  let last = base + (C.IOTLB_WAYS - 1) * L.IOTLB_ENTRY_SIZE;
  for (let entry = base; entry < last; entry += L.IOTLB_ENTRY_SIZE) {
    const same =
      load<u64>(entry) == page << above &&
      load<u32>(entry, L.IOTLB_ENTRY_GSCID) == gscid &&
      load<u32>(entry, L.IOTLB_ENTRY_PSCID) == pscid;
    if (same || (load<u32>(entry, L.IOTLB_ENTRY_FLAGS) & C.ENTRY_VALID) == 0) {
      last = entry;
      break;
    }
  }
  memory.copy(base + L.IOTLB_ENTRY_SIZE, base, last - base);
  const firstPte = get64(s, L.WALK_STATE_FIRST_PTE);
  let flags: u32 = C.ENTRY_VALID | get(s, L.WALK_STATE_PERMISSIONS);
  if ((pscid & <u32>C.ID_VALID) != 0) flags |= C.ENTRY_FIRST_STAGE;
  if ((firstPte & B.PTE_U) != 0) flags |= C.ENTRY_USER;
  if (get(s, L.WALK_STATE_TARGET) == C.TO_INTERRUPT_FILE) flags |= C.ENTRY_INTERRUPT_FILE;
  flags |= get(s, L.WALK_STATE_MEMORY_TYPE) << C.ENTRY_TYPE_SHIFT;
  store<u64>(base, page << above);
  store<u64>(base, (get64(s, L.WALK_STATE_ADDRESS) >> shift) << above, L.IOTLB_ENTRY_FRAME);
  store<u32>(base, gscid, L.IOTLB_ENTRY_GSCID);
  store<u32>(base, pscid, L.IOTLB_ENTRY_PSCID);
  store<u32>(base, flags, L.IOTLB_ENTRY_FLAGS);
  store<u32>(base, shift | (firstShift << 8), L.IOTLB_ENTRY_SHIFTS);
  set64(s, L.WALK_STATE_IOTLB_SIZES, get64(s, L.WALK_STATE_IOTLB_SIZES) | (<u64>1 << above));
}

// @ts-ignore: decorator
@inline
function capacity(s: u32): u32 {
  return get(s, L.WALK_STATE_IOTLB_SETS) * C.IOTLB_WAYS;
}

/**
 * IOTINVAL.VMA (4.1.1): `gscid` and `pscid` carry ID_VALID for GV and PSCV; the address range is 2 to the power of
 * `rangeShift` bytes around `address`, or everything with 64. Entries of a superpage of the first stage go with any of
 * its addresses.
 */
export function invalidateFirst(s: u32, gscid: u32, pscid: u32, address: u64, rangeShift: u32): void {
  let entry = get(s, L.WALK_STATE_IOTLB);
  for (let i: u32 = 0; i < capacity(s); i++, entry += L.IOTLB_ENTRY_SIZE) {
    const flags = load<u32>(entry, L.IOTLB_ENTRY_FLAGS);
    const entryGscid = load<u32>(entry, L.IOTLB_ENTRY_GSCID);
    if ((gscid & <u32>C.ID_VALID) != 0 ? entryGscid != gscid : (entryGscid & <u32>C.ID_VALID) != 0) continue;
    if ((pscid & <u32>C.ID_VALID) != 0) {
      if (load<u32>(entry, L.IOTLB_ENTRY_PSCID) != pscid || (flags & C.PERMIT_GLOBAL) != 0) continue;
    }
    if (rangeShift < 64) {
      const leaf = load<u32>(entry, L.IOTLB_ENTRY_SHIFTS) >> 8;
      const shift = leaf > rangeShift ? leaf : rangeShift;
      if (((load<u64>(entry) << 12) ^ address) >> shift != 0) continue;
    }
    store<u32>(entry, 0, L.IOTLB_ENTRY_FLAGS);
  }
}

/** IOTINVAL.GVMA: all of one VM, or of all VMs. Entries do not know their guest-physical page, so an address is not used. */
export function invalidateSecond(s: u32, gscid: u32): void {
  let entry = get(s, L.WALK_STATE_IOTLB);
  for (let i: u32 = 0; i < capacity(s); i++, entry += L.IOTLB_ENTRY_SIZE) {
    const entryGscid = load<u32>(entry, L.IOTLB_ENTRY_GSCID);
    if ((gscid & <u32>C.ID_VALID) != 0 ? entryGscid != gscid : (entryGscid & <u32>C.ID_VALID) == 0) continue;
    store<u32>(entry, 0, L.IOTLB_ENTRY_FLAGS);
  }
}

/** All entries go. */
export function clear(s: u32): void {
  memory.fill(get(s, L.WALK_STATE_IOTLB), 0, capacity(s) * L.IOTLB_ENTRY_SIZE);
  set64(s, L.WALK_STATE_IOTLB_SIZES, 0);
}
