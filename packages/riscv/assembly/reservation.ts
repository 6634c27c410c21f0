import { PAGE_RESERVED } from '@vmloom/memory/assembly/constants';
import { C_FLAGS, C_HARTS, C_HART_COUNT, S_CORE, S_RESERVATION } from '../src/layout';

/** LR reservations: 64-byte sets of host memory, one per hart, watched through the page flags. */
export const RESERVED_SET: u32 = 64;

/** Takes a reservation away; its page is watched no longer unless another hart holds one in it. */
function release(c: u32, state: u32): void {
  const reserved = load<u32>(state, S_RESERVATION);
  if (reserved == 0) return;
  store<u32>(state, 0, S_RESERVATION);
  for (let hart: u32 = 0; hart < load<u32>(c, C_HART_COUNT); hart++) {
    if (load<u32>(load<u32>(c + (hart << 2), C_HARTS), S_RESERVATION) >>> 12 == reserved >>> 12) return;
  }
  const flag = load<u32>(c, C_FLAGS) + (reserved >>> 12);
  store<u8>(flag, load<u8>(flag) & ~PAGE_RESERVED);
}

/** Moves the hart's reservation to the set that holds a host offset. */
export function reserve(s: u32, offset: u32): void {
  const c = load<u32>(s, S_CORE);
  release(c, s);
  store<u32>(s, offset & ~(RESERVED_SET - 1), S_RESERVATION);
  const flag = load<u32>(c, C_FLAGS) + (offset >>> 12);
  store<u8>(flag, load<u8>(flag) | PAGE_RESERVED);
}

/** Ends the hart's reservation; whether it covered a host offset. */
export function takeReservation(s: u32, offset: u32): bool {
  const reserved = load<u32>(s, S_RESERVATION);
  release(load<u32>(s, S_CORE), s);
  return reserved == (offset & ~(RESERVED_SET - 1));
}

/** Ends every reservation whose set a store touched. */
export function breakReservations(c: u32, offset: u32, length: u32): void {
  const end = u64(offset) + length;
  for (let hart: u32 = 0; hart < load<u32>(c, C_HART_COUNT); hart++) {
    const state = load<u32>(c + (hart << 2), C_HARTS);
    const reserved = load<u32>(state, S_RESERVATION);
    if (reserved != 0 && u64(reserved) < end && u64(reserved) + RESERVED_SET > u64(offset)) release(c, state);
  }
}
