import { instruction } from './instructions.js';

/**
 * The compressed instructions (RV64C with C.F loads of doubles): what each one matches and which 32-bit
 * instruction it stands for. `table` gives all 65,536 half-words at once, for the decoder.
 */
export interface Compressed {
  readonly mnemonic: string;
  readonly match: number;
  readonly mask: number;
  /** The base instruction that a half-word expands to; 0 where the encoding is reserved. */
  readonly expand: (half: number) => number;
}

/** `bits('5:3@12:10,7:6@6:5')` gathers an immediate: destination bits @ source bits, equally many. */
function bits(spec: string, signBit?: number): (half: number) => number {
  const moves = spec.split(',').map((move) => {
    const [to, from] = move.split('@').map((range) => range.split(':').map(Number)) as [number[], number[]];
    const toLow = to.at(-1)!;
    const fromLow = from.at(-1)!;
    return { toLow, fromLow, mask: (1 << (from[0] - fromLow + 1)) - 1 };
  });
  return (half) => {
    let value = 0;
    for (const { toLow, fromLow, mask } of moves) value |= ((half >> fromLow) & mask) << toLow;
    if (signBit !== undefined && ((value >> signBit) & 1) === 1) value |= -1 << signBit;
    return value;
  };
}

const rdFull = (half: number): number => (half >> 7) & 31;
const rs2Full = (half: number): number => (half >> 2) & 31;
const rdShort = (half: number): number => ((half >> 2) & 7) + 8;
const rs1Short = (half: number): number => ((half >> 7) & 7) + 8;

const IMM6 = bits('5@12,4:0@6:2', 5);
const SHAMT = bits('5@12,4:0@6:2');
const LW = bits('5:3@12:10,2@6,6@5');
const LD = bits('5:3@12:10,7:6@6:5');
const LWSP = bits('5@12,4:2@6:4,7:6@3:2');
const LDSP = bits('5@12,4:3@6:5,8:6@4:2');
const SWSP = bits('5:2@12:9,7:6@8:7');
const SDSP = bits('5:3@12:10,8:6@9:7');
const ADDI4SPN = bits('5:4@12:11,9:6@10:7,2@6,3@5');
const ADDI16SP = bits('9@12,4@6,6@5,8:7@4:3,5@2', 9);
const JUMP = bits('11@12,4@11,9:8@10:9,10@8,6@7,7@6,3:1@5:3,5@2', 11);
const BRANCH = bits('8@12,4:3@11:10,7:6@6:5,2:1@4:3,5@2', 8);

function encoder(mnemonic: string): number {
  return instruction(mnemonic).match;
}
const rType = (mnemonic: string) => {
  const match = encoder(mnemonic);
  return (rd: number, rs1: number, rs2: number): number =>
    (match | (rd << 7) | (rs1 << 15) | (rs2 << 20)) >>> 0;
};
const iType = (mnemonic: string) => {
  const match = encoder(mnemonic);
  return (rd: number, rs1: number, imm: number): number =>
    (match | (rd << 7) | (rs1 << 15) | ((imm & 0xfff) << 20)) >>> 0;
};
const sType = (mnemonic: string) => {
  const match = encoder(mnemonic);
  return (rs2: number, rs1: number, imm: number): number =>
    (match | (rs1 << 15) | (rs2 << 20) | ((imm & 31) << 7) | (((imm >> 5) & 0x7f) << 25)) >>> 0;
};
const bType = (mnemonic: string) => {
  const match = encoder(mnemonic);
  return (rs1: number, imm: number): number =>
    (match |
      (rs1 << 15) |
      (((imm >> 11) & 1) << 7) |
      (((imm >> 1) & 15) << 8) |
      (((imm >> 5) & 63) << 25) |
      (((imm >> 12) & 1) << 31)) >>>
    0;
};
const jal = (rd: number, imm: number): number =>
  (encoder('jal') |
    (rd << 7) |
    (((imm >> 12) & 0xff) << 12) |
    (((imm >> 11) & 1) << 20) |
    (((imm >> 1) & 0x3ff) << 21) |
    (((imm >> 20) & 1) << 31)) >>>
  0;
const lui = (rd: number, imm: number): number => (encoder('lui') | (rd << 7) | (imm << 12)) >>> 0;

const addi = iType('addi');
const addiw = iType('addiw');
const andi = iType('andi');
const slli = iType('slli');
const srli = iType('srli');
const srai = iType('srai');
const jalr = iType('jalr');
const add = rType('add');
const beq = bType('beq');
const bne = bType('bne');

const loadShort = (mnemonic: string, imm: (half: number) => number) => {
  const encode = iType(mnemonic);
  return (half: number): number => encode(rdShort(half), rs1Short(half), imm(half));
};
const storeShort = (mnemonic: string, imm: (half: number) => number) => {
  const encode = sType(mnemonic);
  return (half: number): number => encode(rdShort(half), rs1Short(half), imm(half));
};
const loadStack = (mnemonic: string, imm: (half: number) => number, floating: boolean) => {
  const encode = iType(mnemonic);
  return (half: number): number => (floating || rdFull(half) !== 0 ? encode(rdFull(half), 2, imm(half)) : 0);
};
const storeStack = (mnemonic: string, imm: (half: number) => number) => {
  const encode = sType(mnemonic);
  return (half: number): number => encode(rs2Full(half), 2, imm(half));
};
const arithmetic = (mnemonic: string) => {
  const encode = rType(mnemonic);
  return (half: number): number => encode(rs1Short(half), rs1Short(half), rdShort(half));
};

const row = (
  mnemonic: string,
  match: number,
  mask: number,
  expand: (half: number) => number,
): Compressed => ({
  mnemonic,
  match,
  mask,
  expand,
});

/** In the order in which they are tried: the special cases of an encoding precede it. */
export const COMPRESSED: readonly Compressed[] = [
  row('c.addi4spn', 0x0000, 0xe003, (half) =>
    ADDI4SPN(half) === 0 ? 0 : addi(rdShort(half), 2, ADDI4SPN(half)),
  ),
  row('c.fld', 0x2000, 0xe003, loadShort('fld', LD)),
  row('c.lw', 0x4000, 0xe003, loadShort('lw', LW)),
  row('c.ld', 0x6000, 0xe003, loadShort('ld', LD)),
  row('c.fsd', 0xa000, 0xe003, storeShort('fsd', LD)),
  row('c.sw', 0xc000, 0xe003, storeShort('sw', LW)),
  row('c.sd', 0xe000, 0xe003, storeShort('sd', LD)),
  row('c.nop', 0x0001, 0xef83, () => addi(0, 0, 0)),
  row('c.addi', 0x0001, 0xe003, (half) => addi(rdFull(half), rdFull(half), IMM6(half))),
  row('c.addiw', 0x2001, 0xe003, (half) =>
    rdFull(half) === 0 ? 0 : addiw(rdFull(half), rdFull(half), IMM6(half)),
  ),
  row('c.li', 0x4001, 0xe003, (half) => addi(rdFull(half), 0, IMM6(half))),
  row('c.addi16sp', 0x6101, 0xef83, (half) => (ADDI16SP(half) === 0 ? 0 : addi(2, 2, ADDI16SP(half)))),
  row('c.lui', 0x6001, 0xe003, (half) => (IMM6(half) === 0 ? 0 : lui(rdFull(half), IMM6(half)))),
  row('c.srli', 0x8001, 0xec03, (half) => srli(rs1Short(half), rs1Short(half), SHAMT(half))),
  row('c.srai', 0x8401, 0xec03, (half) => srai(rs1Short(half), rs1Short(half), SHAMT(half) | 0x400)),
  row('c.andi', 0x8801, 0xec03, (half) => andi(rs1Short(half), rs1Short(half), IMM6(half))),
  row('c.sub', 0x8c01, 0xfc63, arithmetic('sub')),
  row('c.xor', 0x8c21, 0xfc63, arithmetic('xor')),
  row('c.or', 0x8c41, 0xfc63, arithmetic('or')),
  row('c.and', 0x8c61, 0xfc63, arithmetic('and')),
  row('c.subw', 0x9c01, 0xfc63, arithmetic('subw')),
  row('c.addw', 0x9c21, 0xfc63, arithmetic('addw')),
  row('c.j', 0xa001, 0xe003, (half) => jal(0, JUMP(half))),
  row('c.beqz', 0xc001, 0xe003, (half) => beq(rs1Short(half), BRANCH(half))),
  row('c.bnez', 0xe001, 0xe003, (half) => bne(rs1Short(half), BRANCH(half))),
  row('c.slli', 0x0002, 0xe003, (half) => slli(rdFull(half), rdFull(half), SHAMT(half))),
  row('c.fldsp', 0x2002, 0xe003, loadStack('fld', LDSP, true)),
  row('c.lwsp', 0x4002, 0xe003, loadStack('lw', LWSP, false)),
  row('c.ldsp', 0x6002, 0xe003, loadStack('ld', LDSP, false)),
  row('c.jr', 0x8002, 0xf07f, (half) => (rdFull(half) === 0 ? 0 : jalr(0, rdFull(half), 0))),
  row('c.mv', 0x8002, 0xf003, (half) => add(rdFull(half), 0, rs2Full(half))),
  row('c.ebreak', 0x9002, 0xffff, () => encoder('ebreak')),
  row('c.jalr', 0x9002, 0xf07f, (half) => jalr(1, rdFull(half), 0)),
  row('c.add', 0x9002, 0xf003, (half) => add(rdFull(half), rdFull(half), rs2Full(half))),
  row('c.fsdsp', 0xa002, 0xe003, storeStack('fsd', SDSP)),
  row('c.swsp', 0xc002, 0xe003, storeStack('sw', SWSP)),
  row('c.sdsp', 0xe002, 0xe003, storeStack('sd', SDSP)),
];

/** The compressed instruction that a half-word encodes. */
export function findCompressed(half: number): Compressed | undefined {
  return COMPRESSED.find(({ match, mask }) => (half & mask) === match);
}

let table: Uint32Array | undefined;

/** For every half-word the 32-bit instruction that it stands for; 0 where there is none. */
export function compressedTable(): Uint32Array {
  if (table !== undefined) return table;
  table = new Uint32Array(65_536);
  const groups = new Map<number, Compressed[]>();
  for (const key of Array.from({ length: 32 }, (_, index) => ((index & 7) << 13) | (index >> 3))) {
    groups.set(
      key,
      COMPRESSED.filter(({ match, mask }) => ((match ^ key) & mask & 0xe003) === 0),
    );
  }
  for (let half = 0; half < 65_536; half++) {
    for (const { match, mask, expand } of groups.get(half & 0xe003)!) {
      if ((half & mask) !== match) continue;
      table[half] = expand(half);
      break;
    }
  }
  return table;
}
