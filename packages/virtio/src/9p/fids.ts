import { EBADF, EMFILE, ENFILE, P9Error } from './errno.js';
import type { OpenFile } from './file-system.js';
import type { Place, PlaceTree } from './places.js';

/** Directories whose names are kept between reads. */
const LISTINGS = 64;

/** What a client calls by a number. */
export interface Fid {
  place: Place;
  /** The user of its attach. */
  readonly uid: number;
  /** Flags of its open; undefined before. */
  flags: number | undefined;
  file: OpenFile | undefined;
  /** Open, but the file could not be opened again after a restore. */
  stale: boolean;
}

export interface FidLimits {
  readonly fids: number;
  readonly files: number;
}

/** The fids of a session, bounded: a client that asks for more than that is refused. */
export class FidTable {
  readonly #fids = new Map<number, Fid>();
  readonly #listings = new Map<Fid, readonly string[]>();
  #files = 0;

  constructor(
    private readonly places: PlaceTree,
    private readonly limits: FidLimits,
  ) {}

  get size(): number {
    return this.#fids.size;
  }

  entries(): IterableIterator<[number, Fid]> {
    return this.#fids.entries();
  }

  has(number: number): boolean {
    return this.#fids.has(number);
  }

  /** @throws P9Error EBADF */
  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new P9Error(EBADF);
    return fid;
  }

  /** Adds a fid at a place that was retained for it. @throws P9Error EBADF when it exists, EMFILE */
  add(number: number, place: Place, uid: number): Fid {
    if (this.#fids.has(number) || this.#fids.size >= this.limits.fids) {
      this.places.release(place);
      throw new P9Error(this.#fids.has(number) ? EBADF : EMFILE);
    }
    const fid: Fid = { place, uid, flags: undefined, file: undefined, stale: false };
    this.#fids.set(number, fid);
    return fid;
  }

  /** Opens a file for a fid. @throws P9Error ENFILE, or what `open` throws */
  open(fid: Fid, flags: number, open: () => OpenFile): void {
    if (this.#files >= this.limits.files) throw new P9Error(ENFILE);
    fid.file = open();
    fid.flags = flags;
    this.#files++;
  }

  remove(number: number): void {
    const fid = this.get(number);
    this.#fids.delete(number);
    this.#listings.delete(fid);
    if (fid.file !== undefined) {
      this.#files--;
      fid.file.close();
    }
    this.places.release(fid.place);
  }

  clear(): void {
    for (const number of [...this.#fids.keys()]) {
      try {
        this.remove(number);
      } catch {
        // A file that cannot be closed is gone all the same.
      }
    }
  }

  /** The names of an open directory as they were when it was read from its beginning. */
  listing(fid: Fid, anew: boolean, list: () => readonly string[]): readonly string[] {
    let names = anew ? undefined : this.#listings.get(fid);
    names ??= list();
    this.#listings.delete(fid);
    this.#listings.set(fid, names);
    if (this.#listings.size > LISTINGS) this.#listings.delete(this.#listings.keys().next().value!);
    return names;
  }
}
