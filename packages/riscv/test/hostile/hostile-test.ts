import type { JitOptions, JitStatistics } from '../../src/jit/jit.js';
import { C_NODES_FREE, NODE_NEXT_IN_PAGE } from '../../src/layout.js';
import { Lockstep, type LockstepSide } from '../../src/lockstep.js';
import { bareMachine, RAM_BASE, type BareMachine } from '../../src/testing/index.js';
import { compiledShare } from '../random/random-test.js';
import type { HostileProgram } from './hostile-programs.js';

export interface HostileTestOptions {
  readonly jit: JitOptions;
  /** Pages of decoded code. */
  readonly codePages?: number;
  /** Is called now and then. */
  readonly onStep?: (retired: number, statistics: JitStatistics) => void;
}

export interface HostileTestResult {
  /** The program came to its end, and both machines agree. */
  readonly ended: boolean;
  readonly retired: number;
  /** Of the instructions, what compiled code has carried out. */
  readonly share: number;
  readonly statistics: JitStatistics;
  /** The most that compiled code took, by the compiler's own estimate. */
  readonly mostResident: number;
  /** Descriptions of pages and entries that are unused when all regions are dropped, before the run and after it. */
  readonly freeNodes: readonly [before: number, after: number];
  /** Slots of the function table, before the run and after it. */
  readonly slots: readonly [before: number, after: number];
}

const STEP = 250_000;
/** Instructions between two looks at what waits to be compiled. */
const SLICE = 4000;
const RESERVE = 16 << 20;

class HostileSide implements LockstepSide {
  readonly harts;
  readonly memory;

  constructor(
    readonly name: string,
    readonly machine: BareMachine,
  ) {
    this.harts = machine.harts;
    this.memory = machine.memory;
  }

  static async create(name: string, program: HostileProgram, jit: JitOptions | false, codePages: number) {
    const machine = await bareMachine({
      memory: { ram: program.ram, reserve: RESERVE + codePages * (32 << 10) * 2 },
      jit,
      codePages,
    });
    machine.load(RAM_BASE, program.image);
    return new HostileSide(name, machine);
  }

  get waits(): boolean {
    return this.machine.hart.exit === 'wfi';
  }

  /** Up to `length` instructions, in slices that let the compiler in. */
  advance(length: number): void {
    for (let left = length; left > 0 && !this.waits; left -= SLICE) this.machine.run(Math.min(left, SLICE));
  }
}

function freeNodes({ core, memory }: BareMachine): number {
  let count = 0;
  const next = (at: number): number => memory.view.getUint32(at, true);
  for (let node = next(core.base + C_NODES_FREE); node !== 0; node = next(node + NODE_NEXT_IN_PAGE)) count++;
  return count;
}

/** Runs a program on the interpreter and with compiled code to its end. @throws LockstepError where they differ */
export async function runHostileTest(
  program: HostileProgram,
  { jit, codePages = 64, onStep }: HostileTestOptions,
): Promise<HostileTestResult> {
  const sides = async () => ({
    reference: await HostileSide.create('interpreter', program, false, codePages),
    subject: await HostileSide.create('compiler', program, jit, codePages),
  });
  const lockstep = await Lockstep.create({ make: sides });
  const { machine } = lockstep.pair.subject as HostileSide;
  const { statistics } = machine.core.jit!;
  const { table } = machine.core.exports;
  const before = { nodes: freeNodes(machine), slots: table.length };
  let mostResident = 0;
  while (!(lockstep.pair.subject as HostileSide).waits && lockstep.position < program.instructions) {
    await lockstep.step(STEP);
    mostResident = Math.max(mostResident, statistics.residentBytes);
    onStep?.(machine.hart.retired, statistics);
    // The engine lets go of what nobody needs between two turns of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await lockstep.verify();
  const { subject, reference } = lockstep.pair as { subject: HostileSide; reference: HostileSide };
  const share = compiledShare(subject);
  machine.core.jit!.dropAll();
  return {
    ended: subject.waits && reference.waits,
    retired: machine.hart.retired,
    share,
    statistics,
    mostResident,
    freeNodes: [before.nodes, freeNodes(machine)],
    slots: [before.slots, table.length],
  };
}
