import { expectSnapshot, type Snapshot, type SnapshotValue } from '@vmloom/device';
import { VirtioError } from '../error.js';
import type { BlockStore } from './block-store.js';

const VERSION = 1;

/** What a disk saves beside its queues. */
export interface DiskState {
  /** What the driver wrote to `writeback`; null: nothing. */
  readonly writeback: boolean | null;
  readonly runner: SnapshotValue;
}

/** The state of a disk with what its store has to say. Requests in flight are part of their queues. */
export function saveDisk(type: string, store: BlockStore, state: DiskState): Snapshot {
  return { type, version: VERSION, ...state, size: store.size, store: store.save?.() ?? null };
}

/** @throws DeviceError bad-snapshot; VirtioError bad-snapshot when the disk has another size */
export function restoreDisk(type: string, store: BlockStore, snapshot: Snapshot): DiskState {
  expectSnapshot(snapshot, type, VERSION);
  if (snapshot['size'] !== store.size) {
    throw new VirtioError(
      'bad-snapshot',
      `the snapshot is of a disk of ${snapshot['size'] as number} bytes, this one has ${store.size}`,
    );
  }
  if (snapshot['store'] !== null) store.restore?.(snapshot['store']);
  return snapshot as unknown as DiskState;
}
