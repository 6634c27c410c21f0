import { COMPRESSED, findCompressed } from '../compressed.js';
import { findInstruction, INSTRUCTIONS, type Instruction } from '../instructions.js';
import { FIELD_ENCODERS, rdOf } from '../operands.js';
import type { Random } from './random.js';

/**
 * The parts that registers play in random programs. Everything else is a work register, which any
 * instruction may change.
 */
export const ROLE = {
  link: 1,
  stack: 2,
  /** Base of memory that is always there. */
  data: 3,
  /** Base of memory that often is not. */
  trouble: 4,
  outerCount: 8,
  innerCount: 9,
  /** Pointer that the next few accesses use; the compressed ones can. */
  pointer: 15,
  /** Keeps a pointer inside its window: aligned to 8, or at any byte. */
  alignedMask: 18,
  anyMask: 19,
} as const;

const PLAYERS: readonly number[] = [0, ...Object.values(ROLE)];
export const WORK: readonly number[] = Array.from({ length: 32 }, (_, index) => index).filter(
  (index) => !PLAYERS.includes(index),
);

const CONTROL = new Set(['jal', 'jalr', 'beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu']);
const isAccess = ({ extension, operands }: Instruction): boolean =>
  extension === 'A' || /,(?:o|b)$/.test(operands);
const SYSTEM = new Set(['privileged', 'Zicsr', 'Zifencei']);

/** Instructions that only compute: they go on to the next one, or trap for want of a floating-point unit. */
export const PLAIN: readonly Instruction[] = INSTRUCTIONS.filter(
  (row) =>
    !CONTROL.has(row.mnemonic) &&
    !isAccess(row) &&
    !SYSTEM.has(row.extension) &&
    !['ecall', 'ebreak'].includes(row.mnemonic),
);
export const ATOMIC: readonly Instruction[] = INSTRUCTIONS.filter(({ extension }) => extension === 'A');
/** Loads and stores of integer and floating-point registers. */
export const ACCESSES: readonly Instruction[] = INSTRUCTIONS.filter(
  (row) => isAccess(row) && row.extension !== 'A' && row.mnemonic !== 'jalr',
);
const plain = new Set(PLAIN);
const WORD_SHIFTS = new Set(['slliw', 'srliw', 'sraiw', 'roriw']);
const FLOAT = new Set(['F', 'D']);
const PLAIN_INTEGER = PLAIN.filter(({ extension }) => !FLOAT.has(extension));
const PLAIN_FLOAT = PLAIN.filter(({ extension }) => FLOAT.has(extension));

/** A work register, or now and then x0. */
export function destination(random: Random): number {
  return random.below(24) === 0 ? 0 : random.pick(WORK);
}
/** Mostly a work register; at times any. */
export function source(random: Random): number {
  return random.below(8) === 0 ? random.below(32) : random.pick(WORK);
}

const EDGES = [0, 1, -1, 2, 7, 8, 31, 32, 63, 64, 0x7ff, -0x800, 0xff, -0x100];

/** A signed 12-bit immediate. */
export function immediate(random: Random): number {
  return random.below(3) === 0 ? random.pick(EDGES) : random.below(4096) - 2048;
}

/** Mostly dynamic; at times a reserved mode, which is illegal. */
function roundingMode(random: Random): number {
  if (random.below(3) !== 0) return 7;
  return random.below(40) === 0 ? 5 + random.below(2) : random.below(5);
}

function field(letter: string, row: Instruction, random: Random): number {
  switch (letter) {
    case 'd':
      return destination(random);
    case 's':
    case 't':
      return source(random);
    case 'i':
      return immediate(random);
    case 'h':
      return random.below(WORD_SHIFTS.has(row.mnemonic) ? 32 : 64);
    case 'u':
      return random.below(2) === 0 ? random.below(1 << 20) : random.pick([0, 1, 0x80000, 0xfffff, 0x7ffff]);
    case 'm':
      return roundingMode(random);
    case 'f':
      return random.below(256);
    case 'q':
      return random.below(4);
    default: // floating-point registers
      return random.below(32);
  }
}

/** The word of an instruction with random operands, except those that are given by their letters. */
export function randomWord(
  row: Instruction,
  random: Random,
  given: Readonly<Record<string, number>> = {},
): number {
  let word = row.match;
  const expanded = row.operands.replace('o', 'i,s').replace('b', 'b,s').replace('a', 's');
  const letters = expanded === '' ? [] : expanded.split(',');
  for (const letter of letters) {
    word |= FIELD_ENCODERS[letter](given[letter] ?? field(letter, row, random));
  }
  return word >>> 0;
}

/** An instruction that only computes. `float` of 256 are floating-point ones. */
export function randomPlain(random: Random, float = 64): number {
  return randomWord(random.pick(random.below(256) < float ? PLAIN_FLOAT : PLAIN_INTEGER), random);
}

/** A compressed instruction that only computes and changes only a work register. */
export function randomCompressed(random: Random): number {
  for (;;) {
    const { match, mask, expand } = random.pick(COMPRESSED);
    const half = match | (random.u32() & ~mask & 0xffff);
    const word = findCompressed(half)?.expand === expand ? expand(half) : 0;
    if (word === 0) continue;
    const row = findInstruction(word);
    if (row === undefined || !plain.has(row)) continue;
    const rd = rdOf(word);
    if (rd === 0 || WORK.includes(rd)) return half;
  }
}

const COMPRESSED_ACCESSES = COMPRESSED.filter(({ mnemonic }) => /^c\.f?[ls][wd](?:sp)?$/.test(mnemonic));

/** A compressed load or store through the stack pointer or {@link ROLE.pointer}. */
export function randomCompressedAccess(random: Random, base: 'stack' | 'pointer'): number {
  for (;;) {
    const { mnemonic, match, mask, expand } = random.pick(COMPRESSED_ACCESSES);
    const stack = mnemonic.endsWith('sp');
    if (stack !== (base === 'stack')) continue;
    let half = match | (random.u32() & ~mask & 0xffff);
    if (!stack) half = (half & ~0x380) | ((ROLE.pointer - 8) << 7);
    const word = expand(half);
    if (word === 0) continue;
    const loads = /^c\.l/.test(mnemonic);
    if (!loads || WORK.includes(rdOf(word))) return half;
  }
}

/** A load or store of 1 to 8 bytes; the immediate is a multiple of the width more often than not. */
export function randomAccess(random: Random, base: number, reach = 128): number {
  const row = random.pick(ACCESSES);
  const width = { b: 1, h: 2, w: 4, d: 8 }[row.mnemonic.replace(/^f/, '')[1]] ?? 1;
  const offset = random.below(reach);
  const aligned = random.below(8) === 0 ? offset : offset - (offset % width);
  return randomWord(row, random, { s: base, i: aligned, b: aligned });
}

/** LR, SC or an AMO. */
export function randomAtomic(random: Random, base: number): number {
  return randomWord(random.pick(ATOMIC), random, { s: base });
}
