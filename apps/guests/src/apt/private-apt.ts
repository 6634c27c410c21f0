import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuestsError } from '../error.js';
import { parsePackages, type PackageRecord } from './package-record.js';
import { debianMirror, parseSources, type AptSource } from './sources.js';
import { hasTool, runTool } from './tools.js';

/** Debian's suites that guests come from, and the peer that they are measured beside. */
export type Suite = 'trixie' | 'forky' | 'sid';

const GUEST_ARCHITECTURE = 'riscv64';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const CONFIGURATION = '/etc/apt';
const DOWNLOAD_TIMEOUT = 600_000;

/** What a machine without apt is told. */
export const WITHOUT_APT =
  "Debian's packages come through the machine's own apt, and this machine has none that knows a Debian mirror: " +
  'fetch a riscv64 kernel and an initial RAM disk by hand and start them with ' +
  '`vmloom run -m 256 -kernel FILE -initrd FILE -append console=ttyS0`.';

/**
 * An apt of its own for one suite and architecture (RV64 unless told), beside the machine's: own lists, own cache
 * and own (empty) status, so that it needs no root and changes nothing. Archive and keys are the machine's.
 */
export class PrivateApt {
  readonly #suite: Suite;
  readonly #folder: string;
  readonly #configuration: string;

  /** @throws GuestsError no-apt on a machine without apt or without a Debian mirror */
  constructor(suite: Suite, folder: string, architecture = GUEST_ARCHITECTURE) {
    this.#suite = suite;
    this.#folder = folder;
    const mirror = machineMirror();
    const tools = ['apt-get', 'apt-cache', 'dpkg-deb'].every(hasTool);
    if (!tools || mirror === undefined) throw new GuestsError('no-apt', WITHOUT_APT);
    const path = (...parts: string[]): string => join(folder, ...parts);
    mkdirSync(path('state', 'lists', 'partial'), { recursive: true });
    mkdirSync(path('archives', 'partial'), { recursive: true });
    const keys = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
    writeFileSync(path('sources.list'), `deb ${keys}${mirror} ${suite} main\n`);
    writeFileSync(path('state', 'status'), '');
    this.#configuration = path('apt.conf');
    const settings: Record<string, string> = {
      'Dir::State': path('state'),
      'Dir::State::status': path('state', 'status'),
      'Dir::State::lists': path('state', 'lists'),
      'Dir::Cache': folder,
      // Named here because a machine may have told its own apt to do without: then each call builds them anew.
      'Dir::Cache::pkgcache': path('pkgcache.bin'),
      'Dir::Cache::srcpkgcache': path('srcpkgcache.bin'),
      'Dir::Cache::archives': path('archives'),
      'Dir::Etc::sourcelist': path('sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': '/dev/null',
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      'APT::Update::Error-Mode': 'any',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '3',
    };
    // The machine's hooks are for the machine's own packages.
    const cleared = ['APT::Architectures', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
    const text = [
      ...cleared.map((name) => `#clear ${name};`),
      ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`),
    ];
    writeFileSync(this.#configuration, `${text.join('\n')}\n`);
  }

  /** Fetches the archive's index, whose signature apt checks. @throws GuestsError no-mirror with apt's words */
  update(): void {
    try {
      runTool('apt-get', ['-c', this.#configuration, '-q', 'update'], { timeout: DOWNLOAD_TIMEOUT });
    } catch (cause) {
      const { message } = cause as Error;
      throw new GuestsError('no-mirror', `the index of Debian ${this.#suite} did not come; ${message}`, {
        cause,
      });
    }
  }

  /** Records of all packages of the suite, by name. @throws GuestsError tool-failed */
  records(): Map<string, PackageRecord> {
    const output = runTool('apt-cache', ['-c', this.#configuration, 'dumpavail']);
    return new Map(parsePackages(Buffer.from(output).toString()).map((record) => [record.name, record]));
  }

  /** Downloads one package into a file; apt checks it against the signed index. @throws GuestsError tool-failed */
  download({ name, version }: PackageRecord, file: string): void {
    const folder = join(this.#folder, 'incoming');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    runTool('apt-get', ['-c', this.#configuration, '-q', 'download', `${name}=${version}`], {
      cwd: folder,
      timeout: DOWNLOAD_TIMEOUT,
    });
    const found = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
    if (found === undefined) throw new GuestsError('tool-failed', `apt-get downloaded nothing for ${name}`);
    renameSync(join(folder, found), file);
  }

  /**
   * Downloads packages with all that they depend on; the files. Apt checks them against the signed index.
   * @throws GuestsError tool-failed
   */
  downloadClosure(names: readonly string[]): string[] {
    const install = ['-y', '--no-install-recommends', '--download-only', 'install', ...names];
    runTool('apt-get', ['-c', this.#configuration, '-q', ...install], { timeout: DOWNLOAD_TIMEOUT });
    const folder = join(this.#folder, 'archives');
    return list(folder)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(folder, name));
  }
}

/** The URI of the Debian mirror in the machine's own configuration. */
export function machineMirror(folder = CONFIGURATION): string | undefined {
  const files = [
    'sources.list',
    ...list(join(folder, 'sources.list.d')).map((name) => `sources.list.d/${name}`),
  ];
  const sources = files.flatMap((name): AptSource[] => {
    const format = name.endsWith('.sources') ? 'deb822' : name.endsWith('.list') ? 'line' : undefined;
    const file = join(folder, name);
    return format === undefined || !existsSync(file) ? [] : parseSources(readFileSync(file, 'utf8'), format);
  });
  return debianMirror(sources);
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
