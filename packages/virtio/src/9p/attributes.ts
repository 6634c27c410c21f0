import * as E from './errno.js';
import { P9Error } from './errno.js';
import type { FileStatus, FileSystem, StatusChange } from './file-system.js';
import type { Fid } from './fids.js';
import * as R from './registers.js';
import { mayWrite, qidOf, type Operation } from './session.js';

// getattr, setattr, statfs, readlink, and what is refused of attributes.

const SECOND = 1_000_000_000n;

/** Of the open file, which has a status when its name is gone too. */
const statusOf = (files: FileSystem, { file, place }: Fid): FileStatus =>
  file?.status() ?? files.status(place);

export const getattr: Operation = ({ files, fids }, message, answer) => {
  const status = statusOf(files, fids.get(message.u32()));
  answer.u64(R.GETATTR_BASIC).qid(qidOf(status));
  answer.u32(status.mode).u32(status.uid).u32(status.gid);
  answer.u64(status.links).u64(status.rdev).u64(status.size).u64(status.blockSize).u64(status.blocks);
  for (const time of [status.accessed, status.modified, status.changed, 0n]) {
    answer.u64(time / SECOND).u64(time % SECOND);
  }
  answer.u64(0).u64(0);
};

export const setattr: Operation = (session, message) => {
  const { files, fids } = session;
  const fid = fids.get(message.u32());
  const valid = message.u32();
  const mode = message.u32();
  const uid = message.u32();
  const gid = message.u32();
  const size = (valid & R.SETATTR_SIZE) !== 0 ? message.size() : void message.u64();
  const accessed = message.u64() * SECOND + message.u64();
  const modified = message.u64() * SECOND + message.u64();
  mayWrite(session);
  const time = (bit: number, set: number, value: bigint): bigint | 'now' | undefined =>
    (valid & bit) === 0 ? undefined : (valid & set) === 0 ? 'now' : value;
  const change: { -readonly [Key in keyof StatusChange]: StatusChange[Key] | undefined } = {
    mode: (valid & R.SETATTR_MODE) !== 0 ? mode & 0o7777 : undefined,
    uid: (valid & R.SETATTR_UID) !== 0 ? uid : undefined,
    gid: (valid & R.SETATTR_GID) !== 0 ? gid : undefined,
    size: size ?? undefined,
    accessed: time(R.SETATTR_ATIME, R.SETATTR_ATIME_SET, accessed),
    modified: time(R.SETATTR_MTIME, R.SETATTR_MTIME_SET, modified),
  };
  if (change.size !== undefined && fid.file !== undefined && writable(fid)) {
    fid.file.truncate(change.size);
    change.size = undefined;
  }
  const wanted = Object.entries(change).filter(([, value]) => value !== undefined);
  if (wanted.length > 0) files.change(fid.place, Object.fromEntries(wanted));
};

const writable = ({ flags = 0 }: Fid): boolean => (flags & R.O_ACCMODE) !== 0;

export const statfs: Operation = ({ files, fids }, message, answer) => {
  const status = files.fileSystemStatus(fids.get(message.u32()).place);
  answer.u32(status.type).u32(status.blockSize);
  answer.u64(status.blocks).u64(status.free).u64(status.available);
  answer.u64(status.files).u64(status.freeFiles).u64(0).u32(R.NAME_MAX);
};

export const readlink: Operation = ({ files, fids }, message, answer) => {
  answer.string(files.readLink(fids.get(message.u32()).place));
};

/** Extended attributes, devices and authentication: the fid is looked at all the same. */
export const unsupported: Operation = ({ fids }, message) => {
  fids.get(message.u32());
  throw new P9Error(E.EOPNOTSUPP);
};

export const mknod: Operation = (session, message) => {
  session.fids.get(message.u32());
  mayWrite(session);
  throw new P9Error(E.EPERM);
};
