import { INSTRUCTIONS, type Instruction } from './instructions.js';
import {
  IMM_B,
  IMM_CSR,
  IMM_I,
  IMM_J,
  IMM_NONE,
  IMM_RM,
  IMM_S,
  IMM_SHAMT,
  IMM_U,
  ROW_SIZE,
} from './layout.js';

export const BUCKET_COUNT = 256;

const IMMEDIATES: readonly (readonly [letter: string, kind: number])[] = [
  ['m', IMM_RM],
  ['i', IMM_I],
  ['o', IMM_I],
  ['b', IMM_S],
  ['p', IMM_B],
  ['u', IMM_U],
  ['j', IMM_J],
  ['h', IMM_SHAMT],
  ['c', IMM_CSR],
];

function immediateKind({ operands }: Instruction): number {
  return IMMEDIATES.find(([letter]) => operands.includes(letter))?.[1] ?? IMM_NONE;
}

/** An instruction belongs to the bucket of major opcode and funct3; to all eight where funct3 is not fixed. */
function buckets(): Instruction[][] {
  return Array.from({ length: BUCKET_COUNT }, (_, key) => {
    const word = ((key & 31) << 2) | 3 | ((key >> 5) << 12);
    return INSTRUCTIONS.filter(({ match, mask }) => ((match ^ word) & mask & 0x707f) === 0);
  });
}

/**
 * The decoder's rows as they lie in linear memory at `base`: a pointer per bucket, then the rows (mask,
 * match, op, kind of immediate) of each bucket and a row of zeros.
 */
export function decodeTables(base: number): Uint8Array {
  const all = buckets();
  const rows = all.reduce((sum, bucket) => sum + bucket.length + 1, 0);
  const bytes = new Uint8Array(BUCKET_COUNT * 4 + rows * ROW_SIZE);
  const view = new DataView(bytes.buffer);
  let at = BUCKET_COUNT * 4;
  all.forEach((bucket, key) => {
    view.setUint32(key * 4, base + at, true);
    for (const row of bucket) {
      view.setUint32(at, row.mask, true);
      view.setUint32(at + 4, row.match, true);
      view.setUint16(at + 8, row.op, true);
      view.setUint8(at + 10, immediateKind(row));
      at += ROW_SIZE;
    }
    at += ROW_SIZE;
  });
  return bytes;
}
