import { Random } from '@vmloom/net';
import { VirtioError } from '../error.js';
import { SECTOR, type BlockStore } from './block-store.js';

export interface PowerLossOptions {
  /** Decides what is lost; any integer. */
  readonly seed: number;
  /** The power fails by itself before the write, discard, zeroing or flush of this number, counted from 0. */
  readonly cutAt?: number;
  /** Bytes that the cache holds; older writes reach the medium when there are more. 64 MiB unless told. */
  readonly cache?: number;
}

interface HeldWrite {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * A disk with a volatile cache that loses power. Writes are held, and read back as a disk reads them back, until a
 * flush takes them to the medium. {@link cut} ends that: of the writes held each one survives, is lost, or is torn
 * into sectors that do and do not survive; those that survive reach the medium in any order. Then every call fails,
 * and {@link medium} holds what the next boot finds.
 */
export class PowerLossStore implements BlockStore {
  readonly outside = false;
  readonly deallocates = false;
  /** Writes, discards, zeroings and flushes so far: what {@link PowerLossOptions.cutAt} counts. */
  operations = 0;
  /** Flushes so far. */
  flushes = 0;
  readonly #random: Random;
  readonly #cutAt: number;
  readonly #limit: number;
  #held: HeldWrite[] = [];
  #heldBytes = 0;
  /** The newest held bytes of each sector. */
  readonly #newest = new Map<number, Uint8Array>();
  #off = false;

  /** @throws VirtioError bad-option when the medium is outside */
  constructor(
    readonly medium: BlockStore,
    options: PowerLossOptions,
  ) {
    if (medium.outside) {
      throw new VirtioError('bad-option', 'a power loss repeats only on a medium that answers at once');
    }
    this.#random = new Random(options.seed);
    this.#cutAt = options.cutAt ?? Infinity;
    this.#limit = options.cache ?? 64 * 1024 * 1024;
  }

  get size(): number {
    return this.medium.size;
  }

  get readOnly(): boolean {
    return this.medium.readOnly;
  }

  /** The power has failed. */
  get isOff(): boolean {
    return this.#off;
  }

  /** Writes that a loss of power would endanger. */
  get held(): number {
    return this.#held.length;
  }

  read(at: number, target: Uint8Array): void {
    this.#alive();
    void this.medium.read(at, target);
    if (this.#newest.size === 0) return;
    for (let done = 0; done < target.length; done += SECTOR) {
      const bytes = this.#newest.get((at + done) / SECTOR);
      if (bytes !== undefined) target.set(bytes, done);
    }
  }

  write(at: number, source: Uint8Array): void {
    this.#count();
    this.#hold(at, source.slice());
  }

  flush(): void {
    this.#count();
    this.flushes++;
    for (const { at, bytes } of this.#held) void this.medium.write(at, bytes);
    this.#forget();
    void this.medium.flush();
  }

  /** A discard changes nothing here: what it would free may still be read. */
  discard(): void {
    this.#count();
  }

  zero(at: number, length: number): void {
    this.#count();
    this.#hold(at, new Uint8Array(length));
  }

  /** The power fails now. Nothing happens the second time. */
  cut(): void {
    if (this.#off) return;
    this.#off = true;
    const random = this.#random;
    const writes = this.#held;
    for (let left = writes.length; left > 1; left--) {
      const other = random.below(left);
      [writes[left - 1], writes[other]] = [writes[other], writes[left - 1]];
    }
    for (const { at, bytes } of writes) {
      const fate = random.below(20);
      if (fate < 9) void this.medium.write(at, bytes);
      else if (fate < 11) this.#tear(at, bytes);
    }
    this.#forget();
    void this.medium.flush();
  }

  #tear(at: number, bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += SECTOR) {
      if (this.#random.below(2) === 0)
        void this.medium.write(at + start, bytes.subarray(start, start + SECTOR));
    }
  }

  #hold(at: number, bytes: Uint8Array): void {
    this.#held.push({ at, bytes });
    this.#heldBytes += bytes.length;
    for (let start = 0; start < bytes.length; start += SECTOR) {
      this.#newest.set((at + start) / SECTOR, bytes.subarray(start, start + SECTOR));
    }
    while (this.#heldBytes > this.#limit) this.#writeBack();
  }

  /** The oldest write leaves the cache. */
  #writeBack(): void {
    const { at, bytes } = this.#held.shift()!;
    void this.medium.write(at, bytes);
    this.#heldBytes -= bytes.length;
    for (let start = 0; start < bytes.length; start += SECTOR) {
      const sector = (at + start) / SECTOR;
      if (this.#newest.get(sector)?.buffer === bytes.buffer) this.#newest.delete(sector);
    }
  }

  #forget(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#newest.clear();
  }

  #count(): void {
    this.#alive();
    if (this.operations++ >= this.#cutAt) {
      this.cut();
      this.#alive();
    }
  }

  #alive(): void {
    if (this.#off) throw new VirtioError('store', 'the disk has no power');
  }
}
