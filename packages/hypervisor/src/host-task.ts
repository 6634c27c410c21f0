import type { Clock, SnapshotValue } from '@vmloom/device';
import type { Account } from './account.js';
import type { HartTime, Schedulable } from './schedulable.js';
import { WorkQueue, type Executor, type Work, type Worker } from './work.js';

export interface HostTaskOptions {
  /** Unique on its host. */
  readonly name: string;
  readonly clock: Clock;
  /** Pays for waking and switching. */
  readonly account: Account;
  /** It looks at its work without being woken, on a hart of its own. False unless told. */
  readonly polls?: boolean;
}

/** A task of the host that does the work of back ends: a vhost thread, or a side core that polls. */
export class HostTask implements Schedulable, Executor {
  readonly name: string;
  readonly polls: boolean;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #queue = new WorkQueue();
  #owed = 0;
  #stop = false;
  #lastTime = 0;

  constructor(options: HostTaskOptions) {
    this.name = options.name;
    this.polls = options.polls ?? false;
    this.#clock = options.clock;
    this.#account = options.account;
  }

  get runnable(): boolean {
    return !this.#queue.empty;
  }

  get readyAt(): number {
    return Math.max(this.#queue.first?.when ?? 0, this.#lastTime);
  }

  submit(work: Work): void {
    if (this.#queue.empty && !this.polls) this.#owed += this.#account.charge('wake');
    this.#queue.push(work);
  }

  switchedIn(): number {
    return this.polls ? 0 : this.#account.charge('contextSwitch');
  }

  switchedOut(): void {}

  run(hart: HartTime): void {
    this.#stop = false;
    hart.localTime += this.#owed;
    this.#owed = 0;
    for (let work = this.#queue.first; work !== undefined; work = this.#queue.first) {
      if (work.when > hart.localTime || hart.localTime >= hart.end || this.#stop) break;
      this.#queue.take();
      this.#clock.now = hart.localTime;
      hart.localTime += work.to.perform(work);
    }
    this.#lastTime = hart.localTime;
  }

  /** The end is looked at between two pieces of work. */
  shortened(): void {}

  requestStop(): void {
    this.#stop = true;
  }

  drop(worker: Worker): void {
    this.#queue.drop(worker);
  }

  save(): SnapshotValue {
    return { owed: this.#owed, lastTime: this.#lastTime, work: this.#queue.save() };
  }

  restore(value: SnapshotValue, workerOf: (name: string) => Worker): void {
    const saved = value as unknown as { owed: number; lastTime: number; work: ReturnType<WorkQueue['save']> };
    this.#owed = saved.owed;
    this.#lastTime = saved.lastTime;
    this.#queue.restore(saved.work, workerOf);
  }
}
