import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Instruction, INSTRUCTIONS } from '../instructions.js';
import {
  BINARY32,
  BINARY64,
  FFLAG,
  type Format,
  Random,
  ROUNDING_MODES,
  type RoundingMode,
  asm,
  assemble,
  everyClass,
  fewOfEveryClass,
  multiply,
  power,
  randomBits,
  randomInteger,
  randomPair,
  randomTriple,
} from '../testing/index.js';
import { type EmitOptions, EmittedFloat } from '../testing/emitted-float.js';
import { box, judge, unbox } from '../testing/float-judge.js';

const RANDOM_CASES = 1500;
const DYNAMIC = 7;

let emitted: EmittedFloat;
beforeAll(async () => {
  emitted = await EmittedFloat.load(await readFile(new URL('../../wasm/jit-float.wasm', import.meta.url)));
});

const ROWS = INSTRUCTIONS.filter(
  ({ mnemonic, extension }) => 'FD'.includes(extension) && !/^f(lw|ld|sw|sd)$/.test(mnemonic),
);
const letters = (row: Instruction): string[] => row.operands.split(',');
const rounds = (row: Instruction): boolean => letters(row).includes('m');
const sources = (row: Instruction): string[] => letters(row).filter((letter) => 'sSTR'.includes(letter));
/** The format of the operands. */
const formatOf = (row: Instruction): Format => {
  const suffix = row.mnemonic.split('.').at(-1);
  return suffix === 's' || row.mnemonic === 'fmv.x.w' ? BINARY32 : BINARY64;
};

interface Shape extends EmitOptions {
  /** Numbers of rd and of the sources. */
  readonly registers?: readonly number[];
  /** The rm field; the mode itself unless told. */
  readonly field?: number;
}

/** A function that compares the emitted instruction with the judge, from clear flags and from sticky ones. */
function checker(row: Instruction, rm: RoundingMode, shape: Shape = {}): (...operands: bigint[]) => void {
  const registers = shape.registers ?? [5, 6, 7, 8];
  const word = assemble(row.mnemonic, ...registers.slice(0, 1 + sources(row).length), shape.field ?? rm);
  const run = emitted.compile([word], shape);
  if (!run) throw new RangeError(`${row.mnemonic} is not emitted`);
  const kinds = sources(row);
  const [rd, ...from] = registers;
  return (...operands) => {
    const want = judge(row.mnemonic, operands, rm);
    for (const before of [0, FFLAG.NX, FFLAG.NX | FFLAG.NV]) {
      emitted.flags = before;
      kinds.forEach((kind, index) => {
        if (kind === 's') emitted.setX(from[index], operands[index]);
        else emitted.setF(from[index], operands[index]);
      });
      run();
      const got = letters(row)[0] === 'd' ? emitted.getX(rd) : emitted.getF(rd);
      if (got === want.value && emitted.flags === (want.flags | before)) continue;
      const shown = operands.map((bits) => `0x${bits.toString(16)}`).join(', ');
      expect.fail(
        `${row.mnemonic}(${shown}) rm=${rm} flags ${before} ${JSON.stringify(shape)}: ` +
          `0x${got.toString(16)} flags ${emitted.flags}, exact 0x${want.value.toString(16)} flags ${want.flags | before}`,
      );
    }
  };
}

/** Register contents for an operand encoding: a binary32 number is boxed. */
const hold = (format: Format, bits: bigint): bigint => (format === BINARY32 ? box(bits) : bits);

/** Operands of an instruction: hard ones, and `count` random ones. */
function* operandsOf(row: Instruction, count: number): Generator<bigint[]> {
  const random = new Random(row.op);
  const format = formatOf(row);
  const kinds = sources(row);
  if (kinds[0] === 's') {
    for (let shift = 0n; shift < 64n; shift++) {
      for (let offset = -2n; offset <= 2n; offset++) {
        yield [BigInt.asUintN(64, (1n << shift) + offset)];
        yield [BigInt.asUintN(64, offset - (1n << shift))];
      }
    }
    for (let left = count; left > 0; left--) {
      yield [BigInt.asUintN(64, randomInteger(random, 64) >> BigInt(random.below(64)))];
    }
    return;
  }
  const held = (...operands: bigint[]): bigint[] => operands.map((bits) => hold(format, bits));
  const values = everyClass(format);
  if (kinds.length === 1) {
    for (const a of values) yield held(a);
    for (let left = count; left > 0; left--) {
      yield held(randomBits(format, random));
      yield held(randomPair(format, random)[0]);
      // Integers, halves and their neighbours.
      const near =
        power(format, random.below(66) - 2) + (randomInteger(random, 12) << BigInt(format.precision - 13));
      yield held(near + BigInt(random.below(3)) - 1n);
    }
  } else if (kinds.length === 2) {
    for (const a of values) for (const b of values) yield held(a, b);
    for (let left = count; left > 0; left--) yield held(...randomPair(format, random));
  } else {
    const few = fewOfEveryClass(format);
    for (const a of few)
      for (const b of few) for (const c of few) if (random.below(4) === 0) yield held(a, b, c);
    const product = (a: bigint, b: bigint): bigint => multiply(format, a, b, 0).value;
    for (let left = 2 * count; left > 0; left--) yield held(...randomTriple(format, random, product));
  }
}

describe('emitted floating point', () => {
  it.each(ROWS)('$mnemonic: exact value and flags, to nearest', (row) => {
    const check = checker(row, 0, { field: rounds(row) ? DYNAMIC : undefined });
    for (const operands of operandsOf(row, RANDOM_CASES)) check(...operands);
  });

  it.each(ROWS.filter(rounds))('$mnemonic: exact value and flags in every static mode', (row) => {
    for (const rm of ROUNDING_MODES) {
      const check = checker(row, rm);
      let turn = 0;
      for (const operands of operandsOf(row, 200)) if (turn++ % 7 === rm) check(...operands);
    }
  });

  it.each(ROWS)('$mnemonic: registers that coincide, registers in the state block', (row) => {
    const patterns =
      sources(row).length === 1
        ? [[9, 9]]
        : [
            [9, 9, 9, 9],
            [9, 9, 10, 11],
            [9, 10, 9, 10],
            [9, 10, 10, 9],
          ];
    for (const locals of [true, false]) {
      for (const registers of patterns) {
        const check = checker(row, 0, { registers, locals });
        let turn = 0;
        for (const operands of operandsOf(row, 200)) {
          if (turn++ % 61 !== 0) continue;
          const [, ...from] = registers;
          // The later of two operands in one register counts.
          check(...operands.map((_, index) => operands[from.lastIndexOf(from[index], operands.length - 1)]));
        }
      }
    }
  });

  it.each(ROWS.filter((row) => formatOf(row) === BINARY32 && sources(row)[0] !== 's'))(
    '$mnemonic: an operand that is not boxed is the canonical NaN',
    (row) => {
      const check = checker(row, 0);
      const count = sources(row).length;
      const contents = [
        box(0x3f80_0001n),
        0x3f80_0001n,
        0x7fff_ffff_3f80_0001n,
        0xffff_fffe_ffff_ffffn,
        1n << 63n,
      ];
      for (const a of contents) {
        for (const b of contents) for (const c of contents) check(...[a, b, c].slice(0, count));
      }
    },
  );

  it('a register that the block has given a single number needs no look at its box', () => {
    const words = [
      asm.fadd_s(5, 6, 7),
      asm.fmul_s(8, 5, 5),
      asm.fmadd_s(9, 5, 8, 6),
      asm.fadd_d(5, 6, 6),
      asm.fsgnj_s(10, 5, 9),
      asm.fsub_s(11, 9, 5),
    ];
    const run = emitted.compile(words);
    const random = new Random(3);
    for (let left = RANDOM_CASES; left > 0; left--) {
      const [a, b] = randomPair(BINARY32, random);
      emitted.flags = FFLAG.NX;
      emitted.setF(6, box(a));
      emitted.setF(7, box(b));
      run?.();
      const sum = judge('fadd.s', [box(a), box(b)], 0).value;
      const square = judge('fmul.s', [sum, sum], 0).value;
      const fused = judge('fmadd.s', [sum, square, box(a)], 0).value;
      const double = judge('fadd.d', [box(a), box(a)], 0).value;
      expect([8, 9, 5, 10, 11].map((register) => emitted.getF(register))).toEqual([
        square,
        fused,
        double,
        judge('fsgnj.s', [double, fused], 0).value,
        judge('fsub.s', [fused, double], 0).value,
      ]);
      expect(unbox(double)).toBe(0x7fc0_0000n);
    }
  });

  it('NX that an instruction sets opens the short way of those behind it, and flags stay exact', () => {
    const run = emitted.compile([
      asm.fdiv_d(5, 6, 7),
      asm.fadd_d(8, 5, 6),
      asm.fmul_d(9, 8, 7),
      asm.fsub_d(10, 9, 9),
      asm.fdiv_d(11, 6, 10),
    ]);
    emitted.flags = 0;
    emitted.setF(6, 0x3ff0_0000_0000_0000n);
    emitted.setF(7, 0x4008_0000_0000_0000n);
    run?.();
    expect(emitted.flags).toBe(FFLAG.NX | FFLAG.DZ);
    expect(emitted.getF(11)).toBe(0x7ff0_0000_0000_0000n);
  });

  it('a reserved rounding mode is not emitted: the interpreter raises the exception', () => {
    for (const field of [5, 6]) {
      expect(emitted.compile([asm.fadd_d(5, 6, 7, field)])).toBeUndefined();
      expect(emitted.compile([asm.fcvt_w_s(5, 6, field)])).toBeUndefined();
    }
  });
});

/** The engine has f64x2.relaxed_madd, here behind a flag, and it rounds once. */
function fuses(): boolean {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    const run = emitted.compile([asm.fmadd_d(5, 6, 7, 8)], { relaxed: true });
    const [a, b] = [0x3ff0_0000_0000_0001n, 0xbff0_0000_0000_0000n];
    emitted.flags = FFLAG.NX;
    // (1 + 2^-52)^2 - 1 is 2^-51 + 2^-104; the product rounded by itself loses the small term.
    [a, a, b].forEach((bits, index) => emitted.setF(6 + index, bits));
    run?.();
    return emitted.getF(5) === judge('fmadd.d', [a, a, b], 0).value;
  } catch {
    return false;
  }
}

describe('emitted fused multiply-add', () => {
  const fmadd = ROWS.filter(({ mnemonic }) => /^fn?m(add|sub)/.test(mnemonic));

  it.each(fmadd)('$mnemonic: addends at, and beside, the halves and ends of an inexact product', (row) => {
    const format = formatOf(row);
    const check = checker(row, 0);
    const one = power(format, 0);
    const sign = 1n << BigInt(format.width - 1);
    const { precision } = format;
    for (const x of [one + 1n, one + 3n, one - 1n, one - 5n]) {
      for (const y of [one, one + (1n << BigInt(precision - 2)), power(format, 1) - 1n]) {
        for (const exponent of [-1, 0, 1, 2, precision - 1, precision, precision + 1]) {
          for (const offset of [-2n, -1n, 0n, 1n]) {
            const addend = power(format, 2 - precision - exponent) + offset;
            check(hold(format, x), hold(format, y), hold(format, addend));
            check(hold(format, x), hold(format, y), hold(format, addend | sign));
          }
        }
      }
    }
  });

  it.each(fmadd)(
    '$mnemonic: results, products and factors at every distance from the ends of the range',
    (row) => {
      const format = formatOf(row);
      const check = checker(row, 0);
      const random = new Random(17);
      const { emax, precision } = format;
      const fraction = (): bigint => randomInteger(random, precision - 1);
      const number = (exponent: number): bigint => {
        const bounded = Math.min(Math.max(exponent, 1 - emax), emax);
        const bits = power(format, bounded) + fraction();
        return hold(format, random.below(2) === 0 ? bits : bits | (1n << BigInt(format.width - 1)));
      };
      for (let target = -emax - precision; target <= emax; target += random.below(12) + 1) {
        const first = target + random.below(emax) * (random.below(2) * 2 - 1);
        check(
          number(first),
          number(target - first),
          number(target + random.below(2 * precision) - precision),
        );
        check(number(first), number(target - first - 2 * precision), number(target));
      }
    },
  );

  it("binary64: exact value and flags by the engine's fused instruction", ({ skip }) => {
    // Only processors with a fused multiply-add, and engines that use it.
    if (!fuses()) skip();
    for (const row of fmadd) {
      if (formatOf(row) !== BINARY64) continue;
      const check = checker(row, 0, { relaxed: true });
      for (const operands of operandsOf(row, RANDOM_CASES)) check(...operands);
    }
  });
});
