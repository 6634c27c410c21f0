import { closeSync, openSync, writeSync } from 'node:fs';
import { NetError } from '../error.js';
import type { ByteSink } from '../sink.js';

const BUFFER = 256 * 1024;

/** A file being written, buffered; what is buffered reaches it with `flush` or `close`. */
export class FileSink implements ByteSink {
  readonly #file: number;
  readonly #buffer = new Uint8Array(BUFFER);
  #length = 0;
  #open = true;

  /** Makes or empties the file. @throws NetError bad-capture */
  constructor(readonly path: string) {
    try {
      this.#file = openSync(path, 'w');
    } catch (cause) {
      throw new NetError('bad-capture', `${path} cannot be written: ${(cause as Error).message}`);
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > BUFFER) this.flush();
    if (bytes.length > BUFFER) this.#put(bytes);
    else {
      this.#buffer.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  flush(): void {
    this.#put(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  close(): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    closeSync(this.#file);
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
  }
}
