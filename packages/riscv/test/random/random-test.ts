import { S_COMPILED_RETIRED } from '../../src/layout.js';
import { Lockstep, type LockstepError, type LockstepSide } from '../../src/lockstep.js';
import type { JitOptions } from '../../src/jit/jit.js';
import { Random, RandomSide, type RandomSideOptions } from '../../src/testing/index.js';

export interface RandomTestOptions {
  /** Instructions of all harts together. */
  readonly instructions: number;
  readonly harts: number;
  /** The machine that is held against the interpreter. */
  readonly subject: RandomSideOptions['machine'];
}

export interface RandomTestResult {
  /** Undefined when both machines agreed all the way. */
  readonly error: LockstepError | undefined;
  readonly lockstep: Lockstep;
}

/** The compiler's options for a seed: eager or patient, one at a time or in batches, small regions or large ones, one tier or both. */
export function variedCompiler(seed: number): JitOptions {
  const random = new Random(seed * 7919 + 1);
  return {
    threshold: random.pick([1, 2, 4, 12, 40]),
    batch: random.pick([1, 1, 4, 12]),
    mergeThreshold: random.pick([1, 3, 50, 1000]),
    fastThreshold: random.pick([1, 50, 1000, 2 ** 30]),
    regionPages: 1 + random.below(4),
    regionInstructions: random.pick([4, 30, 150, 400, 2000]),
    quota: random.pick([1, 4, 192]) * 2 ** 20,
  };
}

/** The longest slice between two comparisons. */
const LONGEST = 5000;

/** The share of instructions that compiled code has carried out. */
export function compiledShare({ harts, memory }: LockstepSide): number {
  const view = new DataView(memory.wasm.buffer);
  const count = harts.reduce(
    (sum, hart) => sum + Number(view.getBigUint64(hart.stateOffset + S_COMPILED_RETIRED, true)),
    0,
  );
  return count / harts.reduce((sum, hart) => sum + hart.retired, 0);
}

/** Runs one random program on the interpreter and on another machine; slices are of 1 to 5,000 instructions. */
export async function runRandomTest(seed: number, options: RandomTestOptions): Promise<RandomTestResult> {
  const { harts } = options;
  const lockstep = await Lockstep.create({
    make: async () => ({
      reference: await RandomSide.create({ name: 'interpreter', seed, harts, machine: { jit: false } }),
      subject: await RandomSide.create({ name: 'compiler', seed, harts, machine: options.subject }),
    }),
  });
  const random = new Random(seed + 77);
  try {
    while (lockstep.position < options.instructions) {
      const length = random.below(8) === 0 ? 1 : 1 + random.below(LONGEST);
      await lockstep.step(length);
    }
    await lockstep.verify();
  } catch (error) {
    if (error instanceof Error && error.name === 'LockstepError') {
      return { error: error as LockstepError, lockstep };
    }
    throw error;
  }
  return { error: undefined, lockstep };
}
