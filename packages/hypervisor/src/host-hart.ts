import type { Counter, Ledger, SnapshotValue } from '@vmloom/device';
import type { HartTime } from './schedulable.js';
import type { Scheduler, Share } from './scheduler.js';

/**
 * A hart of the host, as a run loop sees a hart: time that passes in what the scheduler puts on it. Its
 * "instructions" are nanoseconds.
 */
export class HostHart implements HartTime {
  /** Nanoseconds. */
  localTime = 0;
  exit: 'budget' | 'wfi' = 'budget';
  readonly #busy: Counter;
  readonly #idle: Counter;
  readonly #polled: Counter;
  readonly #switches: Counter;
  #last: Share | undefined;
  #running: Share | undefined;
  #sliceEnd = 0;
  #turnEnd = 0;
  #stop = false;

  constructor(
    readonly name: string,
    readonly index: number,
    readonly scheduler: Scheduler,
    ledger: Ledger,
  ) {
    this.#busy = ledger.counter(name, 'hart-ns', 'busy');
    this.#idle = ledger.counter(name, 'hart-ns', 'idle');
    this.#polled = ledger.counter(name, 'hart-ns', 'poll');
    this.#switches = ledger.counter(name, 'context-switch');
  }

  get end(): number {
    return Math.min(this.#sliceEnd, this.#turnEnd);
  }

  /** Something waits for this hart. */
  get interruptPending(): boolean {
    return this.scheduler.hasWork(this.index);
  }

  instructionsUntil(time: number): number {
    return Math.max(0, Math.ceil(time - this.localTime));
  }

  /** Time passes in which nothing runs; on a hart that is set apart for polling, in which it polls. */
  skipTo(time: number): void {
    if (!(time > this.localTime)) return;
    const idle = this.scheduler.isApart(this.index) ? this.#polled : this.#idle;
    idle.value += time - this.localTime;
    this.localTime = time;
  }

  shortenTo(time: number): void {
    this.#sliceEnd = Math.min(this.#sliceEnd, time);
    this.#running?.entity.shortened();
  }

  requestStop(): void {
    this.#stop = true;
    this.#running?.entity.requestStop();
  }

  /** Runs what the scheduler says for about `duration` nanoseconds; how many passed. */
  run(duration: number): number {
    const { scheduler, index } = this;
    const from = this.localTime;
    this.#sliceEnd = from + Math.max(1, duration);
    this.#stop = false;
    this.exit = 'budget';
    while (this.localTime < this.#sliceEnd && !this.#stop) {
      const share = scheduler.pick(index, this.localTime);
      if (share === undefined) {
        this.exit = 'wfi';
        break;
      }
      const start = scheduler.startOf(share, this.localTime);
      if (start > this.localTime) this.skipTo(Math.min(start, this.#sliceEnd));
      else this.#give(share);
    }
    return this.localTime - from;
  }

  save(): SnapshotValue {
    return { localTime: this.localTime, last: this.#last?.entity.name ?? null };
  }

  restore(value: SnapshotValue, shareOf: (name: string) => Share | undefined): void {
    const saved = value as { localTime: number; last: string | null };
    this.localTime = saved.localTime;
    this.#last = saved.last === null ? undefined : shareOf(saved.last);
  }

  #give(share: Share): void {
    const { scheduler, index } = this;
    const { entity } = share;
    const before = this.localTime;
    if (share !== this.#last) {
      if (this.#last !== undefined) {
        this.#last.on = undefined;
        this.#last.entity.switchedOut();
      }
      this.#switches.value++;
      this.localTime += entity.switchedIn();
      scheduler.begin(share, index);
      this.#last = share;
    } else if (share.on === undefined) scheduler.begin(share, index);
    this.#turnEnd = before + scheduler.turnOf(share, before);
    this.#running = share;
    try {
      entity.run(this);
    } finally {
      this.#running = undefined;
    }
    // Whatever it did took time, or a host could stand still for ever.
    if (this.localTime === before) this.localTime++;
    this.#busy.value += this.localTime - before;
    scheduler.account(share, this.localTime - before, this.localTime);
    if (!entity.runnable) share.on = undefined;
  }
}
