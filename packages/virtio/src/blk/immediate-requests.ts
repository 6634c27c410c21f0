import type { SnapshotValue } from '@vmloom/device';
import type { DeviceHost } from '../device.js';
import type { Chain } from '../queue/chain.js';
import type { Virtqueue } from '../queue/queue.js';
import { Mover, writeEnd } from './mover.js';
import { advance, nextAction, parseRequest, type BlockRequest } from './request.js';
import { NO_STATUS, type RequestRunner, type RunnerParts } from './request-runner.js';

/** Bytes that a disk moves at most within {@link INTERVAL}: a driver that asks for more cannot stop the machine. */
const BUDGET = 8 * 1024 * 1024;
/** Nanoseconds. */
const INTERVAL = 1_000_000;
/** Bytes of one step. */
const STEP = 1024 * 1024;

/** Requests to a store that answers at once: they end in the event in which they came. */
export class ImmediateRequests implements RequestRunner {
  readonly #parts: RunnerParts;
  readonly #host: DeviceHost;
  readonly #mover: Mover;
  #budget = BUDGET;
  /** When the budget is whole again. */
  #renewal = 0;
  #paused = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#mover = new Mover(parts.host.memory, parts.disk.store);
  }

  notify(queue: Virtqueue): void {
    if (this.#paused) return;
    this.#renew();
    const { disk, counters } = this.#parts;
    const { limits, serial } = disk;
    do {
      for (;;) {
        if (this.#budget <= 0) {
          this.#pause();
          queue.signal();
          return;
        }
        const chain = queue.pop();
        if (chain === undefined) break;
        if (chain.writable.length === 0) return this.#host.needsReset(NO_STATUS);
        const request = parseRequest(chain, limits);
        if (this.#run(chain, request)) {
          const { token } = chain;
          const written = writeEnd(chain, request, serial);
          // What was read has been counted; zeros have not.
          this.#budget -= written - (request.kind === 'read' ? request.done : 0);
          counters.ended(request);
          queue.push(token, written);
        } else queue.hold().request = request as unknown as SnapshotValue;
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  proceed(): void {
    this.#paused = false;
    this.#renew();
    const { disk, counters } = this.#parts;
    for (const queue of this.#host.queues) {
      for (const held of queue.held) {
        const chain = queue.map(held);
        if (chain === undefined) continue;
        const request = structuredClone(held.request) as unknown as BlockRequest;
        if (!this.#run(chain, request)) {
          held.request = request as unknown as SnapshotValue;
          queue.signal();
          return this.#pause();
        }
        counters.ended(request);
        queue.complete(held, writeEnd(chain, request, disk.serial));
      }
      this.notify(queue);
    }
  }

  forget(queue?: Virtqueue): void {
    // A reset of the device takes the event of a pause away; one of a queue leaves it to the others.
    if (queue === undefined) this.#paused = false;
  }

  save(): SnapshotValue {
    return { budget: this.#budget, renewal: this.#renewal, paused: this.#paused };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { budget: number; renewal: number; paused: boolean };
    this.#budget = saved.budget;
    this.#renewal = saved.renewal;
    this.#paused = saved.paused;
  }

  close(): void {}

  /** True when the request has ended, false when the budget has. */
  #run(chain: Chain, request: BlockRequest): boolean {
    for (;;) {
      const action = nextAction(request, STEP);
      if (action === undefined) return true;
      if (this.#budget <= 0) return false;
      if (action.kind !== 'flush') this.#budget -= action.length;
      let ok = true;
      try {
        this.#mover.perform(chain, action);
      } catch {
        ok = false;
      }
      advance(request, action, ok);
    }
  }

  #renew(): void {
    const { now } = this.#host.clock;
    if (now < this.#renewal) return;
    this.#budget = BUDGET;
    this.#renewal = now + INTERVAL;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#host.after('proceed', this.#renewal - this.#host.clock.now);
  }
}
