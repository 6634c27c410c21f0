import {
  DirectTranslator,
  expectSnapshot,
  Ledger,
  UNCONNECTED_LINE,
  WiredOr,
  type Clock,
  type Device,
  type DmaTranslator,
  type EventArguments,
  type EventOwner,
  type MessageSink,
  type Snapshot,
} from '@vmloom/device';
import type { AddressSpace, HandlerWidth } from '@vmloom/memory';
import { Attachment } from './attachment.js';
import type { PciBridge } from './bridge.js';
import { PciBus, type BusOwner, type PlugOptions } from './bus.js';
import { counted, Decoder, type HostWindow } from './decoder.js';
import type { ConfigEffect } from './effects.js';
import { PciError } from './error.js';
import type { PciFunction } from './function.js';
import { HostBridge } from './host-bridge.js';

export interface RootComplexOptions {
  /** Where the windows appear, and where DMA goes unless a translator is given. */
  readonly space: AddressSpace;
  readonly clock: Clock;
  readonly ledger?: Ledger;
  /** Its name as an owner of events; `pcie` unless told. */
  readonly name?: string;
  /** Before the names of all functions, so that several fabrics share a clock: `vm1.`. Empty unless told. */
  readonly functionPrefix?: string;
  /**
   * The ledger's owner of exits: every trapped access of a processor to the configuration window and to BARs counts
   * as an exit of it, with the region as the reason. Not counted unless told.
   */
  readonly exitOwner?: string;
  /** The enhanced configuration window: 1 MiB per bus. 0x3000_0000 and 256 MiB unless told. */
  readonly ecam?: { readonly base: number; readonly size: number };
  /** Those of QEMU's virt board unless told. */
  readonly windows?: readonly HostWindow[];
  /** The number of the root bus: 0 unless told. */
  readonly firstBus?: number;
  /** What stands between DMA and memory; nothing unless told. */
  readonly translator?: DmaTranslator;
  /** Takes messages in place of the write to memory that each of them is. */
  readonly messages?: MessageSink;
  /** Sits at slot 0; the bridge of QEMU's virt board (1b36:0008) unless told. `none`: slot 0 is free. */
  readonly hostBridge?: PciFunction | 'none';
}

/** Windows of QEMU's `virt` board for RISC-V. */
export const VIRT_WINDOWS: readonly HostWindow[] = [
  { name: 'pcie-io', kind: 'io', base: 0x0300_0000, busBase: 0, size: 0x1_0000 },
  { name: 'pcie-mmio', kind: 'memory', base: 0x4000_0000, busBase: 0x4000_0000, size: 0x4000_0000 },
  {
    name: 'pcie-mmio-high',
    kind: 'memory',
    base: 0x4_0000_0000,
    busBase: 0x4_0000_0000,
    size: 0x4_0000_0000,
  },
];
export const VIRT_ECAM = { base: 0x3000_0000, size: 0x1000_0000 } as const;

const BUS_SIZE = 0x10_0000;
const MESSAGES = 'messages';
const SNAPSHOT = { type: 'pcie-root-complex', version: 1 } as const;

/**
 * The root of a PCI Express fabric: the configuration window, the memory and I/O windows, four interrupt lines,
 * and the way of DMA and messages to memory. Functions and bridges are plugged into its root bus.
 */
export class RootComplex implements Device, EventOwner, BusOwner {
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly space: AddressSpace;
  readonly rootBus = new PciBus(undefined, false, 'the root bus');
  readonly rootBusNumber: number;
  /** INTA to INTD of the root complex, after rotation by slot: connect them to the interrupt controller. */
  readonly intx: readonly [WiredOr, WiredOr, WiredOr, WiredOr];
  readonly ecam: { readonly base: number; readonly size: number };
  readonly windows: readonly HostWindow[];
  readonly messages: MessageSink | undefined;
  readonly #prefix: string;
  /** What stands between an IOMMU itself and memory. */
  readonly memoryTranslator: DmaTranslator;
  #translator: DmaTranslator;
  #translatorEpoch = 0;
  readonly #decoder: Decoder;
  readonly #attachments = new Map<PciFunction, Attachment>();
  readonly #models = new Map<string, number>();
  #quiet = false;

  /** @throws PciError bad-option; DeviceError duplicate-owner */
  constructor(options: RootComplexOptions) {
    this.name = options.name ?? 'pcie';
    this.#prefix = options.functionPrefix ?? '';
    this.space = options.space;
    this.clock = options.clock;
    this.ledger = options.ledger ?? new Ledger();
    this.ecam = options.ecam ?? VIRT_ECAM;
    this.windows = options.windows ?? VIRT_WINDOWS;
    this.rootBusNumber = options.firstBus ?? 0;
    this.messages = options.messages;
    this.memoryTranslator = options.translator ?? new DirectTranslator(options.space);
    this.#translator = this.memoryTranslator;
    this.intx = [new WiredOr(), new WiredOr(), new WiredOr(), new WiredOr()];
    const buses = this.ecam.size / BUS_SIZE;
    if (!Number.isInteger(buses) || buses < 1 || this.rootBusNumber + buses > 256) {
      throw new PciError(
        'bad-option',
        `an ECAM window of ${this.ecam.size} bytes: 1 MiB for each of at most 256 buses is needed`,
      );
    }
    this.intx.forEach((line, index) => line.onComplete(() => this.#completed(index)));
    this.clock.register(this);
    const { exitOwner } = options;
    const exits =
      exitOwner === undefined
        ? undefined
        : (reason: string) => this.ledger.counter(exitOwner, 'exit', reason);
    this.space.mapMmio({
      name: 'pcie-ecam',
      base: this.ecam.base,
      size: this.ecam.size,
      widths: [1, 2, 4],
      handler: counted(
        {
          read: (offset, width) => this.configRead(...this.#decode(offset), width),
          write: (offset, width, value) => this.configWrite(...this.#decode(offset), width, value),
        },
        exits?.('pcie-ecam'),
      ),
    });
    this.#decoder = new Decoder(this.space, this.windows, this.rootBus, exits);
    this.rootBus.owner = this;
    if (options.hostBridge !== 'none') this.plug(options.hostBridge ?? new HostBridge(), { slot: 0 });
  }

  /** What stands between DMA and memory; an IOMMU puts itself here. */
  get translator(): DmaTranslator {
    return this.#translator;
  }

  set translator(translator: DmaTranslator) {
    this.#translator = translator;
    this.#translatorEpoch++;
  }

  /** How often {@link translator} was set. */
  get translatorEpoch(): number {
    return this.#translatorEpoch;
  }

  /** By attachments: an IOMMU takes the place of what stood there, or (undefined) gives it back. */
  interpose(translator: DmaTranslator | undefined): void {
    this.translator = translator ?? this.memoryTranslator;
  }

  /** Plugs a function into the root bus. @throws PciError as {@link PciBus.plug} */
  plug<T extends PciFunction>(fn: T, options?: PlugOptions): T {
    return this.rootBus.plug(fn, options);
  }

  /** Every function that software may find, each bridge before what is below it. */
  *functions(bus = this.rootBus): Generator<PciFunction> {
    for (const fn of bus.functions) {
      yield fn;
      if (fn.isBridge) yield* this.functions((fn as PciBridge).secondaryBus);
    }
  }

  /** By name, with or without the fabric's prefix, or by address as in lspci (`01:00.0`). */
  find(wanted: string): PciFunction | undefined {
    for (const fn of this.functions()) {
      if (fn.name === wanted || fn.shortName === wanted || fn.address === wanted) return fn;
    }
    return undefined;
  }

  /** A configuration read as software does it: all ones where no function answers. */
  configRead(bus: number, devfn: number, offset: number, width: HandlerWidth): number {
    return this.#route(bus, devfn)?.configRead(offset, width) ?? 2 ** (8 * width) - 1;
  }

  /** A configuration write as software does it: lost where no function answers. */
  configWrite(bus: number, devfn: number, offset: number, width: HandlerWidth, value: number): void {
    const fn = this.#route(bus, devfn);
    if (fn !== undefined) this.#apply(fn, fn.configWrite(offset, width, value));
  }

  /** Which of {@link intx} a pin (1 to 4) of a function leads to: rotated by the device number at each bridge. */
  routeInterrupt(fn: PciFunction, pin: number): number {
    let line = pin - 1;
    let at: PciFunction | undefined = fn;
    while (at?.bus !== undefined) {
      line = (line + at.bus.deviceNumber(at)) % 4;
      at = at.bus.bridge;
    }
    return line;
  }

  /** Power-on reset of everything. */
  reset(): void {
    this.#silently(() => {
      for (const fn of this.rootBus.plugged) fn.reset('power-on');
    });
  }

  onEvent(kind: string, args: EventArguments): void {
    if (kind === MESSAGES) this.find(args['function'] as string)?.interrupt.deliver();
  }

  /** The state of every function by name. The tree itself is not saved: restore onto one that is alike. */
  save(): Snapshot {
    const functions = Object.fromEntries([...this.#attachments.keys()].map((fn) => [fn.name, fn.save()]));
    return { ...SNAPSHOT, functions };
  }

  /** @throws PciError bad-snapshot when the trees differ; DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const saved = snapshot['functions'] as Readonly<Record<string, Snapshot>>;
    const here = [...this.#attachments.keys()];
    const missing = Object.keys(saved).find((name) => !here.some((fn) => fn.name === name));
    if (missing !== undefined)
      throw new PciError('bad-snapshot', `the snapshot has ${missing}, which is not plugged in`);
    const extra = here.find((fn) => saved[fn.name] === undefined);
    if (extra !== undefined)
      throw new PciError('bad-snapshot', `the snapshot knows nothing of ${extra.name}`);
    this.#silently(() => {
      for (const fn of here) fn.restore(saved[fn.name]);
    });
  }

  /** Brings memory map, DMA enables, requester IDs and interrupt wires in line with the registers. */
  refresh(): void {
    if (this.#quiet) return;
    this.#decoder.update();
    for (const attachment of this.#attachments.values()) attachment.update();
  }

  /** By a bus of the tree. @throws PciError duplicate-name */
  adopt(fn: PciFunction): void {
    const whole = [...members(fn)];
    this.#checkNames(whole);
    this.#silently(() => {
      for (const [index, one] of whole.entries()) {
        try {
          this.#adopt(one);
        } catch (error) {
          // A model that throws in its `attached` leaves the fabric as it was.
          for (const done of whole.slice(0, index + 1).reverse()) this.#abandon(done);
          throw error;
        }
      }
    });
  }

  /** By a bus of the tree. */
  abandon(fn: PciFunction): void {
    const whole = [...members(fn)];
    this.#silently(() => {
      for (const one of whole.reverse()) this.#abandon(one);
    });
  }

  #adopt(fn: PciFunction): void {
    fn.nameBy(this.#prefix, fn.isNamed ? fn.shortName : (fn.defaultName ?? this.#freshName(fn.model)));
    const attachment = new Attachment(this, fn);
    this.#attachments.set(fn, attachment);
    if (fn.isBridge) (fn as PciBridge).secondaryBus.owner = this;
    if (isEventOwner(fn)) this.clock.register(fn);
    fn.attach(attachment);
    const wire = fn.pin === 0 ? UNCONNECTED_LINE : this.intx[this.routeInterrupt(fn, fn.pin)].input();
    fn.interrupt.connect(wire, this.ledger);
  }

  #abandon(fn: PciFunction): void {
    fn.detach();
    if (isEventOwner(fn)) this.clock.unregister(fn);
    if (fn.isBridge) (fn as PciBridge).secondaryBus.owner = undefined;
    const attachment = this.#attachments.get(fn);
    if (attachment !== undefined) attachment.dma.enabled = false;
    this.#attachments.delete(fn);
  }

  #checkNames(newcomers: readonly PciFunction[]): void {
    const names = new Set([...this.#attachments.keys()].map((other) => other.shortName));
    for (const fn of newcomers) {
      if (!fn.isNamed) continue;
      const { shortName } = fn;
      if (names.has(shortName)) {
        throw new PciError(
          'duplicate-name',
          `two functions are called ${shortName}; give one of them another name`,
        );
      }
      names.add(shortName);
    }
  }

  #freshName(model: string): string {
    const names = new Set([...this.#attachments.keys()].map((fn) => fn.shortName));
    let number = this.#models.get(model) ?? 0;
    while (names.has(`${model}-${number}`)) number++;
    this.#models.set(model, number + 1);
    return `${model}-${number}`;
  }

  #decode(offset: number): [bus: number, devfn: number, register: number] {
    return [this.rootBusNumber + (offset >>> 20), (offset >>> 12) & 0xff, offset & 0xfff];
  }

  #route(busNumber: number, devfn: number): PciFunction | undefined {
    let bus: PciBus = this.rootBus;
    while (bus.number !== busNumber) {
      const bridge = bus.functions.find(
        (fn): fn is PciBridge => fn.isBridge && (fn as PciBridge).claimsBus(busNumber),
      );
      // No bridge leads there: perhaps virtual functions of this link do.
      if (bridge === undefined) break;
      bus = bridge.secondaryBus;
    }
    if (busNumber < bus.number) return undefined;
    const target = bus.target(((busNumber - bus.number) << 8) | devfn);
    if (target === undefined) bus.bridge?.noteMasterAbort();
    return target;
  }

  #apply(fn: PciFunction, effects: readonly ConfigEffect[]): void {
    if (effects.length === 0) return;
    let refresh = false;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'decode':
        case 'bus-master':
        case 'bus-numbers':
          refresh = true;
          break;
        case 'interrupt-mode':
          fn.interrupt.update();
          break;
        case 'messages':
          fn.interrupt.release();
          break;
        case 'power-state':
          if (effect.to === 'D0' && effect.softReset) this.#silently(() => fn.reset('d3hot'));
          fn.interrupt.update();
          refresh = true;
          break;
        case 'function-reset':
          this.#silently(() => fn.reset('function'));
          break;
        case 'secondary-reset':
          this.#silently(() => (fn as PciBridge).resetSecondary('bus'));
          break;
        case 'action':
          this.#silently(() => effect.run());
          refresh = true;
          break;
      }
    }
    if (refresh) this.refresh();
  }

  #completed(line: number): void {
    for (const fn of this.functions()) {
      if (fn.pin !== 0 && this.routeInterrupt(fn, fn.pin) === line) fn.interrupt.completed();
    }
  }

  /** One refresh at the end in place of many. */
  #silently(work: () => void): void {
    if (this.#quiet) return work();
    this.#quiet = true;
    try {
      work();
    } finally {
      this.#quiet = false;
      this.refresh();
    }
  }

  /** By attachments. */
  scheduleMessages(fn: PciFunction): void {
    this.clock.schedule(this, MESSAGES, this.clock.now, { function: fn.name });
  }
}

/** A function with its virtual ones, and everything below it. */
function* members(fn: PciFunction): Generator<PciFunction> {
  yield fn;
  yield* fn.virtualFunctions;
  if (fn.isBridge) for (const below of (fn as PciBridge).secondaryBus.plugged) yield* members(below);
}

function isEventOwner(fn: PciFunction): fn is PciFunction & EventOwner {
  return typeof (fn as Partial<EventOwner>).onEvent === 'function';
}
