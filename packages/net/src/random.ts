import { NetError } from './error.js';

/** A seeded generator of 32-bit numbers (sfc32), its state saveable: the only chance in this package. */
export class Random {
  readonly #state = new Uint32Array(4);

  /** Any integer is a seed; equal seeds give equal sequences. */
  constructor(seed: number) {
    this.#state.set([seed, Math.floor(seed / 0x1_0000_0000), 0x9e37_79b9, 1]);
    for (let round = 0; round < 12; round++) this.next();
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const s = this.#state;
    const a = s[0];
    const b = s[1];
    const c = s[2];
    const sum = (a + b + s[3]) >>> 0;
    s[3] = s[3] + 1;
    s[0] = b ^ (b >>> 9);
    s[1] = c + (c << 3);
    s[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  }

  /** An integer from 0 to `limit` - 1; `limit` from 1 to 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000;
  }

  fill(bytes: Uint8Array): Uint8Array {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.next();
    return bytes;
  }

  save(): number[] {
    return [...this.#state];
  }

  /** @throws NetError bad-option */
  restore(state: readonly number[]): void {
    if (state.length !== 4) throw new NetError('bad-option', 'the state of a generator is four numbers');
    this.#state.set(state);
  }
}
