import { DeviceError } from './error.js';
import { expectSnapshot, type Snapshot, type Snapshotable, type SnapshotValue } from './snapshot.js';

/** Arguments of an event: plain data. */
export type EventArguments = { readonly [name: string]: SnapshotValue };

/** Something that events belong to, found again by name after a restore. */
export interface EventOwner {
  /** Unique on its clock. */
  readonly name: string;
  /** Called when an event is due, with `clock.now` at its time. */
  onEvent(kind: string, args: EventArguments): void;
}

/** A scheduled event, for {@link Clock.cancel}: its sequence number, never 0. */
export type EventId = number;

interface Event {
  readonly owner: string;
  readonly kind: string;
  readonly args: EventArguments;
  readonly when: number;
  readonly seq: number;
}

/** Takes an event that is due. */
export type EventHandler = (kind: string, args: EventArguments) => void;

const NO_ARGUMENTS: EventArguments = {};

/**
 * Virtual time and what is due on it. Time is an integer count of nanoseconds since the machine's start.
 * Events are data, never closures, so that a machine can be saved with events in flight. Events of one
 * instant run in the order in which they were scheduled.
 */
export class Clock implements Snapshotable {
  /**
   * Nanoseconds. While a hart runs, the hart's own time: the run loop and the hart's MMIO path set it, so
   * that a device always reads the time of the instruction that reached it.
   */
  now = 0;
  readonly #owners = new Map<string, EventOwner>();
  readonly #diversions = new Map<string, EventHandler>();
  #heap: Event[] = [];
  #seq = 1;
  #sliceEnd = 0;
  #onShorten: ((when: number) => void) | undefined;

  /** @throws DeviceError duplicate-owner */
  register(owner: EventOwner): void {
    const known = this.#owners.get(owner.name);
    if (known !== undefined && known !== owner) {
      throw new DeviceError('duplicate-owner', `two owners of events are called ${owner.name}`);
    }
    this.#owners.set(owner.name, owner);
  }

  /** The owner of a name: what `OutsideIo.replay` asks for. */
  owner(name: string): EventOwner | undefined {
    return this.#owners.get(name);
  }

  /**
   * Has `handler` told of the due events of an owner in its place, so that somebody else decides when they take
   * effect: a hypervisor whose processors have to do them. `undefined` ends that.
   */
  divert(owner: string, handler: EventHandler | undefined): void {
    if (handler === undefined) this.#diversions.delete(owner);
    else this.#diversions.set(owner, handler);
  }

  /** Ends an owner's part: its events are cancelled. */
  unregister(owner: EventOwner): void {
    if (this.#owners.get(owner.name) !== owner) return;
    this.#owners.delete(owner.name);
    this.#heap = this.#heap.filter((event) => event.owner !== owner.name);
    this.#heapify();
  }

  /**
   * Schedules an event at `when` (nanoseconds; the present or the past means as soon as the running slice
   * ends, and the running slice ends at once). @throws DeviceError unknown-owner, bad-time
   */
  schedule(owner: EventOwner, kind: string, when: number, args: EventArguments = NO_ARGUMENTS): EventId {
    if (this.#owners.get(owner.name) !== owner) {
      throw new DeviceError('unknown-owner', `${owner.name} is not registered on this clock`);
    }
    if (!Number.isFinite(when))
      throw new DeviceError('bad-time', `${owner.name} schedules ${kind} at ${when}`);
    const due = Math.max(this.now, Math.ceil(when));
    const seq = this.#seq++;
    this.#push({ owner: owner.name, kind, args, when: due, seq });
    if (due < this.#sliceEnd) {
      this.#sliceEnd = due;
      this.#onShorten?.(due);
    }
    return seq;
  }

  /** Schedules `delay` nanoseconds from now. */
  after(owner: EventOwner, kind: string, delay: number, args: EventArguments = NO_ARGUMENTS): EventId {
    return this.schedule(owner, kind, this.now + delay, args);
  }

  /** Takes an event back; false when it already ran or never was. */
  cancel(id: EventId): boolean {
    const index = this.#heap.findIndex((event) => event.seq === id);
    if (index < 0) return false;
    const last = this.#heap.pop()!;
    if (index < this.#heap.length) {
      this.#heap[index] = last;
      this.#sink(index);
      this.#rise(index);
    }
    return true;
  }

  /** True while the event is waiting. */
  pending(id: EventId): boolean {
    return this.#heap.some((event) => event.seq === id);
  }

  /** When the next event is due; Infinity when none is. */
  get nextEvent(): number {
    return this.#heap[0]?.when ?? Infinity;
  }

  /** Runs, in order, every event due at or before `time`, those scheduled meanwhile too; the count. */
  runUntil(time: number): number {
    let count = 0;
    for (let event = this.#heap[0]; event !== undefined && event.when <= time; event = this.#heap[0]) {
      this.#pop();
      if (event.when > this.now) this.now = event.when;
      const owner = this.#owners.get(event.owner);
      if (owner === undefined) throw new DeviceError('unknown-owner', `nobody called ${event.owner} is here`);
      const diverted = this.#diversions.get(event.owner);
      if (diverted === undefined) owner.onEvent(event.kind, event.args);
      else diverted(event.kind, event.args);
      count++;
    }
    if (time > this.now && Number.isFinite(time)) this.now = time;
    return count;
  }

  /**
   * The run loop announces a slice that ends at `end`; `onShorten` is called with an earlier end whenever an
   * event is scheduled before it, so that the running hart stops there.
   */
  beginSlice(end: number, onShorten: (when: number) => void): void {
    this.#sliceEnd = end;
    this.#onShorten = onShorten;
  }

  /** No slice runs any more. */
  endSlice(): void {
    this.#sliceEnd = 0;
    this.#onShorten = undefined;
  }

  save(): Snapshot {
    const events = [...this.#heap].sort(earlier).map((event) => ({ ...event }));
    return { type: 'clock', version: 1, now: this.now, seq: this.#seq, events };
  }

  /** Owners must be registered again beforehand. @throws DeviceError bad-snapshot, unknown-owner */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'clock', 1);
    const events = snapshot['events'] as unknown as Event[];
    for (const event of events) {
      if (!this.#owners.has(event.owner)) {
        throw new DeviceError(
          'unknown-owner',
          `the snapshot has an event of ${event.owner}, which is not here`,
        );
      }
    }
    this.now = snapshot['now'] as number;
    this.#seq = snapshot['seq'] as number;
    this.#heap = events.map((event) => ({ ...event }));
    this.#heapify();
  }

  #heapify(): void {
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#sink(index);
  }

  #push(event: Event): void {
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(index: number): void {
    const heap = this.#heap;
    const event = heap[index];
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (earlier(heap[parent], event) <= 0) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  #sink(index: number): void {
    const heap = this.#heap;
    const event = heap[index];
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1], heap[child]) < 0) child++;
      if (earlier(event, heap[child]) <= 0) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = event;
  }
}

function earlier(a: Event, b: Event): number {
  return a.when - b.when || a.seq - b.seq;
}
