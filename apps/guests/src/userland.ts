import type { CpioEntry } from './cpio.js';
import { elfNeeds, isElf } from './elf.js';
import { GuestsError } from './error.js';
import type { PackageStore, UnpackedPackage } from './store.js';

/** A program and the package that has it. */
export interface Program {
  readonly package: string;
  /** As the package has it, such as `usr/sbin/ethtool`. */
  readonly path: string;
}

const LIBRARY_FOLDERS = ['usr/lib/riscv64-linux-gnu', 'usr/lib', 'lib/riscv64-linux-gnu', 'lib'];

interface Found {
  readonly owner: UnpackedPackage;
  readonly path: string;
}

/**
 * Archive entries of programs with the libraries they are linked against: the closure of what the ELF files
 * need, of the packages' direct dependencies, so that no more is fetched than is packed.
 * @throws GuestsError missing-package for a library that no dependency has
 */
export function packPrograms(store: PackageStore, programs: readonly Program[]): CpioEntry[] {
  const entries = new Map<string, CpioEntry>();
  const waiting: Found[] = programs.map((one) => ({ owner: store.get(one.package), path: one.path }));
  const libraries = new Map<string, Found>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, bytes } = follow(next, entries);
    if (entries.has(path)) continue;
    entries.set(path, { kind: 'file', path, bytes, mode: 0o755 });
    if (!isElf(bytes)) continue;
    const { libraries: names, interpreter } = elfNeeds(bytes);
    // The kernel opens the linker by its path, so that is packed too: mostly a link.
    const linker = interpreter === undefined ? [] : [`usr${interpreter}`];
    for (const name of [...names, ...linker]) {
      if (libraries.has(name)) continue;
      const found = findLibrary(store, next.owner, name);
      libraries.set(name, found);
      waiting.push(found);
    }
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The file behind symbolic links, which are packed on the way. */
function follow(start: Found, entries: Map<string, CpioEntry>): { path: string; bytes: Uint8Array } {
  let { path } = start;
  for (let link = start.owner.link(path); link !== undefined; link = start.owner.link(path)) {
    entries.set(path, { kind: 'symlink', path, target: link });
    path = resolved(path, link);
  }
  return { path, bytes: start.owner.read(path) };
}

/** Where a link leads, as a path of the archive. */
export function resolved(path: string, link: string): string {
  const parts = link.startsWith('/') ? [] : path.split('/').slice(0, -1);
  for (const part of link.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function findLibrary(store: PackageStore, owner: UnpackedPackage, name: string): Found {
  const stem = name.replace(/\.so.*$/, '').replaceAll('_', '-');
  const likely = (one: string): number => (one.startsWith(stem) ? 0 : one === 'libc6' ? 1 : 2);
  const near = owner.record.depends
    .filter((one) => /^(?:lib|zlib)/.test(one))
    .sort((a, b) => likely(a) - likely(b));
  for (const one of [owner.record.name, ...near, 'libc6']) {
    if (store.tryRecord(one) === undefined) continue;
    const candidate = store.get(one);
    const places = name.includes('/') ? [name] : LIBRARY_FOLDERS.map((folder) => `${folder}/${name}`);
    const path = places.find((file) => candidate.has(file));
    if (path !== undefined) return { owner: candidate, path };
  }
  throw new GuestsError(
    'missing-package',
    `${owner.record.name} needs ${name}, and no package that it depends on has it`,
  );
}
