const FIRST = 16 * 1024;

/** Bytes that wait to be sent or acknowledged: a ring that grows as needed and is given back when empty. */
export class SendBuffer {
  #ring = EMPTY;
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#ring.length) this.#grow(this.#length + bytes.length);
    const at = (this.#start + this.#length) & (this.#ring.length - 1);
    const first = Math.min(bytes.length, this.#ring.length - at);
    this.#ring.set(bytes.subarray(0, first), at);
    this.#ring.set(bytes.subarray(first), 0);
    this.#length += bytes.length;
  }

  /** Copies `length` bytes from `offset` on to `at` of `target`. */
  copyTo(target: Uint8Array, at: number, offset: number, length: number): void {
    const from = (this.#start + offset) & (this.#ring.length - 1);
    const first = Math.min(length, this.#ring.length - from);
    target.set(this.#ring.subarray(from, from + first), at);
    if (first < length) target.set(this.#ring.subarray(0, length - first), at + first);
  }

  /** Forgets the first `length` bytes. */
  drop(length: number): void {
    this.#length -= length;
    this.#start = this.#length === 0 ? 0 : (this.#start + length) & (this.#ring.length - 1);
  }

  clear(): void {
    this.#ring = EMPTY;
    this.#start = this.#length = 0;
  }

  #grow(needed: number): void {
    let size = Math.max(FIRST, this.#ring.length);
    while (size < needed) size *= 2;
    const larger = new Uint8Array(size);
    if (this.#length > 0) this.copyTo(larger, 0, 0, this.#length);
    this.#ring = larger;
    this.#start = 0;
  }
}

const EMPTY = new Uint8Array(0);
