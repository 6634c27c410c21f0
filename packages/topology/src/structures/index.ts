import { assigned } from './assigned.js';
import { e1000 } from './e1000.js';
import { native } from './native.js';
import type { Structure } from './structure.js';
import { virtioAdaptive } from './virtio-adaptive.js';
import { virtioSideCore } from './virtio-side-core.js';
import { virtioVhost } from './virtio-vhost.js';
import { virtioPacked, virtioPackedPlain, virtioSplit, virtioSplitPlain } from './virtio-vmm.js';

export type { Site, Structure } from './structure.js';

/** By name, in the order of a report. A further structure is a further line. */
export const STRUCTURES = {
  native,
  assigned,
  e1000,
  'virtio-split': virtioSplit,
  'virtio-split-no-event-idx': virtioSplitPlain,
  'virtio-packed': virtioPacked,
  'virtio-packed-no-event-idx': virtioPackedPlain,
  'virtio-vhost': virtioVhost,
  'virtio-adaptive': virtioAdaptive,
  'virtio-side-core': virtioSideCore,
} as const satisfies Readonly<Record<string, Structure>>;

export type StructureName = keyof typeof STRUCTURES;
