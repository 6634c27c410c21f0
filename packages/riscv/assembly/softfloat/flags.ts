/**
 * Accrued exception flags and rounding modes as the `fcsr` register encodes them
 * (RISC-V unprivileged ISA, "F" extension, "Floating-Point Control and Status Register").
 */

/** Inexact. */
export const NX: u32 = 1;
/** Underflow: tiny after rounding, and inexact. */
export const UF: u32 = 2;
/** Overflow. */
export const OF: u32 = 4;
/** Division of a finite non-zero number by zero. */
export const DZ: u32 = 8;
/** Invalid operation. */
export const NV: u32 = 16;

/** Round to nearest, ties to even. */
export const RNE: u32 = 0;
/** Round towards zero. */
export const RTZ: u32 = 1;
/** Round down, towards minus infinity. */
export const RDN: u32 = 2;
/** Round up, towards plus infinity. */
export const RUP: u32 = 3;
/** Round to nearest, ties away from zero. */
export const RMM: u32 = 4;

/** ORs `raised` into the u32 at `flags`. */
// @ts-ignore: decorator
@inline
export function raise(flags: usize, raised: u32): void {
  store<u32>(flags, load<u32>(flags) | raised);
}

/** True when a further inexact result would change nothing: NX is sticky and set already. */
// @ts-ignore: decorator
@inline
export function inexactIsSticky(flags: usize): bool {
  return (load<u32>(flags) & NX) != 0;
}
