import * as E from './errno.js';
import { P9Error } from './errno.js';
import type { FidTable } from './fids.js';
import type { FileStatus, FileSystem } from './file-system.js';
import type { PlaceTree } from './places.js';
import * as R from './registers.js';
import type { MessageReader, MessageWriter, Qid } from './wire.js';

/** What the operations of a server share. */
export interface Session {
  readonly files: FileSystem;
  readonly readOnly: boolean;
  readonly places: PlaceTree;
  readonly fids: FidTable;
  /** Bytes of the answer at hand at most. */
  readonly room: number;
}

/** One operation: reads what follows the header of a T-message, writes what follows that of its answer. */
export type Operation = (session: Session, message: MessageReader, answer: MessageWriter) => void;

/** @throws P9Error EROFS */
export function mayWrite({ readOnly }: Session): void {
  if (readOnly) throw new P9Error(E.EROFS);
}

/** A name for something new, or to be removed. @throws P9Error */
export function readName(message: MessageReader): string {
  const name = message.string();
  if (name === '.' || name === '..') throw new P9Error(E.EINVAL);
  return checkName(name);
}

/** @throws P9Error ENOENT, EINVAL, ENAMETOOLONG */
export function checkName(name: string): string {
  if (name === '') throw new P9Error(E.ENOENT);
  if (name.includes('/') || name.includes('\0')) throw new P9Error(E.EINVAL);
  if (name.length > R.NAME_MAX) throw new P9Error(E.ENAMETOOLONG);
  return name;
}

export function qidOf({ id, mode, modified, size }: FileStatus): Qid {
  const kind = mode & R.S_IFMT;
  const type = kind === R.S_IFDIR ? R.QT_DIR : kind === R.S_IFLNK ? R.QT_SYMLINK : 0;
  const version = Number(BigInt.asUintN(32, modified ^ (modified >> 30n) ^ (BigInt(size) << 8n)));
  return { type, version, path: id };
}

export const isDirectory = ({ mode }: FileStatus): boolean => (mode & R.S_IFMT) === R.S_IFDIR;
