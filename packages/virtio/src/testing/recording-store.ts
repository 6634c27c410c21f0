import type { BlockStore } from '../blk/block-store.js';

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'flush' }
  | { readonly kind: 'discard'; readonly at: number; readonly length: number }
  | { readonly kind: 'zero'; readonly at: number; readonly length: number; readonly deallocate: boolean };

/**
 * Notes everything that changes a store, so that it can be done again on another one: a load on a disk is run once, and
 * then lost at as many points as one likes.
 */
export class RecordingStore implements BlockStore {
  readonly changes: Change[] = [];

  constructor(readonly inner: BlockStore) {}

  get size(): number {
    return this.inner.size;
  }

  get readOnly(): boolean {
    return this.inner.readOnly;
  }

  get outside(): boolean {
    return this.inner.outside;
  }

  get deallocates(): boolean {
    return this.inner.deallocates;
  }

  read(at: number, target: Uint8Array): void | Promise<void> {
    return this.inner.read(at, target);
  }

  write(at: number, source: Uint8Array): void | Promise<void> {
    this.changes.push({ kind: 'write', at, bytes: source.slice() });
    return this.inner.write(at, source);
  }

  flush(): void | Promise<void> {
    this.changes.push({ kind: 'flush' });
    return this.inner.flush();
  }

  discard(at: number, length: number): void | Promise<void> {
    this.changes.push({ kind: 'discard', at, length });
    return this.inner.discard(at, length);
  }

  zero(at: number, length: number, deallocate: boolean): void | Promise<void> {
    this.changes.push({ kind: 'zero', at, length, deallocate });
    return this.inner.zero(at, length, deallocate);
  }

  /** Does the changes before the one of number `end` on a store that answers at once; all unless told. */
  replay(store: BlockStore, end = this.changes.length): void {
    for (const change of this.changes.slice(0, end)) {
      if (change.kind === 'write') void store.write(change.at, change.bytes);
      else if (change.kind === 'flush') void store.flush();
      else if (change.kind === 'discard') void store.discard(change.at, change.length);
      else void store.zero(change.at, change.length, change.deallocate);
    }
  }
}
