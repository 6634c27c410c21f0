import * as R from '../registers.js';
import type { RootComplex } from '../root-complex.js';

/** What a firmware knows of a function once it has gone over the bus. */
export interface EnumeratedFunction {
  readonly bus: number;
  readonly devfn: number;
  readonly vendor: number;
  readonly device: number;
  readonly classCode: number;
  readonly isBridge: boolean;
  /** By number: what was assigned. */
  readonly bars: readonly { index: number; kind: 'memory' | 'io'; size: number; address: number }[];
}

interface Cursor {
  next: number;
  readonly end: number;
}

const BRIDGE_UNIT = 0x10_0000;
const BRIDGE_IO_UNIT = 0x1000;

// PCI Express capability (PCIe 7.5.3.15, .16).
const DEVICE_CAPABILITIES_2 = 0x24;
const DEVICE_CONTROL_2 = 0x28;
const ARI_FORWARDING = 1 << 5;
// SR-IOV extended capability (PCIe 9.3.3).
const SRIOV_CONTROL = 0x08;
const SRIOV_ARI = 1 << 4;
const SRIOV_TOTAL_VFS = 0x0e;
const SRIOV_OFFSET = 0x14;
const SRIOV_STRIDE = 0x16;
const SRIOV_BAR0 = 0x24;

/**
 * Gives out bus numbers and addresses by configuration accesses alone, depth first, as a small firmware does.
 * 64-bit prefetchable BARs go to the window above 4 GiB, all others below.
 */
export class Enumerator {
  readonly #found: EnumeratedFunction[] = [];
  readonly #memory: Cursor;
  readonly #high: Cursor;
  readonly #io: Cursor;
  /** Buses below ports that forward ARI. */
  readonly #ariBuses = new Set<number>();
  #lastBus: number;

  constructor(private readonly root: RootComplex) {
    const cursor = (test: (base: number) => boolean, kind: 'memory' | 'io', first: number): Cursor => {
      const window = root.windows.find((one) => one.kind === kind && test(one.busBase));
      if (window === undefined) return { next: 0, end: 0 };
      return { next: Math.max(window.busBase, first), end: window.busBase + window.size };
    };
    this.#memory = cursor((base) => base < 0x1_0000_0000, 'memory', BRIDGE_UNIT);
    this.#high = cursor((base) => base >= 0x1_0000_0000, 'memory', 0);
    this.#io = cursor(() => true, 'io', BRIDGE_IO_UNIT);
    this.#lastBus = root.rootBusNumber;
  }

  run(): readonly EnumeratedFunction[] {
    this.#scan(this.root.rootBusNumber);
    return this.#found;
  }

  #scan(bus: number): void {
    for (let slot = 0; slot < 32; slot++) {
      for (let fn = 0; fn < 8; fn++) {
        const devfn = (slot << 3) | fn;
        if (this.#read(bus, devfn, R.VENDOR_ID, 2) !== 0xffff) this.#visit(bus, devfn);
        const several = this.#read(bus, slot << 3, R.HEADER_TYPE, 1) & R.HEADER_MULTI_FUNCTION;
        if (several === 0) break;
      }
    }
  }

  #visit(bus: number, devfn: number): void {
    const isBridge = (this.#read(bus, devfn, R.HEADER_TYPE, 1) & 0x7f) === R.HEADER_TYPE_1;
    const command = this.#read(bus, devfn, R.COMMAND, 2);
    this.#write(bus, devfn, R.COMMAND, 2, command & ~(R.COMMAND_IO | R.COMMAND_MEMORY));
    const bars = this.#placeBars(bus, devfn, R.BAR0, isBridge ? 2 : 6);
    if (!isBridge) this.#placeVirtual(bus, devfn);
    this.#found.push({
      bus,
      devfn,
      vendor: this.#read(bus, devfn, R.VENDOR_ID, 2),
      device: this.#read(bus, devfn, R.DEVICE_ID, 2),
      classCode: this.#read(bus, devfn, R.REVISION_ID, 4) >>> 8,
      isBridge,
      bars,
    });
    if (isBridge) this.#descend(bus, devfn);
    this.#write(bus, devfn, R.COMMAND, 2, command);
  }

  #descend(bus: number, devfn: number): void {
    for (const cursor of [this.#memory, this.#high]) align(cursor, BRIDGE_UNIT);
    align(this.#io, BRIDGE_IO_UNIT);
    const [memory, high, io] = [this.#memory.next, this.#high.next, this.#io.next];
    const secondary = ++this.#lastBus;
    this.#write(bus, devfn, R.PRIMARY_BUS, 1, bus);
    this.#write(bus, devfn, R.SECONDARY_BUS, 1, secondary);
    this.#write(bus, devfn, R.SUBORDINATE_BUS, 1, 0xff);
    this.#forwardAri(bus, devfn, secondary);
    this.#scan(secondary);
    this.#write(bus, devfn, R.SUBORDINATE_BUS, 1, this.#lastBus);
    for (const cursor of [this.#memory, this.#high]) align(cursor, BRIDGE_UNIT);
    align(this.#io, BRIDGE_IO_UNIT);
    this.#write(bus, devfn, R.MEMORY_BASE, 2, (memory >>> 16) & 0xfff0);
    this.#write(bus, devfn, R.MEMORY_LIMIT, 2, ((this.#memory.next - 1) >>> 16) & 0xfff0);
    // An unused window is closed by a limit below its base; at the very bottom the base has to go up for that.
    const closed = high === this.#high.next;
    const [base, last] = closed ? [0xfff0_0000, 0] : [high, this.#high.next - 1];
    this.#write(bus, devfn, R.PREFETCHABLE_BASE, 2, (base >>> 16) & 0xfff0);
    this.#write(bus, devfn, R.PREFETCHABLE_LIMIT, 2, (last >>> 16) & 0xfff0);
    this.#write(bus, devfn, R.PREFETCHABLE_BASE_UPPER, 4, Math.floor(base / 0x1_0000_0000));
    this.#write(bus, devfn, R.PREFETCHABLE_LIMIT_UPPER, 4, Math.floor(last / 0x1_0000_0000));
    this.#write(bus, devfn, R.IO_BASE, 1, (io >>> 8) & 0xf0);
    this.#write(bus, devfn, R.IO_LIMIT, 1, ((this.#io.next - 1) >>> 8) & 0xf0);
  }

  /** ARI forwarding of a port whose device has ARI (PCIe 6.13). */
  #forwardAri(bus: number, devfn: number, secondary: number): void {
    const express = this.#find(bus, devfn, R.CAPABILITY_EXPRESS);
    if (express === 0 || this.#findExtended(secondary, 0, R.EXTENDED_ARI) === 0) return;
    if ((this.#read(bus, devfn, express + DEVICE_CAPABILITIES_2, 4) & ARI_FORWARDING) === 0) return;
    this.#write(bus, devfn, express + DEVICE_CONTROL_2, 2, ARI_FORWARDING);
    this.#ariBuses.add(secondary);
  }

  /** Room for virtual functions: their BARs, each as often as there can be functions, and bus numbers (PCIe 9.2.1). */
  #placeVirtual(bus: number, devfn: number): void {
    const at = this.#findExtended(bus, devfn, R.EXTENDED_SRIOV);
    if (at === 0) return;
    this.#write(bus, devfn, at + SRIOV_CONTROL, 2, this.#ariBuses.has(bus) ? SRIOV_ARI : 0);
    const total = this.#read(bus, devfn, at + SRIOV_TOTAL_VFS, 2);
    this.#placeBars(bus, devfn, at + SRIOV_BAR0, 6, total);
    const offset = this.#read(bus, devfn, at + SRIOV_OFFSET, 2);
    const stride = this.#read(bus, devfn, at + SRIOV_STRIDE, 2);
    const last = bus + ((devfn + offset + (total - 1) * stride) >> 8);
    this.#lastBus = Math.min(0xff, Math.max(this.#lastBus, last));
  }

  #find(bus: number, devfn: number, id: number): number {
    let at = this.#read(bus, devfn, R.CAPABILITIES_POINTER, 1);
    for (let hops = 0; at >= 0x40 && hops < 48; hops++) {
      if (this.#read(bus, devfn, at, 1) === id) return at;
      at = this.#read(bus, devfn, at + 1, 1);
    }
    return 0;
  }

  #findExtended(bus: number, devfn: number, id: number): number {
    for (let at = 0x100, hops = 0; at >= 0x100 && hops < 960; hops++) {
      const header = this.#read(bus, devfn, at, 4);
      if (header === 0 || header === 0xffff_ffff) return 0;
      if ((header & 0xffff) === id) return at;
      at = header >>> 20;
    }
    return 0;
  }

  /** The registers from `first` on; each with room for `copies` of its size. */
  #placeBars(
    bus: number,
    devfn: number,
    first: number,
    count: number,
    copies = 1,
  ): EnumeratedFunction['bars'] {
    const bars: { index: number; kind: 'memory' | 'io'; size: number; address: number }[] = [];
    for (let index = 0; index < count; index++) {
      const at = first + index * 4;
      this.#write(bus, devfn, at, 4, 0xffff_ffff);
      const low = this.#read(bus, devfn, at, 4);
      if (low === 0) continue;
      const kind = (low & 1) !== 0 ? 'io' : 'memory';
      const wide = kind === 'memory' && (low & 6) === 4;
      if (wide) this.#write(bus, devfn, at + 4, 4, 0xffff_ffff);
      const high = wide ? this.#read(bus, devfn, at + 4, 4) : 0xffff_ffff;
      const mask = (low & (kind === 'io' ? ~3 : ~15)) >>> 0;
      const size = mask === 0 ? (0x1_0000_0000 - high) * 0x1_0000_0000 : 0x1_0000_0000 - mask;
      const cursor =
        kind === 'io' ? this.#io : wide && (low & 8) !== 0 && this.#high.end > 0 ? this.#high : this.#memory;
      const address = take(cursor, size, copies);
      this.#write(bus, devfn, at, 4, address >>> 0);
      if (wide) this.#write(bus, devfn, at + 4, 4, Math.floor(address / 0x1_0000_0000));
      bars.push({ index, kind, size, address });
      if (wide) index++;
    }
    return bars;
  }

  #read(bus: number, devfn: number, offset: number, width: 1 | 2 | 4): number {
    return this.root.configRead(bus, devfn, offset, width);
  }

  #write(bus: number, devfn: number, offset: number, width: 1 | 2 | 4, value: number): void {
    this.root.configWrite(bus, devfn, offset, width, value);
  }
}

function align(cursor: Cursor, unit: number): void {
  cursor.next = Math.ceil(cursor.next / unit) * unit;
}

/** The next free address of `copies` times `size` bytes, or 0 when there is no room. */
function take(cursor: Cursor, size: number, copies: number): number {
  const at = Math.ceil(cursor.next / size) * size;
  if (at + size * copies > cursor.end) return 0;
  cursor.next = at + size * copies;
  return at;
}
