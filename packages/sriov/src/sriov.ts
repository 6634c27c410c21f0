import { expectSnapshot, type Snapshot } from '@vmloom/device';
import {
  ExpressCapability,
  ExtendedCapability,
  PciError,
  registers as R,
  type CapabilityFields,
  type ConfigEffect,
  type ConfigRegister,
  type PciFunction,
  type RegisterWrite,
} from '@vmloom/pci';
import { AriCapability } from './ari.js';
import * as S from './registers.js';
import { VfBarBank } from './vf-bar-bank.js';
import type { VirtualFunction, VirtualSpace } from './virtual-function.js';

/** Where routing IDs of virtual functions lie, counted from that of the physical one. 1 to 65535 each. */
export interface Placing {
  readonly offset: number;
  readonly stride: number;
}

export interface SriovOptions {
  /** All virtual functions there can be, first to last, with their BARs added: TotalVFs and InitialVFs. */
  readonly functions: readonly VirtualFunction[];
  /** First VF offset and VF stride below a port that forwards ARI. */
  readonly placing: Placing;
  /** The same where it does not: only functions 1 to 7 and bus numbers that follow are reached. As above unless told. */
  readonly placingWithoutAri?: Placing;
  /** Further page sizes than every device must support: bit n, 0 to 19, is 4 KiB shifted left by n. None unless told. */
  readonly pageSizes?: number;
  /** Function number of the physical function on which these depend; its own unless told. 0 of a single function. */
  readonly dependencyLink?: number;
  /** It has ARI capable hierarchy: the lowest-numbered physical function of a device. True unless told. */
  readonly lowest?: boolean;
  /** Told when virtual functions have appeared, and with 0 when they have vanished. */
  readonly onChange?: (present: number) => void;
}

const SNAPSHOT = { type: 'sriov', version: 1 } as const;

/**
 * Single root I/O virtualization (PCIe 9): the extended capability of a physical function, which lets its virtual
 * functions appear. Software says how many and where their memory lies, then sets VF enable.
 */
export class SriovCapability extends ExtendedCapability implements VirtualSpace {
  readonly id = R.EXTENDED_SRIOV;
  readonly version = 1;
  readonly name = 'Single Root I/O Virtualization';
  readonly size = S.SIZE;
  /** All that there can be. */
  readonly functions: readonly VirtualFunction[];
  readonly #options: SriovOptions;
  readonly #pageSizes: number;
  #banks: readonly VfBarBank[] = [];
  #present = 0;

  /** @throws PciError bad-capability */
  constructor(options: SriovOptions) {
    super();
    const { functions, placing, placingWithoutAri = placing } = options;
    if (functions.length < 1 || functions.length > 0xffff) {
      throw new PciError(
        'bad-capability',
        `1 to 65535 virtual functions are possible, not ${functions.length}`,
      );
    }
    for (const { offset, stride } of [placing, placingWithoutAri]) {
      if (![offset, stride].every((value) => Number.isInteger(value) && value > 0 && value <= 0xffff)) {
        throw new PciError(
          'bad-capability',
          `VF offset ${offset} and stride ${stride}: 1 to 65535 are possible`,
        );
      }
    }
    functions.forEach((fn, index) => {
      if (fn.index !== index || !sameBars(fn, functions[0])) {
        throw new PciError(
          'bad-capability',
          `${fn.model}: functions are numbered from 0 and have the same BARs`,
        );
      }
    });
    this.functions = functions;
    this.#options = options;
    const { pageSizes = 0 } = options;
    if (pageSizes < 0 || pageSizes >= 2 ** 20) {
      throw new PciError('bad-capability', 'system pages of more than 2 GiB are not possible');
    }
    this.#pageSizes = S.MANDATORY_PAGE_SIZES | pageSizes;
  }

  /** Gives a function virtual ones. @throws PciError bad-capability, already-plugged */
  override added(owner: PciFunction): void {
    super.added(owner);
    // 9.2.2: function level reset is required, of both kinds of functions; 9.3.7: so is ARI.
    const resettable = [owner, ...this.functions].every(
      (fn) => fn.capability(ExpressCapability)?.functionReset,
    );
    const routed = [owner, ...this.functions].every((fn) => fn.capability(AriCapability) !== undefined);
    if (!resettable || !routed || this.functions.some((fn) => fn.physicalFunction !== owner)) {
      throw new PciError(
        'bad-capability',
        `${owner.model} and its own virtual functions need function level reset and ARI before SR-IOV`,
      );
    }
    owner.addVirtualFunctions(this.functions);
    for (const fn of this.functions) fn.join(this);
  }

  registers(offset: number): readonly ConfigRegister[] {
    const { dependencyLink = 0, lowest = true } = this.#options;
    const { placingWithoutAri: placing = this.#options.placing } = this.#options;
    const total = this.functions.length;
    const of = (name: string, at: number, size: 1 | 2 | 4, value = 0): ConfigRegister => ({
      name: `sriov ${name}`,
      offset: offset + at,
      size,
      value,
    });
    return [
      of('capabilities', S.CAPABILITIES, 4),
      {
        ...of('control', S.CONTROL, 2),
        write: S.VF_ENABLE | S.VF_MEMORY_ENABLE | (lowest ? S.ARI_CAPABLE_HIERARCHY : 0),
        effect: (write) => action('control', () => this.#controlled(write)),
      },
      of('status', S.STATUS, 2),
      of('InitialVFs', S.INITIAL_VFS, 2, total),
      of('TotalVFs', S.TOTAL_VFS, 2, total),
      {
        ...of('NumVFs', S.NUM_VFS, 2),
        write: 0xffff,
        effect: ({ before }) => action('NumVFs', () => this.#counted(before)),
      },
      of('function dependency link', S.DEPENDENCY_LINK, 1, dependencyLink),
      of('first VF offset', S.FIRST_VF_OFFSET, 2, placing.offset),
      of('VF stride', S.VF_STRIDE, 2, placing.stride),
      of('VF device ID', S.VF_DEVICE_ID, 2, this.functions[0].identity.device),
      of('supported page sizes', S.SUPPORTED_PAGE_SIZES, 4, this.#pageSizes),
      {
        ...of('system page size', S.SYSTEM_PAGE_SIZE, 4, 1),
        write: 0xffff_ffff,
        effect: ({ before, after }) => action('system page size', () => this.#paged(before, after)),
      },
      ...this.#makeBanks(offset).flatMap((bank) => bank.registers()),
      of('VF migration state array offset', S.MIGRATION_STATE, 4),
    ];
  }

  /** VF enable. */
  get enabled(): boolean {
    return (this.read16(S.CONTROL) & S.VF_ENABLE) !== 0;
  }

  get memoryEnabled(): boolean {
    return (this.read16(S.CONTROL) & S.VF_MEMORY_ENABLE) !== 0;
  }

  /** What software wrote to NumVFs. */
  get numVfs(): number {
    return this.read16(S.NUM_VFS);
  }

  /** The virtual functions that exist now, which are the first ones of {@link functions}. */
  get present(): number {
    return this.#present;
  }

  barBase(bar: number, index: number): number {
    return this.#banks.find((bank) => bank.index === bar)?.base(index) ?? -1;
  }

  /** 9.2.2.1, 9.2.2.3: whatever resets the physical function, its virtual functions exist no longer. */
  override onReset(): void {
    this.#setPages();
    this.#vanish();
  }

  override save(): Snapshot {
    return { ...SNAPSHOT, present: this.#present, bars: this.#banks.map((bank) => [...bank.save()]) };
  }

  override restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.#setPages();
    const bars = snapshot['bars'] as readonly (readonly number[])[];
    this.#banks.forEach((bank, at) => bank.restore(bars[at] ?? []));
    this.#place();
    for (const fn of this.functions) fn.bus?.conceal(fn);
    this.#present = 0;
    if ((snapshot['present'] as number) > 0) this.#reveal();
  }

  override fields(): CapabilityFields {
    return {
      enabled: this.enabled,
      memoryEnabled: this.memoryEnabled,
      ariCapableHierarchy: (this.read16(S.CONTROL) & S.ARI_CAPABLE_HIERARCHY) !== 0,
      totalVfs: this.functions.length,
      numVfs: this.numVfs,
      offset: this.read16(S.FIRST_VF_OFFSET),
      stride: this.read16(S.VF_STRIDE),
      device: this.functions[0].identity.device,
      page: this.#page,
    };
  }

  get #page(): number {
    return this.read32(S.SYSTEM_PAGE_SIZE) * S.SMALLEST_PAGE;
  }

  #makeBanks(offset: number): readonly VfBarBank[] {
    const [first] = this.functions;
    const { config } = first.physicalFunction;
    this.#banks = [...first.bars()].map(([index, bar]) => new VfBarBank(index, bar, config, offset));
    return this.#banks;
  }

  #controlled({ before, after }: RegisterWrite): void {
    // 9.3.3.3.5: not to be changed while virtual functions exist, whose places it decides; then it stays.
    if ((before & S.VF_ENABLE) !== 0 && ((before ^ after) & S.ARI_CAPABLE_HIERARCHY) !== 0) {
      this.#set(S.CONTROL, 2, after ^ S.ARI_CAPABLE_HIERARCHY);
    }
    this.#place();
    if (!this.enabled) this.#vanish();
    else if ((before & S.VF_ENABLE) === 0) this.#appear();
  }

  /** 9.3.3.7: not to be changed while VF enable is set; then it stays. */
  #counted(before: number): void {
    if (this.enabled) this.#set(S.NUM_VFS, 2, before);
  }

  /** 9.3.3.13: one of the supported sizes, and not while VF enable is set; anything else leaves it as it was. */
  #paged(before: number, after: number): void {
    const one = after !== 0 && (after & (after - 1)) === 0;
    if (this.enabled || !one || (after & this.#pageSizes) === 0) this.#set(S.SYSTEM_PAGE_SIZE, 4, before);
    this.#setPages();
  }

  #setPages(): void {
    for (const bank of this.#banks) bank.setPage(this.#page);
  }

  /** 9.3.3.9, 9.3.3.10: both depend on ARI capable hierarchy. */
  #place(): void {
    const { placing, placingWithoutAri = placing } = this.#options;
    const ari = (this.read16(S.CONTROL) & S.ARI_CAPABLE_HIERARCHY) !== 0;
    const { offset, stride } = ari ? placing : placingWithoutAri;
    this.#set(S.FIRST_VF_OFFSET, 2, offset);
    this.#set(S.VF_STRIDE, 2, stride);
  }

  #appear(): void {
    this.#reveal();
    this.#options.onChange?.(this.#present);
  }

  /** 9.3.3.7: more than TotalVFs is for software not to ask for; then all there are appear. */
  #reveal(): void {
    const { bus, routing } = this.owner;
    const first = routing + this.read16(S.FIRST_VF_OFFSET);
    const stride = this.read16(S.VF_STRIDE);
    this.#present = Math.min(this.numVfs, this.functions.length);
    for (const fn of this.functions.slice(0, this.#present)) bus?.reveal(fn, first + fn.index * stride);
  }

  /** What they held is lost; what is on its way to memory or as a message does not arrive (9.3.3.3.1). */
  #vanish(): void {
    if (this.#present === 0) return;
    for (const fn of this.functions) fn.bus?.conceal(fn);
    for (const fn of this.functions.slice(0, this.#present)) fn.reset('power-on');
    this.#present = 0;
    this.#options.onChange?.(0);
  }

  #set(register: number, size: 2 | 4, value: number): void {
    this.owner.config.set(this.offset + register, size, value);
  }
}

const action = (name: string, run: () => void): ConfigEffect => ({
  kind: 'action',
  name: `sriov ${name}`,
  run,
});

function sameBars(fn: VirtualFunction, other: VirtualFunction): boolean {
  const shape = (one: VirtualFunction): string =>
    [...one.bars()]
      .map(([index, { size, bits, prefetchable }]) => [index, size, bits, prefetchable])
      .join(';');
  return shape(fn) === shape(other);
}
