import * as CSR from '../csr-numbers.js';
import { RiscvError } from '../error.js';
import { INSTRUCTIONS, instruction, type Instruction } from '../instructions.js';
import { F_NAMES, FIELD_ENCODERS, ROUNDING_MODES, X_NAMES } from '../operands.js';

/** A register (number, `a0`, `x10`, `fa0`, `f10`), an immediate, a CSR (number or name), a rounding mode. */
export type Operand = number | string;

const CSRS: Readonly<Record<string, number>> = CSR;

function register(names: readonly string[], prefix: string, operand: Operand): number {
  if (typeof operand === 'number') return operand & 31;
  const named = names.indexOf(operand);
  if (named >= 0) return named;
  if (operand === 'fp' && prefix === 'x') return 8;
  const number = operand.startsWith(prefix) ? Number(operand.slice(1)) : NaN;
  if (Number.isInteger(number) && number < 32) return number;
  throw new RiscvError('bad-operand', `${operand} is no ${prefix} register`);
}

function value(letter: string, operand: Operand): number {
  if ('dsta'.includes(letter)) return register(X_NAMES, 'x', operand);
  if ('DSTR'.includes(letter)) return register(F_NAMES, 'f', operand);
  if (typeof operand === 'number') return operand;
  const number = letter === 'c' ? CSRS[`CSR_${operand.toUpperCase()}`] : ROUNDING_MODES.indexOf(operand);
  if (number === undefined || number < 0) throw new RiscvError('bad-operand', `what is ${operand}?`);
  return number;
}

/** Fields that take two operands: an offset and its base register. */
const EXPANDED: Readonly<Record<string, string>> = { o: 'i,s', b: 'b,s', a: 's' };
/** Fields that may be left out, and what they are then. */
const DEFAULTS: Readonly<Record<string, number>> = { m: 7, q: 0, f: 0xff };

function encode(row: Instruction, operands: readonly Operand[]): number {
  const letters =
    row.operands === ''
      ? []
      : row.operands.split(',').flatMap((letter) => (EXPANDED[letter] ?? letter).split(','));
  let word = row.match;
  letters.forEach((letter, index) => {
    const operand = operands[index] ?? DEFAULTS[letter];
    if (operand === undefined) throw new RiscvError('bad-operand', `${row.mnemonic} takes ${row.operands}`);
    word |= FIELD_ENCODERS[letter](value(letter, operand));
  });
  return word >>> 0;
}

/**
 * The word of an instruction, by its mnemonic. Operands stand as in assembly language; a memory operand is
 * two, offset and base; branch and jump targets are byte offsets from the instruction.
 */
export function assemble(mnemonic: string, ...operands: readonly Operand[]): number {
  return encode(instruction(mnemonic), operands);
}

/** Methods by mnemonic with `_` for `.`: `asm.addi('a0', 'a0', 1)`, `asm.ld('a1', 8, 'sp')`, `asm.amoadd_w(…)`. */
export const asm: Readonly<Record<string, (...operands: readonly Operand[]) => number>> = Object.fromEntries(
  INSTRUCTIONS.map((row) => [row.mnemonic.replaceAll('.', '_'), (...operands) => encode(row, operands)]),
);

/** Words that put a 64-bit constant into a register. */
export function li(rd: Operand, constant: bigint | number): number[] {
  const wanted = BigInt.asIntN(64, BigInt(constant));
  const low = BigInt.asIntN(12, wanted);
  if (wanted >= -0x8000_0000n && wanted < 0x8000_0000n) {
    const high = Number(((wanted - low) >> 12n) & 0xfffffn);
    if (high === 0) return [assemble('addi', rd, 'zero', Number(low))];
    return [assemble('lui', rd, high), assemble('addiw', rd, rd, Number(low))];
  }
  const rest = BigInt.asIntN(52, (wanted - low) >> 12n);
  return [...li(rd, rest), assemble('slli', rd, rd, 12), assemble('addi', rd, rd, Number(low))];
}
