import type { Counter, Ledger } from '@vmloom/device';
import { nanoseconds, type CostParameter, type CostPreset } from './preset.js';

/** Who used a host hart's time. */
export type TimeKind =
  /** The guest's own instructions. */
  | 'guest'
  /** Work of the hypervisor and its back ends for the guest. */
  | 'vmm'
  /** A side core that found nothing to do. */
  | 'poll';

/**
 * What one virtual machine costs its host: time by kind (`cpu-ns`), cycles by cause (`vmm-cycles`). Work of a back
 * end is put on the account of the machine that caused it, wherever it runs.
 */
export class Account {
  readonly #time: Readonly<Record<TimeKind, Counter>>;
  readonly #causes = new Map<string, Counter>();

  constructor(
    readonly owner: string,
    readonly ledger: Ledger,
    readonly preset: CostPreset,
  ) {
    const time = (kind: TimeKind): Counter => ledger.counter(owner, 'cpu-ns', kind);
    this.#time = { guest: time('guest'), vmm: time('vmm'), poll: time('poll') };
  }

  /** Charges the cost of `count` of something; the nanoseconds that it takes. `cause` is the parameter's name unless told. */
  charge(parameter: CostParameter, count = 1, cause: string = parameter): number {
    const cycles = this.preset[parameter] * count;
    const time = nanoseconds(this.preset, cycles);
    this.#cause(cause).value += cycles;
    this.#time.vmm.value += time;
    return time;
  }

  spend(kind: TimeKind, time: number): void {
    this.#time[kind].value += time;
  }

  /** Nanoseconds so far. */
  spent(kind: TimeKind): number {
    return this.#time[kind].value;
  }

  #cause(cause: string): Counter {
    let counter = this.#causes.get(cause);
    if (counter === undefined) {
      counter = this.ledger.counter(this.owner, 'vmm-cycles', cause);
      this.#causes.set(cause, counter);
    }
    return counter;
  }
}
