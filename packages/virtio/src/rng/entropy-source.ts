import type { SnapshotValue } from '@vmloom/device';
import { Random } from '@vmloom/net';

/** Where random bytes come from. */
export interface EntropySource {
  /** False: `fill` has done its work when it returns, and equal runs repeat. True: it answers by a promise. */
  readonly outside: boolean;
  fill(target: Uint8Array): void | Promise<void>;
  /** What a snapshot has to hold, so that a restored machine goes on with the same bytes. */
  save?(): SnapshotValue;
  restore?(value: SnapshotValue): void;
}

/** Bytes that follow from a seed: equal runs repeat. No secret is to be made of them. */
export class SeededEntropy implements EntropySource {
  readonly outside = false;
  readonly #random: Random;

  /** Any integer is a seed. */
  constructor(seed = 1) {
    this.#random = new Random(seed);
  }

  fill(target: Uint8Array): void {
    this.#random.fill(target);
  }

  save(): SnapshotValue {
    return this.#random.save();
  }

  restore(value: SnapshotValue): void {
    this.#random.restore(value as number[]);
  }
}
