/**
 * The instruction table: every 32-bit instruction is written once, here. The decoder's rows, the op
 * numbers of the interpreter (`assembly/ops.ts`), the disassembler and the test assembler are made from
 * it. Compressed instructions stand in `compressed.ts` and expand to these.
 */

/**
 * How operands lie in the word and how they are written: the letters name fields. d rd, s rs1, t rs2,
 * r rs3 (D, S, T, R for floating-point registers), i I-immediate, b S-immediate base form, o(ffset) of
 * loads, p branch target, j jump target, u upper immediate, h shift amount, c CSR, z CSR immediate,
 * m rounding mode, q aq/rl bits, a address register alone.
 */
export type Operands = string;

export interface Instruction {
  readonly mnemonic: string;
  readonly match: number;
  readonly mask: number;
  readonly operands: Operands;
  readonly extension: string;
  /** Position in the table plus 1: the number the interpreter switches on. 0 is "not decoded yet". */
  readonly op: number;
}

type Row = readonly [mnemonic: string, operands: Operands, match: number, mask: number];

const opcode = (major: number, funct3 = 0, funct7 = 0, rs2 = 0): number =>
  ((funct7 << 25) | (rs2 << 20) | (funct3 << 12) | (major << 2) | 3) >>> 0;

const MASK_MAJOR = 0x7f;
const MASK_F3 = 0x707f;
const MASK_F7 = 0xfe00707f;
const MASK_F7_ANY_RM = 0xfe00007f;
const MASK_RS2 = 0xfff0707f;
const MASK_RS2_ANY_RM = 0xfff0007f;
const MASK_SHAMT6 = 0xfc00707f;
const MASK_ALL = 0xffffffff;
const MASK_AMO = 0xf800707f;
const MASK_LR = 0xf9f0707f;
const MASK_R4 = 0x0600007f;

const LOAD = 0x00;
const LOAD_FP = 0x01;
const MISC_MEM = 0x03;
const OP_IMM = 0x04;
const AUIPC = 0x05;
const OP_IMM_32 = 0x06;
const STORE = 0x08;
const STORE_FP = 0x09;
const AMO = 0x0b;
const OP = 0x0c;
const LUI = 0x0d;
const OP_32 = 0x0e;
const OP_FP = 0x14;
const BRANCH = 0x18;
const JALR = 0x19;
const JAL = 0x1b;
const SYSTEM = 0x1c;

const r = (mnemonic: string, major: number, funct3: number, funct7: number): Row => [
  mnemonic,
  'd,s,t',
  opcode(major, funct3, funct7),
  MASK_F7,
];
const i = (mnemonic: string, major: number, funct3: number): Row => [
  mnemonic,
  'd,s,i',
  opcode(major, funct3),
  MASK_F3,
];
const shift = (mnemonic: string, funct3: number, funct6: number): Row => [
  mnemonic,
  'd,s,h',
  (opcode(OP_IMM, funct3) | (funct6 << 26)) >>> 0,
  MASK_SHAMT6,
];
const unary = (mnemonic: string, major: number, funct3: number, funct7: number, rs2: number): Row => [
  mnemonic,
  'd,s',
  opcode(major, funct3, funct7, rs2),
  MASK_RS2,
];
const load = (mnemonic: string, funct3: number): Row => [mnemonic, 'd,o', opcode(LOAD, funct3), MASK_F3];
const store = (mnemonic: string, funct3: number): Row => [mnemonic, 't,b', opcode(STORE, funct3), MASK_F3];
const branch = (mnemonic: string, funct3: number): Row => [
  mnemonic,
  's,t,p',
  opcode(BRANCH, funct3),
  MASK_F3,
];
const csr = (mnemonic: string, operands: Operands, funct3: number): Row => [
  mnemonic,
  operands,
  opcode(SYSTEM, funct3),
  MASK_F3,
];
const whole = (mnemonic: string, match: number): Row => [mnemonic, '', match, MASK_ALL];
const amo = (name: string, funct5: number): Row[] => [
  [`${name}.w`, 'd,t,a,q', opcode(AMO, 2, funct5 << 2), MASK_AMO],
  [`${name}.d`, 'd,t,a,q', opcode(AMO, 3, funct5 << 2), MASK_AMO],
];
const fp = (mnemonic: string, operands: Operands, funct7: number, funct3: number): Row => [
  mnemonic,
  operands,
  opcode(OP_FP, funct3, funct7),
  MASK_F7,
];
const fpRounded = (mnemonic: string, funct7: number): Row => [
  mnemonic,
  'D,S,T,m',
  opcode(OP_FP, 0, funct7),
  MASK_F7_ANY_RM,
];
const fpConvert = (mnemonic: string, operands: Operands, funct7: number, rs2: number): Row => [
  mnemonic,
  operands,
  opcode(OP_FP, 0, funct7, rs2),
  MASK_RS2_ANY_RM,
];
const fpMove = (mnemonic: string, operands: Operands, funct7: number, funct3: number): Row => [
  mnemonic,
  operands,
  opcode(OP_FP, funct3, funct7),
  MASK_RS2,
];
const fpFused = (mnemonic: string, major: number, format: number): Row => [
  mnemonic,
  'D,S,T,R,m',
  (opcode(major) | (format << 25)) >>> 0,
  MASK_R4,
];

/** The F (format 0, suffix s) or D (format 1, suffix d) instructions. */
function floating(x: 's' | 'd', format: 0 | 1): Row[] {
  const funct3 = format === 0 ? 2 : 3;
  return [
    [format === 0 ? 'flw' : 'fld', 'D,o', opcode(LOAD_FP, funct3), MASK_F3],
    [format === 0 ? 'fsw' : 'fsd', 'T,b', opcode(STORE_FP, funct3), MASK_F3],
    fpFused(`fmadd.${x}`, 0x10, format),
    fpFused(`fmsub.${x}`, 0x11, format),
    fpFused(`fnmsub.${x}`, 0x12, format),
    fpFused(`fnmadd.${x}`, 0x13, format),
    fpRounded(`fadd.${x}`, 0x00 | format),
    fpRounded(`fsub.${x}`, 0x04 | format),
    fpRounded(`fmul.${x}`, 0x08 | format),
    fpRounded(`fdiv.${x}`, 0x0c | format),
    fpConvert(`fsqrt.${x}`, 'D,S,m', 0x2c | format, 0),
    fp(`fsgnj.${x}`, 'D,S,T', 0x10 | format, 0),
    fp(`fsgnjn.${x}`, 'D,S,T', 0x10 | format, 1),
    fp(`fsgnjx.${x}`, 'D,S,T', 0x10 | format, 2),
    fp(`fmin.${x}`, 'D,S,T', 0x14 | format, 0),
    fp(`fmax.${x}`, 'D,S,T', 0x14 | format, 1),
    fp(`feq.${x}`, 'd,S,T', 0x50 | format, 2),
    fp(`flt.${x}`, 'd,S,T', 0x50 | format, 1),
    fp(`fle.${x}`, 'd,S,T', 0x50 | format, 0),
    fpMove(`fclass.${x}`, 'd,S', 0x70 | format, 1),
    fpMove(format === 0 ? 'fmv.x.w' : 'fmv.x.d', 'd,S', 0x70 | format, 0),
    fpMove(format === 0 ? 'fmv.w.x' : 'fmv.d.x', 'D,s', 0x78 | format, 0),
    fpConvert(`fcvt.w.${x}`, 'd,S,m', 0x60 | format, 0),
    fpConvert(`fcvt.wu.${x}`, 'd,S,m', 0x60 | format, 1),
    fpConvert(`fcvt.l.${x}`, 'd,S,m', 0x60 | format, 2),
    fpConvert(`fcvt.lu.${x}`, 'd,S,m', 0x60 | format, 3),
    fpConvert(`fcvt.${x}.w`, 'D,s,m', 0x68 | format, 0),
    fpConvert(`fcvt.${x}.wu`, 'D,s,m', 0x68 | format, 1),
    fpConvert(`fcvt.${x}.l`, 'D,s,m', 0x68 | format, 2),
    fpConvert(`fcvt.${x}.lu`, 'D,s,m', 0x68 | format, 3),
  ];
}

const BY_EXTENSION: readonly (readonly [extension: string, rows: readonly Row[]])[] = [
  [
    'I',
    [
      ['lui', 'd,u', opcode(LUI), MASK_MAJOR],
      ['auipc', 'd,u', opcode(AUIPC), MASK_MAJOR],
      ['jal', 'd,j', opcode(JAL), MASK_MAJOR],
      ['jalr', 'd,o', opcode(JALR), MASK_F3],
      branch('beq', 0),
      branch('bne', 1),
      branch('blt', 4),
      branch('bge', 5),
      branch('bltu', 6),
      branch('bgeu', 7),
      load('lb', 0),
      load('lh', 1),
      load('lw', 2),
      load('ld', 3),
      load('lbu', 4),
      load('lhu', 5),
      load('lwu', 6),
      store('sb', 0),
      store('sh', 1),
      store('sw', 2),
      store('sd', 3),
      i('addi', OP_IMM, 0),
      i('slti', OP_IMM, 2),
      i('sltiu', OP_IMM, 3),
      i('xori', OP_IMM, 4),
      i('ori', OP_IMM, 6),
      i('andi', OP_IMM, 7),
      shift('slli', 1, 0x00),
      shift('srli', 5, 0x00),
      shift('srai', 5, 0x10),
      r('add', OP, 0, 0x00),
      r('sub', OP, 0, 0x20),
      r('sll', OP, 1, 0x00),
      r('slt', OP, 2, 0x00),
      r('sltu', OP, 3, 0x00),
      r('xor', OP, 4, 0x00),
      r('srl', OP, 5, 0x00),
      r('sra', OP, 5, 0x20),
      r('or', OP, 6, 0x00),
      r('and', OP, 7, 0x00),
      i('addiw', OP_IMM_32, 0),
      ['slliw', 'd,s,h', opcode(OP_IMM_32, 1, 0x00), MASK_F7],
      ['srliw', 'd,s,h', opcode(OP_IMM_32, 5, 0x00), MASK_F7],
      ['sraiw', 'd,s,h', opcode(OP_IMM_32, 5, 0x20), MASK_F7],
      r('addw', OP_32, 0, 0x00),
      r('subw', OP_32, 0, 0x20),
      r('sllw', OP_32, 1, 0x00),
      r('srlw', OP_32, 5, 0x00),
      r('sraw', OP_32, 5, 0x20),
      ['fence', 'f', opcode(MISC_MEM, 0), MASK_F3],
      whole('ecall', 0x00000073),
      whole('ebreak', 0x00100073),
    ],
  ],
  ['Zifencei', [['fence.i', '', opcode(MISC_MEM, 1), MASK_F3]]],
  [
    'Zicsr',
    [
      csr('csrrw', 'd,c,s', 1),
      csr('csrrs', 'd,c,s', 2),
      csr('csrrc', 'd,c,s', 3),
      csr('csrrwi', 'd,c,z', 5),
      csr('csrrsi', 'd,c,z', 6),
      csr('csrrci', 'd,c,z', 7),
    ],
  ],
  [
    'privileged',
    [
      whole('sret', 0x10200073),
      whole('mret', 0x30200073),
      whole('wfi', 0x10500073),
      ['sfence.vma', 's,t', 0x12000073, 0xfe007fff],
    ],
  ],
  [
    'M',
    [
      r('mul', OP, 0, 0x01),
      r('mulh', OP, 1, 0x01),
      r('mulhsu', OP, 2, 0x01),
      r('mulhu', OP, 3, 0x01),
      r('div', OP, 4, 0x01),
      r('divu', OP, 5, 0x01),
      r('rem', OP, 6, 0x01),
      r('remu', OP, 7, 0x01),
      r('mulw', OP_32, 0, 0x01),
      r('divw', OP_32, 4, 0x01),
      r('divuw', OP_32, 5, 0x01),
      r('remw', OP_32, 6, 0x01),
      r('remuw', OP_32, 7, 0x01),
    ],
  ],
  [
    'A',
    [
      ['lr.w', 'd,a,q', opcode(AMO, 2, 0x02 << 2), MASK_LR],
      ['lr.d', 'd,a,q', opcode(AMO, 3, 0x02 << 2), MASK_LR],
      ...amo('sc', 0x03),
      ...amo('amoswap', 0x01),
      ...amo('amoadd', 0x00),
      ...amo('amoxor', 0x04),
      ...amo('amoand', 0x0c),
      ...amo('amoor', 0x08),
      ...amo('amomin', 0x10),
      ...amo('amomax', 0x14),
      ...amo('amominu', 0x18),
      ...amo('amomaxu', 0x1c),
    ],
  ],
  [
    'Zba',
    [
      r('add.uw', OP_32, 0, 0x04),
      r('sh1add', OP, 2, 0x10),
      r('sh2add', OP, 4, 0x10),
      r('sh3add', OP, 6, 0x10),
      r('sh1add.uw', OP_32, 2, 0x10),
      r('sh2add.uw', OP_32, 4, 0x10),
      r('sh3add.uw', OP_32, 6, 0x10),
      ['slli.uw', 'd,s,h', (opcode(OP_IMM_32, 1) | (0x02 << 26)) >>> 0, MASK_SHAMT6],
    ],
  ],
  [
    'Zbb',
    [
      r('andn', OP, 7, 0x20),
      r('orn', OP, 6, 0x20),
      r('xnor', OP, 4, 0x20),
      unary('clz', OP_IMM, 1, 0x30, 0),
      unary('ctz', OP_IMM, 1, 0x30, 1),
      unary('cpop', OP_IMM, 1, 0x30, 2),
      unary('clzw', OP_IMM_32, 1, 0x30, 0),
      unary('ctzw', OP_IMM_32, 1, 0x30, 1),
      unary('cpopw', OP_IMM_32, 1, 0x30, 2),
      r('max', OP, 6, 0x05),
      r('maxu', OP, 7, 0x05),
      r('min', OP, 4, 0x05),
      r('minu', OP, 5, 0x05),
      unary('sext.b', OP_IMM, 1, 0x30, 4),
      unary('sext.h', OP_IMM, 1, 0x30, 5),
      unary('zext.h', OP_32, 4, 0x04, 0),
      r('rol', OP, 1, 0x30),
      r('ror', OP, 5, 0x30),
      shift('rori', 5, 0x18),
      r('rolw', OP_32, 1, 0x30),
      r('rorw', OP_32, 5, 0x30),
      ['roriw', 'd,s,h', opcode(OP_IMM_32, 5, 0x30), MASK_F7],
      unary('orc.b', OP_IMM, 5, 0x14, 7),
      unary('rev8', OP_IMM, 5, 0x35, 0x18),
    ],
  ],
  [
    'Zbs',
    [
      r('bclr', OP, 1, 0x24),
      r('bext', OP, 5, 0x24),
      r('binv', OP, 1, 0x34),
      r('bset', OP, 1, 0x14),
      shift('bclri', 1, 0x12),
      shift('bexti', 5, 0x12),
      shift('binvi', 1, 0x1a),
      shift('bseti', 1, 0x0a),
    ],
  ],
  ['F', floating('s', 0)],
  [
    'D',
    [...floating('d', 1), fpConvert('fcvt.s.d', 'D,S,m', 0x20, 1), fpConvert('fcvt.d.s', 'D,S,m', 0x21, 0)],
  ],
];

export const INSTRUCTIONS: readonly Instruction[] = BY_EXTENSION.flatMap(([extension, rows]) =>
  rows.map(([mnemonic, operands, match, mask]) => ({ extension, mnemonic, operands, match, mask })),
).map((row, index) => ({ ...row, op: index + 1 }));

/**
 * What the interpreter switches on beside the instructions themselves, numbered after them. The six
 * branches and `jal` whose target lies in the same page have numbers of their own, in the order of the table.
 */
export const INTERNAL_OPS = [
  'illegal',
  'page_end',
  'crossing',
  'jal_near',
  'j_near',
  'beq_near',
  'bne_near',
  'blt_near',
  'bge_near',
  'bltu_near',
  'bgeu_near',
  'breakpoint',
  'compiled',
] as const;

const byMnemonic = new Map(INSTRUCTIONS.map((instruction) => [instruction.mnemonic, instruction]));

/** @throws Error for a mnemonic that the table does not hold */
export function instruction(mnemonic: string): Instruction {
  const found = byMnemonic.get(mnemonic);
  if (found === undefined) throw new Error(`no instruction is called ${mnemonic}`);
  return found;
}

/** The instruction that a 32-bit word encodes. */
export function findInstruction(word: number): Instruction | undefined {
  return INSTRUCTIONS.find(({ match, mask }) => (word & mask) >>> 0 === match);
}

/** The text of `assembly/ops.ts`. */
export function opsSource(): string {
  const name = (mnemonic: string): string => `OP_${mnemonic.toUpperCase().replaceAll('.', '_')}`;
  const lines = [
    ...INSTRUCTIONS.map(({ mnemonic, op }) => `export const ${name(mnemonic)} = ${op};`),
    ...INTERNAL_OPS.map(
      (internal, index) => `export const ${name(internal)} = ${INSTRUCTIONS.length + 1 + index};`,
    ),
  ];
  return `// Generated from src/instructions.ts by scripts/generate-ops.mjs; do not edit.\n${lines.join('\n')}\n`;
}
