import type { Clock, EventId, EventOwner } from './clock.js';
import type { SnapshotValue } from './snapshot.js';

/**
 * A timer that is often pushed back: it keeps one event on the clock and, when that comes too early,
 * schedules the rest. Its owner hands it the events of its kind.
 */
export class DeadlineTimer {
  /** When it expires, in nanoseconds; -1 while it does not run. */
  deadline = -1;
  #event: EventId = 0;
  #eventAt = -1;

  constructor(
    readonly clock: Clock,
    readonly owner: EventOwner,
    readonly kind: string,
  ) {}

  get armed(): boolean {
    return this.deadline >= 0;
  }

  /** Expires at `when` (nanoseconds), whatever it was set to before. */
  arm(when: number): void {
    this.deadline = when;
    if (this.#eventAt >= 0 && this.#eventAt <= when) return;
    if (this.#eventAt >= 0) this.clock.cancel(this.#event);
    this.#schedule();
  }

  disarm(): void {
    this.deadline = -1;
  }

  /** The event of this kind came; true when the deadline is reached (the timer is off then). */
  fired(): boolean {
    this.#eventAt = -1;
    if (this.deadline < 0) return false;
    if (this.deadline <= this.clock.now) {
      this.deadline = -1;
      return true;
    }
    this.#schedule();
    return false;
  }

  save(): SnapshotValue {
    return { deadline: this.deadline, event: this.#event, eventAt: this.#eventAt };
  }

  /** The clock is restored by its own snapshot, with the event. */
  restore(value: SnapshotValue): void {
    const saved = value as { deadline: number; event: number; eventAt: number };
    this.deadline = saved.deadline;
    this.#event = saved.event;
    this.#eventAt = saved.eventAt;
  }

  #schedule(): void {
    this.#eventAt = Math.max(this.deadline, this.clock.now);
    this.#event = this.clock.schedule(this.owner, this.kind, this.#eventAt);
  }
}
