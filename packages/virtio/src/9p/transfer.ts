import * as E from './errno.js';
import { P9Error } from './errno.js';
import type { Fid } from './fids.js';
import type { OpenFile } from './file-system.js';
import * as R from './registers.js';
import { isDirectory, mayWrite, qidOf, readName, type Operation, type Session } from './session.js';

// lopen, lcreate, read, write, fsync, locks: what is done with files.

/** Flags that reach a file system. */
const PASSED = R.O_ACCMODE | R.O_TRUNC | R.O_APPEND | R.O_SYNC;

export const lopen: Operation = (session, message, answer) => {
  const { files, fids } = session;
  const fid = fids.get(message.u32());
  const wanted = message.u32();
  if (fid.flags !== undefined) throw new P9Error(E.EBADF);
  const status = files.status(fid.place);
  const flags = wanted & PASSED;
  const writes = (flags & R.O_ACCMODE) !== 0 || (flags & R.O_TRUNC) !== 0;
  if (isDirectory(status)) {
    if (writes) throw new P9Error(E.EISDIR);
    fid.flags = 0;
  } else {
    if ((wanted & R.O_DIRECTORY) !== 0) throw new P9Error(E.ENOTDIR);
    if (writes) mayWrite(session);
    regular(status.mode);
    fids.open(fid, flags, () => files.open(fid.place, flags));
  }
  answer.qid(qidOf(status)).u32(0);
};

/** Devices, FIFOs and sockets are the client's own business. @throws P9Error */
export function regular(mode: number): void {
  const kind = mode & R.S_IFMT;
  if (kind === R.S_IFLNK) throw new P9Error(E.ELOOP);
  if (kind !== R.S_IFREG) throw new P9Error(E.EOPNOTSUPP);
}

export const lcreate: Operation = (session, message, answer) => {
  const { files, fids, places } = session;
  const fid = fids.get(message.u32());
  const name = readName(message);
  const flags = message.u32();
  const mode = message.u32() & 0o7777;
  const gid = message.u32();
  if (fid.flags !== undefined) throw new P9Error(E.EBADF);
  mayWrite(session);
  const directory = fid.place;
  const kept = flags & PASSED;
  const open = (): OpenFile =>
    files.create(directory, name, kept | (flags & R.O_EXCL), mode, { uid: fid.uid, gid });
  fids.open(fid, kept, open);
  // From now on the fid is the file.
  const status = fid.file!.status();
  fid.place = places.child(directory, name, status.id);
  places.release(directory);
  answer.qid(qidOf(status)).u32(0);
};

function opened(session: Session, number: number): Fid & { file: OpenFile } {
  const fid = session.fids.get(number);
  if (fid.stale) throw new P9Error(E.ESTALE);
  if (fid.flags !== undefined && fid.file === undefined) throw new P9Error(E.EISDIR);
  if (fid.file === undefined) throw new P9Error(E.EBADF);
  return fid as Fid & { file: OpenFile };
}

export const read: Operation = (session, message, answer) => {
  const { file, flags = 0 } = opened(session, message.u32());
  const at = message.size();
  const count = Math.min(message.u32(), session.room - R.HEADER - 4);
  if ((flags & R.O_ACCMODE) === R.O_WRONLY) throw new P9Error(E.EBADF);
  const start = answer.u32(0).length;
  const got = file.read(at, answer.data(count));
  answer.cut(start + got);
  answer.patch(start - 4, got);
};

export const write: Operation = (session, message, answer) => {
  const { file, flags = 0 } = opened(session, message.u32());
  const at = message.size();
  const data = message.data(message.u32());
  mayWrite(session);
  if ((flags & R.O_ACCMODE) === 0) throw new P9Error(E.EBADF);
  answer.u32(file.write(at, data));
};

export const fsync: Operation = ({ files, fids }, message) => {
  const fid = fids.get(message.u32());
  const dataOnly = message.u32() !== 0;
  if (fid.stale) throw new P9Error(E.ESTALE);
  if (fid.file !== undefined) fid.file.sync(dataOnly);
  else if (fid.flags !== undefined) files.syncDirectory(fid.place);
  else throw new P9Error(E.EBADF);
};

/** Locks are between the processes of one client, who keeps them itself: there is no other client. */
export const lock: Operation = ({ fids }, message, answer) => {
  fids.get(message.u32());
  message.data(1 + 4 + 8 + 8 + 4);
  message.string();
  answer.u8(R.LOCK_SUCCESS);
};

export const getlock: Operation = ({ fids }, message, answer) => {
  fids.get(message.u32());
  message.u8();
  const range = message.data(8 + 8 + 4);
  const client = message.string();
  answer.u8(R.LOCK_TYPE_UNLCK).data(range.length).set(range);
  answer.string(client);
};
