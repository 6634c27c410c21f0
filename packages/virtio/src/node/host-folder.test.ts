import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@vmloom/net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as E from '../9p/errno.js';
import * as R from '../9p/registers.js';
import { P9Server } from '../9p/server.js';
import { P9Client, refusal } from '../testing/p9-client.js';
import { HostFolder } from './host-folder.js';

let outside: string;
let folder: string;
let files: HostFolder;
let server: P9Server;
let client: P9Client;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'vmloom-folder-'));
  folder = join(outside, 'shared');
  mkdirSync(join(folder, 'dir'), { recursive: true });
  mkdirSync(join(outside, 'private'));
  writeFileSync(join(outside, 'private', 'secret'), 'secret');
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(folder, 'plain'), 'plain');
  files = new HostFolder(folder);
  server = new P9Server({ files });
  client = new P9Client((message) => server.handle(message, 65_536));
  client.version();
  client.attach(0);
});
afterEach(() => {
  server.reset();
  files.close();
  rmSync(outside, { recursive: true });
});

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('there is no way out of the folder', () => {
  it('by ".."', () => {
    const root = client.getattr(0).qid.path;
    expect(client.walk(0, 1, '..', '..').map(({ path }) => path)).toEqual([root, root]);
    expect(refusal(() => client.walk(0, 2, '..', 'secret'))).toBe(0);
    expect(refusal(() => client.getattr(2))).toBe(E.EBADF);
    for (const name of ['../secret', 'dir/../../secret', '..\0', '/secret']) {
      expect(refusal(() => client.walk(0, 3, name))).toBe(E.EINVAL);
    }
    client.open(1);
    expect(client.readdir(1).find(({ name }) => name === '..')!.qid.path).toBe(root);
  });

  it('by absolute names, in whatever takes a name', () => {
    const name = join(outside, 'secret');
    client.walk(0, 1, 'plain');
    const tries: (() => unknown)[] = [
      () => client.create(0, name),
      () => client.mkdir(0, name),
      () => client.symlink(0, name, 'x'),
      () => client.link(0, 1, name),
      () => client.rename(1, 0, name),
      () => client.renameat(0, 'plain', 0, '../moved'),
      () => client.renameat(0, '../secret', 0, 'stolen'),
      () => client.unlinkat(0, '../secret'),
      () => client.unlinkat(0, '../private', R.AT_REMOVEDIR),
    ];
    expect(tries.map(refusal)).toEqual(tries.map(() => E.EINVAL));
    expect(readdirSync(outside).sort()).toEqual(['private', 'secret', 'shared']);
  });

  it('by links, absolute or relative, of the client or of the host', () => {
    client.symlink(0, 'a', join(outside, 'private'));
    client.symlink(0, 'b', '../secret');
    symlinkSync('/', join(folder, 'c'));
    expect(refusal(() => client.walk(0, 1, 'a', 'secret'))).toBe(0);
    expect(refusal(() => client.getattr(1))).toBe(E.EBADF);
    client.walk(0, 2, 'a');
    expect(refusal(() => client.walk(2, 3, 'secret'))).toBe(E.ENOTDIR);
    client.walk(0, 4, 'b');
    const tries: (() => unknown)[] = [
      () => client.open(4),
      () => client.open(4, R.O_RDWR | R.O_TRUNC),
      () => client.setattr(4, R.SETATTR_SIZE, { size: 0 }),
      () => client.setattr(4, R.SETATTR_MODE, { mode: 0o777 }),
      () => client.create(2, 'new'),
      () => client.mkdir(2, 'new'),
      () => client.symlink(2, 'new', 'x'),
      () => client.link(2, 4, 'new'),
      () => client.renameat(0, 'plain', 2, 'new'),
      () => client.unlinkat(2, 'secret'),
      () => client.call(R.TFSYNC, (m) => m.u32(2).u32(0)),
    ];
    for (const work of tries) expect(refusal(work)).not.toBe(0);
    client.walk(0, 5);
    expect(refusal(() => client.create(5, 'b', R.O_WRONLY | R.O_TRUNC))).toBe(E.ELOOP);
    client.setattr(4, R.SETATTR_UID | R.SETATTR_GID, { uid: process.getuid!(), gid: process.getgid!() });
    client.setattr(4, R.SETATTR_MTIME | R.SETATTR_MTIME_SET, { time: 0n });
    expect(lstatSync(join(outside, 'secret')).mtimeMs).toBeGreaterThan(0);
    // A second name of the link, not of what it names.
    client.link(0, 4, 'second');
    expect(readlinkSync(join(folder, 'second'))).toBe('../secret');
    client.unlinkat(0, 'b');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(readdirSync(join(outside, 'private'))).toEqual(['secret']);
    // The file system of a link is that of the folder: none that it leads to.
    client.call(R.TSTATFS, (m) => m.u32(0));
  });

  it('by a link that takes the place of a directory after it was walked to', () => {
    writeFileSync(join(folder, 'dir', 'inner'), 'inside');
    client.walk(0, 1, 'dir');
    client.walk(0, 2, 'dir', 'inner');
    renameSync(join(folder, 'dir'), join(folder, 'old'));
    symlinkSync(join(outside, 'private'), join(folder, 'dir'));
    const reached = [
      refusal(() => client.walk(1, 3, 'secret')),
      refusal(() => client.create(1, 'made')),
      refusal(() => client.unlinkat(1, 'secret')),
      refusal(() => client.open(2, R.O_RDWR)),
    ];
    expect(reached[0]).not.toBe(0);
    expect(reached[2]).not.toBe(0);
    expect(readdirSync(join(outside, 'private'))).toEqual(['secret']);
    client.attach(9);
    client.walk(9, 10, 'dir');
    expect(refusal(() => client.walk(10, 11, 'secret'))).toBe(E.ENOTDIR);
    // Who had the directory has it still.
    expect(text(readFileSync(join(folder, 'old', 'inner')))).toBe('inside');
  });

  it('an object that the host replaced is a new one; fids of the old one do not become the new one', () => {
    client.walk(0, 1, 'plain');
    const before = client.getattr(1).qid.path;
    writeFileSync(join(folder, 'other'), 'other');
    renameSync(join(folder, 'other'), join(folder, 'plain'));
    client.walk(0, 2, 'plain');
    expect(client.getattr(2).qid.path).not.toBe(before);
    expect(client.getattr(1).qid.path).toBe(before);
    client.open(2);
    expect(text(client.read(2))).toBe('other');
    // One that nobody had opened is not found again.
    client.walk(0, 3, 'dir');
    renameSync(join(folder, 'dir'), join(folder, 'old'));
    mkdirSync(join(folder, 'dir'));
    expect(refusal(() => client.getattr(3))).toBe(E.ESTALE);
  });

  it('by a link that takes the place of a file between walk and open', () => {
    client.walk(0, 1, 'plain');
    unlinkSync(join(folder, 'plain'));
    symlinkSync(join(outside, 'secret'), join(folder, 'plain'));
    expect(refusal(() => client.open(1, R.O_RDWR | R.O_TRUNC))).not.toBe(0);
    expect(refusal(() => client.setattr(1, R.SETATTR_SIZE, { size: 0 }))).not.toBe(0);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('while a process swaps a directory and a link as fast as it can', async () => {
    writeFileSync(join(folder, 'dir', 'secret'), 'inside');
    // A process of its own: the calls made here do not wait for it.
    const script = `cd "$1"; ln -s ../private link
      for i in $(seq 300); do mv -T dir kept; mv -T link dir; mv -T dir link; mv -T kept dir; done`;
    const swapper = spawn('sh', ['-c', script, 'sh', folder], { stdio: 'ignore' });
    const end = new Promise((resolve) => swapper.on('close', resolve));
    const seen = new Set<string>();
    let opened = 0;
    for (let round = 0; round < 2500; round++) {
      const fid = 100 + round;
      const errno = refusal(() => {
        client.walk(0, fid, 'dir', 'secret');
        client.open(fid, R.O_RDWR);
        seen.add(text(client.read(fid)));
        client.write(fid, 'inside');
        opened++;
      });
      seen.add(`error ${errno}`);
      refusal(() => client.clunk(fid));
    }
    await end;
    expect(opened).toBeGreaterThan(0);
    expect(seen.size).toBeGreaterThan(2);
    expect(seen.has('secret')).toBe(false);
    expect(readFileSync(join(outside, 'private', 'secret'), 'utf8')).toBe('secret');
  });

  it('by random messages', () => {
    symlinkSync('../private', join(folder, 'out'));
    symlinkSync(outside, join(folder, 'dir', 'up'));
    const random = new Random(7);
    const names = ['plain', 'dir', 'out', 'up', 'secret', '..', 'private', 'x', 'y', 'shared'];
    const name = (): string => names[random.below(names.length)];
    const fid = (): number => random.below(12);
    const works: (() => unknown)[] = [
      () => client.attach(fid()),
      () => client.walk(fid(), fid(), name(), name()),
      () => client.walk(fid(), fid(), ...(random.chance(0.5) ? [name()] : [])),
      () => client.clunk(fid()),
      () => client.open(fid(), [0, 2, 0o1002, 1][random.below(4)]),
      () => client.create(fid(), name(), R.O_RDWR | R.O_TRUNC),
      () => client.write(fid(), 'overwritten'),
      () => client.mkdir(fid(), name()),
      () => client.symlink(fid(), name(), ['../secret', outside, '/', 'dir'][random.below(4)]),
      () => client.link(fid(), fid(), name()),
      () => client.renameat(fid(), name(), fid(), name()),
      () => client.rename(fid(), fid(), name()),
      () => client.unlinkat(fid(), name(), random.below(2) * R.AT_REMOVEDIR),
      () => client.remove(fid()),
      () => client.setattr(fid(), R.SETATTR_SIZE, { size: 3 }),
      () => client.setattr(fid(), R.SETATTR_MODE, { mode: 0o755 }),
      () => client.readdir(fid()),
      () => client.readlink(fid()),
    ];
    const errors = new Map<number, number>();
    for (let round = 0; round < 6000; round++) {
      const errno = refusal(works[random.below(works.length)]);
      errors.set(errno, (errors.get(errno) ?? 0) + 1);
    }
    expect(errors.get(0)).toBeGreaterThan(500);
    expect(errors.has(E.EIO)).toBe(false);
    expect(readdirSync(outside).sort()).toEqual(['private', 'secret', 'shared']);
    expect(readdirSync(join(outside, 'private'))).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(readFileSync(join(outside, 'private', 'secret'), 'utf8')).toBe('secret');
  });
});

describe('the host stays whole', () => {
  it('a FIFO is not opened, and nothing waits for its other end', () => {
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    client.walk(0, 1, 'fifo');
    expect(refusal(() => client.open(1))).toBe(E.EOPNOTSUPP);
    expect(refusal(() => client.open(1, R.O_WRONLY))).toBe(E.EOPNOTSUPP);
    client.walk(0, 2);
    expect(refusal(() => client.create(2, 'fifo', R.O_WRONLY))).toBe(E.EOPNOTSUPP);
    expect(refusal(() => client.setattr(1, R.SETATTR_SIZE, { size: 0 }))).toBe(E.EINVAL);
    expect(client.getattr(1).mode & R.S_IFMT).toBe(0o010000);
  });

  it('descriptors are bounded whatever is walked to, and none is left behind', () => {
    const before = descriptors();
    for (let index = 0; index < 600; index++) writeFileSync(join(folder, 'dir', `f${index}`), '');
    client.walk(0, 1, 'dir');
    for (let index = 0; index < 600; index++) {
      client.walk(1, 100 + index, `f${index}`);
      client.getattr(100 + index);
    }
    expect(descriptors() - before).toBeLessThanOrEqual(258);
    for (let index = 0; index < 600; index++) expect(client.getattr(100 + index).size).toBe(0);
    server.reset();
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it('a place far down is found again after its directories were closed', () => {
    const before = descriptors();
    for (let depth = 0; depth < 400; depth++) {
      client.mkdir(0, 'd');
      client.walk(0, 0, 'd');
    }
    expect(descriptors() - before).toBeLessThan(300);
    const { path } = client.getattr(0).qid;
    server.restore(server.save());
    expect(descriptors()).toBeLessThanOrEqual(before);
    expect(client.getattr(0).qid.path).toBe(path);
  });

  it('what makes files makes them with the mode that is asked for, whatever the umask', () => {
    const umask = process.umask(0o077);
    try {
      client.walk(0, 1);
      client.create(1, 'made', R.O_RDWR, 0o664);
      client.mkdir(0, 'made-too', 0o775);
      expect(lstatSync(join(folder, 'made')).mode & 0o7777).toBe(0o664);
      expect(lstatSync(join(folder, 'made-too')).mode & 0o7777).toBe(0o775);
    } finally {
      process.umask(umask);
    }
  });

  it('what the host writes is seen, and what the client writes is there', () => {
    writeFileSync(join(folder, 'host'), 'from the host');
    client.walk(0, 1, 'host');
    client.open(1, R.O_RDWR);
    expect(text(client.read(1))).toBe('from the host');
    client.write(1, 'FROM');
    expect(readFileSync(join(folder, 'host'), 'utf8')).toBe('FROM the host');
    client.walk(0, 2, 'plain');
    client.remove(2);
    expect(existsSync(join(folder, 'plain'))).toBe(false);
  });

  it('a folder that is none is refused', () => {
    expect(() => new HostFolder(join(folder, 'plain'))).toThrow('cannot be shared');
    expect(() => new HostFolder(join(folder, 'none'))).toThrow('cannot be shared');
  });
});
