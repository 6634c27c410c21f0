import * as R from '../9p/registers.js';
import { MessageReader, MessageWriter, type Qid } from '../9p/wire.js';

/** An Rlerror. */
export class P9Refusal extends Error {
  constructor(readonly errno: number) {
    super(`the server refuses: ${errno}`);
  }
}

/** The number of the {@link P9Refusal} that `work` meets; 0 when it meets none. */
export function refusal(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (error) {
    if (error instanceof P9Refusal) return error.errno;
    throw error;
  }
}

export interface P9Attributes {
  readonly qid: Qid;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly modified: bigint;
}

export interface P9Entry {
  readonly name: string;
  readonly type: number;
  readonly qid: Qid;
  readonly offset: number;
}

/** A client of 9P2000.L, over anything that takes a message and gives its answer. Refusals are {@link P9Refusal}. */
export class P9Client {
  msize = 0;
  #tag = 0;

  constructor(readonly send: (message: Uint8Array) => Uint8Array) {}

  /** Sends a message; a reader behind the header of its answer. @throws P9Refusal */
  call(type: number, fill: (message: MessageWriter) => void = () => undefined): MessageReader {
    const message = new MessageWriter();
    fill(message);
    const tag = type === R.TVERSION ? R.NO_TAG : (this.#tag = (this.#tag + 1) % 1000);
    const answer = this.send(message.finish(type, tag).slice());
    const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
    if (view.getUint32(0, true) !== answer.length) throw new Error('the size of the answer is wrong');
    if (view.getUint16(5, true) !== tag) throw new Error('the answer is to another message');
    const reader = new MessageReader(answer);
    if (answer[4] === R.RLERROR) throw new P9Refusal(reader.u32());
    if (answer[4] !== type + 1) throw new Error(`the answer has type ${answer[4]}`);
    return reader;
  }

  version(msize = 65_536, version = '9P2000.L'): string {
    const answer = this.call(R.TVERSION, (m) => m.u32(msize).string(version));
    this.msize = answer.u32();
    return answer.string();
  }

  attach(fid: number, uid = 0): Qid {
    return qid(this.call(R.TATTACH, (m) => m.u32(fid).u32(R.NO_FID).string('').string('/').u32(uid)));
  }

  walk(fid: number, newFid: number, ...names: string[]): Qid[] {
    const answer = this.call(R.TWALK, (m) => {
      m.u32(fid).u32(newFid).u16(names.length);
      for (const name of names) m.string(name);
    });
    return Array.from({ length: answer.u16() }, () => qid(answer));
  }

  open(fid: number, flags = 0): Qid {
    return qid(this.call(R.TLOPEN, (m) => m.u32(fid).u32(flags)));
  }

  create(fid: number, name: string, flags = R.O_RDWR, mode = 0o644, gid = 0): Qid {
    return qid(this.call(R.TLCREATE, (m) => m.u32(fid).string(name).u32(flags).u32(mode).u32(gid)));
  }

  read(fid: number, at = 0, count = 4096): Uint8Array {
    const answer = this.call(R.TREAD, (m) => m.u32(fid).u64(at).u32(count));
    return answer.data(answer.u32()).slice();
  }

  write(fid: number, data: Uint8Array | string, at = 0): number {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const fill = (m: MessageWriter): void =>
      m.u32(fid).u64(at).u32(bytes.length).data(bytes.length).set(bytes);
    return this.call(R.TWRITE, fill).u32();
  }

  readdir(fid: number, offset = 0, count = 8192): P9Entry[] {
    const answer = this.call(R.TREADDIR, (m) => m.u32(fid).u64(offset).u32(count));
    const left = answer.u32();
    const end = answer.bytes.length;
    const entries: P9Entry[] = [];
    for (let at = end - left; at < end;) {
      const entry = { qid: qid(answer), offset: answer.size(), type: answer.u8(), name: answer.string() };
      at += 13 + 8 + 1 + 2 + entry.name.length;
      entries.push(entry);
    }
    return entries;
  }

  getattr(fid: number): P9Attributes {
    const a = this.call(R.TGETATTR, (m) => m.u32(fid).u64(R.GETATTR_BASIC));
    a.u64();
    const head = { qid: qid(a), mode: a.u32(), uid: a.u32(), gid: a.u32(), links: a.size() };
    a.u64();
    const size = a.size();
    for (let index = 0; index < 4; index++) a.u64();
    return { ...head, size, modified: a.u64() * 1_000_000_000n + a.u64() };
  }

  setattr(
    fid: number,
    valid: number,
    values: { mode?: number; uid?: number; gid?: number; size?: number; time?: bigint },
  ): void {
    const { mode = 0, uid = 0, gid = 0, size = 0, time = 0n } = values;
    this.call(R.TSETATTR, (m) => {
      m.u32(fid).u32(valid).u32(mode).u32(uid).u32(gid).u64(size);
      for (let index = 0; index < 2; index++) m.u64(time / 1_000_000_000n).u64(time % 1_000_000_000n);
    });
  }

  mkdir(fid: number, name: string, mode = 0o755): Qid {
    return qid(this.call(R.TMKDIR, (m) => m.u32(fid).string(name).u32(mode).u32(0)));
  }

  symlink(fid: number, name: string, target: string): Qid {
    return qid(this.call(R.TSYMLINK, (m) => m.u32(fid).string(name).string(target).u32(0)));
  }

  readlink(fid: number): string {
    return this.call(R.TREADLINK, (m) => m.u32(fid)).string();
  }

  link(directory: number, fid: number, name: string): void {
    this.call(R.TLINK, (m) => m.u32(directory).u32(fid).string(name));
  }

  rename(fid: number, directory: number, name: string): void {
    this.call(R.TRENAME, (m) => m.u32(fid).u32(directory).string(name));
  }

  renameat(from: number, oldName: string, to: number, newName: string): void {
    this.call(R.TRENAMEAT, (m) => m.u32(from).string(oldName).u32(to).string(newName));
  }

  unlinkat(directory: number, name: string, flags = 0): void {
    this.call(R.TUNLINKAT, (m) => m.u32(directory).string(name).u32(flags));
  }

  clunk(fid: number): void {
    this.call(R.TCLUNK, (m) => m.u32(fid));
  }

  remove(fid: number): void {
    this.call(R.TREMOVE, (m) => m.u32(fid));
  }
}

const qid = (message: MessageReader): Qid => ({
  type: message.u8(),
  version: message.u32(),
  path: message.u64(),
});
