import { randomFill } from 'node:crypto';
import type { EntropySource } from '../rng/entropy-source.js';

/** Random bytes of the host. */
export class HostEntropy implements EntropySource {
  readonly outside = true;

  fill(target: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      randomFill(target, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}
