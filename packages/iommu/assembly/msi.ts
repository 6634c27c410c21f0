import * as C from '../src/codes';
import * as L from '../src/layout-offsets';
import * as B from './bits';
import { bump, get, get64, hostAt, load64, set, set64 } from './memory';

// Translation of the addresses of MSIs (3.3.3; Advanced Interrupt Architecture, chapter 9).

/** 3.1.3.6: a page of the guest that is a virtual interrupt file, with `ignored` low bits of its number left out. */
// @ts-ignore: decorator
@inline
export function isInterruptFile(s: u32, page: u64, ignored: u64): bool {
  if (get64(s, L.WALK_STATE_MSIPTP) >> B.MODE_SHIFT == 0) return false;
  const compared = ~(get64(s, L.WALK_STATE_MSI_MASK) | ignored);
  return ((page ^ get64(s, L.WALK_STATE_MSI_PATTERN)) & compared) == 0;
}

/** The bits of `value` where `mask` has ones, side by side. */
function extract(value: u64, mask: u64): u64 {
  let result: u64 = 0;
  for (let at: u64 = 0; mask != 0; mask &= mask - 1, at++) result |= ((value >> ctz(mask)) & 1) << at;
  return result;
}

/** Answers a cause, or 0 with target and address set. `address` lies in a virtual interrupt file. */
export function translateMessage(s: u32, address: u64): u32 {
  const number = extract(address >> 12, get64(s, L.WALK_STATE_MSI_MASK));
  const table = (get64(s, L.WALK_STATE_MSIPTP) & B.PPN) << 12;
  const host = hostAt(s, table | (number << 4), 16, false);
  if (host == 0) return C.CAUSE_MSI_PTE_ACCESS;
  bump(s, L.WALK_STATE_WALK_READS);
  const bigEndian = get(s, L.WALK_STATE_BIG_ENDIAN) != 0;
  const first = load64(host, bigEndian);
  const second = load64(host + 8, bigEndian);
  if ((first & B.MSI_V) == 0) return C.CAUSE_MSI_PTE_INVALID;
  if ((first & B.MSI_C) != 0) return C.CAUSE_MSI_PTE_MISCONFIGURED;
  const mode = <u32>(first >> B.MSI_MODE_SHIFT) & 3;
  if (mode == 3) {
    if ((first & B.MSI_BASIC_RESERVED) != 0 || second != 0) return C.CAUSE_MSI_PTE_MISCONFIGURED;
    set(s, L.WALK_STATE_TARGET, C.TO_INTERRUPT_FILE);
    set64(s, L.WALK_STATE_ADDRESS, (((first >> B.PTE_PPN_SHIFT) & B.PPN) << 12) | (address & 0xfff));
    return 0;
  }
  if (
    mode != 1 ||
    (get(s, L.WALK_STATE_CAPABILITIES) & C.CAP_MSI_MRIF) == 0 ||
    (first & B.MSI_MRIF_RESERVED) != 0 ||
    (second & B.MSI_NOTICE_RESERVED) != 0
  ) {
    return C.CAUSE_MSI_PTE_MISCONFIGURED;
  }
  set(s, L.WALK_STATE_TARGET, C.TO_MRIF);
  set64(s, L.WALK_STATE_ADDRESS, address);
  set64(s, L.WALK_STATE_MRIF, ((first >> 7) & 0x7fff_ffff_ffff) << 9);
  set64(s, L.WALK_STATE_NOTICE, ((second >> B.PTE_PPN_SHIFT) & B.PPN) << 12);
  set(s, L.WALK_STATE_NOTICE_ID, (<u32>(second >> 60) & 1) << 10 | (<u32>second & 0x3ff));
  return 0;
}
