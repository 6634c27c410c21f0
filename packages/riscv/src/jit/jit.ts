import { instantiateCore, type HostMemory } from '@vmloom/memory';
import { RiscvError } from '../error.js';
import * as C from '../layout.js';
import { engineFeatures } from './engine-features.js';
import * as L from './layout.js';
import { IMPORTED_FUNCTIONS, ModuleBuilder } from './module-builder.js';
import { operandKinds } from './operand-kinds.js';
import { mergeGroups, placesByPage, readRequests, type MergeGroup } from './requests.js';

export interface JitOptions {
  /** How often a jump comes to an instruction before it is compiled, 1 to 255. */
  readonly threshold?: number;
  /** How often one region leads to another before the two become one, 1 to 65,535. */
  readonly mergeThreshold?: number;
  /** Instructions that a region retires before it is compiled again, for speed; 1 to 2^30. */
  readonly fastThreshold?: number;
  /** Hot places that are compiled together, at least; 1 to 64. */
  readonly batch?: number;
  /** Bytes that compiled code and its tables may take, an estimate of what the engine needs; 192 MiB unless told. */
  readonly quota?: number;
  /** Guest instructions of a region, at most. */
  readonly regionInstructions?: number;
  /** Pages that a region spans, 1 to 4. */
  readonly regionPages?: number;
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

/** What the compiler needs of the hart's core. */
export interface JitHost {
  readonly table: WebAssembly.Table;
  installRegion(core: number, region: number): number;
  dropRegion(core: number, region: number): void;
  dropAllRegions(core: number): void;
}

/** What is compiled together. */
interface Batch {
  readonly regions: number[];
  readonly bodies: Uint8Array[];
  readonly hints: Uint32Array[];
  /** Regions that the new ones take the place of. */
  readonly replaced: number[];
  /** Where the next body is written. */
  at: number;
}

interface CompiledModule {
  readonly regions: number[];
  /** Regions that are still entered. */
  live: number;
  readonly cost: number;
}

const REGION_LIMIT = 16_384;
const NODE_LIMIT = 98_304;
const OUT_SIZE = 512 * 1024;
/** Room that is kept for the longest instruction and the way out. */
const OUT_MARGIN = 8 * 1024;
const PAGES = C.REGION_MAX_PAGES;
/** What the engine makes of a byte of wasm, and a module, in bytes of its memory: measured with Node 20. */
const COST_FACTOR = 8;
const MODULE_COST = 4096;
/** Distances of pages are 16-bit numbers. */
const FARTHEST = 1n << 26n;
/** Instructions after which even a single request is served. */
const PATIENCE = 200_000;

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
  readonly #host: JitHost;
  readonly #emitter: EmitterExports;
  readonly #state: number;
  readonly #out: number;
  readonly #queue: number;
  readonly #regions: number;
  readonly #builder: ModuleBuilder;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #now: () => number;
  readonly #batch: number;
  readonly #quota: number;
  readonly #free: number[] = [];
  readonly #modules = new Set<CompiledModule>();
  readonly #moduleOf: (CompiledModule | undefined)[] = [];
  /** Instructions of the hart at which the oldest request was seen. */
  #waiting = 0;

  /** @throws MemoryError reserve-exhausted; RiscvError bad-option */
  constructor(memory: HostMemory, core: number, host: JitHost, wasm: Uint8Array, options: JitOptions) {
    this.#memory = memory;
    this.#core = core;
    this.#host = host;
    this.#now = options.stopwatch ?? (() => 0);
    const threshold = inRange('threshold', options.threshold ?? 40, 1, 255);
    this.#batch = inRange('batch', options.batch ?? 12, 1, C.QUEUE_LENGTH);
    this.#quota = inRange('quota', options.quota ?? 192 << 20, 1 << 20, 2 ** 31);
    const instructions = inRange('regionInstructions', options.regionInstructions ?? 400, 1, 2000);
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
      [L.J_MAX_INSTRUCTIONS]: instructions,
      [L.J_MAX_PAGES]: inRange('regionPages', options.regionPages ?? PAGES, 1, PAGES),
      [L.J_HINTS]: memory.reserve(L.MAX_HINTS * 4),
      [L.J_RELAXED]: engineFeatures().fusedMultiplyAdd ? 1 : 0,
    });
    this.#out = memory.reserve(OUT_SIZE);
    this.#queue = memory.reserve(C.QUEUE_LENGTH * C.QUEUE_ENTRY_SIZE);
    this.#regions = memory.reserve(REGION_LIMIT * C.REGION_SIZE);
    this.#fields(core, {
      [C.C_QUEUE]: this.#queue,
      [C.C_REGIONS]: this.#regions,
      [C.C_REGION_LIMIT]: REGION_LIMIT,
      [C.C_REGION_PAGES]: memory.reserve((memory.size / 4096) * 4),
      [C.C_NODES_FREE]: this.#makeNodes(),
      [C.C_THRESHOLD]: threshold,
      [C.C_FAST_THRESHOLD]: inRange('fastThreshold', options.fastThreshold ?? 4_000_000, 1, 2 ** 30),
      [C.C_MERGE_THRESHOLD]: inRange('mergeThreshold', options.mergeThreshold ?? 1000, 1, 65_535),
    });
    // Slot 0 of the table belongs to nobody, and no region has number 0.
    host.table.grow(Math.max(0, REGION_LIMIT - host.table.length));
    for (let region = REGION_LIMIT - 1; region > 0; region--) this.#free.push(region);
    this.#builder = new ModuleBuilder(memory.shared);
    const exported = host as unknown as WebAssembly.ModuleImports;
    this.#imports = { memory: memory.wasm };
    for (const name of IMPORTED_FUNCTIONS) this.#imports[name] = exported[name];
  }

  /** Between two runs of the core: compiles if enough has come together. `retired` is any count that grows. */
  poll(retired: number): void {
    const { view } = this.#memory;
    if (view.getUint32(this.#core + C.C_DROPPED, true) !== 0) this.#sweep();
    const count = view.getUint32(this.#core + C.C_QUEUE_COUNT, true);
    if (count === 0) {
      this.#waiting = retired;
      return;
    }
    if (count < this.#batch && retired - this.#waiting < PATIENCE) return;
    this.#waiting = retired;
    this.#compile(count);
  }

  /** Everything compiled is dropped (breakpoints changed). Not while a hart runs. */
  dropAll(): void {
    this.#host.dropAllRegions(this.#core);
    this.#sweep();
  }

  #compile(count: number): void {
    const { view } = this.#memory;
    const start = this.#now();
    const requests = readRequests(view, this.#queue, count);
    view.setUint32(this.#core + C.C_QUEUE_COUNT, 0, true);
    const batch: Batch = { regions: [], bodies: [], hints: [], replaced: [], at: this.#out };
    for (const places of placesByPage(requests)) {
      this.#emitter.beginSeeds(this.#state, places[0].hart, places[0].pc & ~0xfffn);
      const seeds = places.filter(({ offset }) => this.#emitter.seedOffset(this.#state, offset) !== 0);
      if (seeds.length > 0) this.#emit(batch, false, false, []);
    }
    const merges = requests.filter(({ from }) => from !== 0);
    for (const group of mergeGroups(merges)) {
      if (this.#merge(batch, group) || merges.length === 1) continue;
      for (const single of merges.filter(({ from }) => group.bases.has(from))) {
        for (const pair of mergeGroups([single])) this.#merge(batch, pair);
      }
    }
    const emitted = this.#now();
    this.statistics.emitTime += emitted - start;
    if (batch.regions.length === 0) return;
    const module = new WebAssembly.Module(this.#builder.build(batch.bodies, batch.hints) as BufferSource);
    const instance = new WebAssembly.Instance(module, { env: this.#imports });
    for (const region of batch.replaced) this.#host.dropRegion(this.#core, region);
    this.#sweep();
    this.#install(batch.regions, instance.exports, batch.at - this.#out);
    this.statistics.compileTime += this.#now() - emitted;
  }

  /** Emits one region in the place of several; false when that is not possible. */
  #merge(batch: Batch, { hart, bases, fast }: MergeGroup): boolean {
    if ([...bases.keys()].some((region) => batch.replaced.includes(region))) return false;
    const base = bases.values().next().value!;
    this.#emitter.beginSeeds(this.#state, hart, base);
    for (const [region, other] of bases) {
      const distance = BigInt.asIntN(64, other - base);
      if (distance > FARTHEST || distance < -FARTHEST) return false;
      if (this.#emitter.seedRegion(this.#state, region, Number(distance)) === 0) return false;
    }
    if (!this.#emit(batch, true, fast || this.#isFast(bases.keys()), [...bases.keys()])) return false;
    this.statistics.merged += bases.size;
    return true;
  }

  /** One of the regions was compiled for speed. */
  #isFast(regions: Iterable<number>): boolean {
    const { view } = this.#memory;
    return [...regions].some(
      (region) => view.getUint32(this.#regions + region * C.REGION_SIZE + C.REGION_FAST, true) !== 0,
    );
  }

  /** Emits the region whose seeds were given. */
  #emit(batch: Batch, whole: boolean, fast: boolean, replaced: readonly number[]): boolean {
    if (this.#free.length === 0) this.#evict();
    const region = this.#free.pop();
    if (region === undefined) return false;
    const { at } = batch;
    const limit = this.#out + OUT_SIZE - OUT_MARGIN;
    const length = at < limit ? this.#emitter.compileSeeds(this.#state, region, whole, fast, at, limit) : 0;
    if (length === 0) {
      this.#free.push(region);
      return false;
    }
    batch.regions.push(region);
    batch.bodies.push(this.#memory.bytes.subarray(at, at + length));
    batch.hints.push(this.#hints());
    batch.replaced.push(...replaced);
    batch.at += length;
    this.statistics.instructions += this.#memory.view.getUint32(this.#state + L.J_INSTRUCTIONS, true);
    return true;
  }

  /** Those of the region that was emitted last. */
  #hints(): Uint32Array {
    const { view, wasm } = this.#memory;
    const count = view.getUint32(this.#state + L.J_HINT_COUNT, true);
    return new Uint32Array(wasm.buffer, view.getUint32(this.#state + L.J_HINTS, true), count).slice();
  }

  #install(regions: number[], functions: WebAssembly.Exports, size: number): void {
    const cost = size * COST_FACTOR + MODULE_COST;
    const compiled: CompiledModule = { regions, live: regions.length, cost };
    this.#modules.add(compiled);
    this.statistics.modules++;
    this.statistics.regions += regions.length;
    this.statistics.bytes += size;
    this.statistics.residentBytes += cost;
    regions.forEach((region, index) => {
      this.#moduleOf[region] = compiled;
      this.#host.table.set(region, functions[String(index)]);
      this.#host.installRegion(this.#core, region);
    });
    while (this.statistics.residentBytes > this.#quota && this.#modules.size > 1) this.#evict();
  }

  /** Drops the module that was compiled first. */
  #evict(): void {
    const [oldest] = this.#modules;
    if (oldest === undefined) return;
    for (const region of oldest.regions) {
      if (this.#moduleOf[region] !== oldest) continue;
      this.#host.dropRegion(this.#core, region);
      this.statistics.evicted++;
    }
    this.#sweep();
  }

  /** Lets go of the regions that were dropped, and of modules without any. */
  #sweep(): void {
    const { view } = this.#memory;
    const head = this.#core + C.C_DROPPED;
    for (let region = view.getUint32(head, true); region !== 0;) {
      const descriptor = this.#regions + region * C.REGION_SIZE;
      const next = view.getUint32(descriptor + C.REGION_NEXT_DROPPED, true);
      view.setUint32(descriptor + C.REGION_STATE, C.REGION_FREE, true);
      this.#host.table.set(region, null);
      this.#free.push(region);
      this.statistics.dropped++;
      const compiled = this.#moduleOf[region];
      this.#moduleOf[region] = undefined;
      if (compiled !== undefined && --compiled.live === 0) {
        this.#modules.delete(compiled);
        this.statistics.residentBytes -= compiled.cost;
      }
      region = next;
    }
    view.setUint32(head, 0, true);
  }

  /** The list of unused nodes; its first. */
  #makeNodes(): number {
    const nodes = this.#memory.reserve(NODE_LIMIT * C.NODE_SIZE);
    for (let index = 0; index < NODE_LIMIT; index++) {
      const next = index + 1 === NODE_LIMIT ? 0 : nodes + (index + 1) * C.NODE_SIZE;
      this.#memory.view.setUint32(nodes + index * C.NODE_SIZE + C.NODE_NEXT_IN_PAGE, next, true);
    }
    return nodes;
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
