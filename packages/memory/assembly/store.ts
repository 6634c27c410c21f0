import { PAGE_SHIFT } from '../src/constants';

// Called for a store that touched a page with flags; the host's PageFlags acts on each flag.
@external("env", "flaggedStore")
declare function flaggedStore(offset: u32, length: u32): void;

/**
 * To be called after every store of an AssemblyScript core to guest memory.
 * flags is the host offset of the page-flag array, 0 where the memory has none (a foreign memory);
 * length is 1 or more and the range lies inside the memory.
 */
// @ts-ignore: decorator
@inline
export function noteStore(flags: u32, offset: u32, length: u32): void {
  if (flags == 0) return;
  const first = offset >>> PAGE_SHIFT;
  const last = (offset + length - 1) >>> PAGE_SHIFT;
  for (let page = first; page <= last; page++) {
    if (load<u8>(flags + page) != 0) {
      flaggedStore(offset, length);
      return;
    }
  }
}

/** The same for a store that cannot cross a page boundary (naturally aligned, up to 8 bytes). */
// @ts-ignore: decorator
@inline
export function noteAlignedStore(flags: u32, offset: u32, length: u32): void {
  if (flags != 0 && load<u8>(flags + (offset >>> PAGE_SHIFT)) != 0) flaggedStore(offset, length);
}
