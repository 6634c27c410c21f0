import { writeCpio, type CpioEntry } from '../cpio.js';
import { debianKernel, KERNELS, type KernelSeries } from '../kernel.js';
import { PackageStore } from '../store.js';
import { packPrograms } from '../userland.js';

/** A kernel and an initial RAM disk for a machine from the command line. */
export interface SmallDebian {
  readonly release: string;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

const FOLDERS = ['applets', 'dev', 'proc', 'run', 'sys', 'usr', 'usr/bin'];

/**
 * Debian's kernel with busybox and one script as `/init`, so that little is unpacked before it runs.
 * @throws GuestsError as the package store does
 */
export function smallDebian(
  series: KernelSeries,
  init: string,
  files: readonly CpioEntry[] = [],
): SmallDebian {
  const userland = new PackageStore('trixie');
  const store = KERNELS[series] === 'trixie' ? userland : new PackageStore(KERNELS[series]);
  const { release, image } = debianKernel(store);
  const entries: CpioEntry[] = [
    ...FOLDERS.map((path): CpioEntry => ({ kind: 'directory', path })),
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
    ...packPrograms(userland, [{ package: 'busybox-static', path: 'usr/bin/busybox' }]),
    { kind: 'file', path: 'init', bytes: new TextEncoder().encode(init), mode: 0o755 },
    ...files,
  ];
  return { release, kernel: image, initrd: writeCpio(entries) };
}
