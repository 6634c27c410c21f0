import type { RunnableHart, Runner } from '../runner.js';
import type { WallClock } from '../host-time.js';

/** A hart that counts instructions and does what a script tells it at chosen ones. */
export class FakeHart implements RunnableHart {
  localTime = 0;
  retired = 0;
  exit: RunnableHart['exit'] = 'budget';
  interruptPending = false;
  readonly picosecondsPerInstruction: number;
  /** What the instruction of this number (from 1) does. */
  readonly script = new Map<number, (hart: FakeHart) => void>();
  /** `retired` at the end of every slice. */
  readonly slices: number[] = [];
  #limit = 0;
  #leave: RunnableHart['exit'] | undefined;

  constructor(picosecondsPerInstruction = 1000) {
    this.picosecondsPerInstruction = picosecondsPerInstruction;
  }

  run(instructions: number): number {
    const first = this.retired;
    this.#limit = first + instructions;
    this.#leave = undefined;
    while (this.retired < this.#limit && this.#leave === undefined) {
      this.retired++;
      this.localTime += this.picosecondsPerInstruction / 1000;
      this.script.get(this.retired)?.(this);
    }
    this.exit = this.#leave ?? 'budget';
    this.slices.push(this.retired);
    return this.retired - first;
  }

  /** From a script: the present instruction leaves the run loop. */
  leave(exit: RunnableHart['exit']): void {
    this.#leave = exit;
  }

  skipTo(time: number): void {
    this.localTime = Math.max(this.localTime, time);
  }

  instructionsUntil(time: number): number {
    return Math.max(0, Math.ceil(((time - this.localTime) * 1000) / this.picosecondsPerInstruction));
  }

  shortenTo(time: number): void {
    this.#limit = Math.min(this.#limit, this.retired + this.instructionsUntil(time));
  }

  requestStop(): void {
    this.#limit = this.retired;
  }
}

/** A runner for a {@link FakeHart} that is always runnable and keeps the exits. */
export class FakeRunner implements Runner {
  runnable = true;
  readonly exits: string[] = [];

  constructor(readonly hart: FakeHart) {}

  left(exit: RunnableHart['exit']): void {
    this.exits.push(exit);
  }
}

/** Wall time that a test owns; `step` nanoseconds pass at every look. */
export class FakeWall implements WallClock {
  time = 0;

  constructor(public step = 0) {}

  now(): number {
    return (this.time += this.step);
  }
}
