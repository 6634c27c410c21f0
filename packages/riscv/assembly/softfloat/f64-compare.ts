/** Comparisons, minimum, maximum and classification of binary64. */
import { NV, raise } from './flags';
import {
  FRACTION64,
  INF64,
  MIN_NORMAL64,
  NAN64,
  QUIET64,
  SIGN64,
  isNaN64,
  isSignaling64,
  magnitude64,
} from './format';

/** `FEQ.D`: quiet, only a signalling NaN is invalid. 0 or 1. */
export function f64Eq(flags: usize, a: u64, b: u64): u32 {
  if (isSignaling64(a) || isSignaling64(b)) raise(flags, NV);
  return u32(reinterpret<f64>(a) == reinterpret<f64>(b));
}

/** `FLT.D`: any NaN is invalid. 0 or 1. */
export function f64Lt(flags: usize, a: u64, b: u64): u32 {
  if (isNaN64(a) || isNaN64(b)) raise(flags, NV);
  return u32(reinterpret<f64>(a) < reinterpret<f64>(b));
}

/** `FLE.D`: any NaN is invalid. 0 or 1. */
export function f64Le(flags: usize, a: u64, b: u64): u32 {
  if (isNaN64(a) || isNaN64(b)) raise(flags, NV);
  return u32(reinterpret<f64>(a) <= reinterpret<f64>(b));
}

/** The number among `a` and `b` when one of them, at least, is a NaN. */
function orNumber64(flags: usize, a: u64, b: u64): u64 {
  if (isSignaling64(a) || isSignaling64(b)) raise(flags, NV);
  if (!isNaN64(a)) return a;
  return isNaN64(b) ? NAN64 : b;
}

/** Encodings in the order of the numbers they stand for, -0 below +0. */
// @ts-ignore: decorator
@inline
function order64(a: u64): i64 {
  return (a ^ ((<i64>a >> 63) as u64 & ~SIGN64)) as i64;
}

/** `FMIN.D`: minimumNumber of IEEE 754-2019; -0 is below +0. */
export function f64Min(flags: usize, a: u64, b: u64): u64 {
  if (isNaN64(a) || isNaN64(b)) return orNumber64(flags, a, b);
  return order64(a) < order64(b) ? a : b;
}

/** `FMAX.D`: maximumNumber of IEEE 754-2019; -0 is below +0. */
export function f64Max(flags: usize, a: u64, b: u64): u64 {
  if (isNaN64(a) || isNaN64(b)) return orNumber64(flags, a, b);
  return order64(a) < order64(b) ? b : a;
}

/** `FCLASS.D`: one of ten bits, from -infinity (bit 0) up to +infinity (7), signalling (8), quiet NaN (9). */
export function f64Class(a: u64): u32 {
  const magnitude = magnitude64(a);
  if (magnitude > INF64) return (a & QUIET64) == 0 ? 1 << 8 : 1 << 9;
  const negative = a >> 63 != 0;
  if (magnitude == INF64) return negative ? 1 << 0 : 1 << 7;
  if (magnitude >= MIN_NORMAL64) return negative ? 1 << 1 : 1 << 6;
  if ((a & FRACTION64) != 0) return negative ? 1 << 2 : 1 << 5;
  return negative ? 1 << 3 : 1 << 4;
}
