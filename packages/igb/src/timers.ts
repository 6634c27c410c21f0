import { DeadlineTimer, type Clock, type EventOwner, type SnapshotValue } from '@vmloom/device';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';

const MILLISECOND = 1_000_000;

/** The free running timer (8.15.x: microseconds, milliseconds, seconds) and the TCP timer (8.15.x: milliseconds). */
export class Timers {
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  readonly #tcp: DeadlineTimer;
  readonly #onExpire: () => void;

  /** `onExpire`: the TCP timer's interrupt. */
  constructor(registers: RegisterFile, clock: Clock, owner: EventOwner, onExpire: () => void) {
    this.#registers = registers;
    this.#clock = clock;
    this.#tcp = new DeadlineTimer(clock, owner, 'tcp-timer');
    this.#onExpire = onExpire;
    registers.answerRead(R.REG_FRTIMER, () => {
      const microseconds = Math.floor(clock.now / 1000);
      const milliseconds = Math.floor(microseconds / 1000);
      const seconds = Math.floor(milliseconds / 1000);
      return (microseconds % 1000) | ((milliseconds % 1000) << 10) | ((seconds % 4096) << 20);
    });
    registers.onWrite(R.REG_TCPTIMER, (value) => this.#write(value));
  }

  onEvent(): void {
    if (!this.#tcp.fired()) return;
    this.#onExpire();
    if ((this.#control & B.TCPTIMER_LOOP) !== 0) this.#start();
  }

  reset(): void {
    this.#tcp.disarm();
  }

  save(): SnapshotValue {
    return this.#tcp.save();
  }

  restore(value: SnapshotValue): void {
    this.#tcp.restore(value);
  }

  get #control(): number {
    return this.#registers.get(R.REG_TCPTIMER);
  }

  #write(value: number): void {
    if ((value & B.TCPTIMER_FINISH) !== 0) {
      // An interrupt at once; counting goes on only in loop mode.
      this.#tcp.disarm();
      this.#onExpire();
      if ((value & B.TCPTIMER_LOOP) !== 0) this.#start();
    }
    if ((value & B.TCPTIMER_KICK) !== 0) this.#start();
    if ((value & B.TCPTIMER_COUNT_EN) === 0) this.#tcp.disarm();
  }

  #start(): void {
    if ((this.#control & B.TCPTIMER_COUNT_EN) === 0) return;
    const duration = this.#control & 0xff;
    // A duration of 0 expires once and does not loop: the counter has nowhere to start from.
    this.#tcp.arm(this.#clock.now + Math.max(duration, 1) * MILLISECOND);
  }
}
