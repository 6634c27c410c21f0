import type { SnapshotValue } from '@vmloom/device';
import { VirtioError } from '../error.js';
import { SECTOR, type BlockStore } from './block-store.js';

/** Bytes that are allocated together. */
const CHUNK = 65_536;

export interface MemoryStoreOptions {
  /** Bytes, a multiple of 512; the image's, rounded up, unless told. */
  readonly size?: number;
  /** What the disk holds at first. It is never written: chunks are copied when they change. */
  readonly image?: Uint8Array;
  readonly readOnly?: boolean;
}

/** A disk in memory, allocated as it is written. A snapshot holds what was written. */
export class MemoryStore implements BlockStore {
  readonly size: number;
  readonly readOnly: boolean;
  readonly outside = false;
  readonly deallocates = true;
  readonly #image: Uint8Array;
  /** Chunks that differ from the image; null: zeros. */
  #chunks = new Map<number, Uint8Array | null>();

  /** @throws VirtioError bad-option */
  constructor(options: MemoryStoreOptions) {
    this.#image = options.image ?? new Uint8Array(0);
    this.size = options.size ?? Math.ceil(this.#image.length / SECTOR) * SECTOR;
    this.readOnly = options.readOnly ?? false;
    if (!Number.isSafeInteger(this.size) || this.size <= 0 || this.size % SECTOR !== 0) {
      throw new VirtioError(
        'bad-option',
        `a disk of ${this.size} bytes: a multiple of 512 above 0 is needed`,
      );
    }
  }

  /** Bytes of the host that the disk takes beside its image. */
  get allocated(): number {
    let bytes = 0;
    for (const chunk of this.#chunks.values()) bytes += chunk?.length ?? 0;
    return bytes;
  }

  read(at: number, target: Uint8Array): void {
    this.#pieces(at, target.length, (index, start, length, done) => {
      const piece = target.subarray(done, done + length);
      const chunk = this.#chunks.get(index);
      if (chunk === null) piece.fill(0);
      else if (chunk !== undefined) piece.set(chunk.subarray(start, start + length));
      else this.#readImage(index * CHUNK + start, piece);
    });
  }

  write(at: number, source: Uint8Array): void {
    this.#pieces(at, source.length, (index, start, length, done) => {
      this.#own(index).set(source.subarray(done, done + length), start);
    });
  }

  flush(): void {}

  discard(at: number, length: number): void {
    this.#pieces(at, length, (index, _start, bytes) => {
      if (bytes === CHUNK) this.#drop(index);
    });
  }

  zero(at: number, length: number): void {
    this.#pieces(at, length, (index, start, bytes) => {
      if (bytes === CHUNK) this.#drop(index);
      else if (this.#chunks.get(index) !== null) this.#own(index).fill(0, start, start + bytes);
    });
  }

  save(): SnapshotValue {
    return [...this.#chunks].map(([index, chunk]) => ({
      index,
      bytes: chunk === null ? null : chunk.slice(),
    }));
  }

  restore(value: SnapshotValue): void {
    const chunks = value as unknown as readonly { index: number; bytes: Uint8Array | null }[];
    this.#chunks = new Map(chunks.map(({ index, bytes }) => [index, bytes === null ? null : bytes.slice()]));
  }

  #drop(index: number): void {
    if (this.#image.length > index * CHUNK) this.#chunks.set(index, null);
    else this.#chunks.delete(index);
  }

  #own(index: number): Uint8Array {
    const known = this.#chunks.get(index);
    if (known !== undefined && known !== null) return known;
    const chunk = new Uint8Array(CHUNK);
    if (known === undefined) this.#readImage(index * CHUNK, chunk);
    this.#chunks.set(index, chunk);
    return chunk;
  }

  #readImage(at: number, target: Uint8Array): void {
    const part = this.#image.subarray(at, at + target.length);
    target.set(part);
    target.fill(0, part.length);
  }

  #pieces(
    at: number,
    length: number,
    visit: (index: number, start: number, length: number, done: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const start = (at + done) % CHUNK;
      const bytes = Math.min(CHUNK - start, length - done);
      visit(Math.floor((at + done) / CHUNK), start, bytes, done);
      done += bytes;
    }
  }
}
