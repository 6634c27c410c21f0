import { PAGE_LOAD_WATCHED, PAGE_RESERVED, PAGE_WATCHED, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_MTVEC } from '../csr-numbers.js';
import { INSTRUCTIONS } from '../instructions.js';
import { asm, assemble, Random, RAM_BASE, type BareMachine } from '../testing/index.js';
import { runTwins } from '../testing/twin-machines.js';

/** Atomic instructions in compiled code: everything that software can see is as interpreted. */

const DATA = RAM_BASE + 0x10_0000;
const DEVICE = 0x1000_0000;
const HANDLER = RAM_BASE + 0x2000;
const PAGE = 4096;
const S1 = 9;

const pageOf = ({ space }: BareMachine): number => space.resolve(physical(DATA), 8) / PAGE;

/** The words run for ever, with s1 at the data; traps skip the instruction and are counted in s11. */
function endless(machine: BareMachine, words: readonly number[], pointer = DATA): void {
  const { hart } = machine;
  machine.load(RAM_BASE, [...words, asm.jal('zero', -4 * words.length)]);
  machine.load(HANDLER, [
    ...[asm.csrrs('s9', 'mepc', 'zero'), asm.csrrs('s8', 'mcause', 'zero'), asm.csrrs('s7', 'mtval', 'zero')],
    ...[asm.slli('s10', 's10', 1), asm.add('s10', 's10', 's8'), asm.xor('s10', 's10', 's7')],
    ...[asm.addi('s9', 's9', 4), asm.csrrw('zero', 'mepc', 's9'), asm.addi('s11', 's11', 1), asm.mret()],
  ]);
  for (let at = 0; at < PAGE; at += 8) machine.write64(DATA + at, BigInt(at) * 0x9e37_79b9_7f4an);
  machine.space.mapMmio({
    name: 'device',
    base: DEVICE,
    size: PAGE,
    handler: { read: () => 0, write: () => undefined },
  });
  for (const one of machine.harts) {
    one.writeX(S1, BigInt(pointer));
    one.writeCsr(CSR_MTVEC, BigInt(HANDLER));
  }
  hart.pc = BigInt(RAM_BASE);
}

const ATOMICS = INSTRUCTIONS.filter(({ mnemonic }) => mnemonic.startsWith('amo'));
const RETRY = [
  asm.lr_d('t0', 's1'),
  asm.addi('t0', 't0', 3),
  asm.sc_d('t1', 't0', 's1'),
  asm.bne('t1', 'zero', -12),
  asm.addi('a0', 'a0', 1),
];
const BY_HAND = { steps: 60, length: 211 };

describe('A extension 13.4, compiled: AMO', () => {
  it.each(ATOMICS)('$mnemonic of random operands, any of the registers the same', async ({ mnemonic }) => {
    const random = new Random(11);
    const operands = Array.from({ length: 24 }, () => random.u64());
    const mix = [asm.slli('a2', 'a2', 9), asm.xor('a2', 'a2', 'a3'), asm.addi('s1', 's1', 8)];
    const words = [
      ...[assemble(mnemonic, 'a3', 'a2', 's1'), ...mix],
      ...[assemble(mnemonic, 'a2', 'a2', 's1'), ...mix],
      ...[assemble(mnemonic, 'zero', 'a2', 's1'), ...mix],
      ...[assemble(mnemonic, 'a3', 'zero', 's1'), ...mix],
      ...[asm.addi('a4', 's1', 0), assemble(mnemonic, 'a4', 'a4', 's1'), asm.add('a2', 'a2', 'a4')],
      ...[
        asm.andi('a5', 's1', 0x3f8),
        asm.srli('s1', 's1', 12),
        asm.slli('s1', 's1', 12),
        asm.add('s1', 's1', 'a5'),
      ],
    ];
    const machine = await runTwins((one) => endless(one, words), {
      steps: 48,
      length: 100,
      before: (one, step) => {
        one.hart.writeX(12, operands[step % operands.length]);
        // Not all of them would ever come back from zero.
        for (let at = 0; at < 64; at++)
          one.write64(DATA + at * 16, operands[(step * 5 + at) % operands.length]);
      },
    });
    expect(machine.hart.readX(14)).not.toBe(0n);
  });

  it('MMIO, misalignment: the trap of a store at the instruction, nothing changed', async () => {
    const words = [
      ...[asm.amoadd_w('a0', 's1', 's1'), asm.amoadd_d('a1', 'a0', 's2'), asm.amoswap_w('a2', 'a1', 's3')],
      ...[asm.lr_w('a3', 's2'), asm.lr_d('a3', 's3'), asm.sc_w('a3', 'a1', 's2'), asm.sc_d('a3', 'a2', 's4')],
      asm.addi('a4', 'a4', 1),
    ];
    const machine = await runTwins(
      (one) => {
        endless(one, words);
        one.hart.writeX(18, BigInt(DEVICE));
        one.hart.writeX(19, BigInt(DATA + 2));
        one.hart.writeX(20, BigInt(DATA + 4));
      },
      { steps: 40, length: 300 },
    );
    expect(machine.hart.readX(27)).toBeGreaterThan(200n);
  });

  it('a page that somebody watches: loads and stores are told, one for one', async () => {
    const counts: number[][] = [];
    const machine = await runTwins(
      (one) => {
        endless(one, [asm.amoadd_d('a0', 's1', 's1'), asm.lr_d('a1', 's1'), asm.sc_d('a2', 'a0', 's1')]);
        const told = [0, 0];
        counts.push(told);
        one.memory.flags.onLoad(() => told[0]++);
        one.memory.flags.onStore(PAGE_WATCHED, () => told[1]++);
      },
      {
        steps: 60,
        length: 80,
        before: (one, step) => {
          if (step === 20) one.core.watchLoads(pageOf(one));
          if (step === 40) {
            one.memory.flags.clear(pageOf(one), PAGE_LOAD_WATCHED);
            one.memory.flags.set(pageOf(one), PAGE_WATCHED);
          }
        },
      },
    );
    expect(counts[1]).toEqual(counts[0]);
    expect(counts[1][0]).toBeGreaterThan(500);
    expect(counts[1][1]).toBeGreaterThan(500);
    expect(machine.core.jit!.statistics.regions).toBeGreaterThan(0);
  });
});

describe('A extension 13.2, compiled: LR and SC', () => {
  it('SC after LR stores and answers 0; the page is watched no longer', async () => {
    const machine = await runTwins((one) => endless(one, RETRY), { steps: 40, length: 6 * 50 });
    expect(machine.hart.readX(10)).toBe(40n * 50n);
    expect(machine.read64(DATA)).toBe(3n * 40n * 50n);
    expect(machine.memory.flags.get(pageOf(machine)) & PAGE_RESERVED).toBe(0);
  });

  it.each([
    [
      'words',
      [asm.lr_w('t0', 's1'), asm.addi('t2', 't2', 5), asm.sc_w('t1', 't2', 's1'), asm.xor('a0', 'a0', 't0')],
    ],
    [
      'SC twice',
      [
        asm.lr_d('t0', 's1'),
        asm.sc_d('t1', 't0', 's1'),
        asm.sc_d('t2', 't2', 's1'),
        asm.add('a0', 't2', 'a0'),
      ],
    ],
    [
      'LR twice',
      [asm.lr_d('t0', 's1'), asm.lr_d('t0', 's2'), asm.sc_d('t1', 's1', 's1'), asm.add('a0', 't1', 'a0')],
    ],
    [
      'SC elsewhere in the set',
      [asm.lr_d('t0', 's3'), asm.sc_d('t1', 's3', 's1'), asm.add('a0', 't1', 'a0')],
    ],
    ['SC in the next set', [asm.lr_d('t0', 's2'), asm.sc_d('t1', 's2', 's1'), asm.add('a0', 't1', 'a0')]],
    [
      'a store into the set',
      [asm.lr_d('t0', 's1'), asm.sb('t0', 63, 's1'), asm.sc_d('t1', 's2', 's1'), asm.add('a0', 't1', 'a0')],
    ],
    [
      'a store behind the set',
      [asm.lr_d('t0', 's1'), asm.sb('t0', 64, 's1'), asm.sc_d('t1', 's2', 's1'), asm.add('a0', 't1', 'a0')],
    ],
    [
      'an AMO into the set',
      [
        asm.lr_d('t0', 's1'),
        asm.amoor_w('t2', 's2', 's1'),
        asm.sc_d('t1', 's2', 's1'),
        asm.add('a0', 't1', 'a0'),
      ],
    ],
    [
      'results that nobody wants',
      [asm.lr_d('zero', 's1'), asm.sc_d('zero', 's2', 's1'), asm.addi('a0', 'a0', 1)],
    ],
    [
      'the address as destination',
      [asm.lr_d('s4', 's1'), asm.addi('s4', 's1', 0), asm.sc_d('s4', 's4', 's4'), asm.add('a0', 's4', 'a0')],
    ],
  ])('%s', async (_, words) => {
    const machine = await runTwins((one) => {
      endless(one, words);
      one.hart.writeX(18, BigInt(DATA + 64));
      one.hart.writeX(19, BigInt(DATA + 56));
    }, BY_HAND);
    expect(machine.hart.retired).toBe(BY_HAND.steps * BY_HAND.length);
  });

  it('DMA between LR and SC, wherever a slice ends', async () => {
    await runTwins((one) => endless(one, RETRY), {
      steps: 200,
      length: 17,
      before: (one, step) => {
        if (step % 3 === 0) one.write64(DATA + (step % 16) * 8, BigInt(step));
      },
    });
  });

  it('LR in another page: the first one is watched no longer', async () => {
    const words = [asm.lr_d('t0', 's1'), asm.lr_d('t1', 's2'), asm.addi('a0', 'a0', 1)];
    const machine = await runTwins(
      (one) => {
        endless(one, words);
        one.hart.writeX(18, BigInt(DATA + PAGE));
      },
      { steps: 40, length: 4 * 30 + 2 },
    );
    const flags = [0, 1].map((page) => machine.memory.flags.get(pageOf(machine) + page) & PAGE_RESERVED);
    // 4,880 instructions end behind a jump: the second LR was the last one.
    expect(flags).toEqual([0, PAGE_RESERVED]);
  });

  it('two harts that take turns in the middle: one of them fails', async () => {
    const setUp = (one: BareMachine): void => {
      endless(one, [...RETRY.slice(0, 3), asm.add('a0', 'a0', 't1')]);
      for (const hart of one.harts) hart.pc = BigInt(RAM_BASE);
    };
    const machine = await runTwins(setUp, { machine: { harts: 2 }, steps: 300, length: 7 });
    const [first, second] = machine.harts;
    expect(first.readX(10) + second.readX(10)).toBeGreaterThan(50n);
  });

  it('a reservation of another hart in the page outlives an SC', async () => {
    const setUp = (one: BareMachine): void => {
      endless(one, RETRY);
      machineWithOther(one);
    };
    const machine = await runTwins(setUp, { machine: { harts: 2 }, steps: 100, length: 60 });
    expect(machine.memory.flags.get(pageOf(machine)) & PAGE_RESERVED).toBe(PAGE_RESERVED);
  });
});

/** The second hart reserves another set of the page, and then only loops. */
function machineWithOther(machine: BareMachine): void {
  const [, other] = machine.harts;
  machine.load(HANDLER + PAGE, [asm.lr_d('t0', 's1'), asm.jal('zero', 0)]);
  other.pc = BigInt(HANDLER + PAGE);
  other.writeX(S1, BigInt(DATA + 256));
}
