import type { Aia } from '@vmloom/machine';
import type { Properties } from './properties.js';
import type { DrivePlan, EntropyPlan, FolderPlan } from './storage.js';

/** Where a character device leads. */
export type CharacterPlan =
  | {
      readonly kind: 'stdio';
      /** Ctrl-a is the escape, with the monitor behind it. */ readonly escapes: boolean;
    }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' };

export interface NetdevPlan {
  readonly id: string;
  readonly type: string;
  /** Read by the network backend of that type, which refuses what it does not know. */
  readonly properties: Properties;
}

export interface DevicePlan {
  readonly driver: string;
  readonly properties: Properties;
}

export interface DumpPlan {
  readonly id: string;
  readonly netdev: string;
  readonly file: string;
  /** Bytes of each frame that are kept at most. */
  readonly maxLength: number;
}

/** An address to listen at or connect to. */
export interface MonitorPlan {
  readonly path: string;
  readonly server: boolean;
  /** Do not run before somebody has connected. */
  readonly wait: boolean;
}

/** Where GDB may attach. */
export interface GdbPlan {
  readonly host: string;
  readonly port: number;
}

/** What a command line asks for, before any file is read. */
export interface RunPlan {
  readonly name: string;
  readonly harts: number;
  /** What brings interrupts to the harts. */
  readonly aia: Aia;
  /** Guest interrupt files of each hart. */
  readonly aiaGuests: number;
  /** The board's IOMMU stands before PCI Express. */
  readonly iommu: boolean;
  /** How hot code is compiled; false: not at all, undefined: as the machine has it. */
  readonly jit: { readonly quota?: number } | false | undefined;
  /** The interpreter runs beside it, and both are compared. */
  readonly cpuCheck: boolean;
  /** Bytes. */
  readonly memory: number;
  readonly bios: 'default' | 'none' | { readonly path: string };
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly deviceTree: string | undefined;
  readonly append: string | undefined;
  readonly serial: CharacterPlan;
  readonly netdevs: readonly NetdevPlan[];
  readonly devices: readonly DevicePlan[];
  readonly drives: readonly DrivePlan[];
  readonly folders: readonly FolderPlan[];
  readonly entropies: readonly EntropyPlan[];
  readonly dumps: readonly DumpPlan[];
  readonly monitors: readonly MonitorPlan[];
  readonly paused: boolean;
  readonly gdb: GdbPlan | undefined;
  readonly noReboot: boolean;
  readonly loadSnapshot: string | undefined;
  /** Nanoseconds since 1970, or the wall clock's. */
  readonly rtc: bigint | 'now';
  readonly time: 'realtime' | 'virtual';
  /** File for what the run cost. */
  readonly statistics: string | undefined;
}
