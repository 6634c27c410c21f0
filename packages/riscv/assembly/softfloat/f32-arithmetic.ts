/**
 * Arithmetic of binary32, done in binary64: a product is exact there, and any other result, rounded to odd
 * or to nearest in 53 bits, is told apart from every boundary of 24-bit rounding. So one more rounding,
 * `narrow`, gives the exact result and flags in every rounding mode.
 */
import { DZ, NV, NX, RDN, RNE, inexactIsSticky, raise } from './flags';
import { NAN32, SIGN32, isFinite32, isNaN32, isSafelyNormal32, isSignaling32, magnitude32 } from './format';
import { roundToOdd, sumError } from './exact';
import { narrow } from './narrow';

/** True when either operand is an infinity or a NaN. */
// @ts-ignore: decorator
@inline
function hasSpecial(a: u32, b: u32): bool {
  return !isFinite32(a) || !isFinite32(b);
}

/** The native result of an operation with a special operand, its NaN made canonical and NV raised. */
function special(flags: usize, native: u32, a: u32, b: u32): u32 {
  if (!isNaN32(native)) return native;
  const numbers = !isNaN32(a) && !isNaN32(b);
  if (numbers || isSignaling32(a) || isSignaling32(b)) raise(flags, NV);
  return NAN32;
}

// @ts-ignore: decorator
@inline
function widen(a: u32): f64 {
  return <f64>reinterpret<f32>(a);
}

/** `FADD.S`: `a + b`. */
export function f32Add(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const native = reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b));
    // A sum is never both tiny and inexact.
    if (isFinite32(native) && inexactIsSticky(flags)) return native;
  }
  return f32AddExact(flags, a, b, rm);
}

/** `FSUB.S`: `a - b`. */
// @ts-ignore: decorator
@inline
export function f32Sub(flags: usize, a: u32, b: u32, rm: u32): u32 {
  return f32Add(flags, a, b ^ SIGN32, rm);
}

/** `f32Add` by way of binary64, for every rounding mode. */
export function f32AddExact(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (hasSpecial(a, b)) {
    return special(flags, reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b)), a, b);
  }
  const x = widen(a);
  const y = widen(b);
  const sum = x + y;
  if (sum == 0) return rm == RDN ? (a | b) & SIGN32 : a & b & SIGN32;
  return narrow(flags, roundToOdd(sum, sumError(sum, x, y)), rm);
}

/** `FMUL.S`: `a * b`. */
export function f32Mul(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const native = reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b));
    if (isSafelyNormal32(native) && inexactIsSticky(flags)) return native;
  }
  return f32MulExact(flags, a, b, rm);
}

/** `f32Mul` by way of binary64, for every rounding mode. */
export function f32MulExact(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (hasSpecial(a, b)) {
    return special(flags, reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b)), a, b);
  }
  return narrow(flags, widen(a) * widen(b), rm);
}

/** `FDIV.S`: `a / b`. */
export function f32Div(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const native = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
    if (isSafelyNormal32(native) && inexactIsSticky(flags)) return native;
  }
  return f32DivExact(flags, a, b, rm);
}

/** `f32Div` by way of binary64, for every rounding mode. */
export function f32DivExact(flags: usize, a: u32, b: u32, rm: u32): u32 {
  if (hasSpecial(a, b) || magnitude32(b) == 0) {
    if (isFinite32(a) && magnitude32(a) != 0 && magnitude32(b) == 0) raise(flags, DZ);
    return special(flags, reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b)), a, b);
  }
  // A quotient of 24-bit numbers that is not itself a boundary (a number of up to 25 bits) is away from
  // each by more than 2^-51 of its size, so the nearest 53-bit number lies on the same side of it.
  return narrow(flags, widen(a) / widen(b), rm);
}

/** `FSQRT.S`: the square root of `a`. */
export function f32Sqrt(flags: usize, a: u32, rm: u32): u32 {
  if (isNaN32(a)) {
    if (isSignaling32(a)) raise(flags, NV);
    return NAN32;
  }
  if ((a & SIGN32) != 0 && magnitude32(a) != 0) {
    raise(flags, NV);
    return NAN32;
  }
  if (!isFinite32(a)) return a;
  // As for the quotient: a root of a 24-bit number is a boundary or far from it.
  return narrow(flags, sqrt<f64>(widen(a)), rm);
}

/**
 * `FMADD.S`: `a * b + c` with one rounding. `FMSUB`, `FNMSUB` and `FNMADD` are this with `c`, `a`, or both
 * negated.
 */
export function f32Fma(flags: usize, a: u32, b: u32, c: u32, rm: u32): u32 {
  if (!isFinite32(a) || !isFinite32(b) || !isFinite32(c)) return fmaSpecial(flags, a, b, c);
  const product = widen(a) * widen(b);
  const z = widen(c);
  const sum = product + z;
  if (sum == 0) {
    const productSign = (a ^ b) & SIGN32;
    return rm == RDN ? productSign | (c & SIGN32) : productSign & c;
  }
  return narrow(flags, roundToOdd(sum, sumError(sum, product, z)), rm);
}

/** `a * b + c` when at least one operand is a NaN or an infinity; binary64 holds every finite product. */
function fmaSpecial(flags: usize, a: u32, b: u32, c: u32): u32 {
  const product = widen(a) * widen(b);
  const sum = product + widen(c);
  if (sum == sum) return reinterpret<u32>(<f32>sum);
  // Infinity times zero is invalid even when a quiet NaN is added.
  const invalidProduct = product != product && !isNaN32(a) && !isNaN32(b);
  const numbers = !isNaN32(a) && !isNaN32(b) && !isNaN32(c);
  if (invalidProduct || numbers || isSignaling32(a) || isSignaling32(b) || isSignaling32(c)) {
    raise(flags, NV);
  }
  return NAN32;
}
