import type { HostMemory } from '@vmloom/memory';
import { RiscvError } from './error.js';
import type { Hart } from './hart.js';
import { lockstepReport, traceStep, type LockstepDifference } from './lockstep-report.js';
import { ComparableHart, ComparableMemories } from './lockstep-state.js';

export type { LockstepDifference } from './lockstep-report.js';
export type { MemoryDifference, StateDifference } from './lockstep-state.js';

/** One of two equal systems, with everything that its harts can reach. */
export interface LockstepSide {
  /** What tells it from the other, such as `interpreter`. */
  readonly name: string;
  readonly harts: readonly Hart[];
  readonly memory: HostMemory;
  /**
   * Goes on by so many units, instructions or nanoseconds as the side likes; where it ends must not depend on
   * how the way was cut.
   */
  advance(length: number): void | Promise<void>;
}

/** The oracle and what is held against it. */
export interface LockstepPair {
  readonly reference: LockstepSide;
  readonly subject: LockstepSide;
}

export interface LockstepOptions {
  /** Makes both sides anew, equal in every call: the way to a difference is gone again from the start. */
  readonly make: () => LockstepPair | Promise<LockstepPair>;
  /** Memory is compared after every so many steps, registers after each. 16 unless told. */
  readonly memoryEvery?: number;
}

/** Two sides do not agree; the message shows both states and the disassembly of the way there. */
export class LockstepError extends RiscvError {
  constructor(readonly difference: LockstepDifference) {
    super('lockstep', lockstepReport(difference));
    this.name = 'LockstepError';
  }
}

/** Something done to each side between two steps, such as input. */
export type LockstepAction = (side: LockstepSide) => void;

const MEMORY_EVERY = 16;
/** Instructions of the trace. */
const TRACE = 40;

/** Two sides at one position. */
class Twins {
  readonly #harts: readonly (readonly [ComparableHart, ComparableHart])[];
  readonly #memories: ComparableMemories;
  #steps = 0;

  constructor(
    readonly pair: LockstepPair,
    readonly memoryEvery: number,
  ) {
    const { reference, subject } = pair;
    this.#harts = reference.harts.map((hart, index) => [
      new ComparableHart(hart),
      new ComparableHart(subject.harts[index]),
    ]);
    this.#memories = new ComparableMemories(reference.memory, subject.memory);
  }

  /** Whether the sides agree after a step, as far as that is looked at. */
  async step(length: number): Promise<boolean> {
    const { reference, subject } = this.pair;
    const pending = reference.advance(length);
    if (pending !== undefined) await pending;
    const other = subject.advance(length);
    if (other !== undefined) await other;
    // Looked at even if a register differs: a second way through the steps leaves the same page flags.
    const memory = ++this.#steps % this.memoryEvery === 0 && this.#memories.writtenDifference() !== undefined;
    return this.registersAgree() && !memory;
  }

  registersAgree(): boolean {
    return this.#harts.every(([reference, subject]) => reference.equals(subject));
  }

  agree(): boolean {
    return this.registersAgree() && this.#memories.difference() === undefined;
  }

  difference(position: number, trace: readonly string[]): LockstepDifference {
    const harts = this.#harts.map(([reference, subject], id) => ({
      id,
      fields: reference.differences(subject),
    }));
    const [reference, subject] = this.#harts[Math.max(0, this.differingHart())];
    return {
      position,
      harts: harts.filter(({ fields }) => fields.length > 0),
      memory: this.#memories.difference(),
      trace,
      reference: reference.state(),
      subject: subject.state(),
    };
  }

  /** -1 when all agree. */
  differingHart(): number {
    return this.#harts.findIndex(([reference, subject]) => !reference.equals(subject));
  }
}

/**
 * Runs two equal systems side by side and compares all architectural state after every step. At a difference
 * it goes the way again, from the start and with the last steps cut shorter, until it has the shortest one.
 */
export class Lockstep {
  readonly #options: LockstepOptions;
  readonly #log: (number | LockstepAction)[] = [];
  #position = 0;
  /** Registers and memory were the same here. */
  #agreed = 0;

  private constructor(
    options: LockstepOptions,
    readonly twins: Twins,
  ) {
    this.#options = options;
  }

  static async create(options: LockstepOptions): Promise<Lockstep> {
    return new Lockstep(options, await makeTwins(options));
  }

  /** The sides as they are now. */
  get pair(): LockstepPair {
    return this.twins.pair;
  }

  /** Units gone so far. */
  get position(): number {
    return this.#position;
  }

  /** Both sides go on by `length` units. @throws LockstepError at a difference */
  async step(length: number): Promise<void> {
    this.#log.push(length);
    this.#position += length;
    if (!(await this.twins.step(length))) throw await this.#locate();
    if (this.#log.length % (64 * (this.#options.memoryEvery ?? MEMORY_EVERY)) === 0) await this.verify();
  }

  /** Does the same to both sides, now and whenever the way is gone again. */
  apply(action: LockstepAction): void {
    this.#log.push(action);
    for (const side of [this.pair.reference, this.pair.subject]) action(side);
  }

  /** Compares everything, all of memory included. @throws LockstepError at a difference */
  async verify(): Promise<void> {
    if (!this.twins.agree()) throw await this.#locate();
    this.#agreed = this.#position;
  }

  async #locate(): Promise<LockstepError> {
    // A difference that does not come again is shown as it came.
    const seen = this.twins.difference(this.#position, []);
    let good = this.#agreed;
    let bad = this.#position;
    if ((await this.#replay(bad)).agree()) return new LockstepError(seen);
    while (bad - good > 1) {
      const middle = good + Math.floor((bad - good) / 2);
      if ((await this.#replay(middle)).agree()) good = middle;
      else bad = middle;
    }
    const twins = await this.#replay(bad);
    const trace = await this.#trace(bad, Math.max(0, twins.differingHart()));
    return new LockstepError(twins.difference(bad, trace));
  }

  /** New twins at a position, by the way that the first ones went. */
  async #replay(position: number): Promise<Twins> {
    const twins = await makeTwins(this.#options);
    let left = position;
    for (const entry of this.#log) {
      if (typeof entry !== 'number') {
        for (const side of [twins.pair.reference, twins.pair.subject]) entry(side);
        continue;
      }
      const length = Math.min(entry, left);
      if (length > 0) await twins.step(length);
      left -= length;
      if (left <= 0) break;
    }
    return twins;
  }

  /** The last instructions of the reference up to a position. */
  async #trace(position: number, hart: number): Promise<string[]> {
    const start = Math.max(0, position - TRACE);
    const { reference } = (await this.#replay(start)).pair;
    const lines: string[] = [];
    for (let at = start; at < position; at++) {
      const line = traceStep(reference.harts[hart]);
      const before = reference.harts[hart].retired;
      await reference.advance(1);
      if (reference.harts[hart].retired !== before) lines.push(line());
    }
    return lines;
  }
}

async function makeTwins(options: LockstepOptions): Promise<Twins> {
  return new Twins(await options.make(), options.memoryEvery ?? MEMORY_EVERY);
}
