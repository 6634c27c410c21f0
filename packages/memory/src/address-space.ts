import { physical, UNMAPPABLE, type HostOffset, type PhysicalAddress } from './addresses.js';
import { MemoryError } from './error.js';
import type { HostMemory } from './host-memory.js';

/** Bytes of one access. */
export type Width = 1 | 2 | 4 | 8;
/** Bytes of one access that a handler sees: an 8-byte access arrives as two of 4, the low half first. */
export type HandlerWidth = 1 | 2 | 4;

/**
 * The registers behind an MMIO region. A write changes state and schedules; it never delivers (no DMA, no
 * frame, no interrupt message leaves before the next event). Values are unsigned, 0 to 2^32 - 1.
 */
export interface MmioHandler {
  read(offset: number, width: HandlerWidth): number;
  write(offset: number, width: HandlerWidth, value: number): void;
}

export interface MmioRegion {
  readonly name: string;
  readonly base: number;
  /** Bytes. */
  readonly size: number;
  readonly handler: MmioHandler;
  /** The legal access widths; any other is an access fault. 1, 2, 4 and 8 unless told. */
  readonly widths?: readonly Width[];
  /** Accepts accesses that are not a multiple of their width. False unless told: an access fault. */
  readonly unaligned?: boolean;
  /** Trapped: the VMM emulates it, an exit. Direct: assigned hardware, no exit. Trapped unless told. */
  readonly access?: 'trapped' | 'direct';
  /** A region hides the parts of lower ones that it overlaps; among equals the first mapped wins. 0 unless told. */
  readonly priority?: number;
}

export interface RamRegion {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  /** Where the bytes lie in the host's memory. */
  readonly offset: HostOffset;
  /** A store is an access fault. */
  readonly readOnly?: boolean;
  readonly priority?: number;
}

/** Ends a mapping. */
export interface Mapping {
  unmap(): void;
}

interface Entry {
  readonly name: string;
  readonly base: number;
  readonly end: number;
  readonly priority: number;
  readonly order: number;
  readonly offset: number;
  readonly readOnly: boolean;
  readonly handler: MmioHandler | undefined;
  readonly widths: number;
  readonly unaligned: boolean;
  readonly direct: boolean;
}

/** A stretch of addresses that one entry decides. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly entry: Entry;
}

/** What {@link AddressSpace.load} answers for an access fault; values are never negative. */
export const ACCESS_FAULT = -1;

/**
 * The physical addresses of a host or of a virtual machine: regions of RAM, ROM and MMIO. An address that
 * no region holds is an access fault, so that nothing of the host's memory outside the mapped windows can
 * be reached by a guest or by DMA.
 */
export class AddressSpace {
  readonly #entries: Entry[] = [];
  readonly #listeners: (() => void)[] = [];
  #stretches: Stretch[] = [];
  #last: Stretch | undefined;
  #order = 0;

  constructor(
    readonly memory: HostMemory,
    readonly name = 'physical',
  ) {}

  /** @throws MemoryError bad-region */
  mapRam(region: RamRegion): Mapping {
    if (!this.memory.holds(region.offset, region.size)) {
      throw new MemoryError('bad-region', `region ${region.name} does not lie inside the host's RAM`);
    }
    if (region.base % 4096 !== region.offset % 4096) {
      throw new MemoryError('bad-region', `region ${region.name}: base and offset differ within a page`);
    }
    return this.#add(region, {
      offset: region.offset,
      readOnly: region.readOnly ?? false,
      handler: undefined,
      widths: 0,
      unaligned: true,
      direct: false,
    });
  }

  /** @throws MemoryError bad-region */
  mapMmio(region: MmioRegion): Mapping {
    let widths = 0;
    for (const width of region.widths ?? [1, 2, 4, 8]) widths |= width;
    return this.#add(region, {
      offset: 0,
      readOnly: false,
      handler: region.handler,
      widths,
      unaligned: region.unaligned ?? false,
      direct: region.access === 'direct',
    });
  }

  /** Calls `listener` after every change of the map (cached translations are stale then). */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * The host offset of `length` bytes of RAM or ROM at `address`, or -1 unless one region holds them all.
   * A ROM answers only when `forStore` is false.
   */
  resolve(address: PhysicalAddress, length: number, forStore = false): number {
    const stretch = this.#find(address);
    if (stretch === undefined || address + length > stretch.end) return -1;
    const { entry } = stretch;
    if (entry.handler !== undefined || (forStore && entry.readOnly)) return -1;
    return entry.offset + (address - entry.base);
  }

  /** Bytes from `address` to the end of the RAM or ROM that holds it; 0 where there is none. */
  contiguous(address: PhysicalAddress): number {
    const stretch = this.#find(address);
    return stretch === undefined || stretch.entry.handler !== undefined ? 0 : stretch.end - address;
  }

  /** What holds an address: for tools, faults and the ledger. */
  describe(
    address: PhysicalAddress,
  ): { name: string; kind: 'ram' | 'rom' | 'trapped' | 'direct' } | undefined {
    const entry = this.#find(address)?.entry;
    if (entry === undefined) return undefined;
    const { name } = entry;
    if (entry.handler === undefined) return { name, kind: entry.readOnly ? 'rom' : 'ram' };
    return { name, kind: entry.direct ? 'direct' : 'trapped' };
  }

  /** One load; unsigned value, or {@link ACCESS_FAULT}. */
  load(address: PhysicalAddress, width: HandlerWidth): number {
    const stretch = this.#find(address);
    if (stretch === undefined || address + width > stretch.end) return ACCESS_FAULT;
    const { entry } = stretch;
    const at = address - entry.base;
    if (entry.handler === undefined) {
      const { view } = this.memory;
      if (width === 4) return view.getUint32(entry.offset + at, true);
      return width === 2 ? view.getUint16(entry.offset + at, true) : view.getUint8(entry.offset + at);
    }
    if (!accepts(entry, at, width)) return ACCESS_FAULT;
    return entry.handler.read(at, width) >>> 0;
  }

  /** One store; false is an access fault. Stores to RAM honour the page flags. */
  store(address: PhysicalAddress, width: HandlerWidth, value: number): boolean {
    const stretch = this.#find(address);
    if (stretch === undefined || address + width > stretch.end) return false;
    const { entry } = stretch;
    const at = address - entry.base;
    if (entry.handler === undefined) {
      if (entry.readOnly) return false;
      const offset = (entry.offset + at) as HostOffset;
      if (width === 4) this.memory.writeU32(offset, value);
      else if (width === 2) this.memory.writeU16(offset, value);
      else this.memory.writeU8(offset, value);
      return true;
    }
    if (!accepts(entry, at, width)) return false;
    entry.handler.write(at, width, value >>> 0);
    return true;
  }

  /** An 8-byte load into `out` (low, high); false is an access fault. On MMIO two 4-byte reads, low first. */
  load64(address: PhysicalAddress, out: Uint32Array): boolean {
    const stretch = this.#find(address);
    if (stretch === undefined || address + 8 > stretch.end) return false;
    const { entry } = stretch;
    const at = address - entry.base;
    if (entry.handler === undefined) {
      out[0] = this.memory.view.getUint32(entry.offset + at, true);
      out[1] = this.memory.view.getUint32(entry.offset + at + 4, true);
      return true;
    }
    if (!accepts(entry, at, 8)) return false;
    out[0] = entry.handler.read(at, 4);
    out[1] = entry.handler.read(at + 4, 4);
    return true;
  }

  /** An 8-byte store; false is an access fault. On MMIO two 4-byte writes, low first. */
  store64(address: PhysicalAddress, low: number, high: number): boolean {
    const stretch = this.#find(address);
    if (stretch === undefined || address + 8 > stretch.end) return false;
    const { entry } = stretch;
    const at = address - entry.base;
    if (entry.handler === undefined) {
      if (entry.readOnly) return false;
      this.memory.writeU64((entry.offset + at) as HostOffset, low, high);
      return true;
    }
    if (!accepts(entry, at, 8)) return false;
    entry.handler.write(at, 4, low >>> 0);
    entry.handler.write(at + 4, 4, high >>> 0);
    return true;
  }

  /** Copies bytes into RAM or ROM, as a loader does. @throws MemoryError out-of-range */
  writeBytes(address: PhysicalAddress, bytes: Uint8Array): void {
    const offset = this.resolve(address, bytes.length);
    if (offset < 0) throw this.#outside(address, bytes.length);
    this.memory.write(offset as HostOffset, bytes);
  }

  /** A view of RAM or ROM. @throws MemoryError out-of-range */
  readBytes(address: PhysicalAddress, length: number): Uint8Array {
    const offset = this.resolve(address, length);
    if (offset < 0) throw this.#outside(address, length);
    return this.memory.read(offset as HostOffset, length);
  }

  /** The map as it decides accesses, in ascending order. */
  *regions(): Generator<{ name: string; base: PhysicalAddress; size: number }> {
    for (const { start, end, entry } of this.#stretches) {
      yield { name: entry.name, base: physical(start), size: end - start };
    }
  }

  #outside(address: number, length: number): MemoryError {
    return new MemoryError(
      'out-of-range',
      `${length} bytes at 0x${address.toString(16)} do not lie in one region of RAM of ${this.name}`,
    );
  }

  #add(
    region: { name: string; base: number; size: number; priority?: number },
    rest: Omit<Entry, 'name' | 'base' | 'end' | 'priority' | 'order'>,
  ): Mapping {
    const { name, base, size } = region;
    if (!Number.isSafeInteger(base) || base < 0 || !Number.isSafeInteger(size) || size <= 0) {
      throw new MemoryError('bad-region', `region ${name} has no valid base and size (${base}, ${size})`);
    }
    if (!Number.isSafeInteger(base + size)) {
      throw new MemoryError('bad-region', `region ${name} ends above 2^53`);
    }
    const entry: Entry = {
      name,
      base,
      end: base + size,
      priority: region.priority ?? 0,
      order: this.#order++,
      ...rest,
    };
    this.#entries.push(entry);
    this.#changed();
    return {
      unmap: () => {
        const index = this.#entries.indexOf(entry);
        if (index < 0) return;
        this.#entries.splice(index, 1);
        this.#changed();
      },
    };
  }

  #changed(): void {
    this.#stretches = flatten(this.#entries);
    this.#last = undefined;
    for (const listener of this.#listeners) listener();
  }

  #find(address: number): Stretch | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    if (address === UNMAPPABLE) return undefined;
    const stretches = this.#stretches;
    let low = 0;
    let high = stretches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (stretches[middle].end <= address) low = middle + 1;
      else high = middle;
    }
    const found = stretches[low];
    if (found === undefined || address < found.start) return undefined;
    this.#last = found;
    return found;
  }
}

function accepts(entry: Entry, at: number, width: Width): boolean {
  return (entry.widths & width) !== 0 && (entry.unaligned || at % width === 0);
}

/** Cuts overlapping entries into stretches, each decided by the strongest entry that covers it. */
function flatten(entries: readonly Entry[]): Stretch[] {
  const edges = [...new Set(entries.flatMap((entry) => [entry.base, entry.end]))].sort((a, b) => a - b);
  const strongest = [...entries].sort((a, b) => b.priority - a.priority || a.order - b.order);
  const stretches: Stretch[] = [];
  for (let index = 0; index + 1 < edges.length; index++) {
    const start = edges[index];
    const end = edges[index + 1];
    const entry = strongest.find((candidate) => candidate.base <= start && candidate.end >= end);
    if (entry === undefined) continue;
    const previous = stretches.at(-1);
    if (previous !== undefined && previous.entry === entry && previous.end === start) {
      stretches[stretches.length - 1] = { start: previous.start, end, entry };
    } else stretches.push({ start, end, entry });
  }
  return stretches;
}
