/**
 * Rounding of an exact intermediate result to binary64 or binary32, with the flags it raises.
 *
 * An intermediate is `sig / 2^63 * 2^(exponent - bias)` with bit 63 of `sig` set. Bit 0 is sticky: it is
 * set when anything non-zero lies below it, which rounding to 53 or fewer bits cannot tell from the
 * exact value.
 */
import { NX, OF, RDN, RMM, RNE, RTZ, RUP, UF, raise } from './flags';
import { INF32, INF64 } from './format';

/** 1 when a magnitude whose discarded part is `rest` out of `2 * half` is rounded away from zero. */
// @ts-ignore: decorator
@inline
function increment(rm: u32, sign: u64, lsb: u64, rest: u64, half: u64): u64 {
  if (rm == RNE) return u64(rest + lsb > half);
  if (rm == RMM) return u64(rest >= half);
  if (rm == RTZ) return 0;
  return u64(rest != 0 && (rm == RDN) == (sign != 0));
}

/** Logical shift right; every bit shifted out is kept in bit 0. */
export function shiftRightJam(value: u64, count: i32): u64 {
  if (count == 0) return value;
  if (count > 63) return u64(value != 0);
  return (value >> count) | u64(value << -count != 0);
}

/** Magnitude bits of a value that is too large for the format. */
// @ts-ignore: decorator
@inline
function overflow(flags: usize, sign: u64, rm: u32, infinity: u64): u64 {
  raise(flags, OF | NX);
  const toInfinity = rm == RNE || rm == RMM || (rm == RDN && sign != 0) || (rm == RUP && sign == 0);
  return toInfinity ? infinity : infinity - 1;
}

// @ts-ignore: decorator
@inline
function roundBelowNormal(flags: usize, sign: u64, exponent: i32, sig: u64, rm: u32, drop: u64): u64 {
  const mask: u64 = ((<u64>1) << drop) - 1;
  const half: u64 = (<u64>1) << (drop - 1);
  // Tininess is judged after rounding to full precision with an unbounded exponent (F extension,
  // "Subnormal Arithmetic"): only an all-ones significand that is rounded up escapes it.
  const kept = sig >> drop;
  const carries = kept == ~(<u64>0) >> drop && increment(rm, sign, kept & 1, sig & mask, half) != 0;
  const tiny = exponent < 0 || !carries;

  const shifted = shiftRightJam(sig, 1 - exponent);
  const rest = shifted & mask;
  if (rest != 0) raise(flags, tiny ? NX | UF : NX);
  return (shifted >> drop) + increment(rm, sign, (shifted >> drop) & 1, rest, half);
}

// @ts-ignore: decorator
@inline
function round(flags: usize, sign: u64, exponent: i32, sig: u64, rm: u32, drop: u64, infinity: u64): u64 {
  if (exponent <= 0) return roundBelowNormal(flags, sign, exponent, sig, rm, drop);
  const fractionBits: u64 = 63 - drop;
  if (exponent >= <i32>(infinity >> fractionBits)) return overflow(flags, sign, rm, infinity);
  const kept = sig >> drop;
  const rest = sig & (((<u64>1) << drop) - 1);
  const up = increment(rm, sign, kept & 1, rest, (<u64>1) << (drop - 1));
  // The leading one of `kept` adds 1 to the exponent field, and a carry out of it adds 1 more.
  const packed = ((<u64>(exponent - 1)) << fractionBits) + kept + up;
  if (packed >= infinity) return overflow(flags, sign, rm, infinity);
  if (rest != 0) raise(flags, NX);
  return packed;
}

/**
 * @param flags address of the u32 that collects exception flags
 * @param sign 0 or 1
 * @param exponent biased by 1023, of any size
 * @param sig bit 63 set, bit 0 sticky
 * @returns the binary64 encoding
 */
export function roundPack64(flags: usize, sign: u64, exponent: i32, sig: u64, rm: u32): u64 {
  return (sign << 63) | round(flags, sign, exponent, sig, rm, 11, INF64);
}

/** `roundPack64` for binary32: `exponent` is biased by 127. */
export function roundPack32(flags: usize, sign: u64, exponent: i32, sig: u64, rm: u32): u32 {
  return <u32>((sign << 31) | round(flags, sign, exponent, sig, rm, 40, <u64>INF32));
}

/**
 * Rounds a quotient or root from its nearest 53-bit value and the sign of what that value left over:
 * the leftover is below half a unit, so its sign alone decides every rounding.
 *
 * @param nearest integer of 53 bits, bit 52 set. No quotient or root of 53-bit significands is rounded up
 *   to a power of two, so a `nearest` of 2^52 has no negative leftover.
 * @param leftover exact value minus `nearest`; only its sign matters
 */
export function roundNeighbour64(
  flags: usize,
  sign: u64,
  exponent: i32,
  nearest: u64,
  leftover: i64,
  rm: u32,
): u64 {
  let sig = nearest << 11;
  if (leftover > 0) sig |= 1;
  if (leftover < 0) sig -= 1;
  return roundPack64(flags, sign, exponent, sig, rm);
}
