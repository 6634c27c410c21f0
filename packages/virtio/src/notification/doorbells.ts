import type { Clock, Counter, Ledger, SnapshotValue } from '@vmloom/device';
import type { Virtqueue } from '../queue/queue.js';
import type { DoorbellPolicy } from './policy.js';

/** What a queue's doorbells ask of the endpoint. */
export interface DoorbellHost {
  readonly clock: Clock;
  /** DRIVER_OK, and no reset needed. */
  readonly running: boolean;
  /** Has {@link Doorbells.look} called in `delay` nanoseconds. */
  scheduleLook(queue: number, delay: number): void;
  /** Has the device look at the queue. */
  look(queue: Virtqueue): void;
}

/** Decides when the device looks at one queue: after a doorbell, or by polling. */
export class Doorbells {
  readonly #policy: DoorbellPolicy;
  readonly #queue: Virtqueue;
  readonly #host: DoorbellHost;
  readonly #rung: Counter;
  readonly #shared: Counter;
  readonly #polls: Counter;
  readonly #emptyPolls: Counter;
  readonly #toPolling: Counter;
  readonly #toDoorbells: Counter;
  /** A doorbell that nobody has answered. */
  #pending = false;
  /** An event for {@link look} is on the clock. */
  #due = false;
  #polling = false;
  #windowStart = 0;
  /** Doorbells, or while polling chains, since then. */
  #windowCount = 0;

  constructor(policy: DoorbellPolicy, queue: Virtqueue, host: DoorbellHost, ledger: Ledger, owner: string) {
    this.#policy = policy;
    this.#queue = queue;
    this.#host = host;
    const counter = (event: string, reason: string): Counter => ledger.counter(owner, event, reason);
    this.#rung = counter('doorbell', `queue ${queue.index}`);
    this.#shared = counter('doorbell-shared', `queue ${queue.index}`);
    this.#polls = counter('poll', 'chains');
    this.#emptyPolls = counter('poll', 'empty');
    this.#toPolling = counter('notification-mode', 'to polling');
    this.#toDoorbells = counter('notification-mode', 'to doorbells');
  }

  /** The device looks by itself; the driver is asked to spare doorbells. */
  get polling(): boolean {
    return this.#polling;
  }

  /** The driver rang. */
  ring(): void {
    this.#rung.value++;
    if (this.#policy.kind === 'adaptive' && !this.#polling) this.#measure(this.#policy.window ?? 1_000_000);
    this.kick();
  }

  /** The device is to look, as if the driver had rung. */
  kick(): void {
    if (this.#due) {
      // One look serves them all; while polling it comes anyway.
      this.#shared.value++;
      return;
    }
    this.#pending = true;
    if (this.#host.running) this.#schedule(this.#policy.kind === 'batched' ? this.#policy.delay : 0);
  }

  /** DRIVER_OK: doorbells of before are answered now. */
  start(): void {
    this.#windowStart = this.#host.clock.now;
    if (this.#policy.kind === 'polled' && this.#queue.ready) this.#poll(this.#policy.interval);
    else if (this.#pending && !this.#due) this.#schedule(0);
  }

  /** The event: the device looks. */
  look(): void {
    this.#due = false;
    this.#pending = false;
    const queue = this.#queue;
    if (!this.#host.running || !queue.ready) return this.#leave();
    const before = queue.popped;
    this.#host.look(queue);
    this.#after(queue.popped - before);
  }

  /** The queue or the device was reset. */
  reset(): void {
    this.#pending = false;
    this.#due = false;
    this.#leave();
    this.#windowCount = 0;
    this.#windowStart = this.#host.clock.now;
  }

  save(): SnapshotValue {
    return {
      pending: this.#pending,
      due: this.#due,
      polling: this.#polling,
      windowStart: this.#windowStart,
      windowCount: this.#windowCount,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      pending: boolean;
      due: boolean;
      polling: boolean;
      windowStart: number;
      windowCount: number;
    };
    this.#pending = saved.pending;
    this.#due = saved.due;
    this.#polling = saved.polling;
    this.#windowStart = saved.windowStart;
    this.#windowCount = saved.windowCount;
  }

  #schedule(delay: number): void {
    this.#due = true;
    this.#host.scheduleLook(this.#queue.index, delay);
  }

  /** Counts in the present window, or begins a new one. */
  #measure(window: number, count = 1): void {
    const { now } = this.#host.clock;
    if (now - this.#windowStart >= window) {
      this.#windowStart = now;
      this.#windowCount = 0;
    }
    this.#windowCount += count;
  }

  #after(chains: number): void {
    const policy = this.#policy;
    if (this.#polling) {
      if (chains > 0) this.#polls.value++;
      else this.#emptyPolls.value++;
    }
    if (policy.kind === 'polled') return this.#poll(policy.interval);
    if (policy.kind !== 'adaptive') return;
    const { window = 1_000_000, enter = 32, leave = 8, interval = 20_000 } = policy;
    if (!this.#polling) {
      if (this.#windowCount < enter) return;
      this.#toPolling.value++;
      this.#windowStart = this.#host.clock.now;
      this.#windowCount = 0;
      return this.#poll(interval);
    }
    const elapsed = this.#host.clock.now - this.#windowStart;
    this.#windowCount += chains;
    if (elapsed < window) return this.#poll(interval);
    const busy = this.#windowCount >= leave;
    this.#windowStart = this.#host.clock.now;
    this.#windowCount = 0;
    if (busy) return this.#poll(interval);
    this.#toDoorbells.value++;
    this.#leave();
    // Chains may have come since the last look, without a doorbell.
    if (this.#queue.enableNotifications()) this.#schedule(0);
  }

  #poll(interval: number): void {
    if (!this.#polling) {
      this.#polling = true;
      this.#queue.polled = true;
    }
    if (!this.#due) this.#schedule(interval);
  }

  #leave(): void {
    this.#polling = false;
    this.#queue.polled = false;
  }
}
