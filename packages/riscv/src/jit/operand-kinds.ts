import { INSTRUCTIONS, INTERNAL_OPS, type Instruction } from '../instructions.js';
import { READS_F1, READS_F2, READS_F3, READS_X1, READS_X2, WRITES_F, WRITES_X } from './layout.js';

/** What the letters of the instruction table mean for registers. */
const KINDS: Readonly<Record<string, number>> = {
  d: WRITES_X,
  s: READS_X1,
  o: READS_X1,
  b: READS_X1,
  a: READS_X1,
  t: READS_X2,
  D: WRITES_F,
  S: READS_F1,
  T: READS_F2,
  R: READS_F3,
};

function kindsOf({ operands }: Instruction): number {
  return operands.split(',').reduce((kinds, letter) => kinds | (KINDS[letter] ?? 0), 0);
}

/** Which registers each instruction reads and writes: a byte for every op number. */
export function operandKinds(): Uint8Array {
  const kinds = new Uint8Array(INSTRUCTIONS.length + INTERNAL_OPS.length + 1);
  for (const row of INSTRUCTIONS) kinds[row.op] = kindsOf(row);
  return kinds;
}
