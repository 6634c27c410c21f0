import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHELL_PLAN } from '../boot/init-script.js';
import { debian, withPlan } from '../boot/initramfs.js';
import { cacheFolder } from '../cache.js';
import { bootDiskPlan, DISK_BOOT_MODULES, DISK_BOOT_PROGRAMS } from '../disk/disk-plans.js';
import { makeDisk } from '../disk/make-disk.js';
import { GuestsError } from '../error.js';
import { KERNELS, type KernelSeries } from '../kernel.js';

/** The command line of `vmloom run`, built beside this one. */
const VMLOOM = fileURLToPath(new URL('../../../vmloom/dist/bin.js', import.meta.url));
const DEFAULTS = ['-m', '256', '-nic', 'user,model=e1000'];

const NEWEST: KernelSeries = '7.2';

/** Words of `debian` that are not `vmloom run`'s. */
export interface DebianWords {
  readonly series: KernelSeries;
  readonly update: boolean;
  /** The root is on a disk: an image, made where it is missing, or the cache's own. */
  readonly disk: { readonly image: string | undefined; readonly overlay: string | undefined } | undefined;
  /** Options of `vmloom run`. */
  readonly options: readonly string[];
}

/**
 * `debian [6.12|7.2] [--update] [--disk [IMAGE] [--overlay FILE]] [options of vmloom run]`: that kernel (the newest
 * unless told) to a shell with networking, from memory or from a disk; the exit status of the machine.
 * @throws GuestsError
 */
export async function startDebian(argv: readonly string[]): Promise<number> {
  const { series, update, disk, options } = debianWords(argv);
  const packed = debian(series, {
    update,
    ...(disk === undefined
      ? { modules: ['virtio_net'] }
      : { modules: DISK_BOOT_MODULES, programs: DISK_BOOT_PROGRAMS }),
  });
  const drive = disk === undefined ? [] : await driveOf(series, disk, update);
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const kernelFile = join(folder, 'kernel');
    const initrdFile = join(folder, 'initrd');
    writeFileSync(kernelFile, packed.kernel);
    const plan = disk === undefined ? SHELL_PLAN : bootDiskPlan();
    writeFileSync(initrdFile, withPlan(packed.root, plan));
    const command = ['run', ...defaults(options), ...drive, '-kernel', kernelFile, '-initrd', initrdFile];
    return await passOn([VMLOOM, ...command, '-append', 'earlycon=sbi console=ttyS0', ...options]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads the words. @throws GuestsError bad-option */
export function debianWords(argv: readonly string[]): DebianWords {
  const words = [...argv];
  const series = isSeries(words[0]) ? (words.shift() as KernelSeries) : NEWEST;
  if (words[0] !== undefined && /^\d/.test(words[0])) {
    const known = Object.keys(KERNELS).join(', ');
    throw new GuestsError('bad-option', `there is no kernel ${words[0]} here; there are ${known}`);
  }
  const options: string[] = [];
  let [update, onDisk] = [false, false];
  let [image, overlay]: (string | undefined)[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--update') update = true;
    else if (word === '--disk') {
      onDisk = true;
      if (words[0] !== undefined && !words[0].startsWith('-')) image = words.shift();
    } else if (word === '--overlay') {
      overlay = words.shift();
      if (overlay === undefined) throw new GuestsError('bad-option', '--overlay needs a file for the writes');
    } else options.push(word);
  }
  if (overlay !== undefined && !onDisk) {
    throw new GuestsError('bad-option', '--overlay is of a disk: add --disk');
  }
  return { series, update, disk: onDisk ? { image, overlay } : undefined, options };
}

/** The `-drive` of a disk, which is made where it is missing. */
async function driveOf(
  series: KernelSeries,
  { image, overlay }: NonNullable<DebianWords['disk']>,
  update: boolean,
): Promise<string[]> {
  const file = image ?? join(cacheFolder('disks'), `debian-${series}.img`);
  for (const path of [file, overlay ?? '']) {
    if (path.includes(',')) throw new GuestsError('bad-option', `a comma ends a name in -drive: ${path}`);
  }
  if (!existsSync(file)) {
    process.stderr.write(`making ${file}; that takes a minute, once\n`);
    await makeDisk(series, file, { update });
  }
  const layer = overlay === undefined ? '' : `,overlay=${overlay}`;
  return ['-drive', `file=${file},if=virtio,format=raw,id=root${layer}`];
}

/** What a person did not say: memory, and a network card when no option names a network. */
export function defaults(options: readonly string[]): string[] {
  const memory = options.includes('-m') ? [] : DEFAULTS.slice(0, 2);
  const network = options.some((word) => /^-(?:nic|net|netdev|device)$/.test(word)) ? [] : DEFAULTS.slice(2);
  return [...memory, ...network];
}

function isSeries(word: string | undefined): word is KernelSeries {
  return word !== undefined && Object.hasOwn(KERNELS, word);
}

/** Runs node with these arguments at this process's terminal, and passes on what it is told; the exit status. */
export function passOn(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    // The terminal sends its signals to both; the machine decides what they mean.
    const wait = (): void => undefined;
    process.on('SIGINT', wait);
    // Whoever ends this process ends the machine, and the folder goes too.
    const ends = (['SIGTERM', 'SIGHUP'] as const).map((signal) => {
      const end = (): void => void child.kill(signal);
      process.on(signal, end);
      return () => process.off(signal, end);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', wait);
      for (const off of ends) off();
      resolve(code ?? 1);
    });
  });
}
