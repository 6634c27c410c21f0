import {
  BINARY32,
  BINARY64,
  type Format,
  type Outcome,
  type RoundingMode,
  add,
  classify,
  convert,
  divide,
  extremum,
  fromInteger,
  fusedMultiplyAdd,
  multiply,
  relation,
  squareRoot,
  subtract,
  toInteger,
} from './float-reference.js';

/** For tests: what the F and D instructions beside loads and stores do to registers, by the exact reference. */

const BOX = 0xffff_ffff_0000_0000n;
const NAN32 = 0x7fc0_0000n;

/** A register's content from a binary32 encoding. */
export const box = (bits: bigint): bigint => BOX | bits;

/** The binary32 operand in a register (D extension, "NaN Boxing of Narrower Values"). */
export const unbox = (value: bigint): bigint => (value >= BOX ? value & 0xffff_ffffn : NAN32);

/** Integer types by the letters of an FCVT. */
const INTEGERS = {
  w: { bits: 32, min: -(2n ** 31n), max: 2n ** 31n - 1n },
  wu: { bits: 32, min: 0n, max: 2n ** 32n - 1n },
  l: { bits: 64, min: -(2n ** 63n), max: 2n ** 63n - 1n },
  lu: { bits: 64, min: 0n, max: 2n ** 64n - 1n },
};
type IntegerName = keyof typeof INTEGERS;
const isInteger = (name: string): name is IntegerName => name in INTEGERS;

const ARITHMETIC: Readonly<
  Record<string, (format: Format, operands: readonly bigint[], rm: RoundingMode) => Outcome>
> = {
  fadd: (format, [a, b], rm) => add(format, a, b, rm),
  fsub: (format, [a, b], rm) => subtract(format, a, b, rm),
  fmul: (format, [a, b], rm) => multiply(format, a, b, rm),
  fdiv: (format, [a, b], rm) => divide(format, a, b, rm),
  fsqrt: (format, [a], rm) => squareRoot(format, a, rm),
  fmadd: (format, [a, b, c], rm) => fusedMultiplyAdd(format, a, b, c, rm),
  fmsub: (format, [a, b, c], rm) => fusedMultiplyAdd(format, a, b, negate(format, c), rm),
  fnmsub: (format, [a, b, c], rm) => fusedMultiplyAdd(format, negate(format, a), b, c, rm),
  fnmadd: (format, [a, b, c], rm) => fusedMultiplyAdd(format, negate(format, a), b, negate(format, c), rm),
  fmin: (format, [a, b]) => extremum(format, 'min', a, b),
  fmax: (format, [a, b]) => extremum(format, 'max', a, b),
  fsgnj: (format, [a, b]) => exact(withSign(format, a, sign(format, b))),
  fsgnjn: (format, [a, b]) => exact(withSign(format, a, !sign(format, b))),
  fsgnjx: (format, [a, b]) => exact(withSign(format, a, sign(format, a) !== sign(format, b))),
};

const signBit = (format: Format): bigint => 1n << BigInt(format.width - 1);
const sign = (format: Format, a: bigint): boolean => (a & signBit(format)) !== 0n;
const negate = (format: Format, a: bigint): bigint => a ^ signBit(format);
const withSign = (format: Format, a: bigint, negative: boolean): bigint =>
  (a & ~signBit(format)) | (negative ? signBit(format) : 0n);
const exact = (value: bigint): Outcome => ({ value, flags: 0 });

/**
 * @param operands contents of rs1, rs2 and rs3, as far as the instruction has them
 * @returns the content of rd, and the flags raised
 */
export function judge(mnemonic: string, operands: readonly bigint[], rm: RoundingMode): Outcome {
  const [name, to, from = ''] = mnemonic.split('.');
  const [a, b] = operands;
  if (name === 'fmv') {
    if (mnemonic === 'fmv.x.w') return exact(BigInt.asUintN(64, BigInt.asIntN(32, a)));
    return exact(mnemonic === 'fmv.w.x' ? box(a & 0xffff_ffffn) : a);
  }
  if (name === 'fcvt') {
    const rounded = conversion(to, from, a, rm);
    return { value: to === 's' ? box(rounded.value) : rounded.value, flags: rounded.flags };
  }
  const format = to === 's' ? BINARY32 : BINARY64;
  const numbers = to === 's' ? operands.map(unbox) : operands;
  if (name === 'fclass') return exact(classify(format, numbers[0]));
  if (name === 'feq' || name === 'flt' || name === 'fle') {
    return relation(format, name.slice(1) as 'eq' | 'lt' | 'le', numbers[0], to === 's' ? unbox(b) : b);
  }
  const { value, flags } = ARITHMETIC[name](format, numbers, rm);
  return { value: to === 's' ? box(value) : value, flags };
}

function conversion(to: string, from: string, a: bigint, rm: RoundingMode): Outcome {
  if (isInteger(to)) {
    const { bits, min, max } = INTEGERS[to];
    const operand = from === 's' ? unbox(a) : a;
    const { value, flags } = toInteger(from === 's' ? BINARY32 : BINARY64, operand, min, max, rm);
    // Words are sign-extended, unsigned ones too.
    return { value: BigInt.asUintN(64, BigInt.asIntN(bits, value)), flags };
  }
  if (isInteger(from)) {
    const { bits, min } = INTEGERS[from];
    const integer = min === 0n ? BigInt.asUintN(bits, a) : BigInt.asIntN(bits, a);
    return fromInteger(to === 's' ? BINARY32 : BINARY64, integer, rm);
  }
  return to === 's' ? convert(BINARY64, BINARY32, a, rm) : convert(BINARY32, BINARY64, unbox(a), rm);
}
