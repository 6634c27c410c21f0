/** What the run loop needs of a hart; package riscv's `Hart` is one. */
export interface RunnableHart {
  /** Nanoseconds, the hart's own. */
  readonly localTime: number;
  readonly exit: 'budget' | 'wfi' | 'sbi' | 'stop' | 'breakpoint' | 'fatal';
  readonly interruptPending: boolean;
  /** How many instructions bring the hart to `time` or just beyond. */
  instructionsUntil(time: number): number;
  /** Retires at most `instructions`, exactly that many unless it leaves for the reason in `exit`; the count. */
  run(instructions: number): number;
  /** Idle time passes up to `time`. */
  skipTo(time: number): void;
  /** The running slice ends at `time`. */
  shortenTo(time: number): void;
  /** The running slice ends behind the present instruction. */
  requestStop(): void;
}

/** A hart in the loop, with what its machine does when it leaves. */
export interface Runner {
  readonly hart: RunnableHart;
  /** False: stopped (HSM), or its machine is paused or off. */
  readonly runnable: boolean;
  /** Runs the hart for at most so many instructions, where that is not plainly {@link RunnableHart.run}. */
  run?(instructions: number): void;
  /** Called after each slice that ended for another reason than its budget and WFI. */
  left(exit: RunnableHart['exit']): void;
}
