import { DeviceError } from '@vmloom/device';

/** One bit for each interrupt source from 1 on; there is no bit 0, and what lies beyond the last source is ignored. */
export class Bits {
  readonly #words: Uint32Array;

  constructor(private readonly sources: number) {
    this.#words = new Uint32Array((sources >>> 5) + 1);
  }

  word(index: number): number {
    return this.#words[index] ?? 0;
  }

  has(source: number): boolean {
    return ((this.#words[source >>> 5] ?? 0) & (1 << (source & 31))) !== 0;
  }

  set(source: number): void {
    if (source !== 0 && source <= this.sources) this.#words[source >>> 5] |= 1 << (source & 31);
  }

  clear(source: number): void {
    if (source <= this.sources) this.#words[source >>> 5] &= ~(1 << (source & 31));
  }

  fill(word: number): void {
    this.#words.fill(word);
  }

  /** Whether any source has its bit here and in `other`. */
  meets(other: Bits): boolean {
    return this.#words.some((word, index) => (word & other.#words[index]) !== 0);
  }

  /** The sources that have their bits here and in `other`, ascending. */
  *both(other: Bits): Generator<number> {
    for (let index = 0; index < this.#words.length; index++) {
      for (let bits = this.#words[index] & other.#words[index]; bits !== 0; bits &= bits - 1) {
        yield index * 32 + 31 - Math.clz32(bits & -bits);
      }
    }
  }

  save(): readonly number[] {
    return [...this.#words];
  }

  /** @throws DeviceError bad-snapshot */
  restore(words: readonly number[]): void {
    if (words.length !== this.#words.length) {
      throw new DeviceError('bad-snapshot', 'the snapshot has another number of interrupt sources');
    }
    this.#words.set(words);
  }
}
