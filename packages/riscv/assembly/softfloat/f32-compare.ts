/** Comparisons, minimum, maximum and classification of binary32. */
import { NV, raise } from './flags';
import {
  FRACTION32,
  INF32,
  MIN_NORMAL32,
  NAN32,
  QUIET32,
  SIGN32,
  isNaN32,
  isSignaling32,
  magnitude32,
} from './format';

/** `FEQ.S`: quiet, only a signalling NaN is invalid. 0 or 1. */
export function f32Eq(flags: usize, a: u32, b: u32): u32 {
  if (isSignaling32(a) || isSignaling32(b)) raise(flags, NV);
  return u32(reinterpret<f32>(a) == reinterpret<f32>(b));
}

/** `FLT.S`: any NaN is invalid. 0 or 1. */
export function f32Lt(flags: usize, a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) raise(flags, NV);
  return u32(reinterpret<f32>(a) < reinterpret<f32>(b));
}

/** `FLE.S`: any NaN is invalid. 0 or 1. */
export function f32Le(flags: usize, a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) raise(flags, NV);
  return u32(reinterpret<f32>(a) <= reinterpret<f32>(b));
}

/** The number among `a` and `b` when one of them, at least, is a NaN. */
function orNumber32(flags: usize, a: u32, b: u32): u32 {
  if (isSignaling32(a) || isSignaling32(b)) raise(flags, NV);
  if (!isNaN32(a)) return a;
  return isNaN32(b) ? NAN32 : b;
}

/** Encodings in the order of the numbers they stand for, -0 below +0. */
// @ts-ignore: decorator
@inline
function order32(a: u32): i32 {
  return (a ^ ((<i32>a >> 31) as u32 & ~SIGN32)) as i32;
}

/** `FMIN.S`: minimumNumber of IEEE 754-2019; -0 is below +0. */
export function f32Min(flags: usize, a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return orNumber32(flags, a, b);
  return order32(a) < order32(b) ? a : b;
}

/** `FMAX.S`: maximumNumber of IEEE 754-2019; -0 is below +0. */
export function f32Max(flags: usize, a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return orNumber32(flags, a, b);
  return order32(a) < order32(b) ? b : a;
}

/** `FCLASS.S`: one of ten bits, from -infinity (bit 0) up to +infinity (7), signalling (8), quiet NaN (9). */
export function f32Class(a: u32): u32 {
  const magnitude = magnitude32(a);
  if (magnitude > INF32) return (a & QUIET32) == 0 ? 1 << 8 : 1 << 9;
  const negative = a >> 31 != 0;
  if (magnitude == INF32) return negative ? 1 << 0 : 1 << 7;
  if (magnitude >= MIN_NORMAL32) return negative ? 1 << 1 : 1 << 6;
  if ((a & FRACTION32) != 0) return negative ? 1 << 2 : 1 << 5;
  return negative ? 1 << 3 : 1 << 4;
}
