import { joined, writeCpio, type CpioEntry } from '../cpio.js';
import { KERNELS, debianKernel, type DebianKernel, type KernelSeries } from '../kernel.js';
import { modulesDep, resolveModules } from '../modules.js';
import { PackageStore } from '../store.js';
import { packPrograms, type Program } from '../userland.js';
import { DHCP_SCRIPT, INIT_SCRIPT, PLAN_PATH } from './init-script.js';

/** A kernel and a file system to start with; a plan is added for each boot. */
export interface Debian {
  readonly series: KernelSeries;
  readonly release: string;
  readonly kernel: Uint8Array;
  readonly root: Uint8Array;
}

/** Programs that are packed; the user space is trixie's for every kernel. */
const PROGRAMS: readonly Program[] = [
  { package: 'busybox-static', path: 'usr/bin/busybox' },
  { package: 'ethtool', path: 'usr/sbin/ethtool' },
  { package: 'iproute2', path: 'usr/bin/ip' },
  { package: 'iputils-ping', path: 'usr/bin/ping' },
];

/** Modules that are packed; a kernel that has one built in has no file of it. */
const MODULES = ['e1000', 'af_packet', '8021q'];

const FOLDERS = [
  'applets',
  'dev',
  'etc',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'usr/sbin',
  'usr/lib',
  'usr/bin',
];
/** As Debian has it since bookworm. */
const MERGED = ['bin', 'lib', 'sbin'];

/** What a file system has beside what all have. */
export interface DebianOptions {
  /** Look at the archive's index again. */
  readonly update?: boolean;
  readonly programs?: readonly Program[];
  readonly modules?: readonly string[];
}

/** Kernel, modules and programs, from the cache or the mirror. @throws GuestsError */
export function debian(series: KernelSeries, options: DebianOptions = {}): Debian {
  const userland = new PackageStore('trixie', options);
  const store = KERNELS[series] === 'trixie' ? userland : new PackageStore(KERNELS[series], options);
  const kernel = debianKernel(store);
  const programs = packPrograms(userland, [...PROGRAMS, ...(options.programs ?? [])]);
  const modules = packModules(kernel, [...MODULES, ...(options.modules ?? [])]);
  const root = writeCpio([...skeleton(), ...programs, ...modules]);
  return { series, release: kernel.release, kernel: kernel.image, root };
}

/** The file system with a plan in it. */
export function withPlan(root: Uint8Array, plan: string): Uint8Array {
  const bytes = new TextEncoder().encode(plan);
  return joined([root, writeCpio([{ kind: 'file', path: PLAN_PATH, bytes }])]);
}

function skeleton(): CpioEntry[] {
  const script = (path: string, text: string): CpioEntry => ({
    kind: 'file',
    path,
    bytes: new TextEncoder().encode(text),
    mode: 0o755,
  });
  return [
    ...FOLDERS.map((path): CpioEntry => ({ kind: 'directory', path })),
    ...MERGED.map((path): CpioEntry => ({ kind: 'symlink', path, target: `usr/${path}` })),
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1, mode: 0o600 },
    { kind: 'symlink', path: 'usr/bin/sh', target: 'busybox' },
    script('init', INIT_SCRIPT),
    script('etc/udhcpc.script', DHCP_SCRIPT),
  ];
}

function packModules({ release, modules }: DebianKernel, names: readonly string[]): CpioEntry[] {
  const present = names.filter((name) => modules.paths.some((path) => path.includes(`/${name}.ko`)));
  const chosen = resolveModules(modules, present);
  const folder = `usr/lib/modules/${release}`;
  const list = new TextEncoder().encode(modulesDep(chosen));
  return [
    ...chosen.map(({ path, bytes }): CpioEntry => ({ kind: 'file', path: `${folder}/${path}`, bytes })),
    { kind: 'file', path: `${folder}/modules.dep`, bytes: list },
  ];
}
