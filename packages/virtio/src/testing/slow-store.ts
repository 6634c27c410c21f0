import type { BlockStore } from '../blk/block-store.js';

interface Waiting {
  readonly begin: () => void | Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A store outside that does nothing before the test lets it. */
export class SlowStore implements BlockStore {
  readonly outside = true;
  /** Calls that have not been answered, oldest first. */
  waiting: Waiting[] = [];

  constructor(readonly inner: BlockStore) {}

  get size(): number {
    return this.inner.size;
  }

  get readOnly(): boolean {
    return this.inner.readOnly;
  }

  get deallocates(): boolean {
    return this.inner.deallocates;
  }

  /** Carries out `count` calls, all unless told, last first if `reversed`; resolves when their callers have heard. */
  async answer(count = this.waiting.length, reversed = false): Promise<void> {
    const calls = this.waiting.splice(reversed ? this.waiting.length - count : 0, count);
    if (reversed) calls.reverse();
    for (const { begin, resolve, reject } of calls) {
      try {
        await begin();
        resolve();
      } catch (error) {
        reject(error);
      }
    }
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }

  read(at: number, target: Uint8Array): Promise<void> {
    return this.#later(() => this.inner.read(at, target));
  }

  write(at: number, source: Uint8Array): Promise<void> {
    return this.#later(() => this.inner.write(at, source));
  }

  flush(): Promise<void> {
    return this.#later(() => this.inner.flush());
  }

  discard(at: number, length: number): Promise<void> {
    return this.#later(() => this.inner.discard(at, length));
  }

  zero(at: number, length: number, deallocate: boolean): Promise<void> {
    return this.#later(() => this.inner.zero(at, length, deallocate));
  }

  #later(begin: Waiting['begin']): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ begin, resolve, reject }));
  }
}
