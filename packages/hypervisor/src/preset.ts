import { HypervisorError } from './error.js';

/** What a host's processor takes for each thing, in cycles of it. Every figure says where it is from in `sources`. */
export interface CostPreset {
  readonly name: string;
  /** Cycles per nanosecond. */
  readonly gigahertz: number;
  /** Of guest code and of code on the bare host. */
  readonly perInstruction: number;
  /** A call of the guest to the hypervisor (SBI), there and back. */
  readonly hypercall: number;
  /** An exit that the kernel's part of the hypervisor handles: interrupt controller, timer, halt. */
  readonly exitKernel: number;
  /** An exit that goes to the VMM in user space and back. */
  readonly exitUser: number;
  /** An exit for a doorbell that only wakes a back end elsewhere (ioeventfd). */
  readonly exitDoorbell: number;
  /** An exit that an interrupt of the host forces on a running vCPU. */
  readonly exitInterrupt: number;
  /** Putting one virtual interrupt into a vCPU that is entered. */
  readonly inject: number;
  /** Another vCPU or task gets the hart. */
  readonly contextSwitch: number;
  /** Waking a task that sleeps, for who wakes it. */
  readonly wake: number;
  /** A back end looks at its work once: dispatch, reading ring indexes. */
  readonly backEndEvent: number;
  /** Emulating the descriptors and registers of a hardware NIC, a packet. */
  readonly emulatedPacket: number;
  /** A virtqueue chain in a VMM in user space, a packet, with the system call that moves it. */
  readonly virtioPacket: number;
  /** The same in the kernel (vhost) or on a side core. */
  readonly vhostPacket: number;
  /** The host's own network stack between back end and wire: tap, bridge, a packet. */
  readonly hostPacket: number;
  /** One byte copied by the processor. */
  readonly copyByte: number;
  /** A read of a register of a real device, for which the processor waits. */
  readonly deviceRead: number;
  /** A posted write to one. */
  readonly deviceWrite: number;
  /** Nanoseconds between two looks of a polling side core. */
  readonly pollInterval: number;
}

/** What of a preset is a figure. */
export type CostParameter = Exclude<keyof CostPreset, 'name'>;

export const COST_PARAMETERS: readonly CostParameter[] = [
  'gigahertz',
  'perInstruction',
  'hypercall',
  'exitKernel',
  'exitUser',
  'exitDoorbell',
  'exitInterrupt',
  'inject',
  'contextSwitch',
  'wake',
  'backEndEvent',
  'emulatedPacket',
  'virtioPacket',
  'vhostPacket',
  'hostPacket',
  'copyByte',
  'deviceRead',
  'deviceWrite',
  'pollInterval',
];

/**
 * A server with KVM on x86. Exits as kvm-unit-tests' `vmexit` reports them: hypercall 1300, exit handled in the
 * kernel 2565, in user space 6732, ioeventfd notify 560 on top of a hypercall's way. The rest are orders of magnitude
 * of common knowledge: what depends on them is to be run with each halved and doubled.
 */
export const KVM_X86: CostPreset = {
  name: 'kvm-x86',
  gigahertz: 2.5,
  perInstruction: 0.7,
  hypercall: 1300,
  exitKernel: 2565,
  exitUser: 6732,
  exitDoorbell: 1860,
  exitInterrupt: 2000,
  inject: 700,
  contextSwitch: 3000,
  wake: 1500,
  backEndEvent: 400,
  emulatedPacket: 2500,
  virtioPacket: 2200,
  vhostPacket: 900,
  hostPacket: 1500,
  copyByte: 0.25,
  deviceRead: 1500,
  deviceWrite: 250,
  pollInterval: 1000,
};

/**
 * An embedded ARM-class board with virtualization extensions: in-order or small cores, where a world switch saves and
 * restores state in software. Orders of magnitude of common knowledge (hypercall about 5,000 cycles, user-space exit
 * about twice as much), not measured here.
 */
export const ARM_BOARD: CostPreset = {
  name: 'arm-board',
  gigahertz: 1,
  perInstruction: 1.5,
  hypercall: 5300,
  exitKernel: 6000,
  exitUser: 10_100,
  exitDoorbell: 5900,
  exitInterrupt: 5500,
  inject: 1000,
  contextSwitch: 5000,
  wake: 3000,
  backEndEvent: 800,
  emulatedPacket: 4000,
  virtioPacket: 3500,
  vhostPacket: 1600,
  hostPacket: 3000,
  copyByte: 1,
  deviceRead: 600,
  deviceWrite: 150,
  pollInterval: 2000,
};

export const PRESETS: Readonly<Record<string, CostPreset>> = {
  [ARM_BOARD.name]: ARM_BOARD,
  [KVM_X86.name]: KVM_X86,
};

/** A preset by its name, or a preset of the caller's own when each figure is there. @throws HypervisorError bad-preset */
export function costPreset(wanted: string | CostPreset): CostPreset {
  if (typeof wanted === 'string') {
    const preset = Object.hasOwn(PRESETS, wanted) ? PRESETS[wanted] : undefined;
    if (preset !== undefined) return preset;
    const known = Object.keys(PRESETS).join(' and ');
    throw new HypervisorError('bad-preset', `there is no cost preset ${wanted}; there are ${known}`);
  }
  for (const parameter of COST_PARAMETERS) {
    const value: unknown = wanted[parameter];
    const least = parameter === 'gigahertz' || parameter === 'perInstruction' ? Number.MIN_VALUE : 0;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
      throw new HypervisorError(
        'bad-preset',
        value === undefined
          ? `the cost preset ${wanted.name} lacks ${parameter}`
          : `the cost preset ${wanted.name} has ${parameter} = ${JSON.stringify(value)}; a number ${least === 0 ? 'of 0 or more' : 'above 0'} is needed`,
      );
    }
  }
  const picoseconds = picosecondsPerInstruction(wanted);
  if (picoseconds < 1 || picoseconds > 0xffff_ffff || wanted.pollInterval < 1) {
    throw new HypervisorError(
      'bad-preset',
      `the cost preset ${wanted.name}: an instruction takes 1 to 2^32 - 1 ps and a poll comes every 1 ns at most`,
    );
  }
  return wanted;
}

/** The preset with one figure multiplied. The name says so. @throws HypervisorError bad-preset */
export function scaledPreset(preset: CostPreset, parameter: CostParameter, factor: number): CostPreset {
  const value = preset[parameter] * factor;
  return costPreset({ ...preset, name: `${preset.name} ${parameter} x${factor}`, [parameter]: value });
}

/** Whole nanoseconds of so many cycles. */
export function nanoseconds(preset: CostPreset, cycles: number): number {
  return Math.round(cycles / preset.gigahertz);
}

/** What a hart of the preset takes for an instruction. */
export function picosecondsPerInstruction(preset: CostPreset): number {
  return Math.round((preset.perInstruction * 1000) / preset.gigahertz);
}
