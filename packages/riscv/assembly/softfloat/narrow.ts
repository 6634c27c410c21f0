/** Rounding of a binary64 number to binary32. */
import { NX, RNE, raise } from './flags';
import { BIAS64, isSafelyNormal32, magnitude64 } from './format';
import { roundPack32 } from './round';
import { normalExponent64, normalSignificand64 } from './wide';

/**
 * @param value finite
 * @returns the binary32 encoding
 */
export function narrow(flags: usize, value: f64, rm: u32): u32 {
  if (rm == RNE) {
    const nearest = <f32>value;
    const bits = reinterpret<u32>(nearest);
    if (isSafelyNormal32(bits)) {
      if (<f64>nearest != value) raise(flags, NX);
      return bits;
    }
  }
  return narrowSoft(flags, value, rm);
}

/** `narrow` in integer arithmetic, for every rounding mode. */
export function narrowSoft(flags: usize, value: f64, rm: u32): u32 {
  const bits = reinterpret<u64>(value);
  if (magnitude64(bits) == 0) return <u32>(bits >> 32);
  const exponent = normalExponent64(bits) - BIAS64 + 127;
  return roundPack32(flags, bits >> 63, exponent, normalSignificand64(bits), rm);
}
