import { GuestsError } from './error.js';

/** One entry of an archive. Paths are relative to the root, without a leading slash. */
export type CpioEntry =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly mode?: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly mode?: number;
    };

/** Magic number of the "new ASCII" format without checksums, Linux Documentation/driver-api/early-userspace. */
const MAGIC = '070701';
const HEADER = 110;
const TRAILER = 'TRAILER!!!';
/** The kernel's unpacker looks for the next archive at the next multiple of this. */
const ALIGNMENT = 4;
const MAX_NAME = 4096;
const MAX_FILE = 0xffff_ffff;

const TYPES = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  'character-device': 0o020000,
} as const;

/**
 * An archive in the newc format that Linux unpacks as its first file system. Equal entries give equal bytes:
 * every owner is root, every time is 0 and inodes count up. Directories that a path needs and the entries do
 * not name are added before it.
 * @throws GuestsError bad-archive for a path that is absolute, empty, leaves the root or comes twice
 */
export function writeCpio(entries: Iterable<CpioEntry>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const seen = new Map<string, CpioEntry['kind']>();
  let inode = 0;
  const put = (entry: CpioEntry): void => {
    seen.set(entry.path, entry.kind);
    const data =
      entry.kind === 'file'
        ? entry.bytes
        : entry.kind === 'symlink'
          ? encoder.encode(entry.target)
          : new Uint8Array(0);
    parts.push(...record(++inode, entry, data, encoder));
  };
  for (const entry of entries) {
    check(entry);
    const before = seen.get(entry.path);
    if (before === 'directory' && entry.kind === 'directory') continue;
    if (before !== undefined) throw new GuestsError('bad-archive', `${entry.path} is in the archive twice`);
    for (const path of parents(entry.path)) {
      const kind = seen.get(path);
      if (kind === undefined) put({ kind: 'directory', path });
      else if (kind !== 'directory') {
        throw new GuestsError('bad-archive', `${entry.path} lies in ${path}, which is a ${kind}`);
      }
    }
    put(entry);
  }
  parts.push(...header(0, TRAILER, { mode: 0, links: 1, size: 0, major: 0, minor: 0 }, encoder));
  return joined(parts);
}

function record(inode: number, entry: CpioEntry, data: Uint8Array, encoder: TextEncoder): Uint8Array[] {
  const permissions =
    entry.kind === 'symlink' ? 0o777 : (entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644));
  const device = entry.kind === 'character-device' ? entry : { major: 0, minor: 0 };
  const fields = {
    mode: TYPES[entry.kind] | permissions,
    links: entry.kind === 'directory' ? 2 : 1,
    size: data.length,
    major: device.major,
    minor: device.minor,
  };
  return [...header(inode, entry.path, fields, encoder), data, padding(data.length)];
}

interface Fields {
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

function header(inode: number, path: string, fields: Fields, encoder: TextEncoder): Uint8Array[] {
  const name = encoder.encode(`${path}\0`);
  const { mode, links, size, major, minor } = fields;
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const values = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, name.length, 0];
  const text = MAGIC + values.map((value) => value.toString(16).toUpperCase().padStart(8, '0')).join('');
  return [encoder.encode(text), name, padding(HEADER + name.length)];
}

function check(entry: CpioEntry): void {
  const { path } = entry;
  const bad = path.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (bad || path.includes('\0') || path === TRAILER || path.length > MAX_NAME) {
    throw new GuestsError('bad-archive', `"${path}" is no path of an archive; write it as in etc/hosts`);
  }
  if (entry.kind === 'file' && entry.bytes.length > MAX_FILE) {
    throw new GuestsError('bad-archive', `${path} is larger than 4 GiB`);
  }
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function padding(length: number): Uint8Array {
  return new Uint8Array((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
}

/** Bytes one behind the other: Linux unpacks archives that follow each other as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
