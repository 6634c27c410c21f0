import type { CostPreset, ShareOptions } from '@vmloom/hypervisor';
import type { StructureName } from './structures/index.js';

export interface HostSpec {
  /** Bytes, or '128MiB' (unless told). */
  readonly memory?: number | string;
  /** 1 to 64; 1 unless told. */
  readonly harts?: number;
  /** `arm-board` unless told. */
  readonly preset?: 'arm-board' | 'kvm-x86' | CostPreset;
}

export interface SwitchSpec {
  /** Bits per second of each wire from the switch; without limit unless told. */
  readonly rate?: number;
  /** Nanoseconds that a frame takes on each wire; 0 unless told. */
  readonly delay?: number;
  /** Frames that may wait for each wire before the sender has to; 1000 unless told. */
  readonly queue?: number;
}

export interface NicSpec<Switches extends string = string> {
  readonly structure: StructureName;
  readonly switch: Switches;
  /** Station address; made from the order of the machines unless told. */
  readonly mac?: string;
}

export interface VmSpec<Hosts extends string = string, Switches extends string = string> {
  readonly host: Hosts;
  /** Address of the first NIC, like 10.0.0.1/24. */
  readonly ip: string;
  /** 16 MiB unless told. */
  readonly memory?: number | string;
  readonly nics: readonly NicSpec<Switches>[];
  /** The tiny guest's commands; when they are over the machine powers off. */
  readonly run?: readonly string[];
  /** Commands of a machine that serves the others: it ends with them. */
  readonly serve?: readonly string[];
  /** How much of its host it gets. */
  readonly share?: ShareOptions;
}

/** Hosts, switches and virtual machines by name. */
export interface Topology<Hosts extends string = string, Switches extends string = string> {
  readonly hosts: Readonly<Record<Hosts, HostSpec>>;
  readonly switches: Readonly<Record<Switches, SwitchSpec>>;
  readonly vms: Readonly<Record<string, VmSpec<NoInfer<Hosts>, NoInfer<Switches>>>>;
}

/** A topology whose names the compiler has checked. */
export function topology<Hosts extends string, Switches extends string>(
  spec: Topology<Hosts, Switches>,
): Topology<Hosts, Switches> {
  return spec;
}
