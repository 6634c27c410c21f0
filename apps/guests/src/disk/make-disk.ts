import { VirtioBlk, VirtioPci } from '@vmloom/virtio';
import { FileStore } from '@vmloom/virtio/node';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { boot } from '../boot/boot.js';
import { debian, withPlan, type DebianOptions } from '../boot/initramfs.js';
import { joined, writeCpio } from '../cpio.js';
import { GuestsError } from '../error.js';
import type { KernelSeries } from '../kernel.js';
import { DISK_MODULES, DISK_PROGRAMS, diskFiles, MAKE_DISK_PLAN } from './disk-plans.js';

/** Bytes. The file is sparse. */
const SIZE = 512 * 2 ** 20;
const PATIENCE = 900;

/**
 * Makes a raw image with Debian's programs and the kernel's modules on an ext4 file system: a machine boots from
 * memory, formats its disk and copies itself there, so the host needs no tools for file systems.
 * @throws GuestsError tool-failed when the machine did not do it, and as the package store does
 */
export async function makeDisk(
  series: KernelSeries,
  file: string,
  options: Pick<DebianOptions, 'update'> = {},
): Promise<void> {
  const packed = debian(series, { ...options, programs: DISK_PROGRAMS, modules: DISK_MODULES });
  const root = joined([packed.root, writeCpio(diskFiles())]);
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, '');
  truncateSync(unfinished, SIZE);
  const store = new FileStore(unfinished, { blocking: true });
  try {
    const { checks, exit, log } = await boot({
      kernel: packed.kernel,
      initrd: withPlan(root, MAKE_DISK_PLAN),
      append: 'console=ttyS0',
      memory: '512MiB',
      patience: PATIENCE,
      onMachine: ({ machine }) => {
        machine.pcie.plug(new VirtioPci({ device: new VirtioBlk({ store }) }));
      },
    });
    const failed = checks.find(({ ok }) => !ok);
    if (failed !== undefined || exit?.reason !== 'power-off') {
      const why = failed === undefined ? log.slice(-300) : `${failed.name}: ${failed.detail}`;
      throw new GuestsError('tool-failed', `the disk could not be made: ${why}`);
    }
    renameSync(unfinished, file);
  } finally {
    store.close();
    rmSync(unfinished, { force: true });
  }
}
