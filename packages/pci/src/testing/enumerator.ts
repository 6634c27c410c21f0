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

/**
 * Gives out bus numbers and addresses by configuration accesses alone, depth first, as a small firmware does.
 * 64-bit prefetchable BARs go to the window above 4 GiB, all others below.
 */
export class Enumerator {
  readonly #found: EnumeratedFunction[] = [];
  readonly #memory: Cursor;
  readonly #high: Cursor;
  readonly #io: Cursor;
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
    const bars = this.#placeBars(bus, devfn, isBridge ? 2 : 6);
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

  #placeBars(bus: number, devfn: number, count: number): EnumeratedFunction['bars'] {
    const bars: { index: number; kind: 'memory' | 'io'; size: number; address: number }[] = [];
    for (let index = 0; index < count; index++) {
      const at = R.BAR0 + index * 4;
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
      const address = take(cursor, size);
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

/** The next free address of `size` bytes, or 0 when there is no room. */
function take(cursor: Cursor, size: number): number {
  const at = Math.ceil(cursor.next / size) * size;
  if (at + size > cursor.end) return 0;
  cursor.next = at + size;
  return at;
}
