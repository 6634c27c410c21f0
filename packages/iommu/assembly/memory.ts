import { noteAlignedStore } from '@vmloom/memory/assembly/store';
import * as L from '../src/layout-offsets';

// The state block (walkState in layouts.ts), whose base is the first argument of everything, and memory as the walks
// reach it: by physical address, in the byte order that the structure has.

/** Host offset of memory that answers outside the window of RAM; 0: none does. */
@external("env", "locate")
declare function locate(low: u32, high: u32, length: u32, write: bool): u32;

// @ts-ignore: decorator
@inline
export function get(s: u32, field: u32): u32 {
  return load<u32>(s + field);
}

// @ts-ignore: decorator
@inline
export function set(s: u32, field: u32, value: u32): void {
  store<u32>(s + field, value);
}

// @ts-ignore: decorator
@inline
export function get64(s: u32, field: u32): u64 {
  return load<u64>(s + field);
}

// @ts-ignore: decorator
@inline
export function set64(s: u32, field: u32, value: u64): void {
  store<u64>(s + field, value);
}

// @ts-ignore: decorator
@inline
export function bump(s: u32, field: u32): void {
  store<u32>(s + field, load<u32>(s + field) + 1);
}

/** The host offset of an aligned structure; 0 where nothing answers, which is an access fault. */
export function hostAt(s: u32, address: u64, length: u32, write: bool): u32 {
  const base = get64(s, L.WALK_STATE_RAM_BASE);
  if (address >= base && address + length <= get64(s, L.WALK_STATE_RAM_END)) {
    return get(s, L.WALK_STATE_RAM_OFFSET) + <u32>(address - base);
  }
  return locate(<u32>address, <u32>(address >> 32), length, write);
}

// @ts-ignore: decorator
@inline
export function load64(host: u32, bigEndian: bool): u64 {
  const value = load<u64>(host);
  return bigEndian ? bswap<u64>(value) : value;
}

/** Sets bits of a PTE in one step: no hart runs meanwhile. */
export function setBits(s: u32, host: u32, bits: u64, bigEndian: bool): void {
  store<u64>(host, load<u64>(host) | (bigEndian ? bswap<u64>(bits) : bits));
  noteAlignedStore(get(s, L.WALK_STATE_PAGE_FLAGS), host, 8);
  bump(s, L.WALK_STATE_PTE_UPDATES);
}
