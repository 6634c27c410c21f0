import type { Clock, Counter, Ledger, SnapshotValue } from '@vmloom/device';
import type { Virtqueue } from '../queue/queue.js';
import { UNMODERATED, type Moderation } from './policy.js';

/** What a queue's interrupts ask of the endpoint. */
export interface InterruptHost {
  readonly clock: Clock;
  /** Has {@link Interrupts.fire} called in `delay` nanoseconds. */
  scheduleInterrupt(queue: number, delay: number): void;
}

/** Decides when the driver of one queue is asked whether it wants to hear of used buffers. */
export class Interrupts {
  readonly #queue: Virtqueue;
  readonly #host: InterruptHost;
  readonly #held: Counter;
  #moderation: Moderation = UNMODERATED;
  /** When the interrupt comes at the latest; -1: none is owed. */
  #deadline = -1;

  constructor(queue: Virtqueue, host: InterruptHost, ledger: Ledger, owner: string) {
    this.#queue = queue;
    this.#host = host;
    this.#held = ledger.counter(owner, 'interrupt-held', `queue ${queue.index}`);
  }

  get moderation(): Moderation {
    return this.#moderation;
  }

  set moderation(moderation: Moderation) {
    this.#moderation = moderation;
    this.#queue.deferred = moderation.delay > 0;
    // What is owed under the old setting is not lost under the new one.
    if (this.#deadline >= 0 && moderation.delay === 0) this.#flush();
  }

  /** The device has given back what it had, and interrupts are moderated. */
  used(): void {
    const { chains, delay } = this.#moderation;
    if (chains > 0 && this.#queue.unsignalled >= chains) return this.#flush();
    this.#held.value++;
    if (this.#deadline >= 0) return;
    this.#deadline = this.#host.clock.now + delay;
    this.#host.scheduleInterrupt(this.#queue.index, delay);
  }

  /** The event. One that was overtaken by {@link used} finds another deadline, or none. */
  fire(): void {
    if (this.#deadline >= 0 && this.#host.clock.now >= this.#deadline) this.#flush();
  }

  reset(): void {
    this.#deadline = -1;
  }

  save(): SnapshotValue {
    return { ...this.#moderation, deadline: this.#deadline };
  }

  restore(value: SnapshotValue): void {
    const { chains, delay, deadline } = value as { chains: number; delay: number; deadline: number };
    this.#moderation = { chains, delay };
    this.#queue.deferred = delay > 0;
    this.#deadline = deadline;
  }

  #flush(): void {
    this.#deadline = -1;
    this.#queue.signalNow();
  }
}
