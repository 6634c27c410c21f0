import { Clock, Ledger, type MessageSink } from '@vmloom/device';
import {
  ACCESS_FAULT,
  AddressSpace,
  HostMemory,
  physical,
  type HandlerWidth,
  type Width,
} from '@vmloom/memory';
import type { PlugOptions } from '../bus.js';
import type { PciFunction } from '../function.js';
import * as R from '../registers.js';
import { RootComplex, type RootComplexOptions } from '../root-complex.js';
import { Enumerator, type EnumeratedFunction } from './enumerator.js';

export interface RecordedMessage {
  readonly requester: number;
  /** The whole address. */
  readonly address: number;
  readonly data: number;
  /** Nanoseconds. */
  readonly at: number;
}

export interface FakeHostOptions extends Partial<Omit<RootComplexOptions, 'space' | 'clock'>> {
  /** Bytes of RAM at 0x8000_0000. 1 MiB unless told. */
  readonly ram?: number;
  /** Bytes for the state of cores. 64 KiB unless told. */
  readonly reserve?: number;
}

export const RAM_BASE = 0x8000_0000;

/**
 * A machine without a hart: memory, a clock, a root complex with the windows of QEMU's virt board, and the hands of
 * a firmware and a driver. Device packages drive their models with it.
 */
export class FakeHost implements MessageSink {
  readonly memory: HostMemory;
  readonly space: AddressSpace;
  readonly clock = new Clock();
  readonly ledger = new Ledger();
  readonly root: RootComplex;
  /** Every message signalled interrupt that was sent. */
  readonly messages: RecordedMessage[] = [];

  constructor(options: FakeHostOptions = {}) {
    const ram = options.ram ?? 0x10_0000;
    this.memory = new HostMemory({ ram, reserve: options.reserve ?? 0x1_0000 });
    this.space = new AddressSpace(this.memory);
    this.space.mapRam({ name: 'ram', base: RAM_BASE, size: ram, offset: this.memory.ramOffset });
    this.root = new RootComplex({
      space: this.space,
      clock: this.clock,
      ledger: this.ledger,
      messages: this,
      ...options,
    });
  }

  /** Plugs a function in, enumerates, and lets it answer and master the bus. */
  install<T extends PciFunction>(fn: T, options?: PlugOptions): T {
    this.root.plug(fn, options);
    this.enumerate();
    this.enable(fn);
    return fn;
  }

  /** Finds everything and gives it bus numbers and addresses, as a firmware does, by configuration accesses alone. */
  enumerate(): readonly EnumeratedFunction[] {
    return new Enumerator(this.root).run();
  }

  /** Sets memory, I/O and bus master enable of a function and of all bridges above it. */
  enable(fn: PciFunction): void {
    for (let at: PciFunction | undefined = fn; at !== undefined; at = at.bus?.bridge) {
      this.configWrite(at, R.COMMAND, 2, R.COMMAND_IO | R.COMMAND_MEMORY | R.COMMAND_BUS_MASTER);
    }
  }

  configRead(fn: PciFunction, offset: number, width: HandlerWidth): number {
    return this.root.configRead(fn.location?.bus ?? 0, fn.devfn, offset, width);
  }

  configWrite(fn: PciFunction, offset: number, width: HandlerWidth, value: number): void {
    this.root.configWrite(fn.location?.bus ?? 0, fn.devfn, offset, width, value);
  }

  /** Offset of a capability, found by walking the list; 0 when it is not there. */
  findCapability(fn: PciFunction, id: number): number {
    let at = this.configRead(fn, R.CAPABILITIES_POINTER, 1);
    for (let hops = 0; at >= 0x40 && hops < 48; hops++) {
      if (this.configRead(fn, at, 1) === id) return at;
      at = this.configRead(fn, at + 1, 1);
    }
    return 0;
  }

  /** Offset of an extended capability, found by walking the list; 0 when it is not there. */
  findExtendedCapability(fn: PciFunction, id: number): number {
    for (let at = 0x100, hops = 0; at >= 0x100 && hops < 960; hops++) {
      const header = this.configRead(fn, at, 4);
      if (header === 0 || header === 0xffff_ffff) return 0;
      if ((header & 0xffff) === id) return at;
      at = header >>> 20;
    }
    return 0;
  }

  /** Where the processor finds a BAR: the address that software gave it. */
  barAddress(fn: PciFunction, index: number): number {
    const bar = fn.bar(index);
    const window = this.root.windows.find(
      (one) => one.kind === bar.kind && bar.base >= one.busBase && bar.base < one.busBase + one.size,
    );
    return window === undefined ? ACCESS_FAULT : bar.base - window.busBase + window.base;
  }

  /** A load by the processor from a BAR; ACCESS_FAULT (-1) when the access is refused. */
  read(fn: PciFunction, bar: number, offset: number, width: HandlerWidth = 4): number {
    return this.space.load(physical(this.barAddress(fn, bar) + offset), width);
  }

  /** A store by the processor to a BAR; false when the access is refused. */
  write(fn: PciFunction, bar: number, offset: number, value: number, width: HandlerWidth = 4): boolean {
    return this.space.store(physical(this.barAddress(fn, bar) + offset), width, value);
  }

  /** A load at any address. */
  load(address: number, width: Exclude<Width, 8> = 4): number {
    return this.space.load(physical(address), width);
  }

  /** A store at any address. */
  store(address: number, value: number, width: Exclude<Width, 8> = 4): boolean {
    return this.space.store(physical(address), width, value);
  }

  /** Runs the clock for a number of nanoseconds: everything due happens. 0: what is due now. */
  run(nanoseconds = 0): number {
    return this.clock.runUntil(this.clock.now + nanoseconds);
  }

  /** The four lines of the root complex, INTA first. */
  get lines(): readonly boolean[] {
    return this.root.intx.map((line) => line.level);
  }

  send(requester: number, low: number, high: number, data: number): boolean {
    this.messages.push({ requester, address: high * 0x1_0000_0000 + low, data, at: this.clock.now });
    return true;
  }
}
