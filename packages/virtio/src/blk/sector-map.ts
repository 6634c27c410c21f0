/** Sectors whose bits lie in one page: 4096 bytes of bits, 16 MiB of disk. */
export const MAP_PAGE_SECTORS = 32_768;
/** Bytes of a page. */
export const MAP_PAGE = MAP_PAGE_SECTORS / 8;

/** A bit per sector; pages without any are not kept. Bit 0 of byte 0 is the first sector. */
export class SectorMap {
  readonly #pages = new Map<number, Uint8Array>();
  /** Pages changed since {@link takeChanged}. */
  readonly #changed = new Set<number>();

  has(sector: number): boolean {
    const page = this.#pages.get(Math.floor(sector / MAP_PAGE_SECTORS));
    const bit = sector % MAP_PAGE_SECTORS;
    return page !== undefined && (page[bit >>> 3] & (1 << (bit & 7))) !== 0;
  }

  /** How many sectors from `sector` on, at most `limit` (1 or more), are as the first one is. */
  run(sector: number, limit: number): number {
    const present = this.has(sector);
    const whole = present ? 0xff : 0;
    let count = 1;
    while (count < limit) {
      const at = sector + count;
      const page = this.#pages.get(Math.floor(at / MAP_PAGE_SECTORS));
      const bit = at % MAP_PAGE_SECTORS;
      if (page === undefined) {
        if (present) break;
        count += MAP_PAGE_SECTORS - bit;
      } else if ((bit & 7) === 0 && page[bit >>> 3] === whole) count += 8;
      else if (((page[bit >>> 3] & (1 << (bit & 7))) !== 0) === present) count++;
      else break;
    }
    return Math.min(count, limit);
  }

  add(sector: number, count: number): void {
    for (let at = sector; at < sector + count;) {
      const index = Math.floor(at / MAP_PAGE_SECTORS);
      let page = this.#pages.get(index);
      if (page === undefined) this.#pages.set(index, (page = new Uint8Array(MAP_PAGE)));
      const bit = at % MAP_PAGE_SECTORS;
      if ((bit & 7) === 0 && at + 8 <= sector + count) {
        page[bit >>> 3] = 0xff;
        at += 8;
      } else {
        page[bit >>> 3] |= 1 << (bit & 7);
        at++;
      }
      this.#changed.add(index);
    }
  }

  /** Copies of the pages that changed since the last call. */
  takeChanged(): { index: number; bytes: Uint8Array }[] {
    const changed = [...this.#changed].map((index) => ({ index, bytes: this.#pages.get(index)!.slice() }));
    this.#changed.clear();
    return changed;
  }

  /** Has {@link takeChanged} answer these pages again. */
  putBack(indexes: readonly number[]): void {
    for (const index of indexes) this.#changed.add(index);
  }

  /** Sets a page as it was saved. */
  setPage(index: number, bytes: Uint8Array): void {
    this.#pages.set(index, bytes.slice());
  }

  /** All pages that have a bit. */
  pages(): { index: number; bytes: Uint8Array }[] {
    return [...this.#pages].map(([index, bytes]) => ({ index, bytes: bytes.slice() }));
  }

  clear(): void {
    this.#pages.clear();
    this.#changed.clear();
  }
}
