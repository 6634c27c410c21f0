import { findCompressed } from './compressed.js';
import * as CSR from './csr-numbers.js';
import { findInstruction, type Instruction } from './instructions.js';
import {
  F_NAMES,
  immediateB,
  immediateI,
  immediateJ,
  immediateS,
  immediateU,
  rdOf,
  ROUNDING_MODES,
  rs1Of,
  rs2Of,
  rs3Of,
  X_NAMES,
} from './operands.js';

const CSR_NAMES = new Map<number, string>(
  Object.entries(CSR).map(([name, number]) => [number, name.slice('CSR_'.length).toLowerCase()]),
);

/** One instruction as text. */
export interface Disassembled {
  /** Bytes: 2 or 4. */
  readonly length: 2 | 4;
  /** `addi a0,a1,5`; `.word 0x…` or `.half 0x…` for what is no instruction. */
  readonly text: string;
  readonly instruction: Instruction | undefined;
  /** Name of the compressed form, such as `c.addi`. */
  readonly compressed: string | undefined;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const address = (pc: bigint, offset: number): string => hex(BigInt.asUintN(64, pc + BigInt(offset)));

/** A field as text; aq/rl bits are part of the mnemonic, the dynamic rounding mode is left out. */
function operand(letter: string, word: number, pc: bigint): string | undefined {
  switch (letter) {
    case 'd':
      return X_NAMES[rdOf(word)];
    case 's':
      return X_NAMES[rs1Of(word)];
    case 't':
      return X_NAMES[rs2Of(word)];
    case 'D':
      return F_NAMES[rdOf(word)];
    case 'S':
      return F_NAMES[rs1Of(word)];
    case 'T':
      return F_NAMES[rs2Of(word)];
    case 'R':
      return F_NAMES[rs3Of(word)];
    case 'i':
      return String(immediateI(word));
    case 'o':
      return `${immediateI(word)}(${X_NAMES[rs1Of(word)]})`;
    case 'b':
      return `${immediateS(word)}(${X_NAMES[rs1Of(word)]})`;
    case 'p':
      return address(pc, immediateB(word));
    case 'j':
      return address(pc, immediateJ(word));
    case 'u':
      return hex(immediateU(word));
    case 'h':
      return String((word >>> 20) & 63);
    case 'c':
      return CSR_NAMES.get(word >>> 20) ?? hex(word >>> 20);
    case 'z':
      return String(rs1Of(word));
    case 'a':
      return `(${X_NAMES[rs1Of(word)]})`;
    case 'm':
      return ((word >>> 12) & 7) === 7 ? undefined : ROUNDING_MODES[(word >>> 12) & 7];
    case 'f':
      return `${fenceSet((word >>> 24) & 15)},${fenceSet((word >>> 20) & 15)}`;
    default:
      return undefined;
  }
}

function fenceSet(bits: number): string {
  const names = [...'iorw'].filter((_, index) => (bits & (8 >> index)) !== 0).join('');
  return names === '' ? '0' : names;
}

function wordText(found: Instruction, word: number, pc: bigint): string {
  const letters = found.operands === '' ? [] : found.operands.split(',');
  const ordering = letters.includes('q') ? ['', '.rl', '.aq', '.aqrl'][(word >>> 25) & 3] : '';
  const operands = letters.map((letter) => operand(letter, word, pc)).filter((text) => text !== undefined);
  return `${found.mnemonic}${ordering} ${operands.join(',')}`.trimEnd();
}

/** The instruction whose first four bytes, little-endian, are `word` (the upper two do not matter if it is short). */
export function disassemble(word: number, pc = 0n): Disassembled {
  if ((word & 3) === 3) {
    const found = findInstruction(word >>> 0);
    const text =
      found === undefined
        ? `.word 0x${(word >>> 0).toString(16).padStart(8, '0')}`
        : wordText(found, word, pc);
    return { length: 4, text, instruction: found, compressed: undefined };
  }
  const half = word & 0xffff;
  const short = findCompressed(half);
  const expanded = short?.expand(half) ?? 0;
  if (short === undefined || expanded === 0) {
    const text = `.half 0x${half.toString(16).padStart(4, '0')}`;
    return { length: 2, text, instruction: undefined, compressed: undefined };
  }
  const found = findInstruction(expanded)!;
  return { length: 2, text: wordText(found, expanded, pc), instruction: found, compressed: short.mnemonic };
}
