import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostFolder } from '../node/host-folder.js';
import { P9Client, refusal } from '../testing/p9-client.js';
import * as E from './errno.js';
import type { FileSystem } from './file-system.js';
import { MemoryFileSystem } from './memory-file-system.js';
import * as R from './registers.js';
import { P9Server, type P9ServerOptions } from './server.js';

const FILES = { 'hello.txt': 'hello world', 'docs/a.txt': 'a', 'docs/deep/b.txt': 'b', 'empty/x': '' };

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytewise = (name: string): string => String.fromCharCode(...new TextEncoder().encode(name));

let cleanUp: () => void = () => undefined;
afterEach(() => {
  cleanUp();
  cleanUp = () => undefined;
});

const inMemory = (): FileSystem => new MemoryFileSystem({ files: FILES });
const onHost = (): FileSystem => {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-9p-'));
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const files = new HostFolder(folder);
  cleanUp = () => {
    files.close();
    rmSync(folder, { recursive: true });
  };
  return files;
};

describe.each([
  ['memory', inMemory],
  ['a folder of the host', onHost],
])('9P2000.L over %s', (_name, make) => {
  let server: P9Server;
  let client: P9Client;
  const start = (options: Partial<P9ServerOptions> = {}): void => {
    server = new P9Server({ files: make(), ...options });
    client = new P9Client((message) => server.handle(message, 1024 * 1024));
    client.version();
    client.attach(0);
  };
  beforeEach(() => start());
  afterEach(() => server.reset());

  describe('sessions', () => {
    it('version(5): msize is the smaller of both, an unknown version is said to be so', () => {
      expect(client.version(8192)).toBe('9P2000.L');
      expect(client.msize).toBe(8192);
      client.version(2 ** 31);
      expect(client.msize).toBe(512 * 1024);
      expect(client.version(8192, '9P2000.u')).toBe('unknown');
      expect(refusal(() => client.version(100))).toBe(E.EMSGSIZE);
      expect(refusal(() => client.attach(0))).toBe(E.EPROTO);
    });

    it('version(5): a new session begins, all fids are gone', () => {
      client.version();
      expect(refusal(() => client.getattr(0))).toBe(E.EBADF);
      expect(server.fids).toBe(0);
    });

    it('attach(5): the root is a directory; a fid that is in use is refused', () => {
      expect(client.attach(5).type).toBe(R.QT_DIR);
      expect(refusal(() => client.attach(5))).toBe(E.EBADF);
      expect(refusal(() => client.call(R.TATTACH, (m) => m.u32(9).u32(3).string('').string('').u32(0)))).toBe(
        E.EBADF,
      );
      expect(refusal(() => client.call(R.TAUTH, (m) => m.u32(9).string('').string('').u32(0)))).toBe(
        E.EOPNOTSUPP,
      );
    });

    it('flush(5) is answered, and so are messages that are not known', () => {
      client.call(R.TFLUSH, (m) => m.u16(77));
      for (const type of [0, 6, 112, 124, 126, 200])
        expect(refusal(() => client.call(type))).toBe(E.EOPNOTSUPP);
    });
  });

  describe('walk', () => {
    it('walk(5): names one after the other, a clone with none', () => {
      const qids = client.walk(0, 1, 'docs', 'deep', 'b.txt');
      expect(qids.map(({ type }) => type)).toEqual([R.QT_DIR, R.QT_DIR, 0]);
      expect(client.walk(1, 2)).toEqual([]);
      expect(client.getattr(2).qid).toEqual(qids[2]);
      client.walk(0, 0, 'docs');
      expect(client.getattr(0).qid.path).toBe(qids[0].path);
    });

    it('walk(5): the first name that is missing is an error, a later one a short answer without newfid', () => {
      expect(refusal(() => client.walk(0, 1, 'none'))).toBe(E.ENOENT);
      expect(client.walk(0, 1, 'docs', 'none', 'x')).toHaveLength(1);
      expect(refusal(() => client.getattr(1))).toBe(E.EBADF);
      expect(refusal(() => client.walk(0, 1, 'hello.txt', 'x'))).toBe(0);
      client.walk(0, 2, 'hello.txt');
      expect(refusal(() => client.walk(2, 3, 'x'))).toBe(E.ENOTDIR);
    });

    it('walk(5): ".." of the root is the root', () => {
      const root = client.getattr(0).qid.path;
      expect(client.walk(0, 1, '..', '..', '..').map(({ path }) => path)).toEqual([root, root, root]);
      expect(client.walk(0, 2, 'docs', 'deep', '..', '..', '..').at(-1)!.path).toBe(root);
      expect(client.walk(0, 3, '.', 'docs').at(-1)!.path).toBe(client.walk(0, 4, 'docs')[0].path);
    });

    it('names with a slash or NUL, empty ones and too long ones are refused', () => {
      expect(refusal(() => client.walk(0, 1, 'docs/a.txt'))).toBe(E.EINVAL);
      expect(refusal(() => client.walk(0, 1, '/etc'))).toBe(E.EINVAL);
      expect(refusal(() => client.walk(0, 1, 'docs\0'))).toBe(E.EINVAL);
      expect(refusal(() => client.walk(0, 1, ''))).toBe(E.ENOENT);
      expect(refusal(() => client.walk(0, 1, 'x'.repeat(256)))).toBe(E.ENAMETOOLONG);
      expect(refusal(() => client.walk(0, 1, ...Array<string>(17).fill('.')))).toBe(E.EINVAL);
    });

    it('walk(5): a fid that is open is not walked, one that exists is not made', () => {
      client.walk(0, 1, 'docs');
      client.open(1);
      expect(refusal(() => client.walk(1, 2, 'a.txt'))).toBe(E.EBADF);
      expect(refusal(() => client.walk(0, 1, 'docs'))).toBe(E.EBADF);
    });
  });

  describe('files', () => {
    it('lopen, read, write: at any position, up to the end', () => {
      client.walk(0, 1, 'hello.txt');
      client.open(1, R.O_RDWR);
      expect(text(client.read(1, 0, 5))).toBe('hello');
      expect(text(client.read(1, 6, 500))).toBe('world');
      expect(client.read(1, 11, 10)).toHaveLength(0);
      expect(client.read(1, 2 ** 40, 10)).toHaveLength(0);
      expect(client.write(1, 'WORLD!', 6)).toBe(6);
      expect(text(client.read(1))).toBe('hello WORLD!');
      expect(client.write(1, 'x', 20)).toBe(1);
      expect([...client.read(1, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 120]);
    });

    it('lopen: O_TRUNC and O_APPEND', () => {
      client.walk(0, 1, 'hello.txt');
      client.walk(0, 2, 'hello.txt');
      client.open(1, R.O_WRONLY | R.O_APPEND);
      client.write(1, '!', 0);
      client.open(2, R.O_RDWR | R.O_TRUNC);
      expect(client.getattr(1).size).toBe(0);
      client.write(1, 'new');
      expect(text(client.read(2))).toBe('new');
    });

    it('a fid is read and written as it was opened, and not before', () => {
      client.walk(0, 1, 'hello.txt');
      expect(refusal(() => client.read(1))).toBe(E.EBADF);
      client.open(1);
      expect(refusal(() => client.open(1))).toBe(E.EBADF);
      expect(refusal(() => client.write(1, 'x'))).toBe(E.EBADF);
      client.walk(0, 2, 'hello.txt');
      client.open(2, R.O_WRONLY);
      expect(refusal(() => client.read(2))).toBe(E.EBADF);
      client.walk(0, 3, 'docs');
      expect(refusal(() => client.open(3, R.O_RDWR))).toBe(E.EISDIR);
      client.open(3);
      expect(refusal(() => client.read(3))).toBe(E.EISDIR);
      client.walk(0, 4, 'hello.txt');
      expect(refusal(() => client.open(4, R.O_DIRECTORY))).toBe(E.ENOTDIR);
    });

    it('lcreate: the fid becomes the new file, open', () => {
      client.walk(0, 1, 'docs');
      const made = client.create(1, 'new.txt', R.O_RDWR, 0o600);
      client.write(1, 'fresh');
      client.walk(0, 2, 'docs', 'new.txt');
      expect(client.getattr(2)).toMatchObject({ size: 5, mode: R.S_IFREG | 0o600, links: 1 });
      expect(client.getattr(2).qid.path).toBe(made.path);
      client.walk(0, 3, 'docs');
      expect(refusal(() => client.create(3, 'new.txt', R.O_RDWR | R.O_EXCL))).toBe(E.EEXIST);
      client.create(3, 'new.txt', R.O_RDWR);
      expect(text(client.read(3))).toBe('fresh');
      client.walk(0, 4);
      for (const name of ['.', '..', 'a/b']) expect(refusal(() => client.create(4, name))).toBe(E.EINVAL);
      expect(refusal(() => client.create(4, 'docs'))).toBe(E.EISDIR);
    });

    it('names are bytes: what is no ASCII comes back as it was', () => {
      client.walk(0, 1);
      client.create(1, bytewise('grüße ✓'));
      client.walk(0, 2);
      client.create(2, 'raw\xff\xfe');
      client.open(0);
      const names = client.readdir(0).map(({ name }) => name);
      expect(names).toContain(bytewise('grüße ✓'));
      expect(names).toContain('raw\xff\xfe');
      client.attach(9);
      expect(client.walk(9, 10, 'raw\xff\xfe')).toHaveLength(1);
    });

    it('read: no more than the message holds', () => {
      client.version(4096);
      client.attach(0);
      client.walk(0, 1);
      client.create(1, 'big');
      for (let at = 0; at < 8000; at += 2000) client.write(1, new Uint8Array(2000).fill(7), at);
      expect(client.read(1, 0, 100_000)).toHaveLength(4096 - 11);
      expect(refusal(() => client.write(1, new Uint8Array(5000)))).toBe(E.EMSGSIZE);
    });

    it('fsync, lock and getlock', () => {
      client.walk(0, 1, 'hello.txt');
      expect(refusal(() => client.call(R.TFSYNC, (m) => m.u32(1).u32(0)))).toBe(E.EBADF);
      client.open(1, R.O_RDWR);
      client.call(R.TFSYNC, (m) => m.u32(1).u32(1));
      client.walk(0, 2, 'docs');
      client.open(2);
      client.call(R.TFSYNC, (m) => m.u32(2).u32(0));
      const answer = client.call(R.TLOCK, (m) => m.u32(1).u8(1).u32(0).u64(0).u64(10).u32(5).string('guest'));
      expect(answer.u8()).toBe(R.LOCK_SUCCESS);
      const got = client.call(R.TGETLOCK, (m) => m.u32(1).u8(1).u64(3).u64(10).u32(5).string('guest'));
      expect([got.u8(), got.u64(), got.u64(), got.u32(), got.string()]).toEqual([2, 3n, 10n, 5, 'guest']);
    });

    it('xattrwalk, xattrcreate: not supported; mknod: not permitted', () => {
      expect(refusal(() => client.call(R.TXATTRWALK, (m) => m.u32(0).u32(1).string('user.x')))).toBe(
        E.EOPNOTSUPP,
      );
      expect(refusal(() => client.call(R.TXATTRCREATE, (m) => m.u32(0).string('x').u64(1).u32(0)))).toBe(
        E.EOPNOTSUPP,
      );
      const node = (): unknown =>
        client.call(R.TMKNOD, (m) => m.u32(0).string('tty').u32(0o20666).u32(5).u32(0).u32(0));
      expect(refusal(node)).toBe(E.EPERM);
    });
  });

  describe('attributes', () => {
    it('getattr, setattr: mode, size, times', () => {
      client.walk(0, 1, 'hello.txt');
      client.setattr(1, R.SETATTR_MODE, { mode: 0o100640 });
      client.setattr(1, R.SETATTR_SIZE, { size: 5 });
      const time = 1_234_567_890n * 1_000_000_000n + 500_000_000n;
      const both = R.SETATTR_ATIME | R.SETATTR_ATIME_SET | R.SETATTR_MTIME | R.SETATTR_MTIME_SET;
      client.setattr(1, both, { time });
      expect(client.getattr(1)).toMatchObject({ mode: R.S_IFREG | 0o640, size: 5, modified: time });
      client.setattr(1, R.SETATTR_SIZE, { size: 10 });
      client.open(1, R.O_RDWR);
      client.setattr(1, R.SETATTR_SIZE, { size: 7 });
      expect([...client.read(1)]).toEqual([...new TextEncoder().encode('hello'), 0, 0]);
    });

    it('the version of a qid changes with the file', () => {
      client.walk(0, 1, 'hello.txt');
      const before = client.getattr(1).qid;
      client.setattr(1, R.SETATTR_SIZE, { size: 100 });
      const after = client.getattr(1).qid;
      expect(after.path).toBe(before.path);
      expect(after.version).not.toBe(before.version);
    });

    it('setattr: the size of a directory is refused', () => {
      expect(refusal(() => client.setattr(0, R.SETATTR_SIZE, { size: 1 }))).toBe(E.EINVAL);
    });

    it('statfs', () => {
      const answer = client.call(R.TSTATFS, (m) => m.u32(0));
      expect(answer.u32()).toBeGreaterThan(0);
      const blockSize = answer.u32();
      expect(blockSize).toBeGreaterThanOrEqual(512);
      const [blocks, free] = [answer.u64(), answer.u64()];
      expect(blocks >= free && free > 0n).toBe(true);
    });
  });

  describe('directories', () => {
    const names = (fid: number): string[] =>
      client
        .readdir(fid)
        .map(({ name }) => name)
        .sort();

    it('readdir: entries with qid, type and the offset of the next, "." and ".." too', () => {
      client.walk(0, 1, 'docs');
      client.open(1);
      const entries = client.readdir(1);
      expect(entries.map(({ name }) => name).sort()).toEqual(['.', '..', 'a.txt', 'deep']);
      expect(entries.find(({ name }) => name === 'deep')).toMatchObject({ type: 4, qid: { type: R.QT_DIR } });
      expect(entries.find(({ name }) => name === 'a.txt')).toMatchObject({ type: 8, qid: { type: 0 } });
      expect(entries.find(({ name }) => name === '..')!.qid.path).toBe(client.getattr(0).qid.path);
      expect(client.readdir(1, entries.at(-1)!.offset)).toEqual([]);
    });

    it('readdir: in parts, from the offset of the last entry on', () => {
      client.walk(0, 1, 'empty');
      for (let index = 0; index < 300; index++) {
        client.walk(1, 2);
        client.create(2, `file-${index}`);
        client.clunk(2);
      }
      client.open(1);
      const seen: string[] = [];
      for (
        let part = client.readdir(1, 0, 1000);
        part.length > 0;
        part = client.readdir(1, part.at(-1)!.offset, 1000)
      ) {
        expect(part.length).toBeLessThan(40);
        seen.push(...part.map(({ name }) => name));
      }
      expect(new Set(seen).size).toBe(303);
      expect(seen).toHaveLength(303);
      expect(refusal(() => client.readdir(1, 0, 10))).toBe(E.EINVAL);
    });

    it('readdir: only of directories that are open', () => {
      expect(refusal(() => client.readdir(0))).toBe(E.EBADF);
      client.walk(0, 1, 'hello.txt');
      client.open(1);
      expect(refusal(() => client.readdir(1))).toBe(E.ENOTDIR);
    });

    it('mkdir, unlinkat', () => {
      expect(client.mkdir(0, 'made', 0o700).type).toBe(R.QT_DIR);
      expect(refusal(() => client.mkdir(0, 'made'))).toBe(E.EEXIST);
      client.walk(0, 1, 'made');
      expect(client.getattr(1).mode).toBe(R.S_IFDIR | 0o700);
      expect(refusal(() => client.unlinkat(0, 'docs', R.AT_REMOVEDIR))).toBe(E.ENOTEMPTY);
      expect([E.EISDIR, E.EPERM]).toContain(refusal(() => client.unlinkat(0, 'docs')));
      expect(refusal(() => client.unlinkat(0, 'hello.txt', R.AT_REMOVEDIR))).toBe(E.ENOTDIR);
      expect(refusal(() => client.unlinkat(0, 'hello.txt', 1))).toBe(E.EINVAL);
      client.unlinkat(0, 'made', R.AT_REMOVEDIR);
      client.unlinkat(0, 'hello.txt');
      expect(refusal(() => client.unlinkat(0, 'hello.txt'))).toBe(E.ENOENT);
      for (const name of ['.', '..'])
        expect(refusal(() => client.unlinkat(0, name, R.AT_REMOVEDIR))).toBe(E.EINVAL);
      client.open(0);
      expect(names(0)).toEqual(['.', '..', 'docs', 'empty']);
    });

    it('a file without a name lives on as long as it is open', () => {
      client.walk(0, 1, 'hello.txt');
      client.walk(0, 2, 'hello.txt');
      client.open(1, R.O_RDWR);
      client.unlinkat(0, 'hello.txt');
      expect(text(client.read(1))).toBe('hello world');
      client.write(1, 'still');
      expect(client.getattr(1).size).toBe(11);
      // One that is not open has its status too.
      expect(client.getattr(2).size).toBe(11);
      client.walk(0, 3);
      client.create(3, 'hello.txt');
      expect(client.getattr(3).size).toBe(0);
      expect(text(client.read(1, 0, 5))).toBe('still');
    });

    it('symlink, readlink: the target is not looked at', () => {
      const target = '/etc/passwd';
      expect(client.symlink(0, 'link', target).type).toBe(R.QT_SYMLINK);
      client.walk(0, 1, 'link');
      expect(client.readlink(1)).toBe(target);
      expect(client.getattr(1).mode & R.S_IFMT).toBe(R.S_IFLNK);
      expect(refusal(() => client.open(1))).toBe(E.ELOOP);
      expect(refusal(() => client.readlink(0))).toBe(E.EINVAL);
      expect(refusal(() => client.symlink(0, 'link', 'x'))).toBe(E.EEXIST);
      expect(refusal(() => client.symlink(0, 'other', ''))).toBe(E.ENOENT);
      client.walk(0, 2);
      expect(refusal(() => client.create(2, 'link'))).toBe(E.ELOOP);
    });

    it('link: two names, one file', () => {
      client.walk(0, 1, 'hello.txt');
      client.walk(0, 2, 'docs');
      client.link(2, 1, 'again');
      client.walk(0, 3, 'docs', 'again');
      expect(client.getattr(3)).toMatchObject({ links: 2, qid: { path: client.getattr(1).qid.path } });
      expect(refusal(() => client.link(2, 1, 'again'))).toBe(E.EEXIST);
      expect(refusal(() => client.link(2, 2, 'dir'))).toBe(E.EPERM);
      // rename(2) of one name over the other does nothing.
      client.renameat(0, 'hello.txt', 2, 'again');
      expect(client.walk(0, 4, 'hello.txt')).toHaveLength(1);
      expect(client.getattr(3).links).toBe(2);
    });

    it('renameat: fids of the file, and of what is below a directory, follow', () => {
      client.walk(0, 1, 'docs', 'deep', 'b.txt');
      client.walk(0, 2, 'empty');
      client.renameat(0, 'docs', 2, 'moved');
      expect(client.getattr(1).size).toBe(1);
      client.open(1);
      expect(text(client.read(1))).toBe('b');
      expect(client.walk(0, 3, 'empty', 'moved', 'deep', 'b.txt')).toHaveLength(4);
      expect(refusal(() => client.walk(0, 4, 'docs'))).toBe(E.ENOENT);
      client.walk(0, 5, 'empty', 'moved', 'deep');
      client.renameat(5, 'b.txt', 0, 'c.txt');
      client.walk(0, 6, 'c.txt');
      expect(client.getattr(6).size).toBe(1);
      expect(client.getattr(3).qid.path).toBe(client.getattr(6).qid.path);
    });

    it('renameat over a file: its fids keep what they had', () => {
      client.walk(0, 1, 'hello.txt');
      client.walk(0, 2, 'docs', 'a.txt');
      client.walk(0, 3, 'docs');
      client.renameat(0, 'hello.txt', 3, 'a.txt');
      expect(client.getattr(1).size).toBe(11);
      expect(client.getattr(2).size).toBe(1);
      expect(refusal(() => client.renameat(0, 'none', 3, 'x'))).toBe(E.ENOENT);
      expect(refusal(() => client.renameat(0, 'docs', 0, 'empty'))).toBe(E.ENOTEMPTY);
      client.walk(0, 4, 'docs', 'deep');
      expect(refusal(() => client.renameat(0, 'docs', 4, 'x'))).toBe(E.EINVAL);
    });

    it('rename, remove: by the fid', () => {
      client.walk(0, 1, 'hello.txt');
      client.walk(0, 2, 'docs');
      client.rename(1, 2, 'renamed');
      expect(client.walk(0, 3, 'docs', 'renamed')).toHaveLength(2);
      client.remove(3);
      expect(refusal(() => client.getattr(3))).toBe(E.EBADF);
      expect(refusal(() => client.walk(2, 4, 'renamed'))).toBe(E.ENOENT);
      expect(refusal(() => client.remove(2))).toBe(E.ENOTEMPTY);
      expect(refusal(() => client.getattr(2))).toBe(E.EBADF);
      expect(refusal(() => client.rename(0, 0, 'x'))).toBe(E.EINVAL);
      expect(refusal(() => client.remove(0))).toBe(E.EINVAL);
    });
  });

  it('read-only: everything that would change something is refused, the rest works', () => {
    server.reset();
    cleanUp();
    start({ readOnly: true });
    client.walk(0, 1, 'hello.txt');
    expect(refusal(() => client.open(1, R.O_RDWR))).toBe(E.EROFS);
    expect(refusal(() => client.open(1, R.O_TRUNC))).toBe(E.EROFS);
    client.open(1);
    expect(text(client.read(1))).toBe('hello world');
    const refused: (() => unknown)[] = [
      () => client.write(1, 'x'),
      () => client.setattr(1, R.SETATTR_MODE, { mode: 0 }),
      () => client.setattr(1, R.SETATTR_SIZE, { size: 0 }),
      () => client.create(0, 'x'),
      () => client.mkdir(0, 'x'),
      () => client.symlink(0, 'x', 'y'),
      () => client.link(0, 1, 'x'),
      () => client.rename(1, 0, 'x'),
      () => client.renameat(0, 'hello.txt', 0, 'x'),
      () => client.unlinkat(0, 'hello.txt'),
      () => client.call(R.TMKNOD, (m) => m.u32(0).string('x').u32(0).u32(0).u32(0).u32(0)),
      () => client.remove(1),
    ];
    expect(refused.map(refusal)).toEqual(refused.map(() => E.EROFS));
    client.open(0);
    expect(client.readdir(0)).toHaveLength(5);
  });

  it('a snapshot: fids and open files are there again, in the same state', () => {
    client.walk(0, 1, 'docs', 'a.txt');
    client.open(1, R.O_RDWR | R.O_TRUNC);
    client.write(1, 'kept');
    client.walk(0, 2, 'docs');
    client.open(2);
    client.walk(0, 3, 'hello.txt');
    client.open(3);
    client.unlinkat(0, 'hello.txt');
    const saved = server.save();
    client.write(1, 'KEPT');
    client.mkdir(0, 'later');
    server.restore(saved);
    expect(server.fids).toBe(4);
    expect(text(client.read(1)).toLowerCase()).toBe('kept');
    expect(client.readdir(2)).toHaveLength(4);
    // Its name was gone, so nobody can find it again.
    expect(refusal(() => client.read(3))).toBe(E.ESTALE);
    client.clunk(3);
  });

  it('limits: fids and open files', () => {
    server.reset();
    cleanUp();
    start({ maxFids: 10, maxFiles: 3 });
    let fid = 1;
    let errno = 0;
    for (; errno === 0; fid++) errno = refusal(() => client.walk(0, fid));
    expect([errno, fid]).toEqual([E.EMFILE, 11]);
    for (let used = 1; used < 10; used++) client.clunk(used);
    for (let used = 1; used <= 4; used++) client.walk(0, used, 'hello.txt');
    for (let used = 1; used <= 3; used++) client.open(used);
    expect(refusal(() => client.open(4))).toBe(E.ENFILE);
    client.clunk(1);
    client.open(4);
  });
});
