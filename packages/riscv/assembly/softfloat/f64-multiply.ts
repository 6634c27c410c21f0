/** Multiplication of binary64. */
import { NX, RNE, inexactIsSticky, raise } from './flags';
import { BIAS64, exponent64, isSafelyNormal64, significand64 } from './format';
import { hasSpecial64, hasZero64, special64 } from './f64-special';
import { multiplyHigh, normalExponent64, normalSignificand64 } from './wide';
import { roundPack64 } from './round';

/** `FMUL.D`: `a * b`. */
export function f64Mul(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const bits = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (isSafelyNormal64(bits)) {
      if (inexactIsSticky(flags)) return bits;
      const aExp = exponent64(a);
      const bExp = exponent64(b);
      if (aExp != 0 && bExp != 0) {
        // 105 or 106 bits of product, so 52 or 53 are dropped; which, the result's exponent tells. A
        // carry of the rounding makes it one too many, where the product is inexact either way.
        const dropped = 52 + exponent64(bits) - (aExp + bExp - BIAS64);
        const product = significand64(a) * significand64(b);
        if (product << (64 - dropped) != 0) raise(flags, NX);
        return bits;
      }
    }
  }
  return f64MulSoft(flags, a, b, rm);
}

/** `f64Mul` in integer arithmetic, for every rounding mode. */
export function f64MulSoft(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (hasSpecial64(a, b) || hasZero64(a, b)) {
    return special64(flags, reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b)), a, b);
  }
  const x = normalSignificand64(a);
  const y = normalSignificand64(b);
  let high = multiplyHigh(x, y);
  let low = x * y;
  let exponent = normalExponent64(a) + normalExponent64(b) - BIAS64 + 1;
  if (<i64>high >= 0) {
    high = (high << 1) | (low >> 63);
    low <<= 1;
    exponent -= 1;
  }
  return roundPack64(flags, (a ^ b) >> 63, exponent, high | u64(low != 0), rm);
}
