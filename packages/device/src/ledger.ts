/**
 * What a count belongs to: the modelled structure (exits, copies and interrupts that the machine being
 * modelled would have) or the emulator's own work. They are never added up.
 */
export type LedgerClass = 'modelled' | 'emulator';

/** One count. Devices keep it and add to its value: no look-up, no allocation. */
export interface Counter {
  readonly owner: string;
  readonly event: string;
  readonly reason: string;
  readonly class: LedgerClass;
  value: number;
}

/** Counters by owner, event and reason; VMM work as cycles by cause under the event `vmm-cycles`. */
export class Ledger {
  readonly #counters = new Map<string, Counter>();

  /** The counter of (owner, event, reason), made at first use. Keep it: this look-up is not for hot paths. */
  counter(owner: string, event: string, reason = '', kind: LedgerClass = 'modelled'): Counter {
    const key = JSON.stringify([kind, owner, event, reason]);
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = { owner, event, reason, class: kind, value: 0 };
      this.#counters.set(key, counter);
    }
    return counter;
  }

  /** All counters that match, in the order of their making. */
  select(match: Partial<Pick<Counter, 'owner' | 'event' | 'reason' | 'class'>> = {}): Counter[] {
    const wanted = Object.entries(match) as [keyof Counter, string][];
    return [...this.#counters.values()].filter((counter) =>
      wanted.every(([name, value]) => counter[name] === value),
    );
  }

  /** The sum of all counters that match. */
  total(match: Partial<Pick<Counter, 'owner' | 'event' | 'reason' | 'class'>> = {}): number {
    return this.select(match).reduce((sum, counter) => sum + counter.value, 0);
  }

  reset(): void {
    for (const counter of this.#counters.values()) counter.value = 0;
  }
}
