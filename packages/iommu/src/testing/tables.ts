import { physical, type AddressSpace } from '@vmloom/memory';

// Bits of PTEs.
export const V = 1n;
export const R = 2n;
export const W = 4n;
export const X = 8n;
export const U = 16n;
export const G = 32n;
export const A = 64n;
export const D = 128n;
export const N = 1n << 63n;
/** A page that a device reads and writes. */
export const DATA = V | R | W | U | A | D;

const PAGE = 4096n;

/** Levels of page tables: 3 for Sv39, 4 for Sv48, 5 for Sv57. */
export type Levels = 3 | 4 | 5;

/** Memory for the structures of an IOMMU: pages from a region, doublewords in either byte order. */
export class TableMemory {
  #next: bigint;

  constructor(
    readonly space: AddressSpace,
    start: bigint,
  ) {
    this.#next = start;
  }

  /** Zeroed pages, aligned to their size when `count` is a power of two. */
  pages(count = 1): bigint {
    const size = BigInt(count) * PAGE;
    const at = ((this.#next + size - 1n) / size) * size;
    this.#next = at + size;
    this.space.writeBytes(physical(Number(at)), new Uint8Array(Number(size)));
    return at;
  }

  store(address: bigint, value: bigint, bigEndian = false): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), !bigEndian);
    this.space.writeBytes(physical(Number(address)), bytes);
  }

  load(address: bigint, bigEndian = false): bigint {
    const bytes = this.space.readBytes(physical(Number(address)), 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, !bigEndian);
  }
}

export interface PageTableOptions {
  readonly levels?: Levels;
  /** A second-stage table, whose root has 16 KiB. */
  readonly guest?: boolean;
  readonly bigEndian?: boolean;
  /** Where the table itself appears: a VM's own table is reached through its second stage. The identity unless told. */
  readonly seen?: (address: bigint) => bigint;
}

/** A page table that is built entry by entry. */
export class PageTable {
  readonly root: bigint;
  readonly levels: Levels;
  readonly #options: PageTableOptions;
  readonly #pages = new Map<bigint, bigint>();

  constructor(
    readonly memory: TableMemory,
    options: PageTableOptions = {},
  ) {
    this.#options = options;
    this.levels = options.levels ?? 3;
    this.root = memory.pages(options.guest === true ? 4 : 1);
  }

  /** Value for iosatp or iohgatp: mode and PPN. */
  get pointer(): bigint {
    return (BigInt(this.levels + 5) << 60n) | (this.#seen(this.root) >> 12n);
  }

  /** Maps a page of `level` (0: 4 KiB, 1: 2 MiB, 2: 1 GiB ...); with N in the flags 64 KiB of level 0. */
  map(address: bigint, to: bigint, flags = DATA, level = 0): void {
    const napot = (flags & N) !== 0n && level === 0;
    const count = napot ? 16n : 1n;
    for (let index = 0n; index < count; index++) {
      const frame = napot ? ((to >> 12n) & ~0xfn) | 8n : to >> 12n;
      this.setEntry(address + index * PAGE, (frame << 10n) | flags, level);
    }
  }

  unmap(address: bigint, level = 0): void {
    this.setEntry(address, 0n, level);
  }

  setEntry(address: bigint, entry: bigint, level = 0): void {
    this.memory.store(this.place(address, level), entry, this.#options.bigEndian);
  }

  entry(address: bigint, level = 0): bigint {
    return this.memory.load(this.place(address, level), this.#options.bigEndian);
  }

  /** Where the entry of an address lies; tables above it are made. */
  place(address: bigint, level = 0): bigint {
    let table = this.root;
    for (let at = this.levels - 1; ; at--) {
      const top = at === this.levels - 1 && this.#options.guest === true;
      const index = (address >> BigInt(12 + 9 * at)) & (top ? 0x7ffn : 0x1ffn);
      const place = table + index * 8n;
      if (at === level) return place;
      table = this.#below(place);
    }
  }

  #below(place: bigint): bigint {
    const known = this.#pages.get(place);
    if (known !== undefined) return known;
    const page = this.memory.pages();
    this.#pages.set(place, page);
    this.memory.store(place, ((this.#seen(page) >> 12n) << 10n) | V, this.#options.bigEndian);
    return page;
  }

  #seen(address: bigint): bigint {
    return this.#options.seen?.(address) ?? address;
  }
}

// Bits of DC.tc.
export const TC = {
  V: 1n << 0n,
  EN_ATS: 1n << 1n,
  EN_PRI: 1n << 2n,
  T2GPA: 1n << 3n,
  DTF: 1n << 4n,
  PDTV: 1n << 5n,
  PRPR: 1n << 6n,
  GADE: 1n << 7n,
  SADE: 1n << 8n,
  DPE: 1n << 9n,
  SBE: 1n << 10n,
  SXL: 1n << 11n,
} as const;

/** A device context by its doublewords; those left out are 0, and `tc` is V. */
export interface DeviceContext {
  readonly tc?: bigint;
  readonly iohgatp?: bigint;
  readonly ta?: bigint;
  readonly fsc?: bigint;
  readonly msiptp?: bigint;
  readonly msiMask?: bigint;
  readonly msiPattern?: bigint;
  readonly reserved?: bigint;
}

export const gscid = (id: number): bigint => BigInt(id) << 44n;
export const pscid = (id: number): bigint => BigInt(id) << 12n;

/** A device directory of 1 to 3 levels. */
export class DeviceDirectory {
  readonly root: bigint;
  readonly #pages = new Map<bigint, bigint>();

  constructor(
    readonly memory: TableMemory,
    readonly levels: 1 | 2 | 3 = 1,
    readonly options: { readonly extended?: boolean; readonly bigEndian?: boolean } = {},
  ) {
    this.root = memory.pages();
  }

  get extended(): boolean {
    return this.options.extended ?? true;
  }

  /** Value for ddtp. */
  get pointer(): bigint {
    return ((this.root >> 12n) << 10n) | BigInt(this.levels + 1);
  }

  set(device: number, context: DeviceContext): void {
    const { tc = TC.V, iohgatp = 0n, ta = 0n, fsc = 0n } = context;
    const { msiptp = 0n, msiMask = 0n, msiPattern = 0n, reserved = 0n } = context;
    const words = [iohgatp, ta, fsc, msiptp, msiMask, msiPattern, reserved];
    const place = this.place(device);
    // V last.
    words
      .slice(0, this.extended ? 7 : 3)
      .forEach((word, index) => this.#store(place + 8n * BigInt(index + 1), word));
    this.#store(place, tc);
  }

  clear(device: number): void {
    this.#store(this.place(device), 0n);
  }

  /** Where a device's context lies, or (`level` above 0) the entry that leads to it. */
  place(device: number, level = 0): bigint {
    const leafBits = this.extended ? 6 : 7;
    let table = this.root;
    for (let at = this.levels - 1; ; at--) {
      if (at === 0) return table + BigInt((device & ((1 << leafBits) - 1)) * (this.extended ? 64 : 32));
      const place = table + BigInt(((device >>> (leafBits + 9 * (at - 1))) & 0x1ff) * 8);
      if (at === level) return place;
      let page = this.#pages.get(place);
      if (page === undefined) {
        page = this.memory.pages();
        this.#pages.set(place, page);
        this.#store(place, ((page >> 12n) << 10n) | 1n);
      }
      table = page;
    }
  }

  #store(address: bigint, value: bigint): void {
    this.memory.store(address, value, this.options.bigEndian);
  }
}

export const PC = { V: 1n, ENS: 2n, SUM: 4n } as const;

/** A process directory of 1 to 3 levels: PD8, PD17, PD20. */
export class ProcessDirectory {
  readonly root: bigint;
  readonly #pages = new Map<bigint, bigint>();

  constructor(
    readonly memory: TableMemory,
    readonly levels: 1 | 2 | 3 = 1,
    readonly options: { readonly bigEndian?: boolean; readonly seen?: (address: bigint) => bigint } = {},
  ) {
    this.root = memory.pages();
  }

  /** Value for pdtp. */
  get pointer(): bigint {
    return (BigInt(this.levels) << 60n) | (this.#seen(this.root) >> 12n);
  }

  set(process: number, context: { readonly ta?: bigint; readonly fsc?: bigint }): void {
    const place = this.place(process);
    this.#store(place + 8n, context.fsc ?? 0n);
    this.#store(place, context.ta ?? PC.V);
  }

  place(process: number, level = 0): bigint {
    let table = this.root;
    for (let at = this.levels - 1; ; at--) {
      if (at === 0) return table + BigInt((process & 0xff) * 16);
      const place = table + BigInt(((process >>> (9 * at - 1)) & 0x1ff) * 8);
      if (at === level) return place;
      let page = this.#pages.get(place);
      if (page === undefined) {
        page = this.memory.pages();
        this.#pages.set(place, page);
        this.#store(place, ((this.#seen(page) >> 12n) << 10n) | 1n);
      }
      table = page;
    }
  }

  #seen(address: bigint): bigint {
    return this.options.seen?.(address) ?? address;
  }

  #store(address: bigint, value: bigint): void {
    this.memory.store(address, value, this.options.bigEndian);
  }
}

/** MSI PTEs (Advanced Interrupt Architecture, 9.5): two doublewords. */
export const msiBasic = (to: bigint): [bigint, bigint] => [((to >> 12n) << 10n) | 7n, 0n];
export const msiMrif = (file: bigint, notice: bigint, id: number): [bigint, bigint] => [
  ((file >> 9n) << 7n) | 3n,
  ((BigInt(id) >> 10n) << 60n) | ((notice >> 12n) << 10n) | (BigInt(id) & 0x3ffn),
];
