import * as C from '../src/codes';
import * as L from '../src/layout-offsets';
import * as B from './bits';
import { bump, get, get64, hostAt, load64, set, set64, setBits } from './memory';

// The walks of first- and second-stage page tables (Privileged, "Virtual Address Translation Process" and "Two-Stage
// Address Translation").

export const DONE: u32 = 0;
/** A page fault: of the second stage for {@link secondStage}. */
export const PAGE: u32 = 1;
export const ACCESS: u32 = 2;
/** Of {@link firstStage}: the second stage refused an implicit access. */
export const GUEST: u32 = 3;

// What a walk is for.
export const READ: u32 = 1;
export const WRITE: u32 = 2;
export const EXECUTE: u32 = 4;
/** Missing permissions are a fault; an ATS request is told of them instead. */
export const CHECK: u32 = 8;
/** The transaction has supervisor privilege. */
export const PRIVILEGED: u32 = 16;

/** The PTE is no PTE for this purpose: not valid, or a reserved bit or encoding is set. */
function malformed(s: u32, pte: u64, level: i32): bool {
  if ((pte & B.PTE_V) == 0 || (pte & (B.PTE_R | B.PTE_W)) == B.PTE_W || (pte & B.PTE_RESERVED) != 0) return true;
  const capabilities = get(s, L.WALK_STATE_CAPABILITIES);
  if ((pte & B.PTE_SOFTWARE) != 0 && (capabilities & C.CAP_SVRSW60T59B) == 0) return true;
  const memoryType = pte & B.PTE_PBMT;
  if (memoryType != 0 && ((capabilities & C.CAP_SVPBMT) == 0 || memoryType == B.PTE_PBMT)) return true;
  if ((pte & (B.PTE_R | B.PTE_X)) == 0) {
    // Not a leaf: what a leaf alone has is reserved, and the last level has leaves alone.
    return level == 0 || (pte & (B.PTE_PBMT | B.PTE_N | B.PTE_D | B.PTE_A | B.PTE_U)) != 0;
  }
  if (level != 0) {
    const frame = (pte >> B.PTE_PPN_SHIFT) & B.PPN;
    return (pte & B.PTE_N) != 0 || (frame & ((<u64>1 << (9 * level)) - 1)) != 0;
  }
  // Svnapot knows 64 KiB only.
  return (pte & B.PTE_N) != 0 && ((pte >> B.PTE_PPN_SHIFT) & 15) != 8;
}

// @ts-ignore: decorator
@inline
function denied(pte: u64, wanted: u32): bool {
  if ((wanted & CHECK) == 0) return false;
  return (
    ((wanted & EXECUTE) != 0 && (pte & B.PTE_X) == 0) ||
    ((wanted & READ) != 0 && (pte & B.PTE_R) == 0) ||
    ((wanted & WRITE) != 0 && (pte & B.PTE_W) == 0)
  );
}

/** The A and D bits that the access needs and the PTE lacks. */
// @ts-ignore: decorator
@inline
function unmarked(pte: u64, wanted: u32): u64 {
  const needed = (wanted & WRITE) != 0 && (pte & B.PTE_W) != 0 ? B.PTE_A | B.PTE_D : B.PTE_A;
  return needed & ~pte;
}

// @ts-ignore: decorator
@inline
function leafShift(pte: u64, level: i32): u32 {
  return (pte & B.PTE_N) != 0 ? 16 : 12 + 9 * level;
}

/** The address within the page of a leaf. */
// @ts-ignore: decorator
@inline
function within(pte: u64, shift: u32, address: u64): u64 {
  const offset = (<u64>1 << shift) - 1;
  return ((((pte >> B.PTE_PPN_SHIFT) & B.PPN) << 12) & ~offset) | (address & offset);
}

/** Guest-physical to physical, with iohgatp of the device context at hand. */
export function secondStage(s: u32, address: u64, wanted: u32): u32 {
  const iohgatp = get64(s, L.WALK_STATE_IOHGATP);
  const mode = <u32>(iohgatp >> B.MODE_SHIFT);
  if (mode == 0) {
    set64(s, L.WALK_STATE_SECOND_ADDRESS, address);
    set64(s, L.WALK_STATE_SECOND_PTE, B.PTE_R | B.PTE_W | B.PTE_X | B.PTE_D);
    set(s, L.WALK_STATE_SECOND_SHIFT, C.BARE_SHIFT);
    return DONE;
  }
  const levels: i32 = mode - 5;
  if (address >> (14 + 9 * levels) != 0) return PAGE;
  const bigEndian = get(s, L.WALK_STATE_BIG_ENDIAN) != 0;
  let table = (iohgatp & B.PPN) << 12;
  for (let level = levels - 1; ; level--) {
    let index = address >> (12 + 9 * level);
    if (level != levels - 1) index &= 0x1ff;
    const host = hostAt(s, table + index * 8, 8, false);
    bump(s, L.WALK_STATE_SECOND_WALKS);
    if (host == 0) return ACCESS;
    bump(s, L.WALK_STATE_WALK_READS);
    let pte = load64(host, bigEndian);
    if (malformed(s, pte, level)) return PAGE;
    if ((pte & (B.PTE_R | B.PTE_X)) == 0) {
      table = ((pte >> B.PTE_PPN_SHIFT) & B.PPN) << 12;
      continue;
    }
    if (denied(pte, wanted) || (pte & B.PTE_U) == 0) return PAGE;
    const missing = unmarked(pte, wanted);
    if (missing != 0) {
      if ((get64(s, L.WALK_STATE_TC) & B.TC_GADE) == 0) return PAGE;
      const target = hostAt(s, table + index * 8, 8, true);
      if (target == 0) return ACCESS;
      setBits(s, target, missing, bigEndian);
      pte |= missing;
    }
    const shift = leafShift(pte, level);
    set64(s, L.WALK_STATE_SECOND_ADDRESS, within(pte, shift, address));
    set64(s, L.WALK_STATE_SECOND_PTE, pte);
    set(s, L.WALK_STATE_SECOND_SHIFT, shift);
    return DONE;
  }
}

/** An access to guest-physical memory that the IOMMU makes for itself; its answer is one of firstStage. */
export function implicitAccess(s: u32, address: u64, wanted: u32): u32 {
  const answer = secondStage(s, address, wanted | CHECK);
  if (answer != PAGE) return answer;
  // 4.2: bit 0 tells of an implicit access, bit 1 of a write.
  set64(s, L.WALK_STATE_IOTVAL2, (address & ~(<u64>3)) | ((wanted & WRITE) != 0 ? 3 : 1));
  return GUEST;
}

/** The transaction's privilege and the page's U bit go together. */
function allowed(s: u32, pte: u64, wanted: u32): bool {
  if ((wanted & PRIVILEGED) == 0) return (pte & B.PTE_U) != 0;
  if ((pte & B.PTE_U) == 0) return true;
  return (wanted & (EXECUTE | CHECK)) != (EXECUTE | CHECK) && get(s, L.WALK_STATE_SUM) != 0;
}

/** IOVA to guest-physical; `pointer` is iosatp. Table addresses go through the second stage. */
export function firstStage(s: u32, pointer: u64, address: u64, wanted: u32): u32 {
  const mode = <u32>(pointer >> B.MODE_SHIFT);
  if (mode == 0) {
    set64(s, L.WALK_STATE_FIRST_ADDRESS, address);
    set64(s, L.WALK_STATE_FIRST_PTE, B.PTE_R | B.PTE_W | B.PTE_X | B.PTE_D);
    set(s, L.WALK_STATE_FIRST_SHIFT, C.BARE_SHIFT);
    set(s, L.WALK_STATE_FIRST_GLOBAL, 0);
    return DONE;
  }
  const levels: i32 = mode - 5;
  const unused: i64 = <i64>address >> (11 + 9 * levels);
  if (unused != 0 && unused != -1) return PAGE;
  const bigEndian = (get64(s, L.WALK_STATE_TC) & B.TC_SBE) != 0;
  let table = (pointer & B.PPN) << 12;
  let globalMapping: u64 = 0;
  for (let level = levels - 1; ; level--) {
    const place = table + ((address >> (12 + 9 * level)) & 0x1ff) * 8;
    const implicit = implicitAccess(s, place, READ);
    if (implicit != DONE) return implicit;
    const host = hostAt(s, get64(s, L.WALK_STATE_SECOND_ADDRESS), 8, false);
    bump(s, L.WALK_STATE_FIRST_WALKS);
    if (host == 0) return ACCESS;
    bump(s, L.WALK_STATE_WALK_READS);
    let pte = load64(host, bigEndian);
    if (malformed(s, pte, level)) return PAGE;
    globalMapping |= pte & B.PTE_G;
    if ((pte & (B.PTE_R | B.PTE_X)) == 0) {
      table = ((pte >> B.PTE_PPN_SHIFT) & B.PPN) << 12;
      continue;
    }
    if (denied(pte, wanted) || !allowed(s, pte, wanted)) return PAGE;
    const missing = unmarked(pte, wanted);
    if (missing != 0) {
      if ((get64(s, L.WALK_STATE_TC) & B.TC_SADE) == 0) return PAGE;
      const update = implicitAccess(s, place, WRITE);
      if (update != DONE) return update;
      const target = hostAt(s, get64(s, L.WALK_STATE_SECOND_ADDRESS), 8, true);
      if (target == 0) return ACCESS;
      setBits(s, target, missing, bigEndian);
      pte |= missing;
    }
    const shift = leafShift(pte, level);
    set64(s, L.WALK_STATE_FIRST_ADDRESS, within(pte, shift, address));
    set64(s, L.WALK_STATE_FIRST_PTE, pte);
    set(s, L.WALK_STATE_FIRST_SHIFT, shift);
    set(s, L.WALK_STATE_FIRST_GLOBAL, globalMapping != 0 ? 1 : 0);
    return DONE;
  }
}
