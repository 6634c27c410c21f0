import type { EventArguments, OutsideIo, SnapshotValue } from '@vmloom/device';
import type { DeviceHost } from '../device.js';
import { OutsideDoor } from '../outside-door.js';
import type { HeldChain } from '../queue/held-chain.js';
import type { Virtqueue } from '../queue/queue.js';
import type { BlockStore } from './block-store.js';
import { writeEnd } from './mover.js';
import { HEADER } from './registers.js';
import { advance, nextAction, parseRequest, type BlockAction, type BlockRequest } from './request.js';
import { NO_STATUS, type RequestRunner, type RunnerParts } from './request-runner.js';

/** Requests that the host works on at a time; others wait in their queues. */
const ACTIVE = 64;
/** Bytes of one piece of work: with {@link ACTIVE}, the host's memory that a driver can tie up. */
const PIECE = 1024 * 1024;

interface Work {
  readonly queue: Virtqueue;
  readonly held: HeldChain;
  readonly action: BlockAction;
}

/**
 * Requests to a store of the host. Each piece of work is submitted, its end is an event; bytes that were read travel
 * in the event, so a recorded run repeats without the store.
 */
export class OutsideRequests implements RequestRunner {
  readonly #parts: RunnerParts;
  readonly #host: DeviceHost;
  readonly #door: OutsideDoor;
  readonly #active = new Map<number, Work>();
  /** Work of before a reset that the host has not ended: what follows must not overtake it. */
  readonly #void = new Set<number>();
  /** Queues with requests that wait for their turn. */
  readonly #waiting = new Set<Virtqueue>();

  constructor(parts: RunnerParts & { readonly io: OutsideIo }) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#door = new OutsideDoor({
      name: `${parts.host.name}.store`,
      clock: parts.host.clock,
      io: parts.io,
      arrived: (id, result) => this.#arrived(id, result),
      woken: () => this.proceed(),
    });
  }

  notify(queue: Virtqueue): void {
    const { limits } = this.#parts.disk;
    do {
      for (;;) {
        if (this.#active.size >= ACTIVE || this.#void.size > 0) {
          this.#waiting.add(queue);
          queue.signal();
          return;
        }
        const chain = queue.pop();
        if (chain === undefined) break;
        if (chain.writable.length === 0) return this.#host.needsReset(NO_STATUS);
        const request = parseRequest(chain, limits);
        const held = queue.hold();
        held.request = request as unknown as SnapshotValue;
        this.#go(queue, held);
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  /** Takes up what a restore left, and queues that wait. */
  proceed(): void {
    const busy = new Set([...this.#active.values()].map(({ held }) => held));
    for (const queue of this.#host.queues) {
      for (const held of queue.held) if (!busy.has(held)) this.#go(queue, held);
      queue.signal();
    }
    this.#next();
  }

  forget(queue?: Virtqueue): void {
    for (const [id, work] of this.#active) {
      if (queue !== undefined && work.queue !== queue) continue;
      this.#active.delete(id);
      this.#void.add(id);
    }
    if (queue === undefined) this.#waiting.clear();
    else this.#waiting.delete(queue);
  }

  save(): SnapshotValue {
    return { door: this.#door.save(), waiting: [...this.#waiting].map(({ index }) => index) };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { door: number; waiting: number[] };
    this.#door.restore(saved.door);
    this.#active.clear();
    this.#void.clear();
    this.#waiting.clear();
    for (const index of saved.waiting) this.#waiting.add(this.#host.queues[index]);
    this.#door.wake();
  }

  close(): void {
    this.#door.close();
  }

  /** The next piece of work of a request, or its end. */
  #go(queue: Virtqueue, held: HeldChain): void {
    const request = held.request as unknown as BlockRequest;
    const action = nextAction(request, PIECE);
    if (action === undefined) return this.#end(queue, held, request);
    const work = this.#work(queue, held, action);
    if (work !== undefined) this.#active.set(this.#door.submit(work), { queue, held, action });
  }

  #end(queue: Virtqueue, held: HeldChain, request: BlockRequest): void {
    const chain = queue.map(held);
    if (chain === undefined) return;
    this.#parts.counters.ended(request);
    queue.complete(held, writeEnd(chain, request, this.#parts.disk.serial));
  }

  #work(queue: Virtqueue, held: HeldChain, action: BlockAction): (() => Promise<EventArguments>) | undefined {
    const { store } = this.#parts.disk;
    if (action.kind !== 'write') return () => perform(store, action, NOTHING);
    // The driver may have its memory back before the host has read it: after a reset.
    const bytes = queue.map(held)?.readable.bytes(HEADER + action.from, action.length);
    return bytes && (() => perform(store, action, bytes));
  }

  #arrived(id: number, result: EventArguments | undefined): void {
    const work = this.#active.get(id);
    if (work === undefined) {
      if (this.#void.delete(id)) this.#next();
      return;
    }
    this.#active.delete(id);
    const { queue, held, action } = work;
    const request = structuredClone(held.request) as unknown as BlockRequest;
    if (result !== undefined && action.kind === 'read') {
      const chain = queue.map(held);
      if (chain === undefined) return;
      chain.writable.write(action.from, result['bytes'] as Uint8Array);
    }
    advance(request, action, result !== undefined);
    held.request = request as unknown as SnapshotValue;
    this.#go(queue, held);
    queue.signal();
    this.#next();
  }

  #next(): void {
    if (this.#void.size > 0 || this.#active.size >= ACTIVE) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const queue of waiting) this.notify(queue);
  }
}

const NOTHING = new Uint8Array(0);

async function perform(store: BlockStore, action: BlockAction, source: Uint8Array): Promise<EventArguments> {
  switch (action.kind) {
    case 'read': {
      const bytes = new Uint8Array(action.length);
      await store.read(action.at, bytes);
      return { bytes };
    }
    case 'write':
      await store.write(action.at, source);
      return {};
    case 'discard':
      await store.discard(action.at, action.length);
      return {};
    case 'zero':
      await store.zero(action.at, action.length, action.deallocate);
      return {};
    case 'flush':
      await store.flush();
      return {};
  }
}
