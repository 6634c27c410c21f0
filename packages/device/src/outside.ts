import type { Clock, EventArguments, EventOwner } from './clock.js';
import { DeviceError } from './error.js';
import type { SnapshotValue } from './snapshot.js';

/** One arrival from outside, as recorded: at `when` (nanoseconds) `owner` got the event `kind`. */
export interface OutsideRecord {
  readonly when: number;
  /** How many slices had run: harts whose times differ make `when` alone ambiguous. */
  readonly slice: number;
  readonly owner: string;
  readonly kind: string;
  readonly args: EventArguments;
}

interface Replay {
  readonly records: readonly OutsideRecord[];
  readonly owners: readonly EventOwner[];
  next: number;
}

/** Work outside the machine: disk, sockets, host time. */
export type OutsideWork = () => Promise<{ readonly [name: string]: SnapshotValue }>;

/**
 * The machine's door to the outside world. A part submits work and gets its completion as an event on the
 * clock, never as a return value; things that nobody asked for (a datagram, a key press) are posted as
 * events too. Everything that comes in can be recorded, and a record played back in its place makes the
 * run repeat to the last instruction.
 */
export class OutsideIo {
  /** Called when something has arrived, to wake a run loop that waits. */
  onArrival: (() => void) | undefined;
  readonly #arrivals: { owner: EventOwner; kind: string; args: EventArguments }[] = [];
  #outstanding = 0;
  #sources = 0;
  #record: OutsideRecord[] | undefined;
  #replay: Replay | undefined;

  constructor(readonly clock: Clock) {}

  /** Work submitted and not completed. While there is any, idle virtual time is not skipped. */
  get outstanding(): number {
    return this.#outstanding + this.#arrivals.length;
  }

  /** Arrivals that wait for {@link OutsideIo.deliver}. */
  get arrived(): number {
    return this.#arrivals.length;
  }

  get replaying(): boolean {
    return this.#replay !== undefined;
  }

  /** True while something outside may speak unasked: then idle virtual time passes no faster than wall time. */
  get live(): boolean {
    return this.#replay === undefined && this.#sources > 0;
  }

  /** Announces a source that may post at any time (a socket, a keyboard); the answer ends it. */
  attachSource(): () => void {
    this.#sources++;
    let attached = true;
    return () => {
      if (attached) this.#sources--;
      attached = false;
    };
  }

  /** Starts `work`; its result arrives at `owner` as event `kind`, a failure with `{ error }`. Not run in replay. */
  submit(owner: EventOwner, kind: string, work: OutsideWork): void {
    if (this.#replay !== undefined) return;
    this.#outstanding++;
    work().then(
      (args) => this.#complete(owner, kind, args),
      (error: unknown) =>
        this.#complete(owner, kind, { error: error instanceof Error ? error.message : String(error) }),
    );
  }

  /** Something came from outside unasked. Ignored in replay, where the record speaks. */
  post(owner: EventOwner, kind: string, args: EventArguments): void {
    if (this.#replay !== undefined) return;
    this.#arrivals.push({ owner, kind, args });
    this.onArrival?.();
  }

  /** When the next arrival of a replay is due (nanoseconds); a slice must end there. Infinity otherwise. */
  get nextArrival(): number {
    return this.#replay?.records[this.#replay.next]?.when ?? Infinity;
  }

  /**
   * The run loop, between slices and after the events of the present: gives every arrival its place on the
   * clock, now. A replay enters by the same gate, so that it meets other events in the recorded order.
   * `slice` is how many slices the loop has run so far. The count.
   */
  deliver(slice = 0): number {
    if (this.#replay !== undefined) return this.#deliverRecorded(this.#replay, slice);
    const arrivals = this.#arrivals.splice(0);
    for (const { owner, kind, args } of arrivals) {
      this.#record?.push({ when: this.clock.now, slice, owner: owner.name, kind, args });
      this.clock.schedule(owner, kind, this.clock.now, args);
    }
    return arrivals.length;
  }

  /** Begins a recording; the array grows as things arrive. */
  record(): readonly OutsideRecord[] {
    return (this.#record = []);
  }

  /**
   * Plays a record back in place of the outside world; `owner` finds an owner by name.
   * @throws DeviceError replay-mismatch for an owner that is not here
   */
  replay(records: readonly OutsideRecord[], owner: (name: string) => EventOwner | undefined): void {
    const owners = records.map(({ owner: name }) => {
      const found = owner(name);
      if (found !== undefined) return found;
      throw new DeviceError('replay-mismatch', `the record names ${name}, which is not here`);
    });
    this.#replay = { records: [...records], owners, next: 0 };
  }

  #deliverRecorded(replay: Replay, slice: number): number {
    const first = replay.next;
    for (let due = replay.records[first]; due !== undefined; due = replay.records[replay.next]) {
      if (due.when > this.clock.now || due.slice > slice) break;
      this.clock.schedule(replay.owners[replay.next++], due.kind, this.clock.now, due.args);
    }
    return replay.next - first;
  }

  #complete(owner: EventOwner, kind: string, args: EventArguments): void {
    this.#outstanding--;
    this.post(owner, kind, args);
  }
}
