import type { Clock, Ledger } from '@vmloom/device';
import { Account } from './account.js';
import type { CostParameter, CostPreset } from './preset.js';
import type { VmSpace } from './vm-space.js';
import { Vcpu, type GuestRunner } from './vcpu.js';

/** What an access of the guest to a register costs. */
export type AccessClass = Extract<
  CostParameter,
  'exitUser' | 'exitKernel' | 'exitDoorbell' | 'deviceRead' | 'deviceWrite'
>;

export interface VmOptions {
  /** Unique on its host; the owner of its counters. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly preset: CostPreset;
  readonly space: VmSpace;
  /**
   * The guest is the bare host's own system: its accesses to registers are no exits, and its harts are not
   * virtual. Devices cost it what a processor waits for real ones. False unless told.
   */
  readonly native?: boolean;
}

/** Registers of the interrupt controllers and timers, which the hypervisor's kernel part has. */
const KERNEL_REGIONS: ReadonlySet<string> = new Set(['plic', 'aclint', 'aplic-m', 'aplic-s']);

/** A virtual machine as its host sees it: an address space, vCPUs, and an account of what they cost. */
export class Vm {
  readonly name: string;
  readonly space: VmSpace;
  readonly account: Account;
  readonly native: boolean;
  readonly clock: Clock;
  readonly vcpus: Vcpu[] = [];
  readonly #classes: { readonly prefix: string; readonly access: AccessClass | 'direct' }[] = [];

  constructor(options: VmOptions) {
    this.name = options.name;
    this.space = options.space;
    this.clock = options.clock;
    this.native = options.native ?? false;
    this.account = new Account(options.name, options.ledger, options.preset);
  }

  /** Adds a vCPU around a hart. */
  addVcpu(runner: GuestRunner): Vcpu {
    const vcpu = new Vcpu(this, this.vcpus.length, runner);
    this.vcpus.push(vcpu);
    return vcpu;
  }

  /** Says what accesses to the registers cost whose region's name begins so; `direct`: assigned hardware, no exit. */
  classify(prefix: string, access: AccessClass | 'direct'): void {
    this.#classes.unshift({ prefix, access });
  }

  /** What an access costs; undefined: nothing beside its instruction. */
  accessClass(region: string, kind: 'trapped' | 'direct', write: boolean): AccessClass | undefined {
    const chosen = this.#classes.find(({ prefix }) => region.startsWith(prefix))?.access;
    const device = write ? 'deviceWrite' : 'deviceRead';
    if (this.native) return KERNEL_REGIONS.has(region) ? undefined : device;
    if (chosen === 'direct' || (chosen === undefined && kind === 'direct')) return device;
    return chosen ?? (KERNEL_REGIONS.has(region) ? 'exitKernel' : 'exitUser');
  }
}
