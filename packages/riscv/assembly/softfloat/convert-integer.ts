/**
 * Conversions between floating-point numbers and integers. Results of the 32-bit conversions are 32-bit
 * values: `FCVT.W` and `FCVT.WU` both write them to the register sign-extended.
 *
 * An input that rounds to nothing the integer type holds raises NV alone and gives the nearest end of the
 * range, a NaN the upper end (F extension, table "Domains of float-to-integer conversions").
 */
import { NV, NX, RDN, RNE, RTZ, RUP, raise } from './flags';
import { BIAS64 } from './format';
import { roundPack32, roundPack64 } from './round';

/** `x` rounded to an integral value; infinities and NaNs stay what they are. */
// @ts-ignore: decorator
@inline
function roundToIntegral(x: f64, rm: u32): f64 {
  if (rm == RTZ) return trunc<f64>(x);
  if (rm == RNE) return nearest<f64>(x);
  if (rm == RDN) return floor<f64>(x);
  if (rm == RUP) return ceil<f64>(x);
  const whole = trunc<f64>(x);
  return abs<f64>(x - whole) >= 0.5 ? whole + copysign<f64>(1, x) : whole;
}

// @ts-ignore: decorator
@inline
function flagInexact(flags: usize, rounded: f64, x: f64): void {
  if (rounded != x) raise(flags, NX);
}

/** `FCVT.W.D`. */
export function f64ToI32(flags: usize, a: u64, rm: u32): i32 {
  const x = reinterpret<f64>(a);
  const rounded = roundToIntegral(x, rm);
  if (rounded >= -2147483648.0 && rounded <= 2147483647.0) {
    flagInexact(flags, rounded, x);
    return <i32>rounded;
  }
  raise(flags, NV);
  return rounded < 0 ? i32.MIN_VALUE : i32.MAX_VALUE;
}

/** `FCVT.WU.D`. */
export function f64ToU32(flags: usize, a: u64, rm: u32): u32 {
  const x = reinterpret<f64>(a);
  const rounded = roundToIntegral(x, rm);
  if (rounded >= 0 && rounded <= 4294967295.0) {
    flagInexact(flags, rounded, x);
    return <u32>rounded;
  }
  raise(flags, NV);
  return rounded < 0 ? 0 : u32.MAX_VALUE;
}

/** `FCVT.L.D`. */
export function f64ToI64(flags: usize, a: u64, rm: u32): i64 {
  const x = reinterpret<f64>(a);
  const rounded = roundToIntegral(x, rm);
  if (rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0) {
    flagInexact(flags, rounded, x);
    return <i64>rounded;
  }
  raise(flags, NV);
  return rounded < 0 ? i64.MIN_VALUE : i64.MAX_VALUE;
}

/** `FCVT.LU.D`. */
export function f64ToU64(flags: usize, a: u64, rm: u32): u64 {
  const x = reinterpret<f64>(a);
  const rounded = roundToIntegral(x, rm);
  if (rounded >= 0 && rounded < 18446744073709551616.0) {
    flagInexact(flags, rounded, x);
    return <u64>rounded;
  }
  raise(flags, NV);
  return rounded < 0 ? 0 : u64.MAX_VALUE;
}

/** A binary32 number as binary64; a NaN stays one, signalling or not, which is all these conversions ask. */
// @ts-ignore: decorator
@inline
function widen(a: u32): u64 {
  return reinterpret<u64>(<f64>reinterpret<f32>(a));
}

/** `FCVT.W.S`. */
export function f32ToI32(flags: usize, a: u32, rm: u32): i32 {
  return f64ToI32(flags, widen(a), rm);
}

/** `FCVT.WU.S`. */
export function f32ToU32(flags: usize, a: u32, rm: u32): u32 {
  return f64ToU32(flags, widen(a), rm);
}

/** `FCVT.L.S`. */
export function f32ToI64(flags: usize, a: u32, rm: u32): i64 {
  return f64ToI64(flags, widen(a), rm);
}

/** `FCVT.LU.S`. */
export function f32ToU64(flags: usize, a: u32, rm: u32): u64 {
  return f64ToU64(flags, widen(a), rm);
}

/** `FCVT.D.W`: exact, so `flags` and `rm` have no effect. */
export function i32ToF64(flags: usize, a: i32, rm: u32): u64 {
  return reinterpret<u64>(<f64>a);
}

/** `FCVT.D.WU`: exact, so `flags` and `rm` have no effect. */
export function u32ToF64(flags: usize, a: u32, rm: u32): u64 {
  return reinterpret<u64>(<f64>a);
}

/** `FCVT.S.W`. */
export function i32ToF32(flags: usize, a: i32, rm: u32): u32 {
  return i64ToF32(flags, <i64>a, rm);
}

/** `FCVT.S.WU`. */
export function u32ToF32(flags: usize, a: u32, rm: u32): u32 {
  return i64ToF32(flags, <i64>a, rm);
}

/** Number of bits from the first to the last one of a non-zero integer. */
// @ts-ignore: decorator
@inline
function significantBits(magnitude: u64): u64 {
  return 64 - clz(magnitude) - ctz(magnitude);
}

/** `FCVT.D.L`. */
export function i64ToF64(flags: usize, a: i64, rm: u32): u64 {
  const sign = <u64>a >> 63;
  const magnitude = sign != 0 ? <u64>-a : <u64>a;
  if (a == 0 || significantBits(magnitude) <= 53) return reinterpret<u64>(<f64>a);
  return integerToF64(flags, sign, magnitude, rm);
}

/** `FCVT.D.LU`. */
export function u64ToF64(flags: usize, a: u64, rm: u32): u64 {
  if (a == 0 || significantBits(a) <= 53) return reinterpret<u64>(<f64>a);
  return integerToF64(flags, 0, a, rm);
}

/** `FCVT.S.L`. */
export function i64ToF32(flags: usize, a: i64, rm: u32): u32 {
  const sign = <u64>a >> 63;
  const magnitude = sign != 0 ? <u64>-a : <u64>a;
  if (a == 0 || significantBits(magnitude) <= 24) return reinterpret<u32>(<f32>a);
  return integerToF32(flags, sign, magnitude, rm);
}

/** `FCVT.S.LU`. */
export function u64ToF32(flags: usize, a: u64, rm: u32): u32 {
  if (a == 0 || significantBits(a) <= 24) return reinterpret<u32>(<f32>a);
  return integerToF32(flags, 0, a, rm);
}

/** @param magnitude not 0 */
// @ts-ignore: decorator
@inline
function integerToF64(flags: usize, sign: u64, magnitude: u64, rm: u32): u64 {
  const shift = clz(magnitude);
  return roundPack64(flags, sign, BIAS64 + 63 - <i32>shift, magnitude << shift, rm);
}

/** @param magnitude not 0 */
// @ts-ignore: decorator
@inline
function integerToF32(flags: usize, sign: u64, magnitude: u64, rm: u32): u32 {
  const shift = clz(magnitude);
  return roundPack32(flags, sign, 127 + 63 - <i32>shift, magnitude << shift, rm);
}
