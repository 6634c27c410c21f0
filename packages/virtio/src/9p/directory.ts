import * as E from './errno.js';
import { P9Error } from './errno.js';
import type { Place } from './places.js';
import * as R from './registers.js';
import { isDirectory, mayWrite, qidOf, readName, type Operation, type Session } from './session.js';

// readdir, and what makes, renames and removes names.

/** d_type of readdir(3): the type bits of a mode. */
const typeOf = (mode: number): number => (mode & R.S_IFMT) >>> 12;

export const readdir: Operation = (session, message, answer) => {
  const { files, fids, room } = session;
  const fid = fids.get(message.u32());
  const offset = message.size();
  const count = Math.min(message.u32(), room - R.HEADER - 4);
  if (fid.flags === undefined) throw new P9Error(E.EBADF);
  if (fid.file !== undefined) throw new P9Error(E.ENOTDIR);
  const { place } = fid;
  const names = fids.listing(fid, offset === 0, () => ['.', '..', ...files.list(place)]);
  const start = answer.u32(0).length;
  // An offset is the number of the entry that follows.
  for (let index = offset; index < names.length; index++) {
    const name = names[index];
    const status = statusOf(session, place, name);
    if (status === undefined) continue;
    const end = answer.length;
    answer
      .qid(qidOf(status))
      .u64(index + 1)
      .u8(typeOf(status.mode))
      .string(name);
    if (answer.length - start > count) {
      // Not even the first one has room: an empty answer would be the end of the directory.
      if (end === start) throw new P9Error(E.EINVAL);
      answer.cut(end);
      break;
    }
  }
  answer.patch(start - 4, answer.length - start);
};

function statusOf(
  { files }: Session,
  place: Place,
  name: string,
): ReturnType<typeof files.status> | undefined {
  if (name === '.') return files.status(place);
  if (name === '..') return files.status(place.parent ?? place);
  try {
    return files.lookup(place, name);
  } catch {
    // It is gone since the directory was read.
    return undefined;
  }
}

export const symlink: Operation = (session, message, answer) => {
  const { files, fids } = session;
  const { place, uid } = fids.get(message.u32());
  const name = readName(message);
  const target = message.string();
  const gid = message.u32();
  mayWrite(session);
  if (target === '' || target.includes('\0')) throw new P9Error(E.ENOENT);
  if (target.length > R.PATH_MAX) throw new P9Error(E.ENAMETOOLONG);
  files.symlink(place, name, target, { uid, gid });
  answer.qid(qidOf(files.lookup(place, name)));
};

export const mkdir: Operation = (session, message, answer) => {
  const { files, fids } = session;
  const { place, uid } = fids.get(message.u32());
  const name = readName(message);
  const mode = message.u32() & 0o7777;
  const gid = message.u32();
  mayWrite(session);
  files.mkdir(place, name, mode, { uid, gid });
  answer.qid(qidOf(files.lookup(place, name)));
};

export const link: Operation = (session, message) => {
  const { files, fids } = session;
  const directory = fids.get(message.u32()).place;
  const { place } = fids.get(message.u32());
  const name = readName(message);
  mayWrite(session);
  if (place.detached) throw new P9Error(E.ENOENT);
  files.link(place, directory, name);
};

export const rename: Operation = (session, message) => {
  const { fids } = session;
  const { place } = fids.get(message.u32());
  const to = fids.get(message.u32()).place;
  const name = readName(message);
  mayWrite(session);
  if (place.isRoot || place.detached) throw new P9Error(E.EINVAL);
  move(session, place.parent!, place.name, to, name);
};

export const renameat: Operation = (session, message) => {
  const { fids } = session;
  const from = fids.get(message.u32()).place;
  const oldName = readName(message);
  const to = fids.get(message.u32()).place;
  const newName = readName(message);
  mayWrite(session);
  move(session, from, oldName, to, newName);
};

function move(session: Session, from: Place, oldName: string, to: Place, newName: string): void {
  const { files, places } = session;
  const moved = from.children.get(oldName);
  const replaced = to.children.get(newName);
  if (moved !== undefined && moved === replaced) return;
  if (moved !== undefined && places.isWithin(to, moved)) throw new P9Error(E.EINVAL);
  if (replaced !== undefined) files.hold(replaced);
  files.rename(from, oldName, to, newName);
  if (replaced !== undefined) {
    // Two names of one file: rename(2) did nothing, and both are still there.
    if (stillThere(session, from, oldName)) return;
    places.detach(replaced);
  }
  if (moved !== undefined) places.move(moved, to, newName);
}

function stillThere({ files }: Session, directory: Place, name: string): boolean {
  try {
    files.lookup(directory, name);
    return true;
  } catch {
    return false;
  }
}

export const unlinkat: Operation = (session, message) => {
  const { fids } = session;
  const { place } = fids.get(message.u32());
  const name = readName(message);
  const flags = message.u32();
  mayWrite(session);
  if ((flags & ~R.AT_REMOVEDIR) !== 0) throw new P9Error(E.EINVAL);
  unlink(session, place, name, (flags & R.AT_REMOVEDIR) !== 0);
};

/** remove(5): the fid is clunked whatever happens. */
export const remove: Operation = (session, message) => {
  const { files, fids, places } = session;
  const number = message.u32();
  const { place } = fids.get(number);
  places.retain(place);
  try {
    fids.remove(number);
    mayWrite(session);
    if (place.isRoot || place.detached) throw new P9Error(E.EINVAL);
    unlink(session, place.parent!, place.name, isDirectory(files.status(place)));
  } finally {
    places.release(place);
  }
};

function unlink({ files, places }: Session, directory: Place, name: string, isDirectory: boolean): void {
  const place = directory.children.get(name);
  if (place !== undefined) files.hold(place);
  files.unlink(directory, name, isDirectory);
  if (place !== undefined) places.detach(place);
}
