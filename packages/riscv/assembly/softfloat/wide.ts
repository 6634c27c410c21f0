/** Products of 128 bits, and binary64 operands prepared for them. */
import { FRACTION64, exponent64, magnitude64, significand64 } from './format';

/** The upper 64 bits of the 128-bit product. */
export function multiplyHigh(x: u64, y: u64): u64 {
  const xLow = x & 0xffffffff;
  const xHigh = x >> 32;
  const yLow = y & 0xffffffff;
  const yHigh = y >> 32;
  const cross = xHigh * yLow + ((xLow * yLow) >> 32);
  const middle = xLow * yHigh + (cross & 0xffffffff);
  return xHigh * yHigh + (cross >> 32) + (middle >> 32);
}

/** The significand of a finite non-zero number, moved up so that bit 63 is set. */
// @ts-ignore: decorator
@inline
export function normalSignificand64(a: u64): u64 {
  if (exponent64(a) != 0) return significand64(a) << 11;
  const fraction = a & FRACTION64;
  return fraction << clz(fraction);
}

/** The biased exponent that goes with `normalSignificand64`; below 1 for a subnormal number. */
// @ts-ignore: decorator
@inline
export function normalExponent64(a: u64): i32 {
  const exponent = exponent64(a);
  return exponent != 0 ? exponent : 12 - <i32>clz(magnitude64(a));
}
