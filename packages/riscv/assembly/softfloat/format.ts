/** Bit fields of binary64 and binary32, and the questions asked about an encoding. */

export const SIGN64: u64 = 0x8000000000000000;
export const INF64: u64 = 0x7ff0000000000000;
export const MIN_NORMAL64: u64 = 0x0010000000000000;
export const FRACTION64: u64 = 0x000fffffffffffff;
export const NAN64: u64 = 0x7ff8000000000000;
export const QUIET64: u64 = 0x0008000000000000;
export const EXP_MAX64: i32 = 0x7ff;
export const BIAS64: i32 = 1023;

export const SIGN32: u32 = 0x80000000;
export const INF32: u32 = 0x7f800000;
export const MIN_NORMAL32: u32 = 0x00800000;
export const FRACTION32: u32 = 0x007fffff;
export const NAN32: u32 = 0x7fc00000;
export const QUIET32: u32 = 0x00400000;

// @ts-ignore: decorator
@inline
export function magnitude64(a: u64): u64 {
  return a & ~SIGN64;
}

// @ts-ignore: decorator
@inline
export function magnitude32(a: u32): u32 {
  return a & ~SIGN32;
}

/** The biased exponent field. */
// @ts-ignore: decorator
@inline
export function exponent64(a: u64): i32 {
  return (a >> 52) as i32 & EXP_MAX64;
}

// @ts-ignore: decorator
@inline
export function isNaN64(a: u64): bool {
  return magnitude64(a) > INF64;
}

// @ts-ignore: decorator
@inline
export function isNaN32(a: u32): bool {
  return magnitude32(a) > INF32;
}

// @ts-ignore: decorator
@inline
export function isSignaling64(a: u64): bool {
  return isNaN64(a) && (a & QUIET64) == 0;
}

// @ts-ignore: decorator
@inline
export function isSignaling32(a: u32): bool {
  return isNaN32(a) && (a & QUIET32) == 0;
}

// @ts-ignore: decorator
@inline
export function isFinite64(a: u64): bool {
  return magnitude64(a) < INF64;
}

// @ts-ignore: decorator
@inline
export function isFinite32(a: u32): bool {
  return magnitude32(a) < INF32;
}

/**
 * True for finite magnitudes above the least normal number. A result there can have neither overflowed
 * nor been tiny; the least normal number itself may be a tiny value rounded up, so it is left out.
 */
// @ts-ignore: decorator
@inline
export function isSafelyNormal64(a: u64): bool {
  return (a << 1) - (MIN_NORMAL64 << 1) - 1 < (INF64 << 1) - (MIN_NORMAL64 << 1) - 1;
}

/** `isSafelyNormal64` for binary32. */
// @ts-ignore: decorator
@inline
export function isSafelyNormal32(a: u32): bool {
  return (a << 1) - (MIN_NORMAL32 << 1) - 1 < (INF32 << 1) - (MIN_NORMAL32 << 1) - 1;
}

/** The significand of a normal number as an integer of 53 bits. */
// @ts-ignore: decorator
@inline
export function significand64(a: u64): u64 {
  return (a & FRACTION64) | MIN_NORMAL64;
}
