/** Addition and subtraction of binary64. */
import { NX, RDN, RNE, inexactIsSticky, raise } from './flags';
import { FRACTION64, MIN_NORMAL64, SIGN64, exponent64, isFinite64, magnitude64 } from './format';
import { sumError } from './exact';
import { hasSpecial64, special64 } from './f64-special';
import { roundPack64, shiftRightJam } from './round';

/** `FADD.D`: `a + b`. */
export function f64Add(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const sum = x + y;
    const bits = reinterpret<u64>(sum);
    // A sum is never both tiny and inexact, so NX is all there can be once it is finite.
    if (isFinite64(bits)) {
      if (inexactIsSticky(flags)) return bits;
      // Next to the largest number a step of sumError can overflow, but only for an inexact sum: the steps
      // of an exact one give y, x and zeros. Infinity and NaN are not 0 either.
      if (sumError(sum, x, y) != 0) raise(flags, NX);
      return bits;
    }
  }
  return f64AddSoft(flags, a, b, rm);
}

/** `FSUB.D`: `a - b`. */
// @ts-ignore: decorator
@inline
export function f64Sub(flags: usize, a: u64, b: u64, rm: u32): u64 {
  return f64Add(flags, a, b ^ SIGN64, rm);
}

/** `f64Add` in integer arithmetic, for every rounding mode. */
export function f64AddSoft(flags: usize, a: u64, b: u64, rm: u32): u64 {
  if (hasSpecial64(a, b)) {
    return special64(flags, reinterpret<u64>(reinterpret<f64>(a) + reinterpret<f64>(b)), a, b);
  }
  const swap = magnitude64(b) > magnitude64(a);
  const large = swap ? b : a;
  const small = swap ? a : b;
  const sign = large >> 63;

  let largeExp = exponent64(large);
  let largeSig = large & FRACTION64;
  if (largeExp == 0) largeExp = 1;
  else largeSig |= MIN_NORMAL64;
  let smallExp = exponent64(small);
  let smallSig = small & FRACTION64;
  if (smallExp == 0) smallExp = 1;
  else smallSig |= MIN_NORMAL64;

  // Ten bits below the significand: enough that a sticky bit survives the one-bit normalisation a
  // subtraction of far-apart numbers can need; near ones are shifted by so little that none is set.
  largeSig <<= 10;
  smallSig = shiftRightJam(smallSig << 10, largeExp - smallExp);

  const subtract = ((a ^ b) & SIGN64) != 0;
  const sum = subtract ? largeSig - smallSig : largeSig + smallSig;
  if (sum == 0) return subtract ? (rm == RDN ? SIGN64 : 0) : sign << 63;
  const shift = clz(sum);
  return roundPack64(flags, sign, largeExp + 1 - <i32>shift, sum << shift, rm);
}
