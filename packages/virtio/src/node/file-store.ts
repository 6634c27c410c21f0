import { SECTOR, type BlockStore, type Done } from '../blk/block-store.js';
import { VirtioError } from '../error.js';
import { HostFile, type HostFileOptions } from './host-file.js';

/** Holes smaller than this cost more than they give; bytes. */
const HOLE = 1024 * 1024;

export interface FileStoreOptions extends HostFileOptions {
  /** Where in the file the disk begins; bytes. 0 unless told. */
  readonly offset?: number;
  /** Bytes of the disk; the rest of the file, rounded down to 512, unless told. */
  readonly size?: number;
}

/**
 * A disk in a file of the host: a raw image. Without `blocking` it is outside: calls end in the host's own time. With
 * it calls wait for the host, data moves straight between file and guest, and a run repeats as long as the file does.
 */
export class FileStore implements BlockStore {
  readonly size: number;
  readonly readOnly: boolean;
  readonly outside: boolean;
  readonly deallocates = true;
  readonly #file: HostFile;
  readonly #offset: number;

  /** @throws VirtioError store when the file cannot be opened or holds no sector */
  constructor(file: string | HostFile, options: FileStoreOptions = {}) {
    this.#file = typeof file === 'string' ? new HostFile(file, options) : file;
    this.#offset = options.offset ?? 0;
    const rest = Math.max(0, this.#file.size - this.#offset);
    this.size = options.size ?? rest - (rest % SECTOR);
    this.readOnly = options.readOnly ?? false;
    this.outside = !this.#file.blocking;
    if (this.size < SECTOR) {
      this.#file.close();
      throw new VirtioError('store', `${this.#file.path} holds no sector of 512 bytes`);
    }
  }

  read(at: number, target: Uint8Array): Done {
    return this.#file.read(this.#offset + at, target);
  }

  write(at: number, source: Uint8Array): Done {
    return this.#file.write(this.#offset + at, source);
  }

  flush(): Done {
    return this.#file.sync();
  }

  discard(at: number, length: number): Done {
    if (length < HOLE) return undefined;
    const made = this.#file.punch(this.#offset + at, length);
    return made instanceof Promise ? made.then(() => undefined) : undefined;
  }

  zero(at: number, length: number, deallocate: boolean): Done {
    const write = (): Done => this.#file.zero(this.#offset + at, length);
    if (!deallocate || length < HOLE) return write();
    const made = this.#file.punch(this.#offset + at, length);
    if (made instanceof Promise) return made.then((ok) => (ok ? undefined : write()));
    return made ? undefined : write();
  }

  close(): void {
    this.#file.close();
  }
}
