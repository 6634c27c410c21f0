import {
  C_BREAKPOINTS,
  C_BREAKPOINT_COUNT,
  OPTION_NO_BREAKPOINTS,
  S_CORE,
  S_OPTIONS,
} from '../src/layout';

/**
 * Breakpoints are virtual addresses, and decoded pages are physical: an instruction whose offset in its page
 * is that of a breakpoint gets a record of its own, which looks at the whole address when it is reached.
 * Nothing is written to the guest's memory.
 */

// @ts-ignore: decorator
@inline
function breakpoint(c: u32, index: u32): u64 {
  return load<u64>(load<u32>(c, C_BREAKPOINTS) + (index << 3));
}

/** Whether some breakpoint has this byte offset in its page. */
export function breakpointInPage(c: u32, inPage: u32): bool {
  for (let index: u32 = 0; index < load<u32>(c, C_BREAKPOINT_COUNT); index++) {
    if ((u32(breakpoint(c, index)) & 0xfff) == inPage) return true;
  }
  return false;
}

/** Whether the hart leaves before the instruction at this virtual address. */
export function breakpointAt(s: u32, pc: u64): bool {
  const c = load<u32>(s, S_CORE);
  const count = load<u32>(c, C_BREAKPOINT_COUNT);
  if (count == 0 || (load<u32>(s, S_OPTIONS) & OPTION_NO_BREAKPOINTS) != 0) return false;
  for (let index: u32 = 0; index < count; index++) {
    if (breakpoint(c, index) == pc) return true;
  }
  return false;
}
