import type { EventArguments, EventId, SnapshotValue } from '@vmloom/device';
import type { DeviceHost } from '../device.js';

/** When a driver is told of used buffers (5.1.6.5.8); both 0: after every batch. */
export interface CoalescingLimits {
  /** Packets after which it is told. */
  readonly packets: number;
  /** Microseconds after the first of them. */
  readonly microseconds: number;
}

export const NO_COALESCING: CoalescingLimits = { packets: 0, microseconds: 0 };
export const COALESCE_EVENT = 'coalesced';

interface QueueState {
  limits: CoalescingLimits;
  /** Packets since the driver was told. */
  count: number;
  timer: EventId;
}

/** Counts packets and time of each queue, and signals when a limit is reached. */
export class Coalescing {
  readonly #host: DeviceHost;
  readonly #queues: QueueState[];
  readonly #args: EventArguments[];
  /** What TX_SET and RX_SET said last: it comes back when a queue is reset. */
  #receive = NO_COALESCING;
  #transmit = NO_COALESCING;

  constructor(host: DeviceHost) {
    this.#host = host;
    this.#queues = host.queues.map(() => ({ limits: NO_COALESCING, count: 0, timer: 0 }));
    this.#args = host.queues.map((_, queue) => ({ queue }));
  }

  /** Packets were used on a queue; called once per batch. */
  used(queue: number, packets: number): void {
    const state = this.#queues[queue];
    const { limits } = state;
    if (limits.packets === 0 || limits.microseconds === 0) return this.#host.queues[queue].signal();
    state.count += packets;
    if (state.count >= limits.packets) return this.#signal(queue);
    if (state.count > 0 && state.timer === 0) {
      state.timer = this.#host.after(COALESCE_EVENT, limits.microseconds * 1000, this.#args[queue]);
    }
  }

  /** The time of a queue is over. */
  onEvent(queue: number): void {
    this.#queues[queue].timer = 0;
    this.#signal(queue);
  }

  limits(queue: number): CoalescingLimits {
    return this.#queues[queue].limits;
  }

  /** VQ_SET. What has been counted may be enough now. */
  set(queue: number, limits: CoalescingLimits): void {
    const state = this.#queues[queue];
    state.limits = limits;
    if (state.count === 0) return;
    this.#cancel(state);
    // What waits for a limit that is off, or reached, has waited long enough; else its time begins anew.
    this.used(queue, 0);
    if (limits.packets === 0 || limits.microseconds === 0) state.count = 0;
  }

  /** RX_SET and TX_SET: all queues of a kind, of which `queues` pairs exist. */
  setAll(kind: 'receive' | 'transmit', limits: CoalescingLimits, pairs: number): void {
    if (kind === 'receive') this.#receive = limits;
    else this.#transmit = limits;
    for (let queue = kind === 'receive' ? 0 : 1; queue < 2 * pairs; queue += 2) this.set(queue, limits);
  }

  /** 5.1.6.5.8: a queue that comes back has what was set for all. */
  resetQueue(queue: number): void {
    const state = this.#queues[queue];
    this.#cancel(state);
    state.count = 0;
    state.limits = (queue & 1) === 0 ? this.#receive : this.#transmit;
  }

  /** The device was reset: its events are cancelled already. */
  reset(): void {
    this.#receive = this.#transmit = NO_COALESCING;
    for (const state of this.#queues) {
      state.limits = NO_COALESCING;
      state.count = 0;
      state.timer = 0;
    }
  }

  save(): SnapshotValue {
    return {
      receive: { ...this.#receive },
      transmit: { ...this.#transmit },
      queues: this.#queues.map(({ limits, count, timer }) => ({ limits: { ...limits }, count, timer })),
    };
  }

  /** The clock is restored by its own snapshot, with the timers. */
  restore(value: SnapshotValue): void {
    const saved = value as unknown as {
      receive: CoalescingLimits;
      transmit: CoalescingLimits;
      queues: QueueState[];
    };
    this.#receive = saved.receive;
    this.#transmit = saved.transmit;
    saved.queues.forEach((state, index) => Object.assign(this.#queues[index], state));
  }

  #signal(queue: number): void {
    const state = this.#queues[queue];
    this.#cancel(state);
    state.count = 0;
    this.#host.queues[queue].signal();
  }

  #cancel(state: QueueState): void {
    if (state.timer !== 0) this.#host.cancel(state.timer);
    state.timer = 0;
  }
}
