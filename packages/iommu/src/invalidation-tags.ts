import type { Clock, EventId, EventOwner, RequesterId } from '@vmloom/device';

/** Tags of PCIe: invalidation requests that may be under way at once (PCIe 10.3.1). */
const TAGS = 32;
const EVENT = 'ats-timeout';

interface Tag {
  readonly requester: RequesterId;
  readonly timer: EventId;
}

/** Invalidation requests to devices that wait for their completion, or for the end of their time. */
export class InvalidationTags {
  readonly #tags: (Tag | undefined)[] = Array.from({ length: TAGS }, () => undefined);
  #timedOut = false;

  constructor(
    private readonly clock: Clock,
    private readonly owner: EventOwner,
    /** Nanoseconds. */
    private readonly patience: number,
  ) {}

  get outstanding(): boolean {
    return this.#tags.some((tag) => tag !== undefined);
  }

  /** A free tag for a request to this function; -1: all are under way. */
  take(requester: RequesterId): number {
    const tag = this.#tags.indexOf(undefined);
    if (tag >= 0) {
      this.#tags[tag] = { requester, timer: this.clock.after(this.owner, EVENT, this.patience, { tag }) };
    }
    return tag;
  }

  /** A function completes tags by their bits. Completions that nobody waits for are unexpected, and dropped. */
  complete(requester: RequesterId, tags: number): void {
    for (let tag = 0; tag < TAGS; tag++) {
      const waiting = this.#tags[tag];
      if (((tags >>> tag) & 1) === 0 || waiting?.requester !== requester) continue;
      this.clock.cancel(waiting.timer);
      this.#tags[tag] = undefined;
    }
  }

  /** By the event of the clock: true when it was a timeout. */
  onEvent(kind: string, tag: unknown): boolean {
    if (kind !== EVENT) return false;
    this.#tags[tag as number] = undefined;
    this.#timedOut = true;
    return true;
  }

  /** A request timed out since the last fence; asked by the fence. */
  takeTimeout(): boolean {
    const timedOut = this.#timedOut;
    this.#timedOut = false;
    return timedOut;
  }

  reset(): void {
    for (const tag of this.#tags) if (tag !== undefined) this.clock.cancel(tag.timer);
    this.#tags.fill(undefined);
    this.#timedOut = false;
  }

  save(): { tags: readonly (readonly [requester: number, timer: number] | null)[]; timedOut: boolean } {
    const tags = this.#tags.map((tag) => (tag === undefined ? null : ([tag.requester, tag.timer] as const)));
    return { tags, timedOut: this.#timedOut };
  }

  restore(saved: ReturnType<InvalidationTags['save']>): void {
    saved.tags.forEach((tag, index) => {
      this.#tags[index] = tag === null ? undefined : { requester: tag[0], timer: tag[1] };
    });
    this.#timedOut = saved.timedOut;
  }
}
