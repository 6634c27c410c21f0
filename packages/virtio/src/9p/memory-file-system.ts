import type { SnapshotValue } from '@vmloom/device';
import * as E from './errno.js';
import { P9Error } from './errno.js';
import type {
  Creator,
  FileStatus,
  FileSystem,
  FileSystemStatus,
  OpenFile,
  StatusChange,
} from './file-system.js';
import type { Place } from './places.js';
import * as R from './registers.js';

interface Inode {
  readonly id: number;
  mode: number;
  uid: number;
  gid: number;
  links: number;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  /** Of a directory. */
  readonly entries: Map<string, Inode>;
  /** Of a file: room, of which `size` bytes count. */
  data: Uint8Array;
  size: number;
  /** Of a symbolic link. */
  target: string;
}

export interface MemoryFileSystemOptions {
  /** What is there at first: text or bytes by path ("docs/readme.txt"). */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Bytes that files may take together. 64 MiB unless told. */
  readonly limit?: number;
  /** Objects that may exist. 65536 unless told. */
  readonly maxObjects?: number;
  /** The time for new things, nanoseconds since 1970; always 0 unless told. */
  readonly now?: () => bigint;
}

const PAGE = 4096;
/** Magic number of tmpfs. */
const TMPFS = 0x0102_1994;

/** Each byte of the UTF-8 text as a character: the names of {@link FileSystem}. */
const nameOf = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

/** A file system in memory: for browsers, and for runs that repeat. */
export class MemoryFileSystem implements FileSystem {
  readonly outside = false;
  readonly #limit: number;
  readonly #maxObjects: number;
  readonly #now: () => bigint;
  #root: Inode;
  #nextId = 1;
  #objects = 0;
  #bytes = 0;

  constructor(options: MemoryFileSystemOptions = {}) {
    this.#limit = options.limit ?? 64 * 1024 * 1024;
    this.#maxObjects = options.maxObjects ?? 65_536;
    this.#now = options.now ?? (() => 0n);
    this.#root = this.#make(R.S_IFDIR | 0o755, { uid: 0, gid: 0 });
    for (const [path, content] of Object.entries(options.files ?? {})) this.writeFile(path, content);
  }

  // For the host -------------------------------------------------------------------------------------------

  /** Writes a file, with the directories above it. @throws P9Error */
  writeFile(path: string, content: string | Uint8Array): void {
    const names = path.split('/').filter((name) => name !== '');
    const last = nameOf(names.pop() ?? '');
    let directory = this.#root;
    for (const part of names) {
      const name = nameOf(part);
      const next = directory.entries.get(name) ?? this.#make(R.S_IFDIR | 0o755, { uid: 0, gid: 0 });
      if ((next.mode & R.S_IFMT) !== R.S_IFDIR) throw new P9Error(E.ENOTDIR);
      if (!directory.entries.has(name)) this.#enter(directory, name, next);
      directory = next;
    }
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const file = directory.entries.get(last) ?? this.#make(R.S_IFREG | 0o644, { uid: 0, gid: 0 });
    if (!directory.entries.has(last)) this.#enter(directory, last, file);
    this.#resize(file, bytes.length);
    file.data.set(bytes);
  }

  /** A copy of a file's bytes; undefined when there is none. */
  readFile(path: string): Uint8Array | undefined {
    let inode: Inode | undefined = this.#root;
    for (const name of path.split('/')) if (name !== '') inode = inode?.entries.get(nameOf(name));
    return inode !== undefined && (inode.mode & R.S_IFMT) === R.S_IFREG
      ? inode.data.slice(0, inode.size)
      : undefined;
  }

  // FileSystem ---------------------------------------------------------------------------------------------

  status(place: Place): FileStatus {
    return statusOf(this.#at(place));
  }

  lookup(directory: Place, name: string): FileStatus {
    return statusOf(this.#in(directory, name));
  }

  change(place: Place, change: StatusChange): void {
    const inode = this.#at(place);
    const now = this.#now();
    if (change.mode !== undefined) inode.mode = (inode.mode & R.S_IFMT) | change.mode;
    inode.uid = change.uid ?? inode.uid;
    inode.gid = change.gid ?? inode.gid;
    if (change.size !== undefined) {
      if ((inode.mode & R.S_IFMT) !== R.S_IFREG) throw new P9Error(E.EINVAL);
      this.#resize(inode, change.size);
    }
    if (change.accessed !== undefined) inode.accessed = change.accessed === 'now' ? now : change.accessed;
    if (change.modified !== undefined) inode.modified = change.modified === 'now' ? now : change.modified;
    inode.changed = now;
  }

  open(place: Place, flags: number): OpenFile {
    return this.#open(this.#at(place), flags);
  }

  create(directory: Place, name: string, flags: number, mode: number, creator: Creator): OpenFile {
    const parent = this.#directory(directory);
    const known = parent.entries.get(name);
    if (known !== undefined) {
      if ((flags & R.O_EXCL) !== 0) throw new P9Error(E.EEXIST);
      if ((known.mode & R.S_IFMT) === R.S_IFDIR) throw new P9Error(E.EISDIR);
      if ((known.mode & R.S_IFMT) !== R.S_IFREG) throw new P9Error(E.ELOOP);
      return this.#open(known, flags);
    }
    const inode = this.#make(R.S_IFREG | mode, creator);
    this.#enter(parent, name, inode);
    return this.#open(inode, flags);
  }

  list(directory: Place): readonly string[] {
    return [...this.#directory(directory).entries.keys()];
  }

  readLink(place: Place): string {
    const inode = this.#at(place);
    if ((inode.mode & R.S_IFMT) !== R.S_IFLNK) throw new P9Error(E.EINVAL);
    return inode.target;
  }

  symlink(directory: Place, name: string, target: string, creator: Creator): void {
    const parent = this.#free(directory, name);
    const inode = this.#make(R.S_IFLNK | 0o777, creator);
    inode.target = target;
    inode.size = target.length;
    this.#enter(parent, name, inode);
  }

  mkdir(directory: Place, name: string, mode: number, creator: Creator): void {
    const parent = this.#free(directory, name);
    this.#enter(parent, name, this.#make(R.S_IFDIR | mode, creator));
  }

  link(place: Place, directory: Place, name: string): void {
    const inode = this.#at(place);
    if ((inode.mode & R.S_IFMT) === R.S_IFDIR) throw new P9Error(E.EPERM);
    this.#enter(this.#free(directory, name), name, inode);
  }

  rename(from: Place, oldName: string, to: Place, newName: string): void {
    const inode = this.#in(from, oldName);
    const target = this.#directory(to);
    const replaced = target.entries.get(newName);
    if (replaced === inode) return;
    const moves = (inode.mode & R.S_IFMT) === R.S_IFDIR;
    if (moves && this.#contains(inode, target)) throw new P9Error(E.EINVAL);
    if (replaced !== undefined) {
      const falls = (replaced.mode & R.S_IFMT) === R.S_IFDIR;
      if (moves !== falls) throw new P9Error(moves ? E.ENOTDIR : E.EISDIR);
      if (replaced.entries.size > 0) throw new P9Error(E.ENOTEMPTY);
      this.#leave(target, newName, replaced);
    }
    this.#directory(from).entries.delete(oldName);
    target.entries.set(newName, inode);
    inode.changed = this.#now();
  }

  unlink(directory: Place, name: string, isDirectory: boolean): void {
    const inode = this.#in(directory, name);
    const is = (inode.mode & R.S_IFMT) === R.S_IFDIR;
    if (is !== isDirectory) throw new P9Error(is ? E.EISDIR : E.ENOTDIR);
    if (inode.entries.size > 0) throw new P9Error(E.ENOTEMPTY);
    this.#leave(this.#directory(directory), name, inode);
  }

  syncDirectory(place: Place): void {
    this.#directory(place);
  }

  fileSystemStatus(): FileSystemStatus {
    const free = BigInt(Math.floor((this.#limit - this.#bytes) / PAGE));
    return {
      type: TMPFS,
      blockSize: PAGE,
      blocks: BigInt(Math.floor(this.#limit / PAGE)),
      free,
      available: free,
      files: BigInt(this.#maxObjects),
      freeFiles: BigInt(this.#maxObjects - this.#objects),
    };
  }

  hold(place: Place): void {
    place.handle = this.#at(place);
  }

  forget(place: Place): void {
    place.handle = undefined;
  }

  save(): SnapshotValue {
    const inodes = new Map<number, SnapshotValue>();
    const visit = (inode: Inode): void => {
      if (inodes.has(inode.id)) return;
      const { entries, data, size, ...rest } = inode;
      const children = [...entries].map(([name, child]) => ({ name, id: child.id }));
      inodes.set(inode.id, { ...rest, size, data: data.slice(0, size), children });
      for (const child of entries.values()) visit(child);
    };
    visit(this.#root);
    return { root: this.#root.id, nextId: this.#nextId, inodes: [...inodes.values()] };
  }

  restore(value: SnapshotValue): void {
    type Saved = Omit<Inode, 'entries'> & { children: { name: string; id: number }[] };
    const saved = value as unknown as { root: number; nextId: number; inodes: Saved[] };
    const inodes = new Map(
      saved.inodes.map(({ children: _, ...rest }) => [
        rest.id,
        { ...rest, data: rest.data.slice(), entries: new Map() },
      ]),
    );
    for (const { id, children } of saved.inodes) {
      for (const child of children) inodes.get(id)!.entries.set(child.name, inodes.get(child.id)!);
    }
    this.#root = inodes.get(saved.root)!;
    this.#nextId = saved.nextId;
    this.#objects = inodes.size;
    this.#bytes = [...inodes.values()].reduce((sum, { data }) => sum + data.length, 0);
  }

  // Inodes -------------------------------------------------------------------------------------------------

  #at(place: Place): Inode {
    const names: string[] = [];
    let from = place;
    for (; from.handle === undefined && from.parent !== undefined; from = from.parent) {
      if (from.detached) throw new P9Error(E.ESTALE);
      names.push(from.name);
    }
    let inode = (from.handle as Inode | undefined) ?? this.#root;
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const next = inode.entries.get(name);
      if (next === undefined) throw new P9Error(E.ENOENT);
      inode = next;
    }
    return inode;
  }

  #directory(place: Place): Inode {
    const inode = this.#at(place);
    if ((inode.mode & R.S_IFMT) !== R.S_IFDIR) throw new P9Error(E.ENOTDIR);
    return inode;
  }

  #in(directory: Place, name: string): Inode {
    const inode = this.#directory(directory).entries.get(name);
    if (inode === undefined) throw new P9Error(E.ENOENT);
    return inode;
  }

  /** The directory, which has no such name and is not removed. */
  #free(directory: Place, name: string): Inode {
    const parent = this.#directory(directory);
    if (parent.entries.has(name)) throw new P9Error(E.EEXIST);
    return parent;
  }

  #contains(directory: Inode, other: Inode): boolean {
    const waiting = [directory];
    for (let inode = waiting.pop(); inode !== undefined; inode = waiting.pop()) {
      if (inode === other) return true;
      waiting.push(...inode.entries.values());
    }
    return false;
  }

  #make(mode: number, { uid, gid }: Creator): Inode {
    if (this.#objects >= this.#maxObjects) throw new P9Error(E.ENOSPC);
    const now = this.#now();
    const times = { accessed: now, modified: now, changed: now };
    const content = { entries: new Map<string, Inode>(), data: new Uint8Array(0), size: 0, target: '' };
    return { id: this.#nextId++, mode, uid, gid, links: 0, ...times, ...content };
  }

  #enter(directory: Inode, name: string, inode: Inode): void {
    // Of a removed directory: nothing would ever find it again.
    if (directory.links === 0 && directory !== this.#root) throw new P9Error(E.ENOENT);
    if (inode.links === 0) this.#objects++;
    directory.entries.set(name, inode);
    inode.links++;
    directory.modified = this.#now();
  }

  #leave(directory: Inode, name: string, inode: Inode): void {
    directory.entries.delete(name);
    directory.modified = this.#now();
    if (--inode.links > 0) return;
    this.#objects--;
    this.#bytes -= inode.data.length;
  }

  #resize(inode: Inode, size: number): void {
    const counted = inode.links > 0;
    if (size > inode.data.length) {
      const room = Math.max(size, Math.min(2 * inode.data.length, this.#limit));
      const grown = room - inode.data.length;
      if (size > this.#limit) throw new P9Error(E.EFBIG);
      if (this.#bytes + grown > this.#limit) return this.#resizeExactly(inode, size);
      const data = new Uint8Array(room);
      data.set(inode.data);
      inode.data = data;
      if (counted) this.#bytes += grown;
    } else if (size < inode.size) inode.data.fill(0, size, inode.size);
    inode.size = size;
    inode.modified = this.#now();
  }

  /** Near the limit nothing is allocated in advance. */
  #resizeExactly(inode: Inode, size: number): void {
    const grown = size - inode.data.length;
    if (this.#bytes + grown > this.#limit) throw new P9Error(E.ENOSPC);
    const data = new Uint8Array(size);
    data.set(inode.data);
    inode.data = data;
    inode.size = size;
    if (inode.links > 0) this.#bytes += grown;
    inode.modified = this.#now();
  }

  #open(inode: Inode, flags: number): OpenFile {
    if ((flags & R.O_TRUNC) !== 0) this.#resize(inode, 0);
    return {
      read: (at, target) => {
        const bytes = inode.data.subarray(Math.min(at, inode.size), Math.min(at + target.length, inode.size));
        target.set(bytes);
        return bytes.length;
      },
      write: (at, source) => {
        const start = (flags & R.O_APPEND) !== 0 ? inode.size : at;
        if (start + source.length > inode.size) this.#resize(inode, start + source.length);
        inode.data.set(source, start);
        inode.modified = this.#now();
        return source.length;
      },
      status: () => statusOf(inode),
      truncate: (size) => this.#resize(inode, size),
      sync: () => undefined,
      close: () => undefined,
    };
  }
}

function statusOf(inode: Inode): FileStatus {
  const { id, mode, uid, gid, size, accessed, modified, changed } = inode;
  const links = (mode & R.S_IFMT) === R.S_IFDIR ? inode.links + 1 : inode.links;
  const blocks = Math.ceil(inode.data.length / 512);
  return {
    id: BigInt(id),
    mode,
    links,
    uid,
    gid,
    rdev: 0n,
    size,
    blockSize: PAGE,
    blocks,
    accessed,
    modified,
    changed,
  };
}
