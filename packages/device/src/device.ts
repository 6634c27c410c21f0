import type { Snapshotable } from './snapshot.js';

/** What every device model is: named, resettable, saveable. */
export interface Device extends Snapshotable {
  /** Unique in its machine; owns its events and its counters in the ledger. */
  readonly name: string;
  /** Power-on or bus reset: registers to their documented defaults, all pending work dropped. */
  reset(): void;
}
