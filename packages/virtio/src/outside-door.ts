import type { Clock, EventArguments, EventOwner, OutsideIo } from '@vmloom/device';

/** How submitted work ended: what it gave, or undefined when it failed. */
export type Arrival = (id: number, result: EventArguments | undefined) => void;

/**
 * A device's way to work outside the machine. Each piece of work has a number that is never used again, so what
 * arrives for a request of before a reset is told from the rest.
 */
export class OutsideDoor implements EventOwner {
  readonly name: string;
  #next = 1;

  constructor(
    private readonly parts: {
      readonly name: string;
      readonly clock: Clock;
      readonly io: OutsideIo;
      readonly arrived: Arrival;
      /** {@link wake} arrived. */
      readonly woken?: () => void;
    },
  ) {
    this.name = parts.name;
    parts.clock.register(this);
  }

  /** Starts `work`; its number. */
  submit(work: () => Promise<EventArguments>): number {
    const id = this.#next++;
    this.parts.io.submit(this, 'done', async () => {
      try {
        return { id, result: await work() };
      } catch {
        return { id, result: null };
      }
    });
    return id;
  }

  /** Has `woken` called by an event that a restore of the clock does not lose. */
  wake(): void {
    this.parts.io.post(this, 'wake', {});
  }

  onEvent(kind: string, args: EventArguments): void {
    if (kind === 'wake') return this.parts.woken?.();
    this.parts.arrived(args['id'] as number, (args['result'] as EventArguments | null) ?? undefined);
  }

  close(): void {
    this.parts.clock.unregister(this);
  }

  /** The number of the next piece of work. */
  save(): number {
    return this.#next;
  }

  /** Numbers given out since are not given out again either. */
  restore(next: number): void {
    this.#next = Math.max(this.#next, next);
  }
}
