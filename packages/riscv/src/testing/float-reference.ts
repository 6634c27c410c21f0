/**
 * IEEE 754 by the letter: operands are taken as exact dyadic rationals, the operation is done on integers
 * of any size, and the result is rounded once. Slow and obvious, it is the judge of every faster path.
 *
 * Numbers are encodings in a bigint. The RISC-V choices are those of the F and D extensions: canonical NaN
 * results, tininess after rounding, saturating conversions to integers.
 */

/** `fflags` bits (RISC-V F extension, accrued exception flag encoding). */
export const FFLAG = { NX: 1, UF: 2, OF: 4, DZ: 8, NV: 16 } as const;

/** Rounding modes RNE, RTZ, RDN, RUP and RMM as the `rm` field encodes them. */
export type RoundingMode = 0 | 1 | 2 | 3 | 4;
export const ROUNDING_MODES: readonly RoundingMode[] = [0, 1, 2, 3, 4];

/** A binary interchange format (IEEE 754-2019 table 3.5). */
export interface Format {
  readonly width: number;
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  readonly emax: number;
}

export const BINARY32: Format = { width: 32, precision: 24, emax: 127 };
export const BINARY64: Format = { width: 64, precision: 53, emax: 1023 };

/** An encoding, or an integer, with the flags raised on the way to it. */
export interface Outcome {
  readonly value: bigint;
  readonly flags: number;
}

/** The non-negative real number `(sig + rest) * 2^exp`, where `rest` is 0, or anything inside (0, 1) when `inexact`. */
export interface Magnitude {
  readonly sig: bigint;
  readonly exp: number;
  readonly inexact: boolean;
}

type Decoded =
  | { readonly kind: 'nan'; readonly signaling: boolean }
  | { readonly kind: 'infinity'; readonly negative: boolean }
  | { readonly kind: 'finite'; readonly negative: boolean; readonly sig: bigint; readonly exp: number };

const fractionBits = (format: Format): bigint => BigInt(format.precision - 1);
const signBit = (format: Format): bigint => 1n << BigInt(format.width - 1);
const infinityBits = (format: Format): bigint => signBit(format) - (1n << fractionBits(format));
const canonicalNaN = (format: Format): bigint => infinityBits(format) | (1n << (fractionBits(format) - 1n));
const withSign = (format: Format, negative: boolean, bits: bigint): bigint =>
  negative ? bits | signBit(format) : bits;
const leastExponent = (format: Format): number => 1 - format.emax - (format.precision - 1);

/** Class and exact value of an encoding. */
export function decode(format: Format, bits: bigint): Decoded {
  const negative = (bits & signBit(format)) !== 0n;
  const magnitude = bits & (signBit(format) - 1n);
  const infinity = infinityBits(format);
  if (magnitude > infinity) {
    return { kind: 'nan', signaling: (magnitude & (1n << (fractionBits(format) - 1n))) === 0n };
  }
  if (magnitude === infinity) return { kind: 'infinity', negative };
  const field = Number(magnitude >> fractionBits(format));
  const fraction = magnitude & ((1n << fractionBits(format)) - 1n);
  if (field === 0) return { kind: 'finite', negative, sig: fraction, exp: leastExponent(format) };
  const sig = fraction | (1n << fractionBits(format));
  return { kind: 'finite', negative, sig, exp: leastExponent(format) + field - 1 };
}

function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(parseInt(digits[0], 16)) + 28;
}

/** The integer next to `magnitude / 2^quantum` that the mode prescribes. */
function quantize(magnitude: Magnitude, quantum: number, negative: boolean, rm: RoundingMode) {
  const shift = BigInt(quantum - magnitude.exp);
  if (shift <= 0n) {
    if (magnitude.inexact) throw new RangeError('the magnitude has too few bits for this quantum');
    return { integer: magnitude.sig << -shift, inexact: false };
  }
  const floor = magnitude.sig >> shift;
  const rest = magnitude.sig - (floor << shift);
  const half = 1n << (shift - 1n);
  const inexact = rest !== 0n || magnitude.inexact;
  const aboveHalf = rest > half || (rest === half && magnitude.inexact);
  const tie = rest === half && !magnitude.inexact;
  const up = [
    aboveHalf || (tie && (floor & 1n) === 1n),
    false,
    inexact && negative,
    inexact && !negative,
    aboveHalf || tie,
  ][rm];
  return { integer: up ? floor + 1n : floor, inexact };
}

/** Rounds an exact result to the format (IEEE 754-2019 clauses 4.3 and 7.4 to 7.6). */
export function roundToFormat(
  format: Format,
  negative: boolean,
  magnitude: Magnitude,
  rm: RoundingMode,
): Outcome {
  if (magnitude.sig === 0n && !magnitude.inexact) {
    return { value: withSign(format, negative, 0n), flags: 0 };
  }
  const length = bitLength(magnitude.sig);
  const leading = magnitude.exp + length - 1;
  const fullQuantum = leading - (format.precision - 1);

  const unbounded = quantize(magnitude, fullQuantum, negative, rm);
  const carried = bitLength(unbounded.integer) > format.precision ? 1 : 0;
  const tiny = leading + carried < 1 - format.emax;

  const quantum = Math.max(fullQuantum, leastExponent(format));
  const { integer, inexact } = quantize(magnitude, quantum, negative, rm);
  const position = BigInt(quantum - leastExponent(format));
  const bits = integer === 0n ? 0n : (position << fractionBits(format)) + integer;
  const infinity = infinityBits(format);
  if (bits >= infinity) {
    const away = rm === 0 || rm === 4 || (rm === 2 && negative) || (rm === 3 && !negative);
    const value = withSign(format, negative, away ? infinity : infinity - 1n);
    return { value, flags: FFLAG.OF | FFLAG.NX };
  }
  const flags = inexact ? FFLAG.NX | (tiny ? FFLAG.UF : 0) : 0;
  return { value: withSign(format, negative, bits), flags };
}

/** The NaN result of operands of which one is a NaN (F extension, "NaN Generation and Propagation"). */
function propagate(format: Format, operands: readonly Decoded[]): Outcome {
  const signaling = operands.some((one) => one.kind === 'nan' && one.signaling);
  return { value: canonicalNaN(format), flags: signaling ? FFLAG.NV : 0 };
}

const invalid = (format: Format): Outcome => ({ value: canonicalNaN(format), flags: FFLAG.NV });
const infinite = (format: Format, negative: boolean): Outcome => ({
  value: withSign(format, negative, infinityBits(format)),
  flags: 0,
});

interface Term {
  readonly negative: boolean;
  readonly sig: bigint;
  readonly exp: number;
}

function sumOfTerms(format: Format, x: Term, y: Term, rm: RoundingMode): Outcome {
  const exp = Math.min(x.exp, y.exp);
  const signed = (term: Term): bigint => {
    const integer = term.sig << BigInt(term.exp - exp);
    return term.negative ? -integer : integer;
  };
  const sum = signed(x) + signed(y);
  // IEEE 754-2019 clause 6.3: like-signed zeros keep their sign, any other zero sum is +0, in RDN -0.
  if (sum === 0n) {
    const alike = x.sig === 0n && y.sig === 0n && x.negative === y.negative;
    return { value: withSign(format, alike ? x.negative : rm === 2, 0n), flags: 0 };
  }
  const negative = sum < 0n;
  return roundToFormat(format, negative, { sig: negative ? -sum : sum, exp, inexact: false }, rm);
}

/** `a + b` */
export function add(format: Format, a: bigint, b: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  const y = decode(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, [x, y]);
  if (x.kind === 'infinity') {
    if (y.kind === 'infinity' && x.negative !== y.negative) return invalid(format);
    return infinite(format, x.negative);
  }
  if (y.kind === 'infinity') return infinite(format, y.negative);
  return sumOfTerms(format, x, y, rm);
}

/** `a - b` */
export function subtract(format: Format, a: bigint, b: bigint, rm: RoundingMode): Outcome {
  return add(format, a, b ^ signBit(format), rm);
}

/** `a * b` */
export function multiply(format: Format, a: bigint, b: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  const y = decode(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, [x, y]);
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinity' || y.kind === 'infinity') {
    const zero = (x.kind === 'finite' && x.sig === 0n) || (y.kind === 'finite' && y.sig === 0n);
    return zero ? invalid(format) : infinite(format, negative);
  }
  return roundToFormat(format, negative, { sig: x.sig * y.sig, exp: x.exp + y.exp, inexact: false }, rm);
}

/** `a * b + c` */
export function fusedMultiplyAdd(format: Format, a: bigint, b: bigint, c: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  const y = decode(format, b);
  const z = decode(format, c);
  const zero = (one: Decoded): boolean => one.kind === 'finite' && one.sig === 0n;
  if ((x.kind === 'infinity' && zero(y)) || (zero(x) && y.kind === 'infinity')) return invalid(format);
  if (x.kind === 'nan' || y.kind === 'nan' || z.kind === 'nan') return propagate(format, [x, y, z]);
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinity' || y.kind === 'infinity') {
    if (z.kind === 'infinity' && z.negative !== negative) return invalid(format);
    return infinite(format, negative);
  }
  if (z.kind === 'infinity') return infinite(format, z.negative);
  return sumOfTerms(format, { negative, sig: x.sig * y.sig, exp: x.exp + y.exp }, z, rm);
}

/** Bits a quotient or root is computed to before its remainder is folded into `inexact`. */
const SPARE_BITS = 160;

/** `a / b` */
export function divide(format: Format, a: bigint, b: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  const y = decode(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, [x, y]);
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinity') return y.kind === 'infinity' ? invalid(format) : infinite(format, negative);
  if (y.kind === 'infinity') return { value: withSign(format, negative, 0n), flags: 0 };
  if (y.sig === 0n) {
    if (x.sig === 0n) return invalid(format);
    return { ...infinite(format, negative), flags: FFLAG.DZ };
  }
  const dividend = x.sig << BigInt(SPARE_BITS);
  const sig = dividend / y.sig;
  const magnitude = { sig, exp: x.exp - y.exp - SPARE_BITS, inexact: sig * y.sig !== dividend };
  return roundToFormat(format, negative, magnitude, rm);
}

/** The largest integer whose square is at most `value`. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The square root of `a`. */
export function squareRoot(format: Format, a: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  if (x.kind === 'nan') return propagate(format, [x]);
  if (x.kind === 'finite' && x.sig === 0n) return { value: a, flags: 0 };
  if (x.negative) return invalid(format);
  if (x.kind === 'infinity') return infinite(format, false);
  const spare = SPARE_BITS + ((x.exp - SPARE_BITS) & 1);
  const square = x.sig << BigInt(spare);
  const sig = integerRoot(square);
  const magnitude = { sig, exp: (x.exp - spare) / 2, inexact: sig * sig !== square };
  return roundToFormat(format, false, magnitude, rm);
}

/** From one format to another. */
export function convert(from: Format, to: Format, a: bigint, rm: RoundingMode): Outcome {
  const x = decode(from, a);
  if (x.kind === 'nan') return propagate(to, [x]);
  if (x.kind === 'infinity') return infinite(to, x.negative);
  return roundToFormat(to, x.negative, { sig: x.sig, exp: x.exp, inexact: false }, rm);
}

/** From an integer of any size. */
export function fromInteger(format: Format, value: bigint, rm: RoundingMode): Outcome {
  const negative = value < 0n;
  return roundToFormat(format, negative, { sig: negative ? -value : value, exp: 0, inexact: false }, rm);
}

/** To an integer in `[min, max]`, saturating (F extension, table of domains of conversions). */
export function toInteger(format: Format, a: bigint, min: bigint, max: bigint, rm: RoundingMode): Outcome {
  const x = decode(format, a);
  if (x.kind === 'nan') return { value: max, flags: FFLAG.NV };
  if (x.kind === 'infinity') return { value: x.negative ? min : max, flags: FFLAG.NV };
  const magnitude = { sig: x.sig, exp: x.exp, inexact: false };
  const { integer, inexact } = quantize(magnitude, 0, x.negative, rm);
  const value = x.negative ? -integer : integer;
  if (value < min) return { value: min, flags: FFLAG.NV };
  if (value > max) return { value: max, flags: FFLAG.NV };
  return { value, flags: inexact ? FFLAG.NX : 0 };
}

/** -1, 0 or 1 for numbers, undefined when unordered. */
function compare(format: Format, a: bigint, b: bigint): -1 | 0 | 1 | undefined {
  const x = decode(format, a);
  const y = decode(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return undefined;
  const ordinal = (bits: bigint): bigint => {
    const magnitude = bits & (signBit(format) - 1n);
    return (bits & signBit(format)) !== 0n ? -magnitude : magnitude;
  };
  const [i, j] = [ordinal(a), ordinal(b)];
  return i < j ? -1 : i > j ? 1 : 0;
}

const isSignaling = (format: Format, a: bigint): boolean => {
  const x = decode(format, a);
  return x.kind === 'nan' && x.signaling;
};

/** FEQ (quiet), FLT and FLE (signalling). */
export function relation(format: Format, which: 'eq' | 'lt' | 'le', a: bigint, b: bigint): Outcome {
  const order = compare(format, a, b);
  if (order === undefined) {
    const raises = which !== 'eq' || isSignaling(format, a) || isSignaling(format, b);
    return { value: 0n, flags: raises ? FFLAG.NV : 0 };
  }
  const holds = which === 'eq' ? order === 0 : which === 'lt' ? order < 0 : order <= 0;
  return { value: holds ? 1n : 0n, flags: 0 };
}

/** FMIN and FMAX: minimumNumber and maximumNumber of IEEE 754-2019 clause 9.6, -0 below +0. */
export function extremum(format: Format, which: 'min' | 'max', a: bigint, b: bigint): Outcome {
  const flags = isSignaling(format, a) || isSignaling(format, b) ? FFLAG.NV : 0;
  const aIsNaN = decode(format, a).kind === 'nan';
  const bIsNaN = decode(format, b).kind === 'nan';
  if (aIsNaN) return { value: bIsNaN ? canonicalNaN(format) : b, flags };
  if (bIsNaN) return { value: a, flags };
  const order = compare(format, a, b);
  const aIsLess = order === 0 ? (a & signBit(format)) !== 0n : order === -1;
  return { value: aIsLess === (which === 'min') ? a : b, flags };
}

/** FCLASS (F extension, "Floating-Point Classify Instruction"). */
export function classify(format: Format, a: bigint): bigint {
  const x = decode(format, a);
  if (x.kind === 'nan') return x.signaling ? 1n << 8n : 1n << 9n;
  const distance = x.kind === 'infinity' ? 0 : x.sig === 0n ? 3 : x.sig >> fractionBits(format) ? 1 : 2;
  return 1n << BigInt(x.negative ? distance : 7 - distance);
}
