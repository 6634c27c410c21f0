import type { Machine } from '@vmloom/machine';
import type { PciFunction } from '@vmloom/pci';
import type { RingOptions, VirtioDevice } from '@vmloom/virtio';
import type { EntropyPlan, FolderPlan } from '../options/storage.js';
import type { Properties } from '../options/properties.js';
import type { Disk } from './disks.js';
import type { Network } from './networks.js';

/** Something of the host that a device has open. */
export interface HostResource {
  /** When the host may use it. @throws CliError and the packages' errors */
  ready?(): Promise<void>;
  close(): void;
}

/** What a command line made before its devices. */
export interface DeviceContext {
  readonly machine: Machine;
  readonly networks: ReadonlyMap<string, Network>;
  readonly disks: ReadonlyMap<string, Disk>;
  readonly folders: ReadonlyMap<string, FolderPlan>;
  readonly entropies: ReadonlyMap<string, EntropyPlan>;
  /** Devices put here what they opened on the host. */
  readonly resources: HostResource[];
  /** Networks and disks that have a device already, and its id. */
  readonly taken: Map<string, string>;
  /** NICs so far, for their addresses. */
  nics: number;
}

/** Where a device is about to be put. */
export interface Place {
  readonly id: string | undefined;
  /** In a slot of PCI Express, not on the root bus itself. */
  readonly express: boolean;
}

/** A device for one of the virtio-mmio slots. */
export interface MmioDevice {
  readonly device: VirtioDevice;
  readonly rings: RingOptions;
}

/** A device that `-device` can make. */
export interface DeviceModel {
  readonly description: string;
  /** Its own properties with what they mean; `id`, `bus` and `addr` are everybody's. */
  readonly properties: Readonly<Record<string, string>>;
  make(context: DeviceContext, properties: Properties, place: Place): PciFunction | MmioDevice;
}
