import { describe, expect, it } from 'vitest';
import { joined, writeCpio, type CpioEntry } from './cpio.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Read {
  readonly name: string;
  readonly mode: number;
  readonly data: string;
  readonly fields: number[];
}

/** A reader of its own, from the format's description. */
function readCpio(archive: Uint8Array): Read[] {
  const ascii = new TextDecoder('latin1').decode(archive);
  const found: Read[] = [];
  for (let at = 0; at < ascii.length;) {
    expect(at % 4).toBe(0);
    expect(ascii.slice(at, at + 6)).toBe('070701');
    const fields = Array.from({ length: 13 }, (_, index) =>
      parseInt(ascii.slice(at + 6 + index * 8, at + 14 + index * 8), 16),
    );
    const nameSize = fields[11];
    const name = ascii.slice(at + 110, at + 110 + nameSize - 1);
    expect(ascii[at + 110 + nameSize - 1]).toBe('\0');
    const start = (at + 110 + nameSize + 3) & ~3;
    const data = ascii.slice(start, start + fields[6]);
    found.push({ name, mode: fields[1], data, fields });
    at = (start + fields[6] + 3) & ~3;
  }
  return found;
}

describe('writeCpio', () => {
  it('early-userspace: each kind of entry with its mode, its data aligned to 4 bytes, and a trailer', () => {
    const read = readCpio(
      writeCpio([
        { kind: 'directory', path: 'dev' },
        { kind: 'character-device', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
        { kind: 'file', path: 'init', bytes: text('#!/bin/sh\n'), mode: 0o755 },
        { kind: 'file', path: 'empty', bytes: text('') },
        { kind: 'symlink', path: 'sbin', target: 'usr/sbin' },
      ]),
    );
    expect(read.map(({ name, mode, data }) => [name, mode.toString(8), data])).toEqual([
      ['dev', '40755', ''],
      ['dev/console', '20600', ''],
      ['init', '100755', '#!/bin/sh\n'],
      ['empty', '100644', ''],
      ['sbin', '120777', 'usr/sbin'],
      ['TRAILER!!!', '0', ''],
    ]);
    expect(read[1].fields.slice(9, 11)).toEqual([5, 1]);
  });

  it('gives every entry an inode of its own, or the kernel would take them for hard links', () => {
    const read = readCpio(
      writeCpio([
        { kind: 'file', path: 'a', bytes: text('1') },
        { kind: 'file', path: 'b', bytes: text('2') },
      ]),
    );
    const inodes = read.slice(0, -1).map(({ fields }) => fields[0]);
    expect(new Set(inodes).size).toBe(2);
    expect(read.slice(0, -1).map(({ fields }) => fields[4])).toEqual([1, 1]);
  });

  it('adds the directories that a path needs, once', () => {
    const read = readCpio(
      writeCpio([
        { kind: 'file', path: 'usr/bin/a', bytes: text('') },
        { kind: 'file', path: 'usr/bin/b', bytes: text('') },
        { kind: 'directory', path: 'usr/bin' },
      ]),
    );
    expect(read.map(({ name }) => name)).toEqual(['usr', 'usr/bin', 'usr/bin/a', 'usr/bin/b', 'TRAILER!!!']);
  });

  it('writes equal bytes for equal entries, with no time and no owner in them', () => {
    const entries: CpioEntry[] = [{ kind: 'file', path: 'a', bytes: text('abc') }];
    const archive = writeCpio(entries);
    expect(writeCpio(entries)).toEqual(archive);
    const [uid, gid, , mtime] = readCpio(archive)[0].fields.slice(2, 6);
    expect([uid, gid, mtime]).toEqual([0, 0, 0]);
  });

  it('ends aligned, so that another archive may follow', () => {
    const first = writeCpio([{ kind: 'file', path: 'a', bytes: text('12345') }]);
    const second = writeCpio([{ kind: 'file', path: 'plan', bytes: text('x') }]);
    expect(first.length % 4).toBe(0);
    const names = readCpio(joined([first, second])).map(({ name }) => name);
    expect(names).toEqual(['a', 'TRAILER!!!', 'plan', 'TRAILER!!!']);
  });

  it.each(['', '/init', 'a//b', 'a/../b', './a', 'a/', 'TRAILER!!!', 'a\0b'])(
    'refuses the path %j',
    (path) => {
      expect(() => writeCpio([{ kind: 'directory', path }])).toThrow(
        expect.objectContaining({ name: 'GuestsError', code: 'bad-archive' }),
      );
    },
  );

  it('refuses a path that comes twice, and one inside a file', () => {
    const file: CpioEntry = { kind: 'file', path: 'a', bytes: text('') };
    expect(() => writeCpio([file, file])).toThrow('twice');
    expect(() => writeCpio([file, { kind: 'directory', path: 'a/b' }])).toThrow('lies in a');
  });
});
