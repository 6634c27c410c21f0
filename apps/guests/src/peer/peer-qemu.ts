import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateApt } from '../apt/private-apt.js';
import { runTool } from '../apt/tools.js';
import { cacheFolder } from '../cache.js';
import { GuestsError } from '../error.js';

/** A program of a root file system that is not the machine's. */
export interface PeerProgram {
  /** The dynamic linker of that root and its arguments; a command line goes behind them. */
  readonly command: readonly [string, ...string[]];
  /** Variables that it needs beside the machine's. */
  readonly environment: Readonly<Record<string, string>>;
}

const SUITE = 'forky';
const PACKAGES = ['qemu-system-riscv', 'opensbi'];
const PROGRAM = 'usr/bin/qemu-system-riscv64';

/**
 * QEMU of Debian forky in a private root: unpacked from its packages into the cache, installed nowhere. It needs no
 * root and no container, because the root's own dynamic linker starts it.
 * @throws GuestsError no-apt, no-mirror, tool-failed
 */
export function peerQemu(): PeerProgram {
  const root = join(cacheFolder(SUITE), 'qemu');
  if (!existsSync(root)) unpack(root);
  return peerProgram(root, PROGRAM);
}

/** How a program of a Debian root is started from outside. @throws GuestsError missing-package when a part is missing */
export function peerProgram(root: string, program: string): PeerProgram {
  // Firmware of other architectures lies in folders of theirs, so the C library tells which is the machine's.
  const libraries = names(root, 'usr/lib')
    .filter((name) => existsSync(join(root, 'usr/lib', name, 'libc.so.6')))
    .map((name) => `usr/lib/${name}`)[0];
  const linker = ['usr/lib64', 'usr/lib', libraries ?? '']
    .flatMap((folder) => names(root, folder).map((name) => `${folder}/${name}`))
    .find((file) => /\/ld-linux[^/]*\.so\.\d+$/.test(file));
  if (libraries === undefined || linker === undefined || !existsSync(join(root, program))) {
    throw new GuestsError('missing-package', `the root of ${SUITE} in the cache is not whole; delete it`);
  }
  const path = (part: string): string => join(root, part);
  const data = ['-L', path('usr/share/qemu'), '-L', path('usr/share/seabios')];
  return {
    command: [path(linker), '--library-path', path(libraries), path(program), ...data],
    environment: { QEMU_MODULE_DIR: path(join(libraries, 'qemu')) },
  };
}

function unpack(root: string): void {
  const architecture = Buffer.from(runTool('dpkg', ['--print-architecture']))
    .toString()
    .trim();
  const archive = join(cacheFolder(SUITE), `apt-${architecture}`);
  const apt = new PrivateApt(SUITE, archive, architecture);
  apt.update();
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const file of apt.downloadClosure(PACKAGES)) {
    runTool('dpkg-deb', ['-x', file, fresh], { timeout: 300_000 });
  }
  rmSync(archive, { recursive: true });
  renameSync(fresh, root);
}

function names(root: string, folder: string): string[] {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
}
