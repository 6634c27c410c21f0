import { describe, expect, it } from 'vitest';
import { INSTRUCTIONS } from './instructions.js';
import { asm, assemble, bareMachine, RAM_BASE, Random } from './testing/index.js';

/** What an instruction makes of its operands: unsigned 64-bit in, anything out (cut to 64 bits by the test). */
type Model = (a: bigint, b: bigint) => bigint;

const s64 = (a: bigint): bigint => BigInt.asIntN(64, a);
const u32 = (a: bigint): bigint => BigInt.asUintN(32, a);
const s32 = (a: bigint): bigint => BigInt.asIntN(32, a);
const u64 = (a: bigint): bigint => BigInt.asUintN(64, a);
const bool = (condition: boolean): bigint => (condition ? 1n : 0n);
const low6 = (b: bigint): bigint => b & 63n;
const low5 = (b: bigint): bigint => b & 31n;
const bits = (a: bigint, width: number): string => a.toString(2).padStart(width, '0');
const leading = (a: bigint, width: number): bigint => BigInt(`${bits(a, width)}1`.indexOf('1'));
const trailing = (a: bigint, width: number): bigint => BigInt(`1${bits(a, width)}`.split('1').at(-1)!.length);
const ones = (a: bigint): bigint => BigInt(a.toString(2).replaceAll('0', '').length);
const rotate = (a: bigint, b: bigint, width: bigint): bigint => (a >> b) | (a << (width - b));
const quotient = (a: bigint, b: bigint, none: bigint): bigint => (b === 0n ? none : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);
const bytes = (a: bigint): bigint[] =>
  Array.from({ length: 8 }, (_, index) => (a >> BigInt(index * 8)) & 0xffn);
const join = (list: bigint[]): bigint =>
  list.reduce((sum, byte, index) => sum | (byte << BigInt(index * 8)), 0n);

/** Register-register and unary instructions, by the text of the specification. */
const MODELS: Record<string, Model> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << low6(b),
  slt: (a, b) => bool(s64(a) < s64(b)),
  sltu: (a, b) => bool(a < b),
  xor: (a, b) => a ^ b,
  srl: (a, b) => a >> low6(b),
  sra: (a, b) => s64(a) >> low6(b),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a << low5(b)),
  srlw: (a, b) => s32(u32(a) >> low5(b)),
  sraw: (a, b) => s32(a) >> low5(b),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  mulw: (a, b) => s32(a * b),
  div: (a, b) => quotient(s64(a), s64(b), -1n),
  divu: (a, b) => quotient(a, b, -1n),
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: (a, b) => remainder(a, b),
  divw: (a, b) => s32(quotient(s32(a), s32(b), -1n)),
  divuw: (a, b) => s32(quotient(u32(a), u32(b), -1n)),
  remw: (a, b) => s32(remainder(s32(a), s32(b))),
  remuw: (a, b) => s32(remainder(u32(a), u32(b))),
  'add.uw': (a, b) => u32(a) + b,
  sh1add: (a, b) => (a << 1n) + b,
  sh2add: (a, b) => (a << 2n) + b,
  sh3add: (a, b) => (a << 3n) + b,
  'sh1add.uw': (a, b) => (u32(a) << 1n) + b,
  'sh2add.uw': (a, b) => (u32(a) << 2n) + b,
  'sh3add.uw': (a, b) => (u32(a) << 3n) + b,
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  clz: (a) => leading(a, 64),
  ctz: (a) => trailing(a, 64),
  cpop: (a) => ones(a),
  clzw: (a) => leading(u32(a), 32),
  ctzw: (a) => trailing(u32(a), 32),
  cpopw: (a) => ones(u32(a)),
  max: (a, b) => (s64(a) > s64(b) ? a : b),
  maxu: (a, b) => (a > b ? a : b),
  min: (a, b) => (s64(a) < s64(b) ? a : b),
  minu: (a, b) => (a < b ? a : b),
  'sext.b': (a) => BigInt.asIntN(8, a),
  'sext.h': (a) => BigInt.asIntN(16, a),
  'zext.h': (a) => BigInt.asUintN(16, a),
  rol: (a, b) => rotate(a, (64n - low6(b)) & 63n, 64n),
  ror: (a, b) => rotate(a, low6(b), 64n),
  rolw: (a, b) => s32(rotate(u32(a), (32n - low5(b)) & 31n, 32n)),
  rorw: (a, b) => s32(rotate(u32(a), low5(b), 32n)),
  'orc.b': (a) => join(bytes(a).map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (a) => join(bytes(a).reverse()),
  bclr: (a, b) => a & ~(1n << low6(b)),
  bext: (a, b) => (a >> low6(b)) & 1n,
  binv: (a, b) => a ^ (1n << low6(b)),
  bset: (a, b) => a | (1n << low6(b)),
};

/** The immediate forms: what they do is what the register form does with the immediate, sign-extended. */
const IMMEDIATES: Record<string, Model> = Object.fromEntries(
  ['addi:add', 'slti:slt', 'sltiu:sltu', 'xori:xor', 'ori:or', 'andi:and', 'addiw:addw'].map((pair) => {
    const [name, model] = pair.split(':') as [string, string];
    return [name, MODELS[model]];
  }),
);
const SHIFTS: Record<string, Model> = {
  ...Object.fromEntries(
    ['slli:sll', 'srli:srl', 'srai:sra', 'slliw:sllw', 'srliw:srlw', 'sraiw:sraw', 'rori:ror', 'roriw:rorw']
      .concat(['bclri:bclr', 'bexti:bext', 'binvi:binv', 'bseti:bset'])
      .map((pair) => pair.split(':') as [string, string])
      .map(([name, model]) => [name, MODELS[model]]),
  ),
  'slli.uw': (a, b) => u32(a) << b,
};

const BRANCHES: Record<string, (a: bigint, b: bigint) => boolean> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => s64(a) < s64(b),
  bge: (a, b) => s64(a) >= s64(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
};

const CORNERS = [0n, 1n, 2n, 31n, 32n, 63n, 64n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n]
  .flatMap((value) => [value, -value, value - 1n])
  .map(u64);

function operands(random: Random): [bigint, bigint] {
  const one = (): bigint =>
    random.below(3) === 0 ? random.pick(CORNERS) : random.u64() >> BigInt(random.below(4) * 16);
  const a = one();
  return [a, random.below(8) === 0 ? a : one()];
}

const ROUNDS = 300;

describe.each(Object.keys(MODELS))('%s', (name) => {
  it('does what the specification says, on corners and random operands', async () => {
    const { hart, load } = await bareMachine();
    const unary = INSTRUCTIONS.find(({ mnemonic }) => mnemonic === name)!.operands === 'd,s';
    load(RAM_BASE, [assemble(name, 'a0', 'a1', ...(unary ? [] : ['a2']))]);
    const random = new Random(5);
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b] = operands(random);
      hart.writeX(11, a);
      hart.writeX(12, b);
      hart.pc = BigInt(RAM_BASE);
      hart.run(1);
      const wanted = u64(MODELS[name](a, b));
      if (hart.readX(10) !== wanted) expect([a, b, hart.readX(10)]).toEqual([a, b, wanted]);
    }
  });
});

describe.each(Object.keys({ ...IMMEDIATES, ...SHIFTS }))('%s', (name) => {
  it('does what its register form does with the immediate', async () => {
    const { hart, load } = await bareMachine();
    const random = new Random(6);
    const width = name.endsWith('w') && name !== 'slli.uw' ? 32 : 64;
    for (let round = 0; round < ROUNDS; round++) {
      const [a] = operands(random);
      const immediate = name in SHIFTS ? random.below(width) : random.below(4096) - 2048;
      load(RAM_BASE, [assemble(name, 'a0', 'a1', immediate)]);
      hart.writeX(11, a);
      hart.pc = BigInt(RAM_BASE);
      hart.run(1);
      const model = IMMEDIATES[name] ?? SHIFTS[name];
      expect(hart.readX(10)).toBe(u64(model(a, u64(BigInt(immediate)))));
    }
  });
});

describe.each(Object.keys(BRANCHES))('%s', (name) => {
  it('goes where its condition says, near and across pages', async () => {
    const { hart, load } = await bareMachine();
    const random = new Random(7);
    for (const distance of [8, -2048, 4094, -4096, 2046]) {
      const at = RAM_BASE + 0x2800;
      load(at, [assemble(name, 'a1', 'a2', distance)]);
      for (let round = 0; round < 60; round++) {
        const [a, b] = operands(random);
        hart.writeX(11, a);
        hart.writeX(12, b);
        hart.pc = BigInt(at);
        hart.run(1);
        expect(hart.pc).toBe(BigInt(at + (BRANCHES[name](a, b) ? distance : 4)));
      }
    }
  });
});

describe('jumps and upper immediates', () => {
  it('JAL and JALR link the address behind them, JALR clears bit 0 and may use rd as its base', async () => {
    const { hart, load } = await bareMachine();
    for (const distance of [16, -16, 0x10_0000 - 2, -0x8_0000]) {
      const at = RAM_BASE + 0x10_0ffc;
      load(at, [asm.jal('a0', distance)]);
      hart.pc = BigInt(at);
      hart.run(1);
      expect([hart.pc, hart.readX(10)]).toEqual([BigInt(at + distance), BigInt(at + 4)]);
    }
    load(RAM_BASE, [asm.jalr('a0', -3, 'a0')]);
    hart.pc = BigInt(RAM_BASE);
    hart.writeX(10, BigInt(RAM_BASE) + 0x104n);
    hart.run(1);
    expect([hart.pc, hart.readX(10)]).toEqual([BigInt(RAM_BASE) + 0x100n, BigInt(RAM_BASE) + 4n]);
  });

  it('LUI and AUIPC sign-extend', async () => {
    const { hart, load } = await bareMachine();
    load(RAM_BASE, [asm.lui('a0', 0x80000), asm.auipc('a1', 0xfffff)]);
    hart.run(2);
    expect([hart.readX(10), hart.readX(11)]).toEqual([0xffff_ffff_8000_0000n, BigInt(RAM_BASE) + 4n - 4096n]);
  });

  it('x0 stays zero, whatever writes it', async () => {
    const { hart, load } = await bareMachine();
    load(RAM_BASE, [
      asm.addi('zero', 'zero', 5),
      asm.ld('zero', 0, 's0'),
      asm.jal('zero', 4),
      asm.csrrs('zero', 'misa', 'zero'),
      asm.add('a0', 'zero', 'zero'),
    ]);
    hart.writeX(8, BigInt(RAM_BASE));
    hart.writeX(10, 9n);
    hart.run(5);
    expect([hart.readX(0), hart.readX(10)]).toEqual([0n, 0n]);
  });
});

describe('loads and stores', () => {
  it('of every width, at every alignment, extend as they should', async () => {
    const { hart, load, write64, read64 } = await bareMachine();
    const at = RAM_BASE + 0x10_0000;
    const value = 0x8899_aabb_ccdd_eeffn;
    const widths: [string, number, boolean][] = [
      ['lb', 8, true],
      ['lbu', 8, false],
      ['lh', 16, true],
      ['lhu', 16, false],
      ['lw', 32, true],
      ['lwu', 32, false],
      ['ld', 64, true],
    ];
    for (const [name, width, signed] of widths) {
      for (let shift = 0; shift < 8; shift++) {
        write64(at, value);
        write64(at + 8, value);
        load(RAM_BASE, [assemble(name, 'a0', shift, 's0')]);
        hart.writeX(8, BigInt(at));
        hart.pc = BigInt(RAM_BASE);
        hart.run(1);
        const raw = ((value << 64n) | value) >> BigInt(8 * shift);
        expect(hart.readX(10)).toBe(u64(signed ? BigInt.asIntN(width, raw) : BigInt.asUintN(width, raw)));
      }
    }
    for (const [name, width] of [
      ['sb', 8],
      ['sh', 16],
      ['sw', 32],
      ['sd', 64],
    ] as const) {
      for (let shift = 0; shift < 8; shift++) {
        write64(at, 0n);
        write64(at + 8, 0n);
        load(RAM_BASE, [assemble(name, 'a0', shift, 's0')]);
        hart.writeX(10, value);
        hart.pc = BigInt(RAM_BASE);
        hart.run(1);
        const wanted = BigInt.asUintN(width, value) << BigInt(8 * shift);
        expect(read64(at) | (read64(at + 8) << 64n)).toBe(wanted);
      }
    }
  });
});
