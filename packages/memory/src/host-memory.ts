import { hostOffset, type HostOffset } from './addresses.js';
import { MemoryError } from './error.js';
import { PAGE_SIZE } from './constants.js';
import { PageFlags } from './page-flags.js';

const WASM_PAGE = 65_536;
const LIMIT = 0x1_0000_0000;

export interface HostMemoryOptions {
  /** Bytes of guest RAM, a multiple of 4 KiB. */
  readonly ram: number;
  /** Bytes for state of cores, TLBs and tables, taken by {@link HostMemory.reserve}. 16 MiB unless told. */
  readonly reserve?: number;
  /** Shared between workers (needs SharedArrayBuffer). False unless told. */
  readonly shared?: boolean;
  /** Where RAM begins, a multiple of 4 KiB at or above the end of the reserve; right behind it unless told. */
  readonly ramOffset?: number;
  /** Lives in somebody else's memory instead of making one; `shared` is then that memory's. */
  readonly within?: ForeignMemory;
}

/** A place in a memory that another emulator made, and keeps using outside this place and the RAM. */
export interface ForeignMemory {
  /** Has a maximum (cores import it with one) and never grows from now on. */
  readonly memory: WebAssembly.Memory;
  /** Where the page flags and the reserve begin, a multiple of 4 KiB above 0. Their bytes must be zero. */
  readonly base: number;
}

/**
 * The physical memory of one host: one WebAssembly.Memory, sized once, never grown. From the bottom: a
 * null page, the page flags, the reserve (state of cores: unreachable by any guest), RAM. With
 * {@link HostMemoryOptions.within} it is a part of a memory that somebody else made.
 */
export class HostMemory {
  readonly wasm: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: PageFlags;
  readonly shared: boolean;
  readonly ramOffset: HostOffset;
  readonly ramSize: number;
  readonly #reserveEnd: number;
  #nextReserve: number;

  /** @throws MemoryError bad-size, shared-unavailable */
  constructor(options: HostMemoryOptions) {
    const reserve = options.reserve ?? 16 * 1024 * 1024;
    if (!isPageMultiple(options.ram) || options.ram === 0) {
      throw new MemoryError('bad-size', `RAM must be a multiple of 4 KiB above 0, not ${options.ram} bytes`);
    }
    if (!isPageMultiple(reserve)) {
      throw new MemoryError('bad-size', `the reserve must be a multiple of 4 KiB, not ${reserve} bytes`);
    }
    const { wasm, base, ramOffset } = options.within
      ? placeWithin(options, reserve)
      : placeOwn(options, reserve);
    this.wasm = wasm;
    this.bytes = new Uint8Array(wasm.buffer);
    this.view = new DataView(wasm.buffer);
    this.shared = isShared(wasm.buffer);
    const flagCount = this.bytes.length / PAGE_SIZE;
    this.flags = new PageFlags(this.bytes.subarray(base, base + flagCount), hostOffset(base));
    this.#nextReserve = base + roundUp(flagCount, PAGE_SIZE);
    this.#reserveEnd = this.#nextReserve + reserve;
    this.ramOffset = hostOffset(ramOffset);
    this.ramSize = options.ram;
  }

  /** Bytes of the whole memory. */
  get size(): number {
    return this.bytes.length;
  }

  /**
   * Takes zeroed bytes of the reserve for the state of a core; they are never given back.
   * `align` is a power of two. @throws MemoryError reserve-exhausted
   */
  reserve(bytes: number, align = 16): HostOffset {
    const start = roundUp(this.#nextReserve, align);
    if (start + bytes > this.#reserveEnd) {
      throw new MemoryError(
        'reserve-exhausted',
        `${bytes} bytes were asked of a reserve with ${this.#reserveEnd - start} left; give the host a larger reserve`,
      );
    }
    this.#nextReserve = start + bytes;
    return hostOffset(start);
  }

  /** True when the range lies inside RAM. */
  holds(offset: number, length: number): boolean {
    return offset >= this.ramOffset && length >= 0 && offset + length <= this.ramOffset + this.ramSize;
  }

  /** A store by TypeScript (DMA, loader) to RAM: honours page flags. @throws MemoryError out-of-range */
  write(offset: HostOffset, source: Uint8Array): void {
    this.#check(offset, source.length);
    this.bytes.set(source, offset);
    if (source.length > 0) this.flags.noteStore(offset, source.length);
  }

  /** Moves bytes within RAM, as a copy through a buffer would. @throws MemoryError out-of-range */
  copy(to: HostOffset, from: HostOffset, length: number): void {
    this.#check(to, length);
    this.#check(from, length);
    this.bytes.copyWithin(to, from, from + length);
    if (length > 0) this.flags.noteStore(to, length);
  }

  /** Sets bytes of RAM. @throws MemoryError out-of-range */
  fill(offset: HostOffset, length: number, value: number): void {
    this.#check(offset, length);
    this.bytes.fill(value, offset, offset + length);
    if (length > 0) this.flags.noteStore(offset, length);
  }

  writeU8(offset: HostOffset, value: number): void {
    this.#check(offset, 1);
    this.bytes[offset] = value;
    this.flags.noteStore(offset, 1);
  }

  writeU16(offset: HostOffset, value: number): void {
    this.#check(offset, 2);
    this.view.setUint16(offset, value, true);
    this.flags.noteStore(offset, 2);
  }

  writeU32(offset: HostOffset, value: number): void {
    this.#check(offset, 4);
    this.view.setUint32(offset, value, true);
    this.flags.noteStore(offset, 4);
  }

  writeU64(offset: HostOffset, low: number, high: number): void {
    this.#check(offset, 8);
    this.view.setUint32(offset, low, true);
    this.view.setUint32(offset + 4, high, true);
    this.flags.noteStore(offset, 8);
  }

  /** A view of RAM for reading; it stays valid, the memory never grows. @throws MemoryError out-of-range */
  read(offset: HostOffset, length: number): Uint8Array {
    this.#check(offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  #check(offset: number, length: number): void {
    if (!this.holds(offset, length)) {
      throw new MemoryError('out-of-range', `bytes ${offset} to ${offset + length} are not inside RAM`);
    }
  }
}

interface Place {
  readonly wasm: WebAssembly.Memory;
  /** Where the page flags begin; the reserve follows them. */
  readonly base: number;
  readonly ramOffset: number;
}

/** The end of flags and reserve. The flag array covers the whole memory, itself included. */
const layoutEnd = (base: number, total: number, reserve: number): number =>
  base + roundUp(total / PAGE_SIZE, PAGE_SIZE) + reserve;

function placeOwn(options: HostMemoryOptions, reserve: number): Place {
  const base = WASM_PAGE;
  // The layout is a fixed point of the size, because the flags grow with it.
  let total = roundUp(Math.max(options.ram + reserve, options.ramOffset ?? 0), WASM_PAGE);
  let ramOffset: number;
  for (;;) {
    const end = layoutEnd(base, total, reserve);
    ramOffset = options.ramOffset ?? end;
    if (ramOffset < end || !isPageMultiple(ramOffset)) {
      throw new MemoryError(
        'bad-size',
        `RAM cannot begin at offset ${ramOffset}: the reserve ends at ${end}`,
      );
    }
    const needed = roundUp(ramOffset + options.ram, WASM_PAGE);
    if (needed <= total) break;
    total = needed;
  }
  if (total > LIMIT) {
    throw new MemoryError(
      'bad-size',
      `one host holds at most 4 GiB with its reserve; ${total} bytes were asked for`,
    );
  }
  const shared = options.shared ?? false;
  if (shared && typeof SharedArrayBuffer === 'undefined') {
    throw new MemoryError(
      'shared-unavailable',
      'shared memory needs SharedArrayBuffer (a cross-origin isolated page); pass shared: false',
    );
  }
  const pages = total / WASM_PAGE;
  return { wasm: new WebAssembly.Memory({ initial: pages, maximum: pages, shared }), base, ramOffset };
}

function placeWithin(options: HostMemoryOptions, reserve: number): Place {
  const { memory: wasm, base } = options.within!;
  const total = wasm.buffer.byteLength;
  if (!isPageMultiple(base) || base === 0) {
    throw new MemoryError('bad-size', `the base must be a multiple of 4 KiB above 0, not ${base}`);
  }
  const end = layoutEnd(base, total, reserve);
  const ramOffset = options.ramOffset ?? end;
  const ramEnd = ramOffset + options.ram;
  if (!isPageMultiple(ramOffset) || (ramOffset < end && ramEnd > base)) {
    throw new MemoryError(
      'bad-size',
      `RAM cannot begin at offset ${ramOffset}: flags and reserve take ${base} to ${end}`,
    );
  }
  if (end > total || ramEnd > total) {
    throw new MemoryError('bad-size', `${Math.max(end, ramEnd)} bytes are needed, the memory has ${total}`);
  }
  return { wasm, base, ramOffset };
}

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
const isPageMultiple = (value: number): boolean =>
  Number.isInteger(value) && value >= 0 && value % PAGE_SIZE === 0;
