import type { Tariff } from '@vmloom/hypervisor';
import type { VirtualMachine } from '@vmloom/machine';
import type { Port } from '@vmloom/net';

/** Where a NIC is put. */
export interface Site {
  readonly vm: VirtualMachine;
  /** The host's end of the wire. */
  readonly wire: Port;
  /** Station address. */
  readonly mac: string;
  /** Number of the NIC in its machine, from 0. */
  readonly index: number;
}

/** One way of getting packets into and out of a virtual machine. Each is one file with this outline. */
export interface Structure {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** It is for the bare host's own system, not for virtual machines. False unless told. */
  readonly native?: boolean;
  /** Host harts that it takes for itself. 0 unless told. */
  readonly sideCores?: number;
  /** Guest side: the driver, and boot arguments that make it what the structure wants. */
  readonly guest: { readonly driver: 'e1000' | 'virtio-net'; readonly bootArguments?: string };
  /** What each frame is charged. */
  readonly charges: Tariff;
  /** Host side: plugs the device in, with its back end; the device's name in the ledger. */
  attach(site: Site): string;
}
