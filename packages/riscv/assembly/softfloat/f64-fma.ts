/** Fused multiply-add of binary64. */
import { NX, RDN, RNE, inexactIsSticky, raise } from './flags';
import { BIAS64, SIGN64, exponent64, isFinite64, magnitude64 } from './format';
import { productError, roundToOdd, sumError } from './exact';
import { f64AddSoft } from './f64-add';
import { fmaSpecial64 } from './f64-special';
import { roundPack64 } from './round';
import { multiplyHigh, normalExponent64, normalSignificand64 } from './wide';

/**
 * Factors of 2^-480 to 2^480: the last bit of their product is above 2^-1074, and the product, below 2^962,
 * is too small to make a finite addend overflow.
 */
const FACTOR_EXP_MIN: i32 = BIAS64 - 480;
const FACTOR_EXP_SPAN: u32 = 960;

/**
 * `FMADD.D`: `a * b + c` with one rounding. `FMSUB`, `FNMSUB` and `FNMADD` are this with `c`, `a`, or both
 * negated.
 */
export function f64Fma(flags: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  if (
    rm == RNE &&
    <u32>(exponent64(a) - FACTOR_EXP_MIN) <= FACTOR_EXP_SPAN &&
    <u32>(exponent64(b) - FACTOR_EXP_MIN) <= FACTOR_EXP_SPAN &&
    isFinite64(c)
  ) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const z = reinterpret<f64>(c);
    const product = x * y;
    const high = product + z;
    const highError = sumError(high, product, z);
    const lowError = productError(product, x, y);
    const low = highError + lowError;
    const lost = sumError(low, highError, lowError);
    // high + low + lost is the exact result. Where something is lost, high is so much larger than low
    // that the last bit of low lies far below every rounding boundary: low rounded to odd decides alike.
    const lowOdd = roundToOdd(low, lost);
    const result = high + lowOdd;
    if (!inexactIsSticky(flags) && (lost != 0 || sumError(result, high, low) != 0)) raise(flags, NX);
    return reinterpret<u64>(result);
  }
  return f64FmaSoft(flags, a, b, c, rm);
}

/** `f64Fma` in integer arithmetic, for every rounding mode. */
export function f64FmaSoft(flags: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  if (!isFinite64(a) || !isFinite64(b) || !isFinite64(c)) return fmaSpecial64(flags, a, b, c);
  const productSign = (a ^ b) >> 63;
  if (magnitude64(a) == 0 || magnitude64(b) == 0) return f64AddSoft(flags, productSign << 63, c, rm);

  // Both terms as 128-bit integers of which 2^126 stands for 2^(exponent - bias): the top bit stays free
  // for a carry. Only terms whose exponents differ by more than one lose bits to the sticky bit, and
  // then at most two leading bits cancel.
  const x = normalSignificand64(a) >> 1;
  const y = normalSignificand64(b);
  let high = multiplyHigh(x, y);
  let low = x * y;
  let exponent = normalExponent64(a) + normalExponent64(b) - BIAS64 + 1;
  let sign = productSign;

  if (magnitude64(c) == 0) {
    const shift = clz(high);
    const sig = (high << shift) | (low >> (64 - shift)) | u64(low << shift != 0);
    return roundPack64(flags, sign, exponent + 1 - <i32>shift, sig, rm);
  }

  let addendHigh = normalSignificand64(c) >> 1;
  let addendLow: u64 = 0;
  const addendExponent = normalExponent64(c);
  const distance = exponent - addendExponent;
  if (distance >= 0) {
    addendLow = shiftRightJamLow(addendHigh, addendLow, distance);
    addendHigh = shiftRightHigh(addendHigh, distance);
  } else {
    low = shiftRightJamLow(high, low, -distance);
    high = shiftRightHigh(high, -distance);
    exponent = addendExponent;
  }

  if (productSign == c >> 63) {
    low += addendLow;
    high += addendHigh + u64(low < addendLow);
  } else {
    const borrow = u64(low < addendLow);
    low -= addendLow;
    high -= addendHigh + borrow;
    if (<i64>high < 0) {
      low = 0 - low;
      high = ~high + u64(low == 0);
      sign ^= 1;
    }
    if ((high | low) == 0) return rm == RDN ? SIGN64 : 0;
  }
  if (high == 0) {
    high = low;
    low = 0;
    exponent -= 64;
  }
  const shift = clz(high);
  const fill = shift == 0 ? 0 : low >> (64 - shift);
  const sig = (high << shift) | fill | u64(low << shift != 0);
  return roundPack64(flags, sign, exponent + 1 - <i32>shift, sig, rm);
}

/** Upper half of a 128-bit logical shift right by 0 or more. */
// @ts-ignore: decorator
@inline
function shiftRightHigh(high: u64, count: i32): u64 {
  return count > 63 ? 0 : high >> count;
}

/** Lower half of that shift; every bit shifted out is kept in bit 0. */
function shiftRightJamLow(high: u64, low: u64, count: i32): u64 {
  if (count == 0) return low;
  if (count < 64) return (high << -count) | (low >> count) | u64(low << -count != 0);
  if (count == 64) return high | u64(low != 0);
  if (count < 128) return (high >> (count - 64)) | u64(high << (128 - count) != 0 || low != 0);
  return u64((high | low) != 0);
}
