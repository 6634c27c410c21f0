import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import * as E from '../9p/errno.js';
import { P9Error } from '../9p/errno.js';
import type {
  Creator,
  FileStatus,
  FileSystem,
  FileSystemStatus,
  OpenFile,
  StatusChange,
} from '../9p/file-system.js';
import type { Place } from '../9p/places.js';
import { NO_FID, O_EXCL } from '../9p/registers.js';
import { VirtioError } from '../error.js';

/** Names an object without opening it; Node has no name for it. */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK, O_CREAT, O_NOCTTY } = constants;
/** Objects that are kept open between calls. */
const OPEN_OBJECTS = 256;
/** Objects without a name that are kept open for who still uses them. */
const HELD_OBJECTS = 1024;
/** Directories below each other that are opened one after the other: a rename may put a walk below another one. */
const MAX_DEPTH = 4096;

/**
 * A folder of a Linux host. An object is found from the folder downwards, one name at a time, each in the directory
 * that is open already and never through a symbolic link: neither "..", nor an absolute name, nor a link that
 * somebody puts there meanwhile leads out of the folder. Owners are set where the host allows it, and otherwise
 * left. Calls take as long as the host's file system does.
 */
export class HostFolder implements FileSystem {
  readonly outside = true;
  readonly #root: number;
  /** The least recently used first. */
  readonly #open = new Map<Place, number>();
  readonly #held = new Set<Place>();
  /** Numbers of the devices under the folder, so that objects of two file systems are not taken for one. */
  readonly #devices = new Map<bigint, bigint>();

  /** @throws VirtioError store */
  constructor(readonly path: string) {
    if (process.platform !== 'linux') {
      throw new VirtioError('store', 'a folder can be shared on a Linux host only: it takes /proc/self/fd');
    }
    try {
      this.#root = openSync(path, O_PATH | O_DIRECTORY);
    } catch (cause) {
      throw new VirtioError('store', `${path} cannot be shared: ${(cause as Error).message}`);
    }
  }

  /** Nothing may be used any more. */
  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
    this.#held.clear();
    closeSync(this.#root);
  }

  status(place: Place): FileStatus {
    return this.#call(() => this.#status(fstatSync(this.#fd(place), { bigint: true })));
  }

  lookup(directory: Place, name: string): FileStatus {
    return this.#call(() => this.#status(lstatSync(this.#name(directory, name), { bigint: true })));
  }

  change(place: Place, change: StatusChange): void {
    this.#call(() => {
      const fd = this.#fd(place);
      const stat = fstatSync(fd, { bigint: true });
      if (stat.isSymbolicLink()) return this.#changeLink(place, stat, change);
      const { size, uid, gid, mode } = change;
      if (size !== undefined) this.#truncate(fd, stat, size);
      if (uid !== undefined || gid !== undefined) lenient(() => chownSync(magic(fd), uid ?? -1, gid ?? -1));
      if (mode !== undefined) chmodSync(magic(fd), mode);
      if (change.accessed !== undefined || change.modified !== undefined) {
        utimesSync(magic(fd), ...times(stat, change));
      }
    });
  }

  open(place: Place, flags: number): OpenFile {
    return this.#call(() => this.#openObject(this.#fd(place), flags));
  }

  create(directory: Place, name: string, flags: number, mode: number, creator: Creator): OpenFile {
    return this.#call(() => {
      const path = this.#name(directory, name);
      let fd: number;
      try {
        fd = openSync(path, (flags & ~O_EXCL) | O_CREAT | constants.O_EXCL | O_NOFOLLOW | O_NOCTTY, 0o600);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || (flags & O_EXCL) !== 0) throw error;
        // It is looked at before it is opened: the open of a device may do something.
        const object = openSync(path, O_PATH | O_NOFOLLOW);
        try {
          return this.#openObject(object, flags);
        } finally {
          closeSync(object);
        }
      }
      lenient(() => fchownSync(fd, owner(creator.uid), owner(creator.gid)));
      fchmodSync(fd, mode);
      return new HostOpenFile(fd, (stat) => this.#status(stat));
    });
  }

  list(directory: Place): readonly string[] {
    return this.#call(() => readdirSync(magic(this.#fd(directory)), { encoding: 'latin1' }));
  }

  readLink(place: Place): string {
    return this.#call(() => readlinkSync(this.#named(place), 'latin1'));
  }

  symlink(directory: Place, name: string, target: string, creator: Creator): void {
    this.#call(() => {
      const path = this.#name(directory, name);
      symlinkSync(Buffer.from(target, 'latin1'), path);
      lenient(() => lchownSync(path, owner(creator.uid), owner(creator.gid)));
    });
  }

  mkdir(directory: Place, name: string, mode: number, creator: Creator): void {
    this.#call(() => {
      const path = this.#name(directory, name);
      mkdirSync(path, 0o700);
      const made = openSync(path, O_PATH | O_NOFOLLOW | O_DIRECTORY);
      try {
        lenient(() => chownSync(magic(made), owner(creator.uid), owner(creator.gid)));
        chmodSync(magic(made), mode);
      } finally {
        closeSync(made);
      }
    });
  }

  link(place: Place, directory: Place, name: string): void {
    this.#call(() => linkSync(this.#named(place), this.#name(directory, name)));
  }

  rename(from: Place, oldName: string, to: Place, newName: string): void {
    this.#call(() => renameSync(this.#name(from, oldName), this.#name(to, newName)));
  }

  unlink(directory: Place, name: string, isDirectory: boolean): void {
    this.#call(() => (isDirectory ? rmdirSync : unlinkSync)(this.#name(directory, name)));
  }

  syncDirectory(place: Place): void {
    this.#call(() => {
      const fd = openSync(magic(this.#fd(place)), O_DIRECTORY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  fileSystemStatus(place: Place): FileSystemStatus {
    return this.#call(() => {
      const { type, bsize, blocks, bfree, bavail, files, ffree } = statfsSync(magic(this.#fd(place)), {
        bigint: true,
      });
      return {
        type: Number(BigInt.asUintN(32, type)),
        blockSize: Number(bsize),
        blocks,
        free: bfree,
        available: bavail,
        files,
        freeFiles: ffree,
      };
    });
  }

  hold(place: Place): void {
    try {
      this.#fd(place);
      if (this.#held.size < HELD_OBJECTS) this.#held.add(place);
    } catch {
      // There is nothing to hold; what follows will fail by itself.
    }
  }

  forget(place: Place): void {
    const fd = this.#open.get(place);
    if (fd !== undefined) closeSync(fd);
    this.#open.delete(place);
    this.#held.delete(place);
  }

  /** Translates errors, and closes what is more than {@link OPEN_OBJECTS} when nothing is in use. */
  #call<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof P9Error) throw error;
      const { errno } = error as NodeJS.ErrnoException;
      throw new P9Error(errno === undefined || errno >= 0 ? E.EIO : -errno);
    } finally {
      if (this.#open.size > OPEN_OBJECTS + this.#held.size) this.#trim();
    }
  }

  #trim(): void {
    for (const [place, fd] of this.#open) {
      if (this.#open.size <= OPEN_OBJECTS + this.#held.size) return;
      if (this.#held.has(place)) continue;
      closeSync(fd);
      this.#open.delete(place);
    }
  }

  /** An O_PATH descriptor of the object at a place. It stays open until the end of the call at least. */
  #fd(place: Place): number {
    if (place.isRoot) return this.#root;
    const known = this.#open.get(place);
    if (known !== undefined) {
      this.#open.delete(place);
      this.#open.set(place, known);
      return known;
    }
    const names: string[] = [];
    let from: Place = place;
    let fd: number | undefined;
    do {
      if (from.detached) throw new P9Error(E.ESTALE);
      if (names.length >= MAX_DEPTH) throw new P9Error(E.ENAMETOOLONG);
      names.push(from.name);
      from = from.parent!;
      fd = from.isRoot ? this.#root : this.#open.get(from);
    } while (fd === undefined);
    fd = descend(fd, names.reverse());
    if (place.id !== undefined && this.#status(fstatSync(fd, { bigint: true })).id !== place.id) {
      closeSync(fd);
      throw new P9Error(E.ESTALE);
    }
    this.#open.set(place, fd);
    return fd;
  }

  /** The path of a name in a directory, of which the last component is not followed by any call made here. */
  #name(directory: Place, name: string): Buffer {
    return within(this.#fd(directory), name);
  }

  #named(place: Place): Buffer {
    if (place.parent === undefined) throw new P9Error(E.EINVAL);
    if (place.detached) throw new P9Error(E.ESTALE);
    return this.#name(place.parent, place.name);
  }

  /** Opens a regular file that a descriptor names. */
  #openObject(object: number, flags: number): OpenFile {
    const stat = fstatSync(object);
    if (stat.isSymbolicLink()) throw new P9Error(E.ELOOP);
    if (stat.isDirectory()) throw new P9Error(E.EISDIR);
    if (!stat.isFile()) throw new P9Error(E.EOPNOTSUPP);
    const fd = openSync(magic(object), (flags & ~O_EXCL) | O_NONBLOCK | O_NOCTTY);
    return new HostOpenFile(fd, (found) => this.#status(found));
  }

  #truncate(object: number, stat: BigIntStats, size: number): void {
    if (!stat.isFile()) throw new P9Error(E.EINVAL);
    const fd = openSync(magic(object), constants.O_WRONLY | O_NONBLOCK);
    try {
      ftruncateSync(fd, size);
    } finally {
      closeSync(fd);
    }
  }

  #changeLink(place: Place, stat: BigIntStats, change: StatusChange): void {
    const path = this.#named(place);
    const { uid, gid } = change;
    if (change.mode !== undefined || change.size !== undefined) throw new P9Error(E.EOPNOTSUPP);
    if (uid !== undefined || gid !== undefined) {
      lenient(() => lchownSync(path, uid ?? Number(stat.uid), gid ?? Number(stat.gid)));
    }
    if (change.accessed !== undefined || change.modified !== undefined) {
      lutimesSync(path, ...times(stat, change));
    }
  }

  #status(stat: BigIntStats): FileStatus {
    let device = this.#devices.get(stat.dev);
    if (device === undefined) this.#devices.set(stat.dev, (device = BigInt(this.#devices.size)));
    return {
      id: BigInt.asUintN(64, stat.ino ^ (device << 56n)),
      mode: Number(stat.mode),
      links: Number(stat.nlink),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      rdev: stat.rdev,
      size: Number(stat.size),
      blockSize: Number(stat.blksize),
      blocks: Number(stat.blocks),
      accessed: stat.atimeNs,
      modified: stat.mtimeNs,
      changed: stat.ctimeNs,
    };
  }
}

class HostOpenFile implements OpenFile {
  readonly #fd: number;
  readonly #status: (stat: BigIntStats) => FileStatus;

  constructor(fd: number, status: (stat: BigIntStats) => FileStatus) {
    this.#fd = fd;
    this.#status = status;
  }

  read(at: number, target: Uint8Array): number {
    return call(() => (target.length === 0 ? 0 : readSync(this.#fd, target, 0, target.length, at)));
  }

  write(at: number, source: Uint8Array): number {
    return call(() => (source.length === 0 ? 0 : writeSync(this.#fd, source, 0, source.length, at)));
  }

  status(): FileStatus {
    return call(() => this.#status(fstatSync(this.#fd, { bigint: true })));
  }

  truncate(size: number): void {
    call(() => ftruncateSync(this.#fd, size));
  }

  sync(dataOnly: boolean): void {
    call(() => (dataOnly ? fdatasyncSync : fsyncSync)(this.#fd));
  }

  close(): void {
    call(() => closeSync(this.#fd));
  }
}

function call<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new P9Error(errno === undefined || errno >= 0 ? E.EIO : -errno);
  }
}

/** The path by which the kernel goes to the object itself that a descriptor names. */
const magic = (fd: number): string => `/proc/self/fd/${fd}`;

const within = (fd: number, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${magic(fd)}/`), Buffer.from(name, 'latin1')]);

/** Opens name after name, each in the directory before; the last one. */
function descend(from: number, names: readonly string[]): number {
  let fd = from;
  for (const name of names) {
    try {
      const next = openSync(within(fd, name), O_PATH | O_NOFOLLOW);
      if (fd !== from) closeSync(fd);
      fd = next;
    } catch (error) {
      if (fd !== from) closeSync(fd);
      throw error;
    }
  }
  return fd;
}

/** A number of a user or group, or "leave it". */
const owner = (id: number): number => (id === NO_FID ? -1 : id);

/** Does what only root may do, and goes on where it is refused. */
function lenient(work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

/** Seconds, as Node takes them: good to a microsecond. */
function times(stat: BigIntStats, { accessed, modified }: StatusChange): [number, number] {
  const seconds = (time: bigint | 'now' | undefined, before: bigint): number =>
    time === 'now' ? Date.now() / 1000 : Number(time ?? before) / 1e9;
  return [seconds(accessed, stat.atimeNs), seconds(modified, stat.mtimeNs)];
}
