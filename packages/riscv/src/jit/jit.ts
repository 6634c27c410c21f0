import { instantiateCore, type HostMemory } from '@vmloom/memory';
import { RiscvError } from '../error.js';
import * as C from '../layout.js';
import { engineFeatures, withTiering } from './engine-features.js';
import * as L from './layout.js';
import { IMPORTED_FUNCTIONS, ModuleBuilder } from './module-builder.js';
import { operandKinds } from './operand-kinds.js';
import { REGION_LIMIT, RegionTable, type RegionHost } from './region-table.js';
import { mergeGroups, placesByPage, readRequests, type MergeGroup, type Request } from './requests.js';

export interface JitOptions {
  /** How often a jump comes to an instruction before it is compiled, 1 to 255; 100 unless told. */
  readonly threshold?: number;
  /** How often one region leads to another before the two become one, 1 to 65,535; 12,000 unless told. */
  readonly mergeThreshold?: number;
  /** Instructions that a region retires before it is compiled again, for speed; 1 to 2^30, 8 million unless told. */
  readonly fastThreshold?: number;
  /** Hot places that are compiled together, at least; 1 to 64, 24 unless told. */
  readonly batch?: number;
  /** Bytes that compiled code and its tables may take, an estimate of what the engine needs; 192 MiB unless told. */
  readonly quota?: number;
  /**
   * Guest instructions of a region, at most: 1 to 2000, 200 unless told; when it is compiled for speed, or when it
   * was several, 300; when it was several that were compiled for speed, 600.
   */
  readonly regionInstructions?: number;
  readonly fastInstructions?: number;
  readonly mergedInstructions?: number;
  /** Pages that a region spans, 1 to 4. */
  readonly regionPages?: number;
  /** Code is compiled while the hart goes on without it. Set by itself where the engine demands it. */
  readonly asynchronous?: boolean;
  /** Is shown every module before the engine compiles it. */
  readonly onModule?: (bytes: Uint8Array) => void;
  /** Real time in milliseconds, for the statistics alone: without it they count no time. */
  readonly stopwatch?: () => number;
}

/** What the compiler has done so far; times in milliseconds of real time. */
export interface JitStatistics {
  /** Regions and modules compiled, and bytes of wasm in them. */
  regions: number;
  modules: number;
  bytes: number;
  /** Guest instructions compiled. */
  instructions: number;
  /** Regions dropped because their code was written, and to keep to the quota. */
  dropped: number;
  evicted: number;
  /** Regions that became part of larger ones. */
  merged: number;
  emitTime: number;
  compileTime: number;
  /** Estimated bytes of what is there now. */
  residentBytes: number;
}

interface EmitterExports {
  beginSeeds(j: number, hart: number, base: bigint): void;
  seedOffset(j: number, offset: number): number;
  seedRegion(j: number, old: number, distance: number): number;
  compileSeeds(j: number, region: number, whole: boolean, fast: boolean, out: number, limit: number): number;
}

/** What is compiled together. */
interface Batch {
  readonly regions: number[];
  readonly bodies: Uint8Array[];
  readonly hints: Uint32Array[];
  /** Regions that the new ones take the place of. */
  readonly replaced: number[];
  /** Registers are in locals, and the engine shall optimize it. */
  readonly fast: boolean;
  /** Bytes of the bodies. */
  size: number;
}

const newBatch = (fast: boolean): Batch => ({
  regions: [],
  bodies: [],
  hints: [],
  replaced: [],
  fast,
  size: 0,
});

const OUT_SIZE = 512 * 1024;
/** Room that is kept for the longest instruction and the way out. */
const OUT_MARGIN = 8 * 1024;
const PAGES = C.REGION_MAX_PAGES;
/** Distances of pages are 16-bit numbers. */
const FARTHEST = 1n << 26n;
/**
 * Instructions after which even a single request is served: more with each module so far, at most so many. A small
 * program gets its code at once, a large one gets it in batches.
 */
const PATIENCE = 5_000;
const MOST_PATIENCE = 1_000_000;
/** Requests after which fast regions become one: the first after the threshold, the others 65,536 entries apart. */
const FAST_MERGE_REQUESTS = 8;
/** Pairs of regions that are remembered for having asked. */
const MOST_PAIRS = 4096;

/** Compiles what the harts of one core find hot: between their slices, many regions at a time. */
export class Jit {
  readonly statistics: JitStatistics = {
    regions: 0,
    modules: 0,
    bytes: 0,
    instructions: 0,
    dropped: 0,
    evicted: 0,
    merged: 0,
    emitTime: 0,
    compileTime: 0,
    residentBytes: 0,
  };
  readonly #memory: HostMemory;
  readonly #core: number;
  readonly #emitter: EmitterExports;
  readonly #state: number;
  readonly #out: number;
  readonly #queue: number;
  readonly #table: RegionTable;
  readonly #builder: ModuleBuilder;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #onModule: ((bytes: Uint8Array) => void) | undefined;
  readonly #now: () => number;
  readonly #batch: number;
  readonly #instructions: number;
  readonly #fastInstructions: number;
  readonly #mergedInstructions: number;
  #asynchronous: boolean;
  /** What is being emitted, plain and fast, and how many bytes. */
  #batches: readonly [Batch, Batch] = [newBatch(false), newBatch(true)];
  #used = 0;
  /** How often two regions, of which one is fast, asked to be one. */
  readonly #asked = new Map<number, number>();
  /** Instructions of the hart at which the oldest request was seen. */
  #waiting = 0;

  /** @throws MemoryError reserve-exhausted; RiscvError bad-option */
  constructor(memory: HostMemory, core: number, host: RegionHost, wasm: Uint8Array, options: JitOptions) {
    this.#memory = memory;
    this.#core = core;
    this.#onModule = options.onModule;
    this.#now = options.stopwatch ?? (() => 0);
    const threshold = inRange('threshold', options.threshold ?? 100, 1, 255);
    this.#batch = inRange('batch', options.batch ?? 24, 1, C.QUEUE_LENGTH);
    const quota = inRange('quota', options.quota ?? 192 << 20, 1 << 20, 2 ** 31);
    this.#asynchronous = options.asynchronous ?? false;
    this.#instructions = inRange('regionInstructions', options.regionInstructions ?? 200, 1, 2000);
    this.#fastInstructions = inRange('fastInstructions', options.fastInstructions ?? 300, 1, 2000);
    this.#mergedInstructions = inRange('mergedInstructions', options.mergedInstructions ?? 600, 1, 2000);
    this.#emitter = instantiateCore<EmitterExports>(wasm, memory);
    const cells = PAGES * L.CELLS_PER_PAGE;
    const kinds = operandKinds();
    const operands = memory.reserve(kinds.length);
    memory.bytes.set(kinds, operands);
    this.#state = memory.reserve(L.J_SIZE, 64);
    this.#fields(this.#state, {
      [L.J_CORE]: core,
      [L.J_OPERANDS]: operands,
      [L.J_MARKS]: memory.reserve(cells),
      [L.J_BLOCK_OF]: memory.reserve(cells * 2),
      [L.J_RECORDS]: memory.reserve(cells * C.RECORD_SIZE),
      [L.J_WORK]: memory.reserve(cells * 2),
      [L.J_ORDER]: memory.reserve(L.MAX_BLOCKS * 2),
      [L.J_BLOCKS]: memory.reserve(L.MAX_BLOCKS * L.BLOCK_SIZE),
      [L.J_MAX_PAGES]: inRange('regionPages', options.regionPages ?? PAGES, 1, PAGES),
      [L.J_HINTS]: memory.reserve(L.MAX_HINTS * 4),
      [L.J_RELAXED]: engineFeatures().fusedMultiplyAdd ? 1 : 0,
    });
    this.#out = memory.reserve(OUT_SIZE);
    this.#queue = memory.reserve(C.QUEUE_LENGTH * C.QUEUE_ENTRY_SIZE);
    this.#table = new RegionTable(memory, core, host, quota, this.statistics);
    this.#fields(core, {
      [C.C_QUEUE]: this.#queue,
      [C.C_THRESHOLD]: threshold,
      [C.C_FAST_THRESHOLD]: inRange('fastThreshold', options.fastThreshold ?? 8_000_000, 1, 2 ** 30),
      [C.C_MERGE_THRESHOLD]: inRange('mergeThreshold', options.mergeThreshold ?? 12_000, 1, 65_535),
    });
    this.#builder = new ModuleBuilder(memory.shared);
    const exported = host as unknown as WebAssembly.ModuleImports;
    this.#imports = { memory: memory.wasm };
    for (const name of IMPORTED_FUNCTIONS) this.#imports[name] = exported[name];
  }

  /** Between two runs of the core: compiles if enough has come together. `retired` is any count that grows. */
  poll(retired: number): void {
    const { view } = this.#memory;
    this.#table.sweep();
    const count = view.getUint32(this.#core + C.C_QUEUE_COUNT, true);
    if (count === 0) {
      this.#waiting = retired;
      return;
    }
    const patience = Math.min(MOST_PATIENCE, PATIENCE * this.statistics.modules);
    if (count < this.#batch && retired - this.#waiting < patience) return;
    this.#waiting = retired;
    this.#compile(count);
  }

  /** Everything compiled is dropped (breakpoints changed). Not while a hart runs. */
  dropAll(): void {
    this.#table.dropAll();
  }

  #compile(count: number): void {
    const { view } = this.#memory;
    const start = this.#now();
    const requests = readRequests(view, this.#queue, count);
    view.setUint32(this.#core + C.C_QUEUE_COUNT, 0, true);
    this.#used = 0;
    const [plain, fast] = (this.#batches = [newBatch(false), newBatch(true)] as const);
    for (const places of placesByPage(requests)) {
      this.#emitter.beginSeeds(this.#state, places[0].hart, places[0].pc & ~0xfffn);
      const seeds = places.filter(({ offset }) => this.#emitter.seedOffset(this.#state, offset) !== 0);
      if (seeds.length > 0) this.#emit(plain, false, []);
    }
    for (const { hart, from, to, fromBase } of requests) {
      if (from !== 0 && from === to) this.#replace(fast, hart, new Map([[from, fromBase]]));
    }
    const merges = requests.filter((request) => request.from !== request.to && this.#shallMerge(request));
    for (const group of mergeGroups(merges)) {
      if (this.#merge(group) || merges.length === 1) continue;
      for (const single of merges.filter(({ from }) => group.bases.has(from))) {
        for (const pair of mergeGroups([single])) this.#merge(pair);
      }
    }
    const emitted = this.#now();
    this.statistics.emitTime += emitted - start;
    for (const batch of [plain, fast]) {
      if (batch.regions.length > 0) this.#build(batch);
    }
    this.statistics.compileTime += this.#now() - emitted;
  }

  #build(batch: Batch): void {
    const bytes = this.#builder.build(batch.bodies, batch.hints);
    this.#onModule?.(bytes);
    withTiering(batch.fast, () => {
      if (this.#asynchronous) this.#instantiateLater(batch, bytes);
      else this.#instantiate(batch, bytes);
    });
  }

  #instantiate(batch: Batch, bytes: Uint8Array): void {
    let module: WebAssembly.Module;
    try {
      module = new WebAssembly.Module(bytes as BufferSource);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // The main thread of a browser compiles nothing large while it waits.
      this.#asynchronous = true;
      this.#instantiateLater(batch, bytes);
      return;
    }
    this.#install(batch, new WebAssembly.Instance(module, { env: this.#imports }));
  }

  #instantiateLater(batch: Batch, bytes: Uint8Array): void {
    this.#table.announce(batch.regions);
    void WebAssembly.instantiate(bytes as BufferSource, { env: this.#imports }).then(
      ({ instance }) => this.#install(batch, instance),
      () => this.#table.abandon(batch.regions),
    );
  }

  #install({ regions, replaced, size }: Batch, { exports }: WebAssembly.Instance): void {
    this.#table.install(regions, exports, size, replaced);
  }

  /**
   * Whether it pays to make one of two regions. V8 takes as long to optimize a large function as some hundred thousand
   * ways from one to the other take, so fast ones ask several times.
   */
  #shallMerge({ from, to }: Request): boolean {
    if (!this.#table.isFast([from, to])) return true;
    const pair = from * REGION_LIMIT + to;
    const asked = (this.#asked.get(pair) ?? 0) + 1;
    if (this.#asked.size >= MOST_PAIRS) this.#asked.clear();
    this.#asked.set(pair, asked);
    return asked >= FAST_MERGE_REQUESTS;
  }

  #merge({ hart, bases }: MergeGroup): boolean {
    const [plain, fast] = this.#batches;
    if (!this.#replace(this.#table.isFast(bases.keys()) ? fast : plain, hart, bases)) return false;
    this.statistics.merged += bases.size;
    return true;
  }

  /** Emits one region in the place of others; false when that is not possible. */
  #replace(batch: Batch, hart: number, bases: Map<number, bigint>): boolean {
    const isReplaced = (region: number): boolean =>
      this.#batches.some(({ replaced }) => replaced.includes(region));
    if ([...bases.keys()].some(isReplaced)) return false;
    const base = bases.values().next().value!;
    this.#emitter.beginSeeds(this.#state, hart, base);
    for (const [region, other] of bases) {
      const distance = BigInt.asIntN(64, other - base);
      if (distance > FARTHEST || distance < -FARTHEST) return false;
      if (this.#emitter.seedRegion(this.#state, region, Number(distance)) === 0) return false;
    }
    return this.#emit(batch, bases.size > 1, [...bases.keys()]);
  }

  /** Emits the region whose seeds were given. */
  #emit(batch: Batch, whole: boolean, replaced: readonly number[]): boolean {
    const region = this.#table.take();
    if (region === undefined) return false;
    const several = batch.fast && whole ? this.#mergedInstructions : this.#fastInstructions;
    const most = replaced.length > 0 ? several : this.#instructions;
    this.#fields(this.#state, { [L.J_MAX_INSTRUCTIONS]: most });
    const at = this.#out + this.#used;
    const limit = this.#out + OUT_SIZE - OUT_MARGIN;
    const length =
      at < limit ? this.#emitter.compileSeeds(this.#state, region, whole, batch.fast, at, limit) : 0;
    if (length === 0) {
      this.#table.giveBack(region);
      return false;
    }
    batch.regions.push(region);
    batch.bodies.push(this.#memory.bytes.subarray(at, at + length));
    batch.hints.push(this.#hints());
    batch.replaced.push(...replaced);
    batch.size += length;
    this.#used += length;
    this.statistics.instructions += this.#memory.view.getUint32(this.#state + L.J_INSTRUCTIONS, true);
    return true;
  }

  /** Those of the region that was emitted last. */
  #hints(): Uint32Array {
    const { view, wasm } = this.#memory;
    const count = view.getUint32(this.#state + L.J_HINT_COUNT, true);
    return new Uint32Array(wasm.buffer, view.getUint32(this.#state + L.J_HINTS, true), count).slice();
  }

  #fields(base: number, values: Readonly<Record<number, number>>): void {
    for (const [field, value] of Object.entries(values)) {
      this.#memory.view.setUint32(base + Number(field), value, true);
    }
  }
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RiscvError('bad-option', `${name} must be from ${low} to ${high}, not ${value}`);
}
