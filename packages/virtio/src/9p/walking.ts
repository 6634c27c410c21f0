import * as E from './errno.js';
import { P9Error } from './errno.js';
import * as R from './registers.js';
import { checkName, isDirectory, qidOf, type Operation } from './session.js';
import type { Qid } from './wire.js';

// attach, walk, clunk: how fids come and go.

export const attach: Operation = ({ files, places, fids }, message, answer) => {
  const number = message.u32();
  const auth = message.u32();
  message.string();
  message.string();
  const uid = message.u32();
  if (auth !== R.NO_FID) throw new P9Error(E.EBADF);
  // Whatever tree the client names, there is the one.
  const status = files.status(places.root);
  fids.add(number, places.retain(places.root), uid);
  answer.qid(qidOf(status));
};

export const walk: Operation = ({ files, places, fids }, message, answer) => {
  const from = message.u32();
  const number = message.u32();
  const names = Array.from({ length: checkCount(message.u16()) }, () => message.string());
  const start = fids.get(from);
  if (number !== from && fids.has(number)) throw new P9Error(E.EBADF);
  // walk(5): a fid that is open is not walked.
  if (names.length > 0 && start.flags !== undefined) throw new P9Error(E.EBADF);
  const qids: Qid[] = [];
  let place = places.retain(start.place);
  let directory = names.length === 0 || isDirectory(files.status(place));
  try {
    for (const name of names) {
      if (!directory) throw new P9Error(E.ENOTDIR);
      // There is nothing above the root: walk(5). No file system ever sees these two names.
      const up = name === '..' ? (place.parent ?? place) : name === '.' ? place : undefined;
      const status = up === undefined ? files.lookup(place, checkName(name)) : files.status(up);
      const next = up === undefined ? places.child(place, name, status.id) : places.retain(up);
      places.release(place);
      place = next;
      directory = isDirectory(status);
      qids.push(qidOf(status));
    }
  } catch (error) {
    places.release(place);
    // The first name is an error, a later one a short answer that leaves newfid alone.
    if (qids.length === 0) throw error;
    writeQids(answer, qids);
    return;
  }
  if (number === from && start.flags === undefined) {
    places.release(start.place);
    start.place = place;
  } else fids.add(number, place, start.uid);
  writeQids(answer, qids);
};

const checkCount = (count: number): number => {
  if (count > R.MAX_WALK) throw new P9Error(E.EINVAL);
  return count;
};

const writeQids = (answer: Parameters<Operation>[2], qids: readonly Qid[]): void => {
  answer.u16(qids.length);
  for (const qid of qids) answer.qid(qid);
};

export const clunk: Operation = ({ fids }, message) => fids.remove(message.u32());
