import { CliError } from '../error.js';
import { didYouMean } from '../suggest.js';
import { Properties } from './properties.js';

/** A disk, as `-drive` describes it. */
export interface DrivePlan {
  readonly id: string;
  readonly file: string;
  /** `virtio`: the disk device comes with it; `none`: a `-device` names it. */
  readonly interface: 'none' | 'virtio';
  readonly readOnly: boolean;
  /** Writes are kept in memory and lost at the end. */
  readonly temporary: boolean;
  /** File that takes the writes in place of the image; made where it is missing. */
  readonly overlay: string | undefined;
  /** The host's calls answer later, so that a slow disk does not hold up the machine. */
  readonly threads: boolean;
  /** `cache=`: whether a completed write may be lost until the guest flushes. */
  readonly writeback: boolean;
}

/** A folder of the host, as `-fsdev local` describes it. */
export interface FolderPlan {
  readonly id: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Where the random bytes of `-object rng-…` come from. */
export interface EntropyPlan {
  readonly id: string;
}

const CACHES = ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'] as const;

/** `-drive file=F,if=none,format=raw,id=ID`. `snapshot`: what `-snapshot` says of drives that say nothing. */
export function drivePlan(value: string, index: number, snapshot: boolean): DrivePlan {
  const properties = new Properties(value, '-drive');
  const kind = properties.choice('if', ['none', 'virtio'], 'virtio');
  const format = properties.optional('format') ?? 'raw';
  if (format !== 'raw')
    throw new CliError(`-drive: the format is raw, not "${format}"${didYouMean(format, ['raw'])}`);
  properties.choice('media', ['disk'], 'disk');
  properties.choice('discard', ['unmap', 'on', 'ignore', 'off'], 'unmap');
  const cache = properties.choice('cache', CACHES, 'writeback');
  const overlay = properties.optional('overlay');
  const plan: DrivePlan = {
    id: properties.optional('id') ?? `${kind}${index}`,
    file: properties.required('file'),
    interface: kind,
    readOnly: properties.flag('readonly', properties.flag('read-only', false)),
    temporary: properties.flag('snapshot', snapshot && overlay === undefined),
    overlay,
    threads: properties.choice('aio', ['sync', 'threads'], 'sync') === 'threads',
    writeback: cache !== 'writethrough' && cache !== 'directsync',
  };
  properties.done();
  if (plan.overlay !== undefined && (plan.temporary || plan.readOnly)) {
    throw new CliError('-drive: overlay= takes the writes; not with snapshot=on or readonly=on');
  }
  return plan;
}

/** `-fsdev local,id=ID,path=P,security_model=none`. */
export function folderPlan(value: string): FolderPlan {
  const properties = new Properties(value, '-fsdev', 'fsdriver');
  const plan = { id: properties.required('id'), ...localFolder(properties) };
  properties.done();
  return plan;
}

/** `-virtfs local,path=P,mount_tag=T,security_model=none`: a folder, and the device that shares it. */
export function virtfsPlan(value: string, index: number): { folder: FolderPlan; tag: string } {
  const properties = new Properties(value, '-virtfs', 'fsdriver');
  const tag = properties.required('mount_tag');
  const folder = { id: properties.optional('id') ?? `virtfs${index}`, ...localFolder(properties) };
  properties.done();
  return { folder, tag };
}

function localFolder(properties: Properties): Omit<FolderPlan, 'id'> {
  const driver = properties.required('fsdriver');
  if (driver !== 'local') throw new CliError(`${properties.where}: the driver is local, not "${driver}"`);
  properties.choice('security_model', ['none', 'passthrough'], 'none');
  return { path: properties.required('path'), readOnly: properties.flag('readonly', false) };
}

/** `-object rng-random,id=ID`. */
export function entropyPlan(properties: Properties): EntropyPlan {
  const file = properties.optional('filename');
  if (file !== undefined && file !== '/dev/urandom' && file !== '/dev/random') {
    throw new CliError(`-object rng-random: the bytes come from the host's generator, not from ${file}`);
  }
  const plan = { id: properties.required('id') };
  properties.done();
  return plan;
}
