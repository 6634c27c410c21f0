import {
  fetchCore,
  instantiateCore,
  joinAddress,
  PAGE_CODE,
  PAGE_LOAD_WATCHED,
  PAGE_RESERVED,
  type HostMemory,
} from '@vmloom/memory';
import { compressedTable } from './compressed.js';
import { decodeTables } from './decode-tables.js';
import { RiscvError } from './error.js';
import { Jit, type JitOptions } from './jit/jit.js';
import {
  CORE_SIZE,
  C_BREAKPOINTS,
  C_BREAKPOINT_COUNT,
  C_BUCKETS,
  C_COMPRESSED,
  C_FLAGS,
  C_HARTS,
  C_HART_COUNT,
  C_PAGE_MAP,
  C_POOL,
  C_POOL_META,
  C_POOL_PAGES,
  DECODED_PAGE_SIZE,
  MAX_BREAKPOINTS,
  MAX_HARTS,
  META_SIZE,
} from './layout.js';

/** What the compiled core exports. Addresses are host offsets, given and returned as i32. */
export interface CoreExports {
  run(state: number): void;
  dropCode(core: number, offset: number, length: number): void;
  dropInstruction(core: number, inPage: number): void;
  breakReservations(core: number, offset: number, length: number): void;
  flushAll(state: number): void;
  updateContext(state: number): void;
  summarizePmp(state: number): void;
  readCsr(state: number, csr: number, privilege: number): bigint;
  writeCsr(state: number, csr: number, value: bigint): number;
  updateVirtual(state: number): void;
  walk(state: number, address: bigint, access: number, privilege: number, commit: boolean): number;
  timeTicks(state: number): bigint;
  readonly table: WebAssembly.Table;
  installRegion(core: number, region: number): number;
  dropRegion(core: number, region: number): void;
  dropAllRegions(core: number): void;
}

/** The host side of a hart, as the core calls it. */
export interface CoreClient {
  mmioLoad(address: number, width: number): boolean;
  mmioStore(address: number, width: number, low: number, high: number): boolean;
  timerChanged(): void;
  imsicRead(file: number, register: number): void;
  imsicWrite(file: number, register: number, low: number, high: number): void;
}

export interface CoreOptions {
  /**
   * Host pages of code kept decoded, 32 KiB of the reserve each, 1 to 65,534. 256 unless told: 1 MiB of
   * guest code in 8 MiB.
   */
  readonly codePages?: number;
  /** How hot code is compiled; false: it is all interpreted. The results are the same. */
  readonly jit?: JitOptions | false;
}

const cores = new WeakMap<HostMemory, RiscvCore>();

/**
 * The compiled interpreter on one host memory: decode tables, decoded code and the harts that share them.
 * A memory has one core, for decoded pages are known to it alone.
 */
export class RiscvCore {
  readonly exports: CoreExports;
  /** The compiler, if this core has one. */
  readonly jit: Jit | undefined;
  readonly #base: number;
  readonly #clients: CoreClient[] = [];
  #breakpoints: readonly bigint[] = [];

  /** Fetches the core's wasm file and creates it, or answers the one that the memory has. */
  static async load(memory: HostMemory, options: CoreOptions = {}): Promise<RiscvCore> {
    const known = cores.get(memory);
    if (known !== undefined) return known;
    const [wasm, emitter] = await Promise.all([
      wasmFile('hart'),
      options.jit === false ? undefined : wasmFile('jit'),
    ]);
    return RiscvCore.create(memory, wasm, options, emitter);
  }

  /**
   * The same from the bytes of `wasm/hart.wasm` and of `wasm/jit.wasm`; without these it only interprets.
   * @throws MemoryError reserve-exhausted; RiscvError bad-option
   */
  static create(
    memory: HostMemory,
    wasm: Uint8Array,
    options: CoreOptions = {},
    emitter?: Uint8Array,
  ): RiscvCore {
    return cores.get(memory) ?? new RiscvCore(memory, wasm, options, emitter);
  }

  private constructor(
    readonly memory: HostMemory,
    wasm: Uint8Array,
    options: CoreOptions,
    emitter: Uint8Array | undefined,
  ) {
    const pages = options.codePages ?? 256;
    if (!Number.isInteger(pages) || pages < 1 || pages > 65_534) {
      throw new RiscvError('bad-option', `codePages must be from 1 to 65534, not ${pages}`);
    }
    this.#base = memory.reserve(CORE_SIZE);
    const compressed = compressedTable();
    const tableSize = decodeTables(0).length;
    const layout = {
      [C_FLAGS]: memory.flags.offset,
      [C_PAGE_MAP]: memory.reserve((memory.size / 4096) * 2),
      [C_POOL]: memory.reserve(pages * DECODED_PAGE_SIZE),
      [C_POOL_PAGES]: pages,
      [C_POOL_META]: memory.reserve(pages * META_SIZE),
      [C_BUCKETS]: memory.reserve(tableSize),
      [C_COMPRESSED]: memory.reserve(compressed.byteLength),
      [C_BREAKPOINTS]: memory.reserve(MAX_BREAKPOINTS * 8),
    };
    for (const [field, value] of Object.entries(layout))
      memory.view.setUint32(this.#base + Number(field), value, true);
    memory.bytes.set(decodeTables(layout[C_BUCKETS]), layout[C_BUCKETS]);
    memory.bytes.set(new Uint8Array(compressed.buffer), layout[C_COMPRESSED]);
    this.exports = instantiateCore<CoreExports>(wasm, memory, this.#imports());
    memory.flags.onStore(PAGE_CODE, (offset, length) => this.exports.dropCode(this.#base, offset, length));
    memory.flags.onStore(PAGE_RESERVED, (offset, length) =>
      this.exports.breakReservations(this.#base, offset, length),
    );
    if (emitter !== undefined && options.jit !== false) {
      this.jit = new Jit(memory, this.#base, this.exports, emitter, options.jit ?? {});
    }
    cores.set(memory, this);
  }

  /** Host offset of the core block. */
  get base(): number {
    return this.#base;
  }

  /** Adds a hart; its index. @throws RiscvError too-many-harts */
  attach(client: CoreClient, state: number): number {
    const index = this.#clients.length;
    if (index === MAX_HARTS)
      throw new RiscvError('too-many-harts', `one host memory serves ${MAX_HARTS} harts`);
    this.#clients.push(client);
    this.memory.view.setUint32(this.#base + C_HARTS + index * 4, state, true);
    this.memory.view.setUint32(this.#base + C_HART_COUNT, index + 1, true);
    return index;
  }

  /**
   * Virtual addresses at which a hart leaves {@link Hart.run} with exit `breakpoint`, the PC at the
   * instruction; they replace those of before. The guest's memory keeps its bytes. Not while a hart runs.
   * @throws RiscvError bad-option beyond 256 addresses
   */
  setBreakpoints(addresses: Iterable<bigint>): void {
    const next = [...new Set(addresses)].map((address) => BigInt.asUintN(64, address));
    if (next.length > MAX_BREAKPOINTS) {
      throw new RiscvError('bad-option', `at most ${MAX_BREAKPOINTS} breakpoints, not ${next.length}`);
    }
    const { view } = this.memory;
    const table = view.getUint32(this.#base + C_BREAKPOINTS, true);
    next.forEach((address, index) => view.setBigUint64(table + index * 8, address, true));
    view.setUint32(this.#base + C_BREAKPOINT_COUNT, next.length, true);
    for (const address of [...this.#breakpoints, ...next]) {
      this.exports.dropInstruction(this.#base, Number(address & 0xffen));
    }
    this.#breakpoints = next;
    this.jit?.dropAll();
  }

  /**
   * From now on every load of a hart from a host page, until the flag PAGE_LOAD_WATCHED is cleared, is told to
   * the memory's `flags.onLoad` listeners. Fetches and page walks are no loads. Not while a hart runs.
   */
  watchLoads(page: number): void {
    const { flags, view } = this.memory;
    flags.set(page, PAGE_LOAD_WATCHED);
    // A page in a translation buffer is read without a look at its flags.
    this.#clients.forEach((_, index) =>
      this.exports.flushAll(view.getUint32(this.#base + C_HARTS + index * 4, true)),
    );
  }

  #imports(): Record<string, WebAssembly.ImportValue> {
    return {
      mmioLoad: (index: number, low: number, high: number, width: number): number =>
        this.#clients[index].mmioLoad(joinAddress(low, high), width) ? 0 : 1,
      mmioStore: (
        index: number,
        low: number,
        high: number,
        width: number,
        valueLow: number,
        valueHigh: number,
      ): number =>
        this.#clients[index].mmioStore(joinAddress(low, high), width, valueLow, valueHigh) ? 0 : 1,
      watchedLoad: this.memory.flags.watchedLoad,
      timerChanged: (index: number): void => this.#clients[index].timerChanged(),
      imsicRead: (index: number, file: number, register: number): void =>
        this.#clients[index].imsicRead(file, register),
      imsicWrite: (index: number, file: number, register: number, low: number, high: number): void =>
        this.#clients[index].imsicWrite(file, register, low, high),
    };
  }
}

const files = new Map<string, Promise<Uint8Array>>();

/** The bytes of a wasm file of this package, read once. */
function wasmFile(name: 'hart' | 'jit'): Promise<Uint8Array> {
  let file = files.get(name);
  // Written out for bundlers, which look for such expressions.
  const url =
    name === 'hart'
      ? new URL('../wasm/hart.wasm', import.meta.url)
      : new URL('../wasm/jit.wasm', import.meta.url);
  if (file === undefined) files.set(name, (file = fetchCore(url)));
  return file;
}
