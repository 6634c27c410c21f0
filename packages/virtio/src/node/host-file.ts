import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  openSync,
  read,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { andThen, type Done } from '../blk/block-store.js';
import { VirtioError } from '../error.js';
import { punchHole } from './punch-hole.js';

const readAsync = promisify(read);
const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

/** Bytes of zeros that are written at a time where no hole can be made. */
const ZEROS = new Uint8Array(1024 * 1024);

export interface HostFileOptions {
  readonly readOnly?: boolean;
  /** Calls wait for the host instead of answering later: quick where the file lies in the host's cache. */
  readonly blocking?: boolean;
}

/** A file of the host, read and written at positions. */
export class HostFile {
  readonly blocking: boolean;
  readonly #fd: number;
  #open = true;
  #holes = true;

  /** Opens a file, or makes one with `create`. @throws VirtioError store */
  constructor(
    readonly path: string,
    options: HostFileOptions & { readonly create?: boolean } = {},
  ) {
    this.blocking = options.blocking ?? false;
    const create = options.create === true ? constants.O_CREAT | constants.O_EXCL : 0;
    const mode = options.readOnly === true ? constants.O_RDONLY : constants.O_RDWR;
    try {
      // Without O_NONBLOCK the open of a FIFO would wait for somebody at its other end.
      this.#fd = openSync(path, mode | create | constants.O_NONBLOCK, 0o644);
    } catch (cause) {
      throw new VirtioError('store', `${path} cannot be opened: ${(cause as Error).message}`);
    }
    if (!fstatSync(this.#fd).isFile()) {
      this.close();
      throw new VirtioError('store', `${path} is no regular file`);
    }
  }

  /** Bytes. */
  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** What lies behind the end of the file reads 0. */
  read(at: number, target: Uint8Array): Done {
    if (!this.blocking) return this.#readLater(at, target);
    for (let done = 0; done < target.length;) {
      const count = readSync(this.#fd, target, done, target.length - done, at + done);
      if (count === 0) return void target.fill(0, done);
      done += count;
    }
  }

  write(at: number, source: Uint8Array): Done {
    if (!this.blocking) return this.#writeLater(at, source);
    for (let done = 0; done < source.length;) {
      done += writeSync(this.#fd, source, done, source.length - done, at + done);
    }
  }

  sync(): Done {
    if (!this.blocking) return syncAsync(this.#fd);
    fdatasyncSync(this.#fd);
  }

  /** Frees the room of the bytes, which read 0 from then on; false where the host cannot. */
  punch(at: number, length: number): boolean | Promise<boolean> {
    if (!this.#holes) return false;
    const made = punchHole(this.#fd, at, length, this.blocking);
    if (made instanceof Promise) return made.then((ok) => (this.#holes &&= ok));
    return (this.#holes &&= made);
  }

  /** Writes zeros. */
  zero(at: number, length: number): Done {
    const rest = length - ZEROS.length;
    if (rest <= 0) return this.write(at, ZEROS.subarray(0, length));
    return andThen(this.write(at, ZEROS), () => this.zero(at + ZEROS.length, rest));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  async #readLater(at: number, target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length;) {
      const { bytesRead } = await readAsync(this.#fd, target, done, target.length - done, at + done);
      if (bytesRead === 0) return void target.fill(0, done);
      done += bytesRead;
    }
  }

  async #writeLater(at: number, source: Uint8Array): Promise<void> {
    for (let done = 0; done < source.length;) {
      done += (await writeAsync(this.#fd, source, done, source.length - done, at + done)).bytesWritten;
    }
  }
}
