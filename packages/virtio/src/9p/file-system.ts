import type { SnapshotValue } from '@vmloom/device';
import type { Place } from './places.js';

/** What stat(2) says; times in nanoseconds since 1970. */
export interface FileStatus {
  /** Tells objects apart, within the whole tree. */
  readonly id: bigint;
  /** Type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  readonly size: number;
  readonly blockSize: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
}

/** What is to change; a time of `now` is that of the file system. */
export interface StatusChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly accessed?: bigint | 'now';
  readonly modified?: bigint | 'now';
}

/** Who makes a file. */
export interface Creator {
  readonly uid: number;
  readonly gid: number;
}

export interface FileSystemStatus {
  readonly type: number;
  readonly blockSize: number;
  readonly blocks: bigint;
  readonly free: bigint;
  readonly available: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}

/** A file that is open; positions and lengths in bytes. */
export interface OpenFile {
  /** How many bytes there were. */
  read(at: number, target: Uint8Array): number;
  /** How many bytes were taken. */
  write(at: number, source: Uint8Array): number;
  status(): FileStatus;
  truncate(size: number): void;
  sync(dataOnly: boolean): void;
  close(): void;
}

/**
 * What a 9P server shares. Objects are called by their {@link Place}; names are single components, never empty, "."
 * or "..", without "/" and NUL, each character a byte. Everything is done when the call returns, and a refusal is a
 * P9Error. No call follows a symbolic link.
 */
export interface FileSystem {
  /** False: equal runs repeat. True: what is answered is the host's. */
  readonly outside: boolean;
  status(place: Place): FileStatus;
  /** The status of an object in a directory. */
  lookup(directory: Place, name: string): FileStatus;
  change(place: Place, change: StatusChange): void;
  /** A regular file, with flags O_ACCMODE, O_TRUNC, O_APPEND, O_DSYNC, O_SYNC. */
  open(place: Place, flags: number): OpenFile;
  /** Makes a file, or opens the one that is there unless O_EXCL. */
  create(directory: Place, name: string, flags: number, mode: number, creator: Creator): OpenFile;
  /** Names in a directory, without "." and "..". */
  list(directory: Place): readonly string[];
  readLink(place: Place): string;
  symlink(directory: Place, name: string, target: string, creator: Creator): void;
  mkdir(directory: Place, name: string, mode: number, creator: Creator): void;
  link(place: Place, directory: Place, name: string): void;
  rename(from: Place, oldName: string, to: Place, newName: string): void;
  /** Removes a name: of a directory, or of anything else. */
  unlink(directory: Place, name: string, isDirectory: boolean): void;
  syncDirectory(place: Place): void;
  fileSystemStatus(place: Place): FileSystemStatus;
  /** The name of this place is about to go, but somebody still uses the object. */
  hold(place: Place): void;
  /** Nobody uses the place any more. */
  forget(place: Place): void;
  save?(): SnapshotValue;
  restore?(value: SnapshotValue): void;
}
