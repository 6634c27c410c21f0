import { OverlayStore, type BlockStore } from '@vmloom/virtio';
import { FileStore, OverlayFile } from '@vmloom/virtio/node';
import { existsSync } from 'node:fs';
import { CliError } from '../error.js';
import type { DrivePlan } from '../options/storage.js';
import { didYouMean } from '../suggest.js';

/** What a `-drive` made: the bytes of a disk, for one device. */
export interface Disk {
  readonly plan: DrivePlan;
  readonly store: BlockStore;
  /** Closes the files. */
  close(): void;
}

/** Opens the disks of a command line, by their ids. @throws CliError, VirtioError */
export function openDisks(plans: readonly DrivePlan[]): Map<string, Disk> {
  const disks = new Map<string, Disk>();
  try {
    for (const plan of plans) {
      if (disks.has(plan.id)) throw new CliError(`two drives are called ${plan.id}`);
      disks.set(plan.id, open(plan));
    }
  } catch (error) {
    for (const disk of disks.values()) disk.close();
    throw error;
  }
  return disks;
}

/** The disk with an id. @throws CliError naming the nearest */
export function findDisk(disks: ReadonlyMap<string, Disk>, id: string): Disk {
  const disk = disks.get(id);
  if (disk === undefined) throw new CliError(`no drive is called ${id}${didYouMean(id, disks.keys())}`);
  return disk;
}

function open(plan: DrivePlan): Disk {
  const blocking = !plan.threads;
  const layered = plan.temporary || plan.overlay !== undefined;
  const file = new FileStore(plan.file, { blocking, readOnly: plan.readOnly || layered });
  if (plan.overlay === undefined) {
    return { plan, store: plan.temporary ? new OverlayStore(file) : file, close: () => file.close() };
  }
  try {
    const { overlay } = plan;
    const layer = existsSync(overlay)
      ? OverlayFile.open(overlay, file.size, { blocking })
      : OverlayFile.create(overlay, file.size, { blocking });
    const close = (): void => {
      layer.close();
      file.close();
    };
    return { plan, store: new OverlayStore(file, layer), close };
  } catch (error) {
    file.close();
    throw error;
  }
}
