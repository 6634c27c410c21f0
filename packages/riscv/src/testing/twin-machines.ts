import type { JitOptions } from '../jit/jit.js';
import { S_COMPILED_RETIRED } from '../layout.js';
import { Lockstep, type LockstepSide } from '../lockstep.js';
import { bareMachine, type BareMachine, type BareOptions } from './bare-machine.js';

export interface TwinOptions {
  readonly machine?: Omit<BareOptions, 'jit'>;
  /** How the second machine compiles; by default what is run twice, one place at a time. */
  readonly jit?: JitOptions;
  /** Steps, and instructions of each, after which the two are compared. */
  readonly steps: number;
  readonly length: number;
  /** Done to each machine before a step. */
  readonly before?: (machine: BareMachine, step: number) => void;
}

const EAGER: JitOptions = { threshold: 1, batch: 1, mergeThreshold: 3, fastThreshold: 400 };

/** Of the instructions, what compiled code has to do at least for a comparison to mean anything. */
const LEAST_SHARE = 0.1;

function compiledInstructions({ harts, memory }: BareMachine): number {
  const counts = harts.map((hart) => memory.view.getBigUint64(hart.stateOffset + S_COMPILED_RETIRED, true));
  return Number(counts.reduce((sum, count) => sum + count, 0n));
}

class Twin implements LockstepSide {
  readonly harts;
  readonly memory;

  constructor(
    readonly name: string,
    readonly machine: BareMachine,
  ) {
    this.harts = machine.harts;
    this.memory = machine.memory;
  }

  /** Every hart, one after the other. */
  advance(length: number): void {
    for (const hart of this.harts) {
      if (hart === this.machine.hart) this.machine.run(length);
      else hart.run(length);
    }
  }
}

/**
 * One program on two machines, interpreted and compiled; all state is compared after each step. The compiled one.
 * @throws LockstepError at a difference; RangeError when compiled code did next to nothing
 */
export async function runTwins(
  setUp: (machine: BareMachine) => void,
  options: TwinOptions,
): Promise<BareMachine> {
  const make = async (name: string, jit: JitOptions | false): Promise<Twin> => {
    const machine = await bareMachine({ ...options.machine, jit });
    setUp(machine);
    return new Twin(name, machine);
  };
  const lockstep = await Lockstep.create({
    make: async () => ({
      reference: await make('interpreter', false),
      subject: await make('compiler', options.jit ?? EAGER),
    }),
  });
  for (let step = 0; step < options.steps; step++) {
    lockstep.apply((side) => options.before?.((side as Twin).machine, step));
    await lockstep.step(options.length);
  }
  await lockstep.verify();
  const { machine } = lockstep.pair.subject as Twin;
  // A step that is shorter than a block leaves all of it to the interpreter.
  const share = compiledInstructions(machine) / machine.harts.reduce((sum, { retired }) => sum + retired, 0);
  if (share < LEAST_SHARE) throw new RangeError(`compiled code did ${(share * 100).toFixed(1)} % of it`);
  return machine;
}
