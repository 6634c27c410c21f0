import { bareMachine, type BareMachine, type BareOptions } from '@vmloom/riscv/testing';
import type { Hart } from '@vmloom/riscv';
import type { DebuggedMachine, HartControl } from '../machine-target.js';

/** Instructions of a hart's turn, and turns before the host's event loop has its own. */
const SLICE = 50;
const TURNS = 100;

/** Harts and RAM with a loop that gives each hart its turn: the least that the stub can debug. */
export class SmallMachine implements DebuggedMachine {
  debugger: HartControl | undefined;
  state: 'off' | 'on' | 'paused' = 'on';
  exit: { readonly code: number } | undefined;
  readonly exited: Promise<{ readonly code: number }>;
  readonly world = { start: (): void => this.#start(), stop: (): void => void (this.#wanted = false) };
  #wanted = false;
  #looping = false;
  #end!: (exit: { readonly code: number }) => void;

  private constructor(readonly bare: BareMachine) {
    this.exited = new Promise((resolve) => (this.#end = resolve));
  }

  static async create(options: BareOptions = {}): Promise<SmallMachine> {
    return new SmallMachine(await bareMachine(options));
  }

  get harts(): readonly Hart[] {
    return this.bare.harts;
  }
  get space(): BareMachine['space'] {
    return this.bare.space;
  }
  get memory(): BareMachine['memory'] {
    return this.bare.memory;
  }

  pause(): void {
    if (this.state === 'on') this.state = 'paused';
    for (const hart of this.harts) hart.requestStop();
  }

  resume(): void {
    if (this.state === 'paused') this.state = 'on';
  }

  /** The machine ends with a status. */
  powerOff(code = 0): void {
    this.state = 'off';
    this.exit = { code };
    this.#end(this.exit);
  }

  #start(): void {
    this.#wanted = true;
    if (this.#looping) return;
    this.#looping = true;
    queueMicrotask(() => void this.#loop());
  }

  async #loop(): Promise<void> {
    while (this.#wanted && this.state === 'on') {
      for (let turn = 0; turn < TURNS && this.#wanted; turn++) this.#turn();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#looping = false;
  }

  #turn(): void {
    for (const hart of this.harts) {
      if (!this.#wanted || this.debugger?.runs(hart) === false) continue;
      if (this.debugger === undefined) hart.run(SLICE);
      else this.debugger.run(hart, SLICE);
    }
  }
}
