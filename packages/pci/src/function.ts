import { expectSnapshot, type Device, type DmaPort, type Snapshot, type SnapshotValue } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { Bar, RomBar, type BarOptions } from './bar.js';
import type { PciBus } from './bus.js';
import type { Capability, ExtendedCapability } from './capability.js';
import { CapabilityLists } from './capability-lists.js';
import type { PowerCapability } from './capabilities/power.js';
import { ConfigSpace, CONVENTIONAL_CONFIG_SIZE, EXPRESS_CONFIG_SIZE } from './config-space.js';
import type { FunctionContext } from './context.js';
import type { ConfigEffect, PowerState, ResetKind } from './effects.js';
import { PciError } from './error.js';
import { BRIDGE_BARS, headerRegisters, type HeaderKind } from './header.js';
import { FunctionInterrupts } from './interrupts.js';
import * as R from './registers.js';

export interface PciFunctionOptions {
  readonly vendor: number;
  readonly device: number;
  /** 24 bits: base class, subclass, programming interface; 0x020000 is an Ethernet controller. */
  readonly classCode: number;
  readonly revision?: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** INTA to INTD, or none. 'A' unless told. */
  readonly pin?: 'A' | 'B' | 'C' | 'D' | 'none';
  /** Unique on its fabric. The model and a number unless told. */
  readonly name?: string;
  /** What kind of thing it is, as in a list of devices: 'e1000'. `pci8086:100e` and the like unless told. */
  readonly model?: string;
  /** Min_Gnt and Max_Lat of a conventional function, in units of 250 ns. */
  readonly minGrant?: number;
  readonly maxLatency?: number;
}

/** Where a function is: known from the moment its bus has a number. */
export interface Location {
  readonly bus: number;
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7. */
  readonly function: number;
}

const PINS = { none: 0, A: 1, B: 2, C: 3, D: 4 } as const;
const SNAPSHOT = { type: 'pci-function', version: 1 } as const;

/**
 * One function of a PCI device: what a device model extends. The constructor describes it (identity, BARs,
 * capabilities); {@link attached} tells the model that it is on a bus and has a clock and memory; BAR handlers
 * carry register accesses; {@link interrupt} and {@link dma} are its ways out.
 */
export abstract class PciFunction implements Device {
  /** Hardware that is assigned to whoever runs on the fabric: no access to its registers is an exit. */
  direct = false;
  readonly config = new ConfigSpace();
  readonly model: string;
  readonly interrupt: FunctionInterrupts;
  /** 1 to 4 for INTA to INTD; 0: no interrupt line. */
  readonly pin: number;
  readonly #bars = new Map<number, Bar>();
  readonly #capabilities: CapabilityLists;
  readonly #options: PciFunctionOptions;
  readonly #virtual: PciFunction[] = [];
  #rom: RomBar | undefined;
  #power: PowerCapability | undefined;
  #name: string | undefined;
  #prefix = '';
  #bus: PciBus | undefined;
  #routing = 0;
  #context: FunctionContext | undefined;

  constructor(options: PciFunctionOptions, header: HeaderKind = 'endpoint') {
    this.#options = options;
    const hex = (value: number): string => value.toString(16).padStart(4, '0');
    this.model = options.model ?? `pci${hex(options.vendor)}:${hex(options.device)}`;
    this.#name = options.name;
    this.pin = PINS[options.pin ?? 'A'];
    this.config.define(...headerRegisters(options, this.pin, header));
    this.#capabilities = new CapabilityLists(this.config);
    this.interrupt = new FunctionInterrupts(this);
  }

  // Describing the function -------------------------------------------------------------------------------

  /**
   * Adds a base address register, number 0 to 5 (0 and 1 on a bridge). One of 64 bits takes the next number
   * too. @throws PciError bad-bar
   */
  addBar(index: number, options: BarOptions): Bar {
    const count = this.isBridge ? BRIDGE_BARS : 6;
    if (!Number.isInteger(index) || index < 0 || index + (options.bits === 64 ? 1 : 0) >= count) {
      throw new PciError('bad-bar', `${this.model} has no room for BAR ${index}`);
    }
    const bar = this.makeBar(index, options);
    if (!this.config.isFree(bar.offset, bar.bits / 8)) {
      throw new PciError('bad-bar', `BAR ${index} of ${this.model} is taken`);
    }
    this.config.define(...bar.registers());
    this.#bars.set(index, bar);
    this.#context?.refresh();
    return bar;
  }

  /** Makes what {@link addBar} adds; a virtual function's BARs have no registers of their own. */
  protected makeBar(index: number, options: BarOptions): Bar {
    return new Bar(`bar${index}`, R.BAR0 + index * 4, this.config, options);
  }

  /** Adds an expansion ROM of at most 16 MiB. @throws PciError bad-bar */
  addRom(image: Uint8Array): void {
    if (this.#rom !== undefined) throw new PciError('bad-bar', `${this.model} has a ROM already`);
    const rom = new RomBar(this.isBridge ? R.BRIDGE_EXPANSION_ROM : R.EXPANSION_ROM, this.config, image);
    this.config.define(...rom.registers());
    this.#rom = rom;
  }

  /**
   * Adds a capability to the list it belongs to, at the next free place unless `offset` names one.
   * @throws PciError bad-capability, config-full
   */
  addCapability<T extends Capability | ExtendedCapability>(capability: T, offset?: number): T {
    if (capability.list === 'extended' && !this.isExpress) {
      throw new PciError(
        'bad-capability',
        `${this.model} needs a PCI Express capability before its first extended one (${capability.name})`,
      );
    }
    this.#capabilities.add(capability, offset);
    capability.added(this);
    return capability;
  }

  // What a model overrides --------------------------------------------------------------------------------

  /**
   * The function is on a bus of a fabric: take counters from the ledger, keep the clock. A model that has an
   * `onEvent(kind, args)` is an owner of events already: the fabric registered it on the clock.
   */
  protected attached(_context: FunctionContext): void {}

  /** The function is about to leave its bus: take everything back. */
  protected detached(): void {}

  /** Registers to their documented defaults, pending work dropped; configuration space has been reset already. */
  protected onReset(_kind: ResetKind): void {}

  /** The model's own state, without what configuration space, capabilities and interrupts hold. */
  protected saveState(): Snapshot {
    return { type: this.model, version: 1 };
  }

  /** @throws DeviceError bad-snapshot */
  protected restoreState(_snapshot: Snapshot): void {}

  // What a model uses -------------------------------------------------------------------------------------

  /**
   * Unique on its clock: the fabric's prefix, and {@link shortName}. Before it is plugged in, a function that was
   * given no name is called by its model.
   */
  get name(): string {
    return this.#prefix + this.shortName;
  }

  /** Unique on its fabric. */
  get shortName(): string {
    return this.#name ?? this.model;
  }

  /** The function's way to memory. @throws PciError not-plugged */
  get dma(): DmaPort {
    if (this.#context === undefined)
      throw new PciError('not-plugged', `${this.name} is on no bus of a root complex`);
    return this.#context.dma;
  }

  /** False for an IOMMU: it stands before others, and reaches memory by physical addresses itself. */
  get isTranslated(): boolean {
    return true;
  }

  /** Undefined until the function is on a bus of a root complex. */
  get context(): FunctionContext | undefined {
    return this.#context;
  }

  get powerState(): PowerState {
    return this.#power?.state ?? 'D0';
  }

  // Device ------------------------------------------------------------------------------------------------

  /** Configuration space, capabilities and interrupts, then the model itself. Power-on unless told. */
  reset(kind: ResetKind = 'power-on'): void {
    this.config.reset(kind);
    for (const capability of this.capabilities) capability.onReset(kind);
    this.interrupt.reset();
    this.onReset(kind);
    this.#context?.refresh();
  }

  save(): Snapshot {
    const capabilities: Record<string, SnapshotValue> = {};
    for (const capability of this.capabilities) {
      const saved = capability.save();
      if (saved !== undefined) capabilities[capability.offset.toString(16)] = saved;
    }
    return {
      ...SNAPSHOT,
      model: this.model,
      config: this.config.bytes(this.configSize),
      interrupt: this.interrupt.save(),
      capabilities,
      state: this.saveState(),
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    if (snapshot['model'] !== this.model) {
      throw new PciError('bad-snapshot', `${this.name} is a ${this.model}, the snapshot is of another model`);
    }
    const config = snapshot['config'];
    if (!(config instanceof Uint8Array)) {
      throw new PciError('bad-snapshot', `the snapshot of ${this.name} has no configuration space`);
    }
    this.config.restoreBytes(config);
    const capabilities = snapshot['capabilities'] as Readonly<Record<string, Snapshot>>;
    for (const capability of this.capabilities) {
      const saved = capabilities[capability.offset.toString(16)];
      if (saved !== undefined) capability.restore(saved);
    }
    this.interrupt.restore(snapshot['interrupt'] as { level: boolean; queue: number[] });
    this.restoreState(snapshot['state'] as Snapshot);
    this.#context?.refresh();
  }

  // For the fabric, capabilities and tools ----------------------------------------------------------------

  get identity(): PciFunctionOptions {
    return this.#options;
  }

  get isBridge(): boolean {
    return false;
  }

  /** It has a PCI Express capability, and so 4 KiB of configuration space. */
  get isExpress(): boolean {
    return this.capabilities.some(
      (capability) => capability.list === 'conventional' && capability.id === R.CAPABILITY_EXPRESS,
    );
  }

  get configSize(): number {
    return this.isExpress ? EXPRESS_CONFIG_SIZE : CONVENTIONAL_CONFIG_SIZE;
  }

  /** Both lists, conventional first, in list order. */
  get capabilities(): readonly (Capability | ExtendedCapability)[] {
    return this.#capabilities.all;
  }

  /** The first capability of a class. */
  capability<T extends Capability | ExtendedCapability>(kind: new (...args: never[]) => T): T | undefined {
    return this.capabilities.find((capability): capability is T => capability instanceof kind);
  }

  /**
   * The function's BARs of a kind answer: its enable bit is set and it is in D0. A virtual function overrides this
   * and {@link mayMaster}: bits of its physical function decide.
   */
  decodes(kind: 'memory' | 'io'): boolean {
    const enable = kind === 'io' ? R.COMMAND_IO : R.COMMAND_MEMORY;
    return (this.config.read(R.COMMAND, 2) & enable) !== 0 && this.powerState === 'D0';
  }

  /** The function may send requests upstream, and a bridge may pass them on. */
  get mayMaster(): boolean {
    return (this.config.read(R.COMMAND, 2) & R.COMMAND_BUS_MASTER) !== 0 && this.powerState === 'D0';
  }

  /** By number. @throws PciError bad-bar */
  bar(index: number): Bar {
    const bar = this.#bars.get(index);
    if (bar === undefined) throw new PciError('bad-bar', `${this.model} has no BAR ${index}`);
    return bar;
  }

  /** All base address registers with their numbers; the ROM is number 6. */
  *bars(): Generator<[number, Bar]> {
    for (const entry of [...this.#bars].sort(([a], [b]) => a - b)) yield entry;
    if (this.#rom !== undefined) yield [6, this.#rom];
  }

  get bus(): PciBus | undefined {
    return this.#bus;
  }

  /** Device number in bits 7:3, function number in 2:0; with ARI all eight are the function number. */
  get devfn(): number {
    return this.#routing & 0xff;
  }

  /** How far its routing ID is from function 0 of device 0 of its bus: 256 and up on the bus numbers that follow. */
  get routing(): number {
    return this.#routing;
  }

  get location(): Location | undefined {
    if (this.#bus === undefined) return undefined;
    const { devfn } = this;
    return { bus: this.#bus.number + (this.#routing >> 8), device: devfn >> 3, function: devfn & 7 };
  }

  /** As in lspci: bus, device and function. */
  get address(): string {
    const at = this.location;
    if (at === undefined) return 'unplugged';
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    return `${hex(at.bus)}:${hex(at.device)}.${at.function}`;
  }

  get requester(): number {
    return ((this.#bus?.number ?? 0) << 8) + this.#routing;
  }

  usePower(capability: PowerCapability): void {
    this.#power = capability;
  }

  configRead(offset: number, width: HandlerWidth): number {
    return offset < this.configSize ? this.config.read(offset, width) : 2 ** (8 * width) - 1;
  }

  configWrite(offset: number, width: HandlerWidth, value: number): readonly ConfigEffect[] {
    return offset < this.configSize ? this.config.write(offset, width, value) : [];
  }

  /**
   * Functions of the same device that join and leave the fabric with this one, and that its software lets appear
   * on the bus and vanish: its virtual functions (PCIe 9.1).
   */
  get virtualFunctions(): readonly PciFunction[] {
    return this.#virtual;
  }

  /** Of a virtual function: whose it is. */
  get physicalFunction(): PciFunction | undefined {
    return undefined;
  }

  /** By the capability that has them, before the function is plugged in. @throws PciError already-plugged */
  addVirtualFunctions(functions: readonly PciFunction[]): void {
    if (this.#bus !== undefined) {
      throw new PciError(
        'already-plugged',
        `${this.name} is plugged in: it gets its virtual functions before`,
      );
    }
    this.#virtual.push(...functions);
  }

  /** What it is called when nobody gave it a name; undefined: by its model and a number. */
  get defaultName(): string | undefined {
    return undefined;
  }

  /** By the bus. */
  place(bus: PciBus | undefined, routing: number): void {
    this.#bus = bus;
    this.#routing = routing;
  }

  /** False while it is called by its model only. */
  get isNamed(): boolean {
    return this.#name !== undefined;
  }

  /** By the fabric; `name` is for a function that was given none. */
  nameBy(prefix: string, name: string): void {
    this.#prefix = prefix;
    this.#name ??= name;
  }

  /** By the fabric. */
  attach(context: FunctionContext): void {
    this.#context = context;
    this.attached(context);
  }

  /** By the fabric. */
  detach(): void {
    this.detached();
    this.interrupt.disconnect();
    this.#context = undefined;
  }
}
