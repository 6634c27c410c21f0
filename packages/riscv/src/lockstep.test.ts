import { describe, expect, it } from 'vitest';
import { Lockstep, LockstepError, type LockstepPair, type LockstepSide } from './lockstep.js';
import { asm, bareMachine, li, RAM_BASE, Random, RandomSide, type BareMachine } from './testing/index.js';

const DATA = RAM_BASE + 0x10_0000;

/** Counts in a0, stores it, jumps back: a register, memory and the PC change all the time. */
async function counting(): Promise<BareMachine> {
  const machine = await bareMachine();
  machine.load(RAM_BASE, [
    ...li('s0', DATA),
    asm.addi('a0', 'a0', 1),
    asm.andi('a1', 'a0', 0x7f8),
    asm.add('a1', 'a1', 's0'),
    asm.sd('a0', 0, 'a1'),
    asm.jal('zero', -16),
  ]);
  return machine;
}

/** A side that does something of its own when it has gone a certain way. */
class Side implements LockstepSide {
  readonly name = 'a machine';
  readonly memory;
  readonly harts;
  #at = 0;

  constructor(
    readonly machine: BareMachine,
    readonly when: number,
    readonly what: (machine: BareMachine) => void,
  ) {
    this.memory = machine.memory;
    this.harts = machine.harts;
  }

  advance(length: number): void {
    const before = this.when - this.#at;
    if (before > 0 && before <= length) {
      this.machine.run(before);
      this.what(this.machine);
      this.machine.run(length - before);
    } else this.machine.run(length);
    this.#at += length;
  }
}

/** Both sides count; the second one has a fault after `when` instructions. */
function faulty(when: number, what: (machine: BareMachine) => void): Promise<Lockstep> {
  return Lockstep.create({
    make: async (): Promise<LockstepPair> => ({
      reference: new Side(await counting(), Infinity, () => undefined),
      subject: new Side(await counting(), when, what),
    }),
  });
}

function spoilByte({ memory }: BareMachine): void {
  memory.bytes[memory.ramOffset + 0x30_0007] = 9;
}

async function differenceOf(lockstep: Lockstep, steps: number, length: number): Promise<LockstepError> {
  try {
    for (let at = 0; at < steps; at++) await lockstep.step(length);
    await lockstep.verify();
  } catch (error) {
    if (error instanceof LockstepError) return error;
    throw error;
  }
  throw new Error('no difference was found');
}

describe('two sides in lockstep', () => {
  it('agree for as long as they do the same', async () => {
    const lockstep = await faulty(Infinity, () => undefined);
    for (let at = 0; at < 100; at++) await lockstep.step(1 + at);
    await lockstep.verify();
    expect(lockstep.position).toBe(5050);
    expect(lockstep.pair.subject.harts[0].retired).toBe(5050);
  });

  it.each([1, 2, 777, 5000])('a wrong register after %i instructions is found there', async (when) => {
    const lockstep = await faulty(when, ({ hart }) => hart.writeX(20, 0xbadn));
    const { difference, message, code } = await differenceOf(lockstep, 10, 1000);
    expect(code).toBe('lockstep');
    expect(difference.position).toBe(when);
    expect(difference.harts).toEqual([{ id: 0, fields: [{ name: 's4', reference: 0n, subject: 0xbadn }] }]);
    expect(difference.memory).toBeUndefined();
    expect(message).toMatch(/\* s4 +0x0000000000000000 \| 0x0000000000000bad/);
    expect(message.split('\n')[0]).toBe(`the sides differ after ${when} steps of one unit`);
  });

  it('shows the instructions before the difference and what they did', async () => {
    const lockstep = await faulty(903, ({ hart }) => hart.writeCsr(0x340, 1n));
    const { difference } = await differenceOf(lockstep, 1, 1000);
    expect(difference.trace).toHaveLength(40);
    expect(difference.trace.at(-1)).toMatch(
      /^M 0x0000000080000018 {2}jal zero,0x80000008|^M 0x00000000800000/,
    );
    expect(difference.trace.some((line) => /addi a0,a0,1 +a0=0x/.test(line))).toBe(true);
    expect(difference.harts[0].fields[0].name).toBe('mscratch');
  });

  it.each([
    ['a byte of RAM that the program never touches', spoilByte, 0x30_0000],
    ['a store that goes wrong', (machine: BareMachine) => machine.write64(DATA + 0x800, 1n), 0x10_0800],
  ] as const)('%s is found, to the instruction', async (_, what, offset) => {
    const { difference } = await differenceOf(await faulty(1234, what), 50, 100);
    expect(difference.position).toBe(1234);
    expect(difference.harts).toEqual([]);
    expect(difference.memory?.offset).toBe(offset);
  });

  it('a hart that falls behind in virtual time differs', async () => {
    const lockstep = await faulty(400, ({ hart }) => hart.skipTo(hart.localTime + 1));
    const { difference } = await differenceOf(lockstep, 5, 100);
    expect([difference.position, difference.harts[0].fields[0].name]).toEqual([400, 'time']);
  });

  it('what is done to both sides is done again on the way back to a difference', async () => {
    const lockstep = await faulty(2500, ({ hart }) => hart.writeX(21, 1n));
    await lockstep.step(1000);
    lockstep.apply(({ harts: [hart] }) => hart.writeX(22, 5n));
    const { difference } = await differenceOf(lockstep, 3, 1000);
    expect(difference.position).toBe(2500);
    expect(difference.reference.get('s6')).toBe(5n);
  });
});

describe('random programs', () => {
  it.each([1, 2])('are the same on two machines with %i harts, however they are cut', async (harts) => {
    for (let seed = 100; seed < 104; seed++) {
      const whole = await RandomSide.create({ name: 'whole', seed, harts });
      const cut = await RandomSide.create({ name: 'cut', seed, harts });
      const lockstep = await Lockstep.create({
        make: (): LockstepPair => ({
          reference: whole,
          subject: {
            name: cut.name,
            harts: cut.harts,
            memory: cut.memory,
            advance: (length) => inPieces(cut, length, seed),
          },
        }),
      });
      const random = new Random(seed);
      for (let at = 0; at < 20; at++) await lockstep.step(1 + random.below(4000));
      await lockstep.verify();
    }
  });
});

function inPieces(side: RandomSide, length: number, seed: number): void {
  const random = new Random(seed + length);
  for (let left = length; left > 0;) {
    const piece = Math.min(left, 1 + random.below(300));
    side.advance(piece);
    left -= piece;
  }
}
