import type { SnapshotValue } from '@vmloom/device';
import type { DeviceHost } from '../device.js';
import type { Virtqueue } from '../queue/queue.js';
import type { BlockStore } from './block-store.js';
import type { BlkCounters } from './counters.js';
import type { DiskLimits } from './request.js';

/** What a runner needs of its disk. */
export interface Disk {
  readonly store: BlockStore;
  readonly serial: Uint8Array;
  readonly limits: DiskLimits;
}

export interface RunnerParts {
  readonly host: DeviceHost;
  readonly disk: Disk;
  readonly counters: BlkCounters;
}

/** Carries requests out, from the queue to the queue. */
export interface RequestRunner {
  /** The driver has rung. */
  notify(queue: Virtqueue): void;
  /** The event that the runner asked for. */
  proceed(): void;
  /** Requests of a queue, or all, are void. */
  forget(queue?: Virtqueue): void;
  save(): SnapshotValue;
  /** Queues are restored; requests in flight are held there. */
  restore(value: SnapshotValue): void;
  close(): void;
}

/** A chain without a byte for the status can be answered in no way (5.2.6). */
export const NO_STATUS = 'no room for a status';
