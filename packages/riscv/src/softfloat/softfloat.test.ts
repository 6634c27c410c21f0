import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../testing/random.js';
import {
  everyClass,
  fewOfEveryClass,
  power,
  randomBits,
  randomInteger,
  randomPair,
  randomTriple,
} from '../testing/float-operands.js';
import {
  BINARY32,
  BINARY64,
  FFLAG,
  type Format,
  type Outcome,
  ROUNDING_MODES,
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
} from '../testing/float-reference.js';

/** Operand tuples of each operation; every one is tried in each rounding mode. */
const RANDOM_CASES = 10_000;
const FLAGS_AT = 1024;

type Value = bigint | number;
type Core = Record<string, (...operands: Value[]) => Value>;

let core: Core;
let flags: Uint32Array;

beforeAll(async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const wasm = await readFile(new URL('../../wasm/softfloat.wasm', import.meta.url));
  const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
  core = instance.exports as Core;
  flags = new Uint32Array(memory.buffer, FLAGS_AT, 1);
});

/** One operand as the core takes it, one result as an unsigned bigint of `width` bits. */
const passIn = (width: number, bits: bigint): Value => (width === 64 ? bits : Number(bits));
const takeOut = (width: number, value: Value): bigint => BigInt.asUintN(width, BigInt(value));

interface Case {
  /** Names of exported functions that must all agree. */
  readonly names: readonly string[];
  readonly operandWidth: number;
  readonly resultWidth: number;
  readonly operands: readonly bigint[];
  readonly rm?: RoundingMode;
  readonly expected: Outcome;
}

/** Runs a case from clear flags and from sticky NX, which opens the short paths. */
function check(one: Case): void {
  const operands = one.operands.map((bits) => passIn(one.operandWidth, bits));
  if (one.rm !== undefined) operands.push(one.rm);
  const want = BigInt.asUintN(one.resultWidth, one.expected.value);
  for (const name of one.names) {
    for (const before of [0, FFLAG.NX]) {
      flags[0] = before;
      const got = takeOut(one.resultWidth, core[name](FLAGS_AT, ...operands));
      const after = flags[0];
      if (got !== want || after !== (one.expected.flags | before)) {
        const shown = one.operands.map((bits) => `0x${bits.toString(16)}`).join(', ');
        expect.fail(
          `${name}(${shown}) rm=${one.rm} flags ${before}: 0x${got.toString(16)} flags ${after}, ` +
            `exact 0x${want.toString(16)} flags ${one.expected.flags | before}`,
        );
      }
    }
  }
}

type Binary = (format: Format, a: bigint, b: bigint, rm: RoundingMode) => Outcome;

function checkPairs(format: Format, names: readonly string[], reference: Binary, seed: number): void {
  const shape = { names, operandWidth: format.width, resultWidth: format.width };
  const one = (a: bigint, b: bigint): void => {
    for (const rm of ROUNDING_MODES) {
      check({ ...shape, operands: [a, b], rm, expected: reference(format, a, b, rm) });
    }
  };
  const values = everyClass(format);
  for (const a of values) for (const b of values) one(a, b);
  const random = new Random(seed);
  for (let left = RANDOM_CASES; left > 0; left--) one(...randomPair(format, random));
}

const FORMATS = [
  { format: BINARY64, prefix: 'f64', letter: 'D', soft: 'Soft' },
  { format: BINARY32, prefix: 'f32', letter: 'S', soft: 'Exact' },
];

describe.each(FORMATS)('$prefix arithmetic', ({ format, prefix, letter, soft }) => {
  const { width } = format;

  it(`FADD.${letter}: correctly rounded sum and flags in every mode`, () => {
    checkPairs(format, [`${prefix}Add`, `${prefix}Add${soft}`], add, 1);
  });

  it(`FSUB.${letter}: correctly rounded difference and flags in every mode`, () => {
    checkPairs(format, [`${prefix}Sub`], subtract, 2);
  });

  it(`FMUL.${letter}: correctly rounded product, tininess after rounding`, () => {
    checkPairs(format, [`${prefix}Mul`, `${prefix}Mul${soft}`], multiply, 3);
  });

  it(`FDIV.${letter}: correctly rounded quotient, DZ only for a finite non-zero dividend`, () => {
    checkPairs(format, [`${prefix}Div`, `${prefix}Div${soft}`], divide, 4);
  });

  it(`FSQRT.${letter}: correctly rounded root, NV below zero, -0 kept`, () => {
    const names = width === 64 ? ['f64Sqrt', 'f64SqrtSoft'] : ['f32Sqrt'];
    const one = (a: bigint): void => {
      for (const rm of ROUNDING_MODES) {
        const expected = squareRoot(format, a, rm);
        check({ names, operandWidth: width, resultWidth: width, operands: [a], rm, expected });
      }
    };
    everyClass(format).forEach(one);
    const random = new Random(5);
    for (let left = RANDOM_CASES; left > 0; left--) {
      const [a, b] = randomPair(format, random);
      one(a);
      // Roots on, and one unit beside, the squares of short numbers.
      const half = b & ~((1n << BigInt((format.precision + 1) >> 1)) - 1n);
      const square = multiply(format, half, half, 0).value;
      one(square);
      one(square + 1n);
    }
  });

  it(`FMADD.${letter}: one rounding; infinity times zero is invalid even with a quiet NaN addend`, () => {
    const names = width === 64 ? ['f64Fma', 'f64FmaSoft'] : ['f32Fma'];
    const one = (a: bigint, b: bigint, c: bigint): void => {
      for (const rm of ROUNDING_MODES) {
        const expected = fusedMultiplyAdd(format, a, b, c, rm);
        check({ names, operandWidth: width, resultWidth: width, operands: [a, b, c], rm, expected });
      }
    };
    const values = fewOfEveryClass(format);
    for (const a of values) for (const b of values) for (const c of values) one(a, b, c);
    const random = new Random(6);
    const product = (a: bigint, b: bigint): bigint => multiply(format, a, b, 0).value;
    for (let left = 2 * RANDOM_CASES; left > 0; left--) one(...randomTriple(format, random, product));
  });

  it(`FMADD.${letter}: addends at, and one unit beside, the halves and ends of an inexact product`, () => {
    const names = width === 64 ? ['f64Fma', 'f64FmaSoft'] : ['f32Fma'];
    const one = power(format, 0);
    const sign = 1n << BigInt(width - 1);
    const { precision } = format;
    const factors = [0n, 1n, 2n, 3n, 5n].flatMap((units) => [one + units, one - units]);
    const others = [
      one,
      ...[2, 3, 4].map((half) => one + (1n << BigInt(precision - half))),
      power(format, 1) - 1n,
    ];
    const exponents = [-1, 0, 1, 2, 3, precision - 2, precision - 1, precision, precision + 1, precision + 2];
    for (const x of factors) {
      for (const y of others) {
        for (const exponent of exponents) {
          for (const offset of [-2n, -1n, 0n, 1n]) {
            const addend = power(format, 2 - precision - exponent) + offset;
            for (const operands of [
              [x, y, addend],
              [x, y, addend | sign],
            ] as const) {
              for (const rm of ROUNDING_MODES) {
                const expected = fusedMultiplyAdd(format, ...operands, rm);
                check({ names, operandWidth: width, resultWidth: width, operands, rm, expected });
              }
            }
          }
        }
      }
    }
  });

  it(`FMADD.${letter}: a tie is broken by the last bit of the product, however far below`, () => {
    const names = width === 64 ? ['f64Fma', 'f64FmaSoft'] : ['f32Fma'];
    // (2^m - 2^k + 1) (2^m + 2^k + 1) = 2^2m + 1 where m = 2k - 1: one bit, a wide gap, one bit.
    const k = width === 64 ? 26 : 11;
    const m = 2 * k - 1;
    const encode = (integer: bigint): bigint => fromInteger(format, integer, 0).value;
    const x = encode(2n ** BigInt(m) - 2n ** BigInt(k) + 1n);
    const y = encode(2n ** BigInt(m) + 2n ** BigInt(k) + 1n);
    const sign = 1n << BigInt(width - 1);
    for (let exponent = -2; exponent <= 2 * m + format.precision + 3; exponent++) {
      for (const offset of [-2n, -1n, 0n, 1n, 2n]) {
        const addend = power(format, exponent) + offset;
        for (const operands of [
          [x, y, addend],
          [x | sign, y, addend],
        ] as const) {
          for (const rm of ROUNDING_MODES) {
            const expected = fusedMultiplyAdd(format, ...operands, rm);
            check({ names, operandWidth: width, resultWidth: width, operands, rm, expected });
          }
        }
      }
    }
  });

  it(`FMIN.${letter} and FMAX.${letter}: -0 below +0, a number wins over a NaN, NV for signalling ones`, () => {
    for (const a of everyClass(format)) {
      for (const b of everyClass(format)) {
        for (const which of ['min', 'max'] as const) {
          const names = [prefix + (which === 'min' ? 'Min' : 'Max')];
          const expected = extremum(format, which, a, b);
          check({ names, operandWidth: width, resultWidth: width, operands: [a, b], expected });
        }
      }
    }
  });

  it(`FEQ.${letter} is quiet, FLT.${letter} and FLE.${letter} are signalling`, () => {
    const random = new Random(7);
    const values = everyClass(format);
    for (let left = 200; left > 0; left--) values.push(randomBits(format, random));
    for (const a of values) {
      for (const b of values) {
        for (const [which, name] of [
          ['eq', 'Eq'],
          ['lt', 'Lt'],
          ['le', 'Le'],
        ] as const) {
          const expected = relation(format, which, a, b);
          check({ names: [prefix + name], operandWidth: width, resultWidth: 32, operands: [a, b], expected });
        }
      }
    }
  });

  it(`FCLASS.${letter}: exactly one of ten bits`, () => {
    for (const a of everyClass(format)) {
      expect(BigInt(core[`${prefix}Class`](passIn(width, a)))).toBe(classify(format, a));
    }
  });

  it.each([
    { name: 'I32', bits: 32, min: -(2n ** 31n), max: 2n ** 31n - 1n },
    { name: 'U32', bits: 32, min: 0n, max: 2n ** 32n - 1n },
    { name: 'I64', bits: 64, min: -(2n ** 63n), max: 2n ** 63n - 1n },
    { name: 'U64', bits: 64, min: 0n, max: 2n ** 64n - 1n },
  ])(`FCVT to $name from ${letter}: rounded, saturating, NV excludes NX`, ({ name, bits, min, max }) => {
    const one = (a: bigint): void => {
      for (const rm of ROUNDING_MODES) {
        check({
          names: [`${prefix}To${name}`],
          operandWidth: width,
          resultWidth: bits,
          operands: [a],
          rm,
          expected: toInteger(format, a, min, max, rm),
        });
      }
    };
    everyClass(format).forEach(one);
    const random = new Random(8);
    for (let left = RANDOM_CASES; left > 0; left--) {
      one(randomBits(format, random));
      // Integers and halves, a few units beside them, up to the borders of the type.
      const halves = randomInteger(random, bits + 1) >> BigInt(random.below(bits + 1));
      const near = fromInteger(format, halves, 0).value + BigInt(random.below(5)) - 2n;
      const halved = halves < 4n ? near : near - (1n << BigInt(format.precision - 1));
      one(halved < 0n ? 0n : halved);
      one((halved < 0n ? 0n : halved) | (1n << BigInt(width - 1)));
    }
  });

  it.each([
    { name: 'i32', bits: 32, signed: true },
    { name: 'u32', bits: 32, signed: false },
    { name: 'i64', bits: 64, signed: true },
    { name: 'u64', bits: 64, signed: false },
  ])(`FCVT from $name to ${letter}: correctly rounded in every mode`, ({ name, bits, signed }) => {
    const one = (raw: bigint): void => {
      const unsigned = BigInt.asUintN(bits, raw);
      const value = signed ? BigInt.asIntN(bits, raw) : unsigned;
      for (const rm of ROUNDING_MODES) {
        check({
          names: [`${name}ToF${width}`],
          operandWidth: bits,
          resultWidth: width,
          operands: [unsigned],
          rm,
          expected: fromInteger(format, value, rm),
        });
      }
    };
    for (let shift = 0n; shift < BigInt(bits); shift++) {
      for (let offset = -3n; offset <= 3n; offset++) {
        one((1n << shift) + offset);
        one(-(1n << shift) + offset);
      }
    }
    const random = new Random(9);
    for (let left = RANDOM_CASES; left > 0; left--) {
      one(randomInteger(random, bits) >> BigInt(random.below(bits)));
      one(randomInteger(random, bits) << BigInt(random.below(bits)));
      // A tie, or one beside it, at the last place of the format.
      const top = 1n << BigInt(format.precision);
      const tie = top | (randomInteger(random, format.precision) & (top - 1n)) | 1n;
      one((tie << BigInt(random.below(Math.max(1, bits - format.precision)))) + BigInt(random.below(3)) - 1n);
    }
  });
});

describe('conversions between the formats', () => {
  it('FCVT.D.S: exact, a signalling NaN raises NV, the NaN becomes canonical', () => {
    const random = new Random(10);
    const values = everyClass(BINARY32);
    for (let left = RANDOM_CASES; left > 0; left--) values.push(randomBits(BINARY32, random));
    for (const a of values) {
      const expected = convert(BINARY32, BINARY64, a, 0);
      check({ names: ['f32ToF64'], operandWidth: 32, resultWidth: 64, operands: [a], rm: 0, expected });
    }
  });

  it('FCVT.S.D: correctly rounded, tininess after rounding, overflow by mode', () => {
    const one = (a: bigint): void => {
      for (const rm of ROUNDING_MODES) {
        const expected = convert(BINARY64, BINARY32, a, rm);
        check({ names: ['f64ToF32'], operandWidth: 64, resultWidth: 32, operands: [a], rm, expected });
      }
    };
    everyClass(BINARY64).forEach(one);
    const random = new Random(11);
    for (let left = RANDOM_CASES; left > 0; left--) {
      one(randomBits(BINARY64, random));
      // Beside every 24-bit number and every midpoint of two, over all binary32 exponents.
      const [a] = randomPair(BINARY32, random);
      const wide = convert(BINARY32, BINARY64, a, 0).value;
      const midpoint = BigInt(random.below(2)) << 28n;
      one(wide + midpoint + BigInt(random.below(3)) - (wide === 0n ? 0n : 1n));
    }
  });

  it('narrowSoft agrees on finite numbers', () => {
    const bits = new BigUint64Array(1);
    const numbers = new Float64Array(bits.buffer);
    const random = new Random(12);
    for (let left = RANDOM_CASES; left > 0; left--) {
      const [a] = randomPair(BINARY32, random);
      const wide = convert(BINARY32, BINARY64, a, 0).value ^ randomInteger(random, 30);
      bits[0] = wide;
      const number = numbers[0];
      if (!Number.isFinite(number)) continue;
      for (const rm of ROUNDING_MODES) {
        const expected = convert(BINARY64, BINARY32, wide, rm);
        flags[0] = 0;
        const got = takeOut(32, core.narrowSoft(FLAGS_AT, number, rm));
        if (got !== expected.value || flags[0] !== expected.flags) {
          expect.fail(`narrowSoft(0x${wide.toString(16)}) rm=${rm}: 0x${got.toString(16)} flags ${flags[0]}`);
        }
      }
    }
  });
});
