import type { GuestHart, GuestRunner, InterruptBit } from '../vcpu.js';

/** A guest on one hart: counts instructions of 1 ns, and does what a script tells it at chosen ones. */
export class FakeGuest implements GuestHart, GuestRunner {
  localTime = 0;
  retired = 0;
  exit: GuestHart['exit'] = 'budget';
  runnable = true;
  readonly exits: GuestHart['exit'][] = [];
  /** Levels of its interrupt inputs. */
  readonly lines = new Map<InterruptBit, boolean>();
  /** What the instruction of this number (from 1) does; `every` is asked for all others. */
  readonly script = new Map<number, (guest: FakeGuest) => void>();
  every: ((guest: FakeGuest) => void) | undefined;
  #limit = 0;
  #leave: GuestHart['exit'] | undefined;

  get hart(): GuestHart {
    return this;
  }

  get interruptPending(): boolean {
    return [...this.lines.values()].includes(true);
  }

  setInterrupt(bit: InterruptBit, level: boolean): void {
    this.lines.set(bit, level);
  }

  run(instructions: number): number {
    const first = this.retired;
    this.#limit = first + instructions;
    this.#leave = undefined;
    if (this.script.size === 0 && this.every === undefined) {
      this.retired += instructions;
      this.localTime += instructions;
    }
    while (this.retired < this.#limit && this.#leave === undefined) {
      this.retired++;
      this.localTime++;
      const step = this.script.get(this.retired) ?? this.every;
      step?.(this);
    }
    this.exit = this.#leave ?? 'budget';
    return this.retired - first;
  }

  left(exit: GuestHart['exit']): void {
    this.exits.push(exit);
  }

  /** From a script: the present instruction leaves the guest. */
  leave(exit: GuestHart['exit']): void {
    this.#leave = exit;
  }

  instructionsUntil(time: number): number {
    return Math.max(0, Math.ceil(time - this.localTime));
  }

  skipTo(time: number): void {
    this.localTime = Math.max(this.localTime, time);
  }

  shortenTo(time: number): void {
    this.#limit = Math.min(this.#limit, this.retired + this.instructionsUntil(time));
  }

  requestStop(): void {
    this.#limit = this.retired;
  }
}
