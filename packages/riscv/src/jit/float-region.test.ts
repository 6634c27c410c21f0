import { describe, expect, it } from 'vitest';
import { CSR_FFLAGS, CSR_FRM, CSR_MSTATUS } from '../csr-numbers.js';
import { INSTRUCTIONS } from '../instructions.js';
import {
  BINARY32,
  BINARY64,
  type BareMachine,
  Random,
  RAM_BASE,
  asm,
  assemble,
  bareMachine,
  everyClass,
  li,
  randomBits,
  randomTriple,
  multiply,
} from '../testing/index.js';

/** Whole loops with floating point, compiled and interpreted: registers, flags, memory and mstatus agree. */

const DATA = RAM_BASE + 0x10_0000;
const RESULTS = RAM_BASE + 0x20_0000;
const FS_INITIAL = 1n << 13n;
const FS_CLEAN = 2n << 13n;
const FS_DIRTY = 3n << 13n;
const FS = 3n << 13n;

interface Setup {
  readonly status?: bigint;
  readonly frm?: bigint;
  readonly flags?: bigint;
  readonly data?: readonly bigint[];
  /** Instructions of a slice. */
  readonly slice?: number;
}

const COMPILED = { threshold: 1, batch: 1 };

async function machineWith(words: readonly number[], setup: Setup, compiled: boolean): Promise<BareMachine> {
  const machine = await bareMachine({ jit: compiled ? COMPILED : false });
  machine.load(RAM_BASE, [...words]);
  machine.hart.writeCsr(CSR_MSTATUS, FS_DIRTY);
  for (let register = 0; register < 32; register++) machine.hart.writeF(register, BigInt(register) << 52n);
  machine.hart.writeCsr(CSR_FRM, setup.frm ?? 0n);
  machine.hart.writeCsr(CSR_FFLAGS, setup.flags ?? 0n);
  machine.hart.writeCsr(CSR_MSTATUS, setup.status ?? FS_DIRTY);
  setup.data?.forEach((value, index) => machine.write64(DATA + 8 * index, value));
  return machine;
}

function stateOf({ hart, read64 }: BareMachine, results: number) {
  const numbers = Array.from({ length: 32 }, (_, index) => index);
  return {
    pc: hart.pc,
    status: hart.readCsr(CSR_MSTATUS),
    x: numbers.map((register) => hart.readX(register)),
    f: numbers.map((register) => hart.readF(register).toString(16)),
    flags: hart.readCsr(CSR_FFLAGS),
    memory: Array.from({ length: results }, (_, index) => read64(RESULTS + 8 * index).toString(16)),
  };
}

/** Runs both ways in slices, comparing after each; the compiled machine. */
async function both(
  words: readonly number[],
  count: number,
  setup: Setup = {},
  results = 0,
): Promise<BareMachine> {
  const compiled = await machineWith(words, setup, true);
  const interpreted = await machineWith(words, setup, false);
  for (let left = count; left > 0; left -= setup.slice ?? 997) {
    const slice = Math.min(left, setup.slice ?? 997);
    expect([compiled.run(slice), interpreted.run(slice)]).toEqual([slice, slice]);
    const short = left <= (setup.slice ?? 997) ? results : 0;
    expect(stateOf(compiled, short)).toEqual(stateOf(interpreted, short));
  }
  return compiled;
}

const regionsOf = (machine: BareMachine): number => machine.core.jit?.statistics.regions ?? 0;

/** A loop without end: `a0` walks through `bytes` of data in steps, `a1` through the results. */
function walk(body: readonly number[], step: number, bytes: number): number[] {
  const next = [
    asm.addi('a0', 'a0', step),
    asm.addi('a1', 'a1', 16),
    asm.bne('a0', 'a2', -4 * (body.length + 2)),
    asm.jal('zero', -4 * (body.length + 3 + start(bytes).length)),
  ];
  return [...start(bytes), ...body, ...next];
}

const start = (bytes: number): number[] => [
  ...li('a0', DATA),
  ...li('a1', RESULTS),
  ...li('a2', DATA + bytes),
];

const OPERATIONS = INSTRUCTIONS.filter(
  ({ mnemonic, extension }) => 'FD'.includes(extension) && !/^f(lw|ld|sw|sd)$/.test(mnemonic),
);

describe('regions with floating point', () => {
  it.each(['d', 's'])('every operation of format %s on hard operands, in one loop', async (letter) => {
    const format = letter === 'd' ? BINARY64 : BINARY32;
    const box = letter === 'd' ? 0n : 0xffff_ffff_0000_0000n;
    const random = new Random(5);
    const product = (a: bigint, b: bigint): bigint => multiply(format, a, b, 0).value;
    const data = everyClass(format).flatMap((a, index, all) => [
      a,
      all[(index * 7 + 3) % all.length],
      all[index],
    ]);
    for (let left = 200; left > 0; left--) data.push(...randomTriple(format, random, product));
    for (let left = 30; left > 0; left--)
      data.push(randomBits(format, random), randomBits(format, random), 0n);
    const operations = OPERATIONS.filter(
      ({ mnemonic }) => mnemonic.endsWith(`.${letter}`) || mnemonic.includes(`.${letter}.`),
    );
    const body = [
      asm.fld('fa1', 0, 'a0'),
      asm.fld('fa2', 8, 'a0'),
      asm.fld('fa3', 16, 'a0'),
      asm.ld('t1', 0, 'a0'),
    ];
    for (const { mnemonic, operands } of operations) {
      const letters = operands.split(',').filter((one) => one !== 'm');
      const names = letters.map((one, index) => {
        if (index === 0) return one === 'd' ? 't0' : 'fa0';
        return one === 's' ? 't1' : `fa${index}`;
      });
      body.push(assemble(mnemonic, ...names));
      // Every result counts: it is mixed into a sum of bits.
      if (letters[0] === 'D') body.push(asm.fmv_x_d('t0', 'fa0'));
      body.push(asm.add('a5', 'a5', 't0'), asm.slli('a6', 'a5', 13), asm.xor('a5', 'a5', 'a6'));
    }
    body.push(asm.csrrs('t2', 'fflags', 'zero'), asm.sd('t2', 0, 'a1'), asm.sd('a5', 8, 'a1'));
    const bytes = data.length * 8;
    const boxed = data.map((bits) => bits | box);
    for (const flags of [0n, 1n]) {
      const machine = await both(
        walk(body, 24, bytes),
        (bytes / 24) * (body.length + 4),
        { data: boxed, flags },
        16,
      );
      expect(regionsOf(machine)).toBeGreaterThan(0);
    }
  });

  it('a product of matrices: fused sums in loops in loops, slices that end anywhere', async () => {
    const size = 8;
    const random = new Random(9);
    const data = Array.from(
      { length: 2 * size * size },
      () => (random.u64() & 0x800f_ffff_ffff_ffffn) | (0x3fen << 52n),
    );
    const row = 8 * size;
    const words = [
      ...li('s0', DATA),
      ...li('s1', DATA + row * size),
      ...li('s2', RESULTS),
      ...[asm.addi('t0', 'zero', 0), asm.addi('t1', 'zero', 0)],
      // For each row t0 and column t1 (in bytes): fa0 = sum over t2.
      ...[
        asm.fmv_d_x('fa0', 'zero'),
        asm.add('a0', 's0', 't0'),
        asm.add('a1', 's1', 't1'),
        asm.addi('t2', 'a0', row),
      ],
      ...[asm.fld('fa1', 0, 'a0'), asm.fld('fa2', 0, 'a1'), asm.fmadd_d('fa0', 'fa1', 'fa2', 'fa0')],
      ...[asm.addi('a0', 'a0', 8), asm.addi('a1', 'a1', row), asm.bne('a0', 't2', -20)],
      ...[asm.add('a3', 's2', 't0'), asm.add('a3', 'a3', 't1'), asm.fsd('fa0', 0, 'a3')],
      ...[asm.addi('t1', 't1', 8), asm.addi('t3', 'zero', row), asm.bne('t1', 't3', -60)],
      ...[asm.addi('t1', 'zero', 0), asm.addi('t0', 't0', row), asm.addi('t3', 'zero', row * size)],
      ...[asm.bne('t0', 't3', -76), asm.addi('t0', 'zero', 0), asm.jal('zero', -84)],
    ];
    for (const slice of [61, 1009]) {
      const machine = await both(words, 12_000, { data, slice }, size * size);
      expect(regionsOf(machine)).toBeGreaterThan(0);
    }
  });

  const sum = [
    asm.fld('fa1', 0, 'a0'),
    asm.fadd_d('fa0', 'fa0', 'fa1'),
    asm.fdiv_d('fa2', 'fa0', 'fa1'),
    asm.fsd('fa2', 0, 'a1'),
  ];
  const data = [
    0x3ff0_0000_0000_0001n,
    0x4008_0000_0000_0000n,
    0x3fb9_9999_9999_999an,
    0xc000_0000_0000_0001n,
  ];

  it.each([0n, 1n, 2n, 3n, 4n])('the dynamic rounding mode %d', async (frm) => {
    await both(walk(sum, 8, 32), 3000, { data, frm }, 8);
  });

  it('a rounding mode that changes in the loop', async () => {
    const words = walk(
      [...sum, asm.addi('t0', 't0', 1), asm.andi('t1', 't0', 3), asm.csrrw('zero', 'frm', 't1')],
      8,
      32,
    );
    await both(words, 5000, { data }, 8);
  });

  it('flags that the loop clears are raised anew', async () => {
    const words = walk([...sum, asm.csrrwi('t1', 'fflags', 0), asm.add('a5', 'a5', 't1')], 8, 32);
    const machine = await both(words, 5000, { data, flags: 1n }, 8);
    expect(machine.hart.readX(15)).toBeGreaterThan(0n);
  });

  it.each([FS_INITIAL, FS_CLEAN])(
    'mstatus.FS 0x%s becomes Dirty with the first result (3.1.6.6)',
    async (status) => {
      const machine = await both(walk(sum, 8, 32), 3000, { data, status }, 8);
      expect(machine.hart.readCsr(CSR_MSTATUS) & FS).toBe(FS_DIRTY);
      expect(regionsOf(machine)).toBeGreaterThan(0);
    },
  );

  it('stores leave mstatus.FS Clean', async () => {
    const machine = await both(
      walk([asm.fsd('fa1', 0, 'a1'), asm.fsw('fa2', 8, 'a1')], 8, 32),
      3000,
      { data, status: FS_CLEAN },
      8,
    );
    expect(machine.hart.readCsr(CSR_MSTATUS) & FS).toBe(FS_CLEAN);
  });

  it('with mstatus.FS Off every floating-point instruction of a compiled loop traps (3.1.6.6)', async () => {
    // The handler switches floating point on; the loop switches it off again every fourth turn.
    const body = [
      ...sum,
      ...[asm.addi('t0', 't0', 1), asm.andi('t1', 't0', 3), asm.bne('t1', 'zero', 12)],
      ...[asm.lui('t2', 6), asm.csrrc('zero', 'mstatus', 't2')],
    ];
    const loop = walk(body, 8, 32);
    const handler = [
      asm.lui('t3', 2),
      asm.csrrs('zero', 'mstatus', 't3'),
      asm.addi('s3', 's3', 1),
      asm.mret(),
    ];
    const prologue = [...li('t4', RAM_BASE + 0x1000), asm.csrrw('zero', 'mtvec', 't4')];
    const words = [...prologue, ...loop];
    while (words.length < 0x400) words.push(asm.addi('zero', 'zero', 0));
    const machine = await both([...words, ...handler], 6000, { data, status: 0n }, 8);
    expect(machine.hart.readX(19)).toBeGreaterThan(50n);
    expect(regionsOf(machine)).toBeGreaterThan(0);
  });

  it('a fault at a load or store between results is precise', async () => {
    const body = [
      asm.fld('fa1', 0, 'a0'),
      asm.fadd_d('fa0', 'fa0', 'fa1'),
      asm.flw('fa3', 4, 't5'),
      asm.fmul_d('fa0', 'fa0', 'fa1'),
      asm.fsd('fa0', 0, 't5'),
      asm.fsub_d('fa4', 'fa0', 'fa1'),
    ];
    const handler = [
      ...[asm.csrrs('t3', 'mepc', 'zero'), asm.addi('t3', 't3', 4), asm.csrrw('zero', 'mepc', 't3')],
      ...[asm.fadd_d('fa5', 'fa5', 'fa0'), asm.addi('s3', 's3', 1), asm.mret()],
    ];
    const prologue = [...li('t4', RAM_BASE + 0x1000), asm.csrrw('zero', 'mtvec', 't4'), ...li('t5', 0x1000)];
    const words = [...prologue, ...walk(body, 8, 32)];
    while (words.length < 0x400) words.push(asm.addi('zero', 'zero', 0));
    const machine = await both([...words, ...handler], 6000, { data }, 8);
    expect(machine.hart.readX(19)).toBeGreaterThan(100n);
  });
});
