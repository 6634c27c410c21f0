import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compressedTable, COMPRESSED, findCompressed } from './compressed.js';
import { disassemble } from './disassembler.js';
import { findInstruction, INSTRUCTIONS, opsSource } from './instructions.js';
import { assemble, Random } from './testing/index.js';

/** Random legal bits in every field of a row. */
function randomWord(random: Random, { match, mask }: { match: number; mask: number }): number {
  return (match | (random.u32() & ~mask)) >>> 0;
}

describe('the instruction table', () => {
  it('has no word that two rows match', () => {
    for (const a of INSTRUCTIONS) {
      for (const b of INSTRUCTIONS) {
        if (a.op >= b.op) continue;
        const common = a.mask & b.mask;
        expect((a.match ^ b.match) & common, `${a.mnemonic} and ${b.mnemonic}`).not.toBe(0);
      }
    }
  });

  it('is what assembly/ops.ts was generated from', () => {
    expect(readFileSync(new URL('../assembly/ops.ts', import.meta.url), 'utf8')).toBe(opsSource());
  });

  it('finds every row by its own words', () => {
    const random = new Random(1);
    for (const row of INSTRUCTIONS) {
      for (let round = 0; round < 50; round++)
        expect(findInstruction(randomWord(random, row))?.mnemonic).toBe(row.mnemonic);
    }
  });
});

/** Text of the disassembler as operands of the assembler. */
function reassemble(text: string, pc: bigint): number {
  const [head, rest = ''] = text.split(' ');
  const order = /\.(aqrl|aq|rl)$/.exec(head);
  const mnemonic = order === null ? head : head.slice(0, order.index);
  const operands = rest
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const memory = /^(-?\d+)?\((\w+)\)$/.exec(part);
      if (memory !== null) return memory[1] === undefined ? [memory[2]] : [Number(memory[1]), memory[2]];
      return [/^-?\d/.test(part) ? Number(part) : part];
    });
  if (/^(b(eq|ne|lt|ge|ltu|geu)|jal)$/.test(mnemonic)) {
    operands.push(Number(BigInt(operands.pop()!) - pc));
  }
  if (order !== null) operands.push({ rl: 1, aq: 2, aqrl: 3 }[order[1]]!);
  return assemble(mnemonic, ...operands);
}

describe('the disassembler', () => {
  it('writes text that assembles to the same word, for every instruction', () => {
    const random = new Random(2);
    const pc = 0x8000_0000n;
    for (const row of INSTRUCTIONS) {
      if (row.mnemonic === 'fence' || row.mnemonic === 'fence.i') continue;
      for (let round = 0; round < 50; round++) {
        const word = randomWord(random, row);
        const { text, length } = disassemble(word, pc);
        expect(length).toBe(4);
        expect(reassemble(text, pc), text).toBe(word);
      }
    }
  });

  it.each([
    [0x00500513, 'addi a0,zero,5'],
    [0xfe010ee3, 'beq sp,zero,0x7ffffffc'],
    [0x0ff0000f, 'fence iorw,iorw'],
    [0x0000100f, 'fence.i'],
    [0x30200073, 'mret'],
    [0x12b50073, 'sfence.vma a0,a1'],
    [0x300022f3, 'csrrs t0,mstatus,zero'],
    [0x1402b3af, 'lr.d.aq t2,(t0)'],
    [0x02b57553, 'fadd.d fa0,fa0,fa1'],
    [0xffffffff, '.word 0xffffffff'],
    [0x0000, '.half 0x0000'],
    [0x4501, 'addi a0,zero,0'],
    [0x8082, 'jalr zero,0(ra)'],
  ])('%#x is %s', (word, text) => {
    expect(disassemble(word, 0x8000_0000n).text).toBe(text);
  });
});

describe('compressed instructions', () => {
  it.each([
    [0x1141, 'addi sp,sp,-16'],
    [0xe406, 'sd ra,8(sp)'],
    [0x842e, 'add s0,zero,a1'],
    [0x6299, 'lui t0,0x6'],
    [0x7179, 'addi sp,sp,-48'],
    [0x0030, 'addi a2,sp,8'],
    [0xc909, 'beq a0,zero,0x80000012'],
    [0xbfdd, 'jal zero,0x7ffffff6'],
    [0x9002, 'ebreak'],
    [0x6522, 'ld a0,8(sp)'],
    [0x8d0d, 'sub a0,a0,a1'],
    [0x9d2d, 'addw a0,a0,a1'],
    [0x8511, 'srai a0,a0,4'],
    [0x717d, 'addi sp,sp,-16'],
  ])('%#x expands to %s', (half, text) => {
    expect(disassemble(half, 0x8000_0000n).text).toBe(text);
  });

  it('expand to words of the table, and the decoder has the same table', () => {
    const table = compressedTable();
    const wrong: string[] = [];
    for (let half = 0; half < 65_536; half++) {
      const expanded = (half & 3) === 3 ? 0 : (findCompressed(half)?.expand(half) ?? 0);
      const known = expanded === 0 || findInstruction(expanded) !== undefined;
      if (table[half] !== expanded || !known) wrong.push(half.toString(16));
    }
    expect(wrong).toEqual([]);
    expect(table.filter((word) => word !== 0).length).toBeGreaterThan(40_000);
  });

  it('unprivileged 16.8: the reserved encodings are illegal', () => {
    const reserved = [
      0x0000, // defined illegal
      0x0004, // c.addi4spn with nzuimm = 0
      0x2001, // c.addiw with rd = 0
      0x6101, // c.addi16sp with nzimm = 0
      0x6081, // c.lui with imm = 0
      0x8002, // c.jr with rs1 = 0
      0x4002, // c.lwsp with rd = 0
      0x6002, // c.ldsp with rd = 0
      0x8000, // quadrant 0, funct3 100
      0x9c41,
    ];
    for (const half of reserved) expect(compressedTable()[half], half.toString(16)).toBe(0);
  });

  it('are all reachable: no row hides behind another', () => {
    const found = new Set<string | undefined>();
    for (let half = 0; half < 65_536; half++) found.add(findCompressed(half)?.mnemonic);
    for (const { mnemonic } of COMPRESSED) expect(found).toContain(mnemonic);
  });
});
