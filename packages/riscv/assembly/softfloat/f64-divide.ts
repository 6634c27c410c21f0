/** Division and square root of binary64. */
import { DZ, NV, NX, RNE, inexactIsSticky, raise } from './flags';
import {
  BIAS64,
  FRACTION64,
  INF64,
  MIN_NORMAL64,
  NAN64,
  SIGN64,
  exponent64,
  isNaN64,
  isSafelyNormal64,
  isSignaling64,
  magnitude64,
  significand64,
} from './format';
import { hasSpecial64, hasZero64, special64 } from './f64-special';
import { roundNeighbour64 } from './round';
import { normalExponent64, normalSignificand64 } from './wide';

/** A binary64 number with the biased exponent `exponent` and the 53-bit integer significand `sig`. */
// @ts-ignore: decorator
@inline
function scaled(exponent: i32, sig: u64): f64 {
  return reinterpret<f64>(((<u64>exponent) << 52) | (sig & FRACTION64));
}

/** `FDIV.D`: `a / b`. */
export function f64Div(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const bits = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (isSafelyNormal64(bits)) {
      if (inexactIsSticky(flags)) return bits;
      const aExp = exponent64(a);
      const bExp = exponent64(b);
      if (aExp != 0 && bExp != 0) {
        // quotient * b differs from a by less than half of b, so the low 64 bits decide.
        const shift = aExp - bExp - exponent64(bits) + BIAS64 + 52;
        if (significand64(a) << shift != significand64(bits) * significand64(b)) raise(flags, NX);
        return bits;
      }
    }
  }
  return f64DivSoft(flags, a, b, rm);
}

/** `f64Div` for every rounding mode: the nearest quotient of the significands and its remainder. */
export function f64DivSoft(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (hasSpecial64(a, b) || hasZero64(a, b)) {
    // The zero divisor of a finite non-zero dividend.
    if (magnitude64(b) == 0 && magnitude64(a) != 0 && magnitude64(a) < INF64) raise(flags, DZ);
    return special64(flags, reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b)), a, b);
  }
  const x = normalSignificand64(a) >> 11;
  const y = normalSignificand64(b) >> 11;
  const quotient = reinterpret<u64>(scaled(BIAS64, x) / scaled(BIAS64, y));
  const nearest = significand64(quotient);
  const leftover = (x << (BIAS64 + 52 - exponent64(quotient))) - nearest * y;
  const exponent = normalExponent64(a) - normalExponent64(b) + exponent64(quotient);
  return roundNeighbour64(flags, (a ^ b) >> 63, exponent, nearest, <i64>leftover, rm);
}

/** `FSQRT.D`: the square root of `a`. */
export function f64Sqrt(flags: usize, a: u64, rm: u32): u64 {
  // Positive finite non-zero numbers, subnormal ones excepted.
  if (rm == RNE && a - MIN_NORMAL64 < INF64 - MIN_NORMAL64) {
    const bits = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
    if (inexactIsSticky(flags)) return bits;
    const root = significand64(bits);
    const shift = exponent64(a) - 2 * exponent64(bits) + BIAS64 + 52;
    if (significand64(a) << shift != root * root) raise(flags, NX);
    return bits;
  }
  return f64SqrtSoft(flags, a, rm);
}

/** `f64Sqrt` for every rounding mode: the nearest root of the significand and its remainder. */
export function f64SqrtSoft(flags: usize, a: u64, rm: u32): u64 {
  if (magnitude64(a) == 0 || a == INF64) return a;
  if (isNaN64(a)) {
    if (isSignaling64(a)) raise(flags, NV);
    return NAN64;
  }
  if ((a & SIGN64) != 0) {
    raise(flags, NV);
    return NAN64;
  }
  const exponent = normalExponent64(a) - BIAS64;
  const odd = exponent & 1;
  const x = normalSignificand64(a) >> 11;
  const nearest = significand64(reinterpret<u64>(sqrt<f64>(scaled(BIAS64 + odd, x))));
  const leftover = (x << (52 + odd)) - nearest * nearest;
  return roundNeighbour64(flags, 0, BIAS64 + (exponent >> 1), nearest, <i64>leftover, rm);
}
