import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PackageRecord } from './apt/package-record.js';
import { PrivateApt, type Suite } from './apt/private-apt.js';
import { runTool } from './apt/tools.js';
import { cacheFolder, sha256 } from './cache.js';
import { GuestsError } from './error.js';

/** A file's digest, or where a symbolic link leads. */
type Held = { readonly sha256: string } | { readonly link: string };

/** An unpacked package; every file is checked against its digest when it is read. */
export class UnpackedPackage {
  readonly #folder: string;
  readonly #files: ReadonlyMap<string, Held>;

  constructor(
    readonly record: PackageRecord,
    folder: string,
    files: Readonly<Record<string, Held>>,
  ) {
    this.#folder = folder;
    this.#files = new Map(Object.entries(files));
  }

  /** Paths of its files and links, without a leading slash. */
  get paths(): string[] {
    return [...this.#files.keys()];
  }

  /** Where a symbolic link leads; undefined for anything else. */
  link(path: string): string | undefined {
    const held = this.#files.get(path);
    return held !== undefined && 'link' in held ? held.link : undefined;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** @throws GuestsError missing-package when it is not there, checksum when it is not what was unpacked */
  read(path: string): Uint8Array {
    const held = this.#files.get(path);
    if (held === undefined || 'link' in held) {
      throw new GuestsError(
        'missing-package',
        `${this.record.name} ${this.record.version} has no file ${path}`,
      );
    }
    const bytes = new Uint8Array(readFileSync(join(this.#folder, path)));
    if (sha256(bytes) !== held.sha256) {
      throw new GuestsError(
        'checksum',
        `${path} of ${this.record.name} in the cache is not what was unpacked; run once with --update`,
      );
    }
    return bytes;
  }
}

/** Packages of one suite in the cache, fetched when they are not there yet. */
export class PackageStore {
  readonly suite: Suite;
  readonly #folder: string;
  readonly #indexFile: string;
  readonly #packages = new Map<string, UnpackedPackage>();
  readonly #records: Record<string, PackageRecord>;
  #apt: PrivateApt | undefined;
  #archive: ReadonlyMap<string, PackageRecord> | undefined;

  /** With `update`, what the cache remembers of the archive's index is asked for again. */
  constructor(suite: Suite, options: { readonly update?: boolean } = {}) {
    this.suite = suite;
    this.#folder = cacheFolder(suite);
    this.#indexFile = join(this.#folder, 'index.json');
    const known = options.update !== true && existsSync(this.#indexFile);
    this.#records = known
      ? (JSON.parse(readFileSync(this.#indexFile, 'utf8')) as Record<string, PackageRecord>)
      : {};
  }

  /** What the suite says of a package. @throws GuestsError missing-package, no-apt, tool-failed */
  record(name: string): PackageRecord {
    const record = this.tryRecord(name);
    if (record === undefined)
      throw new GuestsError('missing-package', `Debian ${this.suite} has no package ${name}`);
    return record;
  }

  /** As {@link record}; undefined when the suite has no such package. */
  tryRecord(name: string): PackageRecord | undefined {
    const known = this.#records[name];
    if (known !== undefined) return known;
    this.#archive ??= this.#fetcher().records();
    const record = this.#archive.get(name);
    if (record === undefined) return undefined;
    this.#records[name] = record;
    writeWhole(this.#indexFile, JSON.stringify(this.#records, undefined, 1));
    return record;
  }

  /** The package, fetched and unpacked. @throws GuestsError missing-package, checksum, no-apt, tool-failed */
  get(name: string): UnpackedPackage {
    const record = this.record(name);
    const known = this.#packages.get(record.sha256);
    if (known !== undefined) return known;
    const folder = join(cacheFolder('packages'), record.sha256);
    const list = join(folder, 'files.json');
    if (!existsSync(list)) this.#unpack(record, folder, list);
    const files = JSON.parse(readFileSync(list, 'utf8')) as Record<string, Held>;
    const unpacked = new UnpackedPackage(record, join(folder, 'root'), files);
    this.#packages.set(record.sha256, unpacked);
    return unpacked;
  }

  #fetcher(): PrivateApt {
    if (this.#apt === undefined) {
      const apt = new PrivateApt(this.suite, join(this.#folder, 'apt'));
      apt.update();
      this.#apt = apt;
    }
    return this.#apt;
  }

  #unpack(record: PackageRecord, folder: string, list: string): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'root'), { recursive: true });
    const file = join(folder, 'package.deb');
    this.#fetcher().download(record, file);
    if (sha256(readFileSync(file)) !== record.sha256) {
      rmSync(folder, { recursive: true });
      throw new GuestsError(
        'checksum',
        `${record.name} ${record.version} is not the file that its index names`,
      );
    }
    runTool('dpkg-deb', ['-x', file, join(folder, 'root')], { timeout: 300_000 });
    rmSync(file);
    const files: Record<string, Held> = {};
    for (const path of walk(join(folder, 'root'), '')) files[path] = held(join(folder, 'root', path));
    writeWhole(list, JSON.stringify(files));
  }
}

/** So that a process that is ended in between leaves no half of a file. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function held(file: string): Held {
  return lstatSync(file).isSymbolicLink()
    ? { link: readlinkSync(file) }
    : { sha256: sha256(readFileSync(file)) };
}

function* walk(root: string, folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, path);
    else if (entry.isFile() || entry.isSymbolicLink()) yield path;
  }
}
