import { PAGE_SHIFT, PAGE_WATCHED, type HostMemory } from '@vmloom/memory';

/** Bytes of the host's memory that are watched. */
interface Range {
  readonly offset: number;
  readonly length: number;
}

interface Watchpoint {
  readonly address: bigint;
  readonly length: number;
  readonly ranges: readonly Range[];
}

/** Most watchpoints at a time. */
const LIMIT = 64;

/**
 * Watchpoints of stores, by harts and by DMA alike, through the page flag that every store honours. One is
 * named by the address and length it was set with, and watches the memory that these meant then.
 */
export class Watchpoints {
  /** Told after a store that touched a watched byte; `address` is the watchpoint's. */
  onHit: ((address: bigint) => void) | undefined;
  readonly #points: Watchpoint[] = [];
  readonly #unsubscribe: () => void;
  #deaf = false;

  constructor(readonly memory: HostMemory) {
    this.#unsubscribe = memory.flags.onStore(PAGE_WATCHED, (offset, length) => this.#stored(offset, length));
  }

  /** False when there are too many. */
  add(address: bigint, length: number, ranges: readonly Range[]): boolean {
    this.remove(address, length);
    if (this.#points.length === LIMIT) return false;
    this.#points.push({ address, length, ranges });
    for (const page of pages(ranges)) this.memory.flags.set(page, PAGE_WATCHED);
    return true;
  }

  remove(address: bigint, length: number): void {
    const index = this.#points.findIndex((point) => point.address === address && point.length === length);
    if (index >= 0) this.#removeAt(index);
  }

  clear(): void {
    while (this.#points.length > 0) this.#removeAt(0);
  }

  /** Ends it all; it cannot be used again. */
  close(): void {
    this.clear();
    this.#unsubscribe();
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
    const still = new Set(this.#points.flatMap(({ ranges }) => [...pages(ranges)]));
    for (const page of pages(gone.ranges)) {
      if (!still.has(page)) this.memory.flags.clear(page, PAGE_WATCHED);
    }
  }

  #stored(offset: number, length: number): void {
    if (this.#deaf) return;
    const hit = this.#points.find(({ ranges }) =>
      ranges.some((range) => range.offset < offset + length && offset < range.offset + range.length),
    );
    if (hit !== undefined) this.onHit?.(hit.address);
  }
}

function* pages(ranges: readonly Range[]): Generator<number> {
  for (const { offset, length } of ranges) {
    const last = (offset + length - 1) >>> PAGE_SHIFT;
    for (let page = offset >>> PAGE_SHIFT; page <= last; page++) yield page;
  }
}
