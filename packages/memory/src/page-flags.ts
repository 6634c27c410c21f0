import type { HostOffset } from './addresses.js';
import { PAGE_CLEAN, PAGE_CODE, PAGE_RESERVED, PAGE_SHIFT, PAGE_WATCHED } from './constants.js';

/** What a store is told for: PAGE_CODE, PAGE_CLEAN, PAGE_WATCHED, PAGE_RESERVED. */
export type StoreFlag = 1 | 2 | 4 | 8;
/** Those, and PAGE_LOAD_WATCHED. */
export type PageFlag = StoreFlag | 16;

/** Told of a store of `length` bytes at `offset` that touched a page with the flag it listens for. */
export type StoreListener = (offset: HostOffset, length: number) => void;

/** Told of a hart's load of `length` bytes at `offset` from a page with PAGE_LOAD_WATCHED. */
export type LoadListener = (offset: HostOffset, length: number) => void;

const FLAGS: readonly StoreFlag[] = [PAGE_CODE, PAGE_CLEAN, PAGE_WATCHED, PAGE_RESERVED];

/**
 * One byte per 4 KiB page of the host's memory. Every store (hart, DMA, loader) looks at the byte of
 * the page it touched and calls {@link PageFlags.flaggedStore} when it is not zero. "Clean" is the
 * inverse of dirty, so that the one comparison with zero covers dirty tracking too.
 */
export class PageFlags {
  readonly #bytes: Uint8Array;
  readonly #listeners = new Map<StoreFlag, StoreListener[]>(FLAGS.map((flag) => [flag, []]));
  readonly #loadListeners: LoadListener[] = [];

  /** `bytes` is the flag array, indexed by page number; `offset` is where it lies in the memory. */
  constructor(
    bytes: Uint8Array,
    readonly offset: HostOffset,
  ) {
    this.#bytes = bytes;
  }

  get(page: number): number {
    return this.#bytes[page] ?? 0;
  }

  set(page: number, flag: PageFlag): void {
    this.#bytes[page] |= flag;
  }

  clear(page: number, flag: PageFlag): void {
    this.#bytes[page] &= ~flag;
  }

  /** Calls `listener` after every store to a page that carries `flag`; the answer ends the subscription. */
  onStore(flag: StoreFlag, listener: StoreListener): () => void {
    return subscribe(this.#listeners.get(flag)!, listener);
  }

  /** Calls `listener` after every load of a hart from a watched page; the answer ends the subscription. */
  onLoad(listener: LoadListener): () => void {
    return subscribe(this.#loadListeners, listener);
  }

  /** The inlined check of every TypeScript store path. `length` is 1 or more. */
  noteStore(offset: HostOffset, length: number): void {
    const last = (offset + length - 1) >>> PAGE_SHIFT;
    for (let page = offset >>> PAGE_SHIFT; page <= last; page++) {
      if (this.#bytes[page] !== 0) {
        this.flaggedStore(offset, length);
        return;
      }
    }
  }

  /** Tells the listeners of every flag that the stored pages carry, and marks clean pages dirty. */
  readonly flaggedStore = (offset: number, length: number): void => {
    const start = (offset >>> 0) as HostOffset;
    const last = (start + length - 1) >>> PAGE_SHIFT;
    let seen = 0;
    for (let page = start >>> PAGE_SHIFT; page <= last; page++) {
      seen |= this.#bytes[page];
      this.#bytes[page] &= ~PAGE_CLEAN;
    }
    for (const flag of FLAGS) {
      if ((seen & flag) === 0) continue;
      for (const listener of this.#listeners.get(flag)!) listener(start, length);
    }
  };

  /** Tells the listeners of a load that touched a watched page. */
  readonly watchedLoad = (offset: number, length: number): void => {
    for (const listener of this.#loadListeners) listener((offset >>> 0) as HostOffset, length);
  };

  /** Starts or restarts dirty tracking of `count` pages: every one is clean until its next store. */
  armDirtyTracking(firstPage: number, count: number): void {
    for (let page = firstPage; page < firstPage + count; page++) this.#bytes[page] |= PAGE_CLEAN;
  }

  /** The pages written since tracking was armed, in ascending order; tracking is armed again. */
  takeDirty(firstPage: number, count: number): number[] {
    const dirty: number[] = [];
    for (let page = firstPage; page < firstPage + count; page++) {
      if ((this.#bytes[page] & PAGE_CLEAN) === 0) dirty.push(page);
    }
    this.armDirtyTracking(firstPage, count);
    return dirty;
  }
}

function subscribe<Listener>(listeners: Listener[], listener: Listener): () => void {
  listeners.push(listener);
  return () => {
    const index = listeners.indexOf(listener);
    if (index >= 0) listeners.splice(index, 1);
  };
}
