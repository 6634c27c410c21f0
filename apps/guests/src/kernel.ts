import { hasTool, runTool } from './apt/tools.js';
import type { Suite } from './apt/private-apt.js';
import { GuestsError } from './error.js';
import type { ModuleSource } from './modules.js';
import type { PackageStore, UnpackedPackage } from './store.js';

/** Debian's kernels by the release that people name. */
export const KERNELS = { '6.12': 'trixie', '7.2': 'sid' } as const satisfies Record<string, Suite>;

export type KernelSeries = keyof typeof KERNELS;

/** A kernel with its modules. */
export interface DebianKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /** A Linux Image. */
  readonly image: Uint8Array;
  readonly modules: ModuleSource;
}

const META = 'linux-image-riscv64';
/** What the kernel is split into: one package in trixie, several in sid. */
const PART = /^linux-(?:image|binary|modules|base)-\d/;
const IMAGE = /^(?:boot\/vmlinux-|boot\/vmlinuz-|usr\/lib\/modules\/)([^/]+?)(?:\/vmlinuz)?$/;
const MODULES = /^(?:usr\/)?lib\/modules\/([^/]+)\/(kernel\/.*\.ko(?:\.xz)?)$/;

/** The newest kernel of a suite. @throws GuestsError missing-package when the suite's packages hold none */
export function debianKernel(store: PackageStore): DebianKernel {
  const packages = parts(store);
  const found = packages
    .flatMap((one) => one.paths.map((path) => ({ one, path, release: IMAGE.exec(path)?.[1] })))
    .find(({ one, path, release }) => release !== undefined && one.link(path) === undefined);
  if (found?.release === undefined) {
    throw new GuestsError('missing-package', `Debian ${store.suite} has no kernel for riscv64 in ${META}`);
  }
  const { release } = found;
  const modules = new Map<string, { one: UnpackedPackage; path: string }>();
  for (const one of packages) {
    for (const path of one.paths) {
      const match = MODULES.exec(path);
      if (match?.[1] === release) modules.set(match[2], { one, path });
    }
  }
  return {
    release,
    image: found.one.read(found.path),
    modules: {
      paths: [...modules.keys()],
      read: (path) => {
        const { one, path: inside } = modules.get(path)!;
        const bytes = one.read(inside);
        return path.endsWith('.xz') ? unxz(bytes) : bytes;
      },
    },
  };
}

function parts(store: PackageStore): UnpackedPackage[] {
  const found = new Map<string, UnpackedPackage>();
  const waiting = [META];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const record = store.tryRecord(name);
    if (record === undefined || found.has(name)) continue;
    if (name !== META) found.set(name, store.get(name));
    waiting.push(...record.depends.filter((one) => PART.test(one)));
  }
  return [...found.values()];
}

function unxz(bytes: Uint8Array): Uint8Array {
  if (!hasTool('xz'))
    throw new GuestsError('tool-failed', 'kernel modules are compressed with xz: install xz-utils');
  return new Uint8Array(runTool('xz', ['-dc'], { input: bytes }));
}
