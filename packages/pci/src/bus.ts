import { PciError } from './error.js';
import type { PciBridge } from './bridge.js';
import type { PciFunction } from './function.js';
import { HEADER_MULTI_FUNCTION, HEADER_TYPE } from './registers.js';

export interface PlugOptions {
  /** Device number, 0 to 31. The lowest free one unless told. */
  readonly slot?: number;
  /** Function number, 0 to 7 (with ARI up to 255, in slot 0). 0 unless told. */
  readonly function?: number;
}

/** What a bus asks of the fabric; absent while the bus hangs on nothing yet. */
export interface BusOwner {
  readonly rootBusNumber: number;
  adopt(fn: PciFunction): void;
  abandon(fn: PciFunction): void;
}

/** A PCI bus, or a PCI Express link, which software sees as a bus with device 0 alone. */
export class PciBus {
  readonly #functions = new Map<number, PciFunction>();
  /** Set by the fabric for all buses of its tree. */
  owner: BusOwner | undefined;

  constructor(
    /** The bridge above; undefined on the root bus. */
    readonly bridge: PciBridge | undefined,
    /** A link: nothing but device 0 can be plugged. */
    readonly isLink: boolean,
    private readonly name: string,
  ) {}

  /** As the bridge above has it from software: 0 before enumeration. */
  get number(): number {
    return this.bridge?.secondaryBusNumber ?? this.owner?.rootBusNumber ?? 0;
  }

  /** Everything that software may find here, in ascending order of routing ID. */
  get functions(): readonly PciFunction[] {
    return [...this.#functions].sort(([a], [b]) => a - b).map(([, fn]) => fn);
  }

  /** What was plugged in: {@link functions} without virtual ones. */
  get plugged(): readonly PciFunction[] {
    return this.functions.filter((fn) => fn.physicalFunction === undefined);
  }

  /** By routing ID, counted from function 0 of device 0. */
  get(routing: number): PciFunction | undefined {
    return this.#functions.get(routing);
  }

  /**
   * What a configuration request reaches. On a link without ARI forwarding only device 0 is asked by a type 0
   * request (PCIe 6.13), so that functions 8 to 255 cannot be reached; 256 and above are on bus numbers that follow,
   * which type 1 requests ask for (9.2.1.2).
   */
  target(routing: number): PciFunction | undefined {
    const behindAri = this.isLink && routing > 7 && routing < 256;
    if (behindAri && this.bridge?.ariForwarding !== true) return undefined;
    return this.#functions.get(routing);
  }

  /**
   * A virtual function appears. False when its place is taken, or cannot be on this bus: then it stays away, whatever
   * software wanted.
   */
  reveal(fn: PciFunction, routing: number): boolean {
    const most = this.isLink ? 0xffff : 0xff;
    if (routing > most || this.#functions.has(routing)) return false;
    this.#functions.set(routing, fn);
    fn.place(this, routing);
    return true;
  }

  /** A virtual function vanishes. */
  conceal(fn: PciFunction): void {
    if (fn.bus !== this) return;
    this.#functions.delete(fn.routing);
    fn.place(undefined, 0);
  }

  /** The device number that decides on INTx rotation: functions of a link are all of device 0. */
  deviceNumber(fn: PciFunction): number {
    return this.isLink ? 0 : fn.devfn >> 3;
  }

  /** @throws PciError bad-slot, slot-occupied, bus-full, already-plugged, duplicate-name */
  plug<T extends PciFunction>(fn: T, options: PlugOptions = {}): T {
    if (fn.physicalFunction !== undefined) {
      throw new PciError('bad-slot', `${fn.name} is part of ${fn.physicalFunction.name}: plug in that`);
    }
    if (fn.bus !== undefined) {
      throw new PciError('already-plugged', `${fn.name} is plugged in already, at ${fn.address}`);
    }
    const devfn = this.#choose(options);
    const occupant = this.#functions.get(devfn);
    if (occupant !== undefined) {
      throw new PciError(
        'slot-occupied',
        `slot ${devfn >> 3}, function ${devfn & 7} of ${this.name} is taken by ${occupant.name}`,
      );
    }
    this.#functions.set(devfn, fn);
    fn.place(this, devfn);
    try {
      this.owner?.adopt(fn);
    } catch (error) {
      this.#functions.delete(devfn);
      fn.place(undefined, 0);
      throw error;
    }
    this.#markMultiFunction(devfn);
    return fn;
  }

  /** @throws PciError not-plugged */
  unplug(fn: PciFunction): void {
    if (fn.bus !== this || fn.physicalFunction !== undefined) {
      throw new PciError('not-plugged', `${fn.name} is not plugged into ${this.name}`);
    }
    for (const one of fn.virtualFunctions) this.conceal(one);
    this.owner?.abandon(fn);
    const { devfn } = fn;
    this.#functions.delete(devfn);
    fn.place(undefined, 0);
    this.#setMultiFunction(fn, false);
    this.#markMultiFunction(devfn);
  }

  #choose({ slot, function: number }: PlugOptions): number {
    const fn = number ?? 0;
    const most = this.isLink ? 255 : 7;
    if (!Number.isInteger(fn) || fn < 0 || fn > most) {
      throw new PciError('bad-slot', `${this.name} has functions 0 to ${most}, not ${fn}`);
    }
    const last = this.isLink ? 0 : 31;
    if (slot !== undefined) {
      if (Number.isInteger(slot) && slot >= 0 && slot <= last) return (slot << 3) | fn;
      throw new PciError(
        'bad-slot',
        `${this.name} has ${last === 0 ? 'slot 0 only' : 'slots 0 to 31'}, not ${slot}`,
      );
    }
    if (this.isLink) return fn;
    if (fn !== 0) throw new PciError('bad-slot', `function ${fn} needs a slot: say which on ${this.name}`);
    const used = new Set([...this.#functions.keys()].map((devfn) => devfn >> 3));
    for (let free = 0; free <= last; free++) if (!used.has(free)) return free << 3;
    throw new PciError('bus-full', `all 32 slots of ${this.name} are taken`);
  }

  /** The header says in every function whether its device has several (PCIe 7.5.1.1.9). */
  #markMultiFunction(devfn: number): void {
    const device: PciFunction[] = [];
    for (let fn = 0; fn < 8; fn++) {
      const found = this.#functions.get((devfn & ~7) | fn);
      if (found !== undefined && found.physicalFunction === undefined) device.push(found);
    }
    const several = device.some((fn) => (fn.devfn & 7) !== 0);
    for (const fn of device) this.#setMultiFunction(fn, several);
  }

  #setMultiFunction(fn: PciFunction, several: boolean): void {
    const type = fn.config.read(HEADER_TYPE, 1) & ~HEADER_MULTI_FUNCTION;
    fn.config.setInitial(HEADER_TYPE, 1, several ? type | HEADER_MULTI_FUNCTION : type);
  }
}
