/** Where bytes go: a file, an array. What is written is taken before the call returns. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Keeps everything in memory. */
export class MemorySink implements ByteSink {
  #bytes = new Uint8Array(4096);
  #length = 0;

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
