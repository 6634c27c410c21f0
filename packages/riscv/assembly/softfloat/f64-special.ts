/** Results of binary64 operations that have a NaN or an infinity among their operands. */
import { NV, raise } from './flags';
import { NAN64, isFinite64, isNaN64, isSignaling64, magnitude64 } from './format';

/**
 * @param native what the native operation makes of `a` and `b`; its NaN payload is not used
 * @returns that result with the canonical NaN, having raised NV for a signalling NaN and for an
 *   operation that turns numbers into a NaN
 */
export function special64(flags: usize, native: u64, a: u64, b: u64): u64 {
  if (!isNaN64(native)) return native;
  const numbers = !isNaN64(a) && !isNaN64(b);
  if (numbers || isSignaling64(a) || isSignaling64(b)) raise(flags, NV);
  return NAN64;
}

/** `a * b + c` when at least one operand is a NaN or an infinity. */
export function fmaSpecial64(flags: usize, a: u64, b: u64, c: u64): u64 {
  // A finite product may overflow natively, where only the infinite addend counts.
  if (isFinite64(a) && isFinite64(b) && !isNaN64(c)) return c;
  const product = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
  // Infinity times zero is invalid even when a quiet NaN is added.
  if (isNaN64(product) && !isNaN64(a) && !isNaN64(b)) {
    raise(flags, NV);
    return NAN64;
  }
  const sum = reinterpret<u64>(reinterpret<f64>(product) + reinterpret<f64>(c));
  if (!isNaN64(sum)) return sum;
  const numbers = !isNaN64(a) && !isNaN64(b) && !isNaN64(c);
  if (numbers || isSignaling64(a) || isSignaling64(b) || isSignaling64(c)) raise(flags, NV);
  return NAN64;
}

/** True when either operand is an infinity or a NaN. */
// @ts-ignore: decorator
@inline
export function hasSpecial64(a: u64, b: u64): bool {
  return !isFinite64(a) || !isFinite64(b);
}

/** True when either operand is a zero. */
// @ts-ignore: decorator
@inline
export function hasZero64(a: u64, b: u64): bool {
  return magnitude64(a) == 0 || magnitude64(b) == 0;
}
