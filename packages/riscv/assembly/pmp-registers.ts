import { S_PMPADDR, S_PMPCFG, S_PMP_ACTIVE, S_PMP_LOCKED } from '../src/layout';
import { flushAll } from './tlb';

/** The registers of physical memory protection (privileged architecture 3.7.1); the check is in `physical`. */
const LOCK: u32 = 0x80;
const MODE: u32 = 0x18;
const TOR: u32 = 0x08;
const WRITABLE: u32 = 0x9f;
const ADDRESS: u64 = 0x003fffffffffffff;

export function readPmpConfig(s: u32, first: u32): u64 {
  return load<u64>(s + first, S_PMPCFG);
}

/** Eight entries at once; locked ones stay, the reserved combination W without R becomes neither. */
export function writePmpConfig(s: u32, first: u32, value: u64): void {
  for (let index: u32 = 0; index < 8; index++) {
    const at = s + first + index;
    if ((load<u8>(at, S_PMPCFG) & LOCK) != 0) continue;
    let config = u32(value >> (index << 3)) & WRITABLE;
    if ((config & 3) == 2) config &= ~2;
    store<u8>(at, config, S_PMPCFG);
  }
  summarizePmp(s);
}

/** Ignored where the entry is locked, or the next one is and begins here. */
export function writePmpAddress(s: u32, index: u32, value: u64): void {
  if ((load<u8>(s + index, S_PMPCFG) & LOCK) != 0) return;
  if (index < 15) {
    const next = load<u8>(s + index + 1, S_PMPCFG);
    if ((next & LOCK) != 0 && (next & MODE) == TOR) return;
  }
  store<u64>(s + (index << 3), value & ADDRESS, S_PMPADDR);
  flushAll(s);
}

/** What the fast refusals of the check need; every translation is stale. */
export function summarizePmp(s: u32): void {
  let active: u32 = 0;
  let locked: u32 = 0;
  for (let index: u32 = 0; index < 16; index++) {
    const config = load<u8>(s + index, S_PMPCFG);
    if ((config & MODE) == 0) continue;
    active = 1;
    if ((config & LOCK) != 0) locked = 1;
  }
  store<u32>(s, active, S_PMP_ACTIVE);
  store<u32>(s, locked, S_PMP_LOCKED);
  flushAll(s);
}
