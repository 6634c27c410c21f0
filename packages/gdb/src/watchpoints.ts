import { PAGE_LOAD_WATCHED, PAGE_SHIFT, PAGE_WATCHED, type HostMemory } from '@vmloom/memory';
import type { WatchedAccess } from './target.js';

/** Bytes of the host's memory that are watched. */
interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A watchpoint as the debugger names it. */
export interface WatchpointName {
  readonly address: bigint;
  readonly length: number;
  readonly watched: WatchedAccess;
}

interface Watchpoint extends WatchpointName {
  readonly ranges: readonly Range[];
}

/** Most watchpoints at a time. */
const LIMIT = 64;

/**
 * Watchpoints of stores, by harts and by DMA alike, through the page flag that every store honours; and of
 * loads by harts, which go the slow way to a watched page. One is named by the address and length it was set
 * with, and watches the memory that these meant then.
 */
export class Watchpoints {
  /** Told after an access that touched a watched byte. */
  onHit: ((point: WatchpointName) => void) | undefined;
  readonly #points: Watchpoint[] = [];
  readonly #unsubscribe: readonly (() => void)[];
  #deaf = false;

  /** `watchLoads` makes harts tell of their loads from a host page until its flag is cleared. */
  constructor(
    readonly memory: HostMemory,
    readonly watchLoads: (page: number) => void,
  ) {
    const { flags } = memory;
    this.#unsubscribe = [
      flags.onStore(PAGE_WATCHED, (offset, length) => this.#touched(offset, length, stores)),
      flags.onLoad((offset, length) => this.#touched(offset, length, loads)),
    ];
  }

  /** False when there are too many. */
  add(point: Watchpoint): boolean {
    this.remove(point);
    if (this.#points.length === LIMIT) return false;
    this.#points.push(point);
    for (const page of pages(point.ranges)) {
      if (stores(point)) this.memory.flags.set(page, PAGE_WATCHED);
      if (loads(point)) this.watchLoads(page);
    }
    return true;
  }

  remove({ address, length, watched }: WatchpointName): void {
    const index = this.#points.findIndex(
      (point) => point.address === address && point.length === length && point.watched === watched,
    );
    if (index >= 0) this.#removeAt(index);
  }

  clear(): void {
    while (this.#points.length > 0) this.#removeAt(0);
  }

  /** Ends it all; it cannot be used again. */
  close(): void {
    this.clear();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** What the debugger itself writes is no hit. */
  unnoticed<Value>(act: () => Value): Value {
    this.#deaf = true;
    try {
      return act();
    } finally {
      this.#deaf = false;
    }
  }

  #removeAt(index: number): void {
    const [gone] = this.#points.splice(index, 1);
    const still = (wanted: typeof stores): Set<number> =>
      new Set(this.#points.filter(wanted).flatMap(({ ranges }) => [...pages(ranges)]));
    const [stored, loaded] = [still(stores), still(loads)];
    for (const page of pages(gone.ranges)) {
      if (!stored.has(page)) this.memory.flags.clear(page, PAGE_WATCHED);
      if (!loaded.has(page)) this.memory.flags.clear(page, PAGE_LOAD_WATCHED);
    }
  }

  #touched(offset: number, length: number, wanted: typeof stores): void {
    if (this.#deaf) return;
    const hit = this.#points.find(
      (point) =>
        wanted(point) &&
        point.ranges.some((range) => range.offset < offset + length && offset < range.offset + range.length),
    );
    if (hit !== undefined) this.onHit?.(hit);
  }
}

const stores = ({ watched }: WatchpointName): boolean => watched !== 'load';
const loads = ({ watched }: WatchpointName): boolean => watched !== 'store';

function* pages(ranges: readonly Range[]): Generator<number> {
  for (const { offset, length } of ranges) {
    const last = (offset + length - 1) >>> PAGE_SHIFT;
    for (let page = offset >>> PAGE_SHIFT; page <= last; page++) yield page;
  }
}
