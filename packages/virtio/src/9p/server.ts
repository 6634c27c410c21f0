import type { SnapshotValue } from '@vmloom/device';
import { getattr, mknod, readlink, setattr, statfs, unsupported } from './attributes.js';
import { link, mkdir, readdir, remove, rename, renameat, symlink, unlinkat } from './directory.js';
import * as E from './errno.js';
import { P9Error } from './errno.js';
import { FidTable, type FidLimits } from './fids.js';
import type { FileSystem } from './file-system.js';
import { pathOf, PlaceTree } from './places.js';
import * as R from './registers.js';
import { checkName, type Operation, type Session } from './session.js';
import { fsync, getlock, lcreate, lock, lopen, read, write } from './transfer.js';
import { attach, clunk, walk } from './walking.js';
import { MessageReader, MessageWriter } from './wire.js';

const VERSION = '9P2000.L';
/** Below this no client gets along. */
const MIN_MSIZE = 4096;

export interface P9ServerOptions {
  readonly files: FileSystem;
  /** Refuses everything that would change something. False unless told. */
  readonly readOnly?: boolean;
  /** Bytes of a message at most. 512 KiB unless told, 16 MiB at most. */
  readonly msize?: number;
  /** Fids at a time. 65536 unless told. */
  readonly maxFids?: number;
  /** Open files at a time. 1024 unless told. */
  readonly maxFiles?: number;
}

/** What flush aborts has been answered already: requests are carried out one after the other. */
const flush: Operation = () => undefined;

const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [R.TSTATFS, statfs],
  [R.TLOPEN, lopen],
  [R.TLCREATE, lcreate],
  [R.TSYMLINK, symlink],
  [R.TMKNOD, mknod],
  [R.TRENAME, rename],
  [R.TREADLINK, readlink],
  [R.TGETATTR, getattr],
  [R.TSETATTR, setattr],
  [R.TXATTRWALK, unsupported],
  [R.TXATTRCREATE, unsupported],
  [R.TREADDIR, readdir],
  [R.TFSYNC, fsync],
  [R.TLOCK, lock],
  [R.TGETLOCK, getlock],
  [R.TLINK, link],
  [R.TMKDIR, mkdir],
  [R.TRENAMEAT, renameat],
  [R.TUNLINKAT, unlinkat],
  [R.TATTACH, attach],
  [R.TFLUSH, flush],
  [R.TWALK, walk],
  [R.TREAD, read],
  [R.TWRITE, write],
  [R.TCLUNK, clunk],
  [R.TREMOVE, remove],
]);

interface SavedFid {
  readonly number: number;
  readonly uid: number;
  readonly path: readonly string[] | null;
  readonly flags: number | null;
  readonly isFile: boolean;
}

/**
 * A server of 9P2000.L over a {@link FileSystem}: bytes of a message in, bytes of its answer out. It knows no
 * transport. Whatever the client sends, there is an answer, and nothing outside the file system is reached.
 */
export class P9Server {
  readonly #files: FileSystem;
  readonly #readOnly: boolean;
  readonly #maxMsize: number;
  readonly #limits: FidLimits;
  #places: PlaceTree;
  #fids: FidTable;
  /** As agreed on; 0 before Tversion. */
  #msize = 0;

  constructor(options: P9ServerOptions) {
    this.#files = options.files;
    this.#readOnly = options.readOnly ?? false;
    this.#maxMsize = Math.min(options.msize ?? 512 * 1024, 16 * 1024 * 1024);
    this.#limits = { fids: options.maxFids ?? 65_536, files: options.maxFiles ?? 1024 };
    this.#places = this.#newPlaces();
    this.#fids = new FidTable(this.#places, this.#limits);
  }

  /** The longest message that is taken. */
  get maxMessage(): number {
    return this.#maxMsize;
  }

  /** Fids in use. */
  get fids(): number {
    return this.#fids.size;
  }

  /** The answer to a message of 7 bytes or more, of at most `room` bytes (11 or more). */
  handle(message: Uint8Array, room: number): Uint8Array {
    const type = message[4];
    const tag = message[5] | (message[6] << 8);
    try {
      const answer = this.#answer(type, new MessageReader(message), room);
      if (answer.length > room) throw new P9Error(E.EMSGSIZE);
      return answer.finish(type + 1, tag);
    } catch (error) {
      const errno = error instanceof P9Error ? error.errno : E.EIO;
      return new MessageWriter().u32(errno).finish(R.RLERROR, tag);
    }
  }

  /** The session is over: all fids are clunked. */
  reset(): void {
    this.#fids.clear();
    this.#msize = 0;
    this.#files.forget(this.#places.root);
    this.#places = this.#newPlaces();
    this.#fids = new FidTable(this.#places, this.#limits);
  }

  save(): SnapshotValue {
    const fids = [...this.#fids.entries()].map(([number, { place, uid, flags, file, stale }]) => ({
      number,
      uid,
      path: stale ? null : (pathOf(place) ?? null),
      flags: flags ?? null,
      isFile: file !== undefined || stale,
    }));
    return { msize: this.#msize, fids, files: this.#files.save?.() ?? null };
  }

  /** Files are opened again by their names; those that are not there any more are stale. */
  restore(value: SnapshotValue): void {
    const saved = value as unknown as { msize: number; fids: readonly SavedFid[]; files: SnapshotValue };
    this.reset();
    this.#msize = saved.msize;
    if (saved.files !== null) this.#files.restore?.(saved.files);
    for (const fid of saved.fids) this.#restoreFid(fid);
  }

  #restoreFid({ number, uid, path, flags, isFile }: SavedFid): void {
    const places = this.#places;
    let place = places.retain(places.root);
    for (const name of path ?? []) {
      const next = places.child(place, checkName(name));
      places.release(place);
      place = next;
    }
    const fid = this.#fids.add(number, place, uid);
    if (flags === null && path !== null) return;
    fid.flags = flags ?? undefined;
    fid.stale = isFile || path === null;
    if (!isFile || path === null) return;
    try {
      const again = flags! & ~R.O_TRUNC;
      this.#fids.open(fid, again, () => this.#files.open(place, again));
      fid.stale = false;
    } catch {
      // It stays stale.
    }
  }

  #newPlaces(): PlaceTree {
    return new PlaceTree((place) => this.#files.forget(place));
  }

  #answer(type: number, message: MessageReader, room: number): MessageWriter {
    if (type === R.TVERSION) return this.#version(message);
    if (this.#msize === 0) throw new P9Error(E.EPROTO);
    if (message.bytes.length > this.#msize) throw new P9Error(E.EMSGSIZE);
    const operation = OPERATIONS.get(type);
    if (operation === undefined) throw new P9Error(E.EOPNOTSUPP);
    const answer = new MessageWriter();
    const session: Session = {
      files: this.#files,
      readOnly: this.#readOnly,
      places: this.#places,
      fids: this.#fids,
      room: Math.min(room, this.#msize),
    };
    operation(session, message, answer);
    return answer;
  }

  /** version(5): begins a session, whatever was before. */
  #version(message: MessageReader): MessageWriter {
    const msize = Math.min(message.u32(), this.#maxMsize);
    const version = message.string();
    this.reset();
    if (version !== VERSION) return new MessageWriter().u32(msize).string('unknown');
    if (msize < MIN_MSIZE) throw new P9Error(E.EMSGSIZE);
    this.#msize = msize;
    return new MessageWriter().u32(msize).string(VERSION);
  }
}
