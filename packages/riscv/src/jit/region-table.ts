import type { HostMemory } from '@vmloom/memory';
import * as C from '../layout.js';
import type { JitStatistics } from './jit.js';

/** What the table needs of the hart's core. */
export interface RegionHost {
  readonly table: WebAssembly.Table;
  /** 1 unless the region was dropped since it was emitted. */
  installRegion(core: number, region: number): number;
  dropRegion(core: number, region: number): void;
  dropAllRegions(core: number): void;
}

/** A compiled module, which lives as long as one of its regions. */
interface CompiledModule {
  readonly regions: readonly number[];
  /** Regions that are still entered. */
  live: number;
  readonly cost: number;
}

/** Regions at one time. */
export const REGION_LIMIT = 16_384;
/** Pages and entries of all regions together. */
const NODE_LIMIT = 98_304;
/** What the engine makes of a byte of wasm, and of a module, in bytes of its memory: measured with Node 20. */
const COST_FACTOR = 10;
const MODULE_COST = 4096;

/** The regions of one core by number, which is also their slot in the function table: kept within a quota. */
export class RegionTable {
  /** Host offset of the descriptors. */
  readonly descriptors: number;
  readonly #memory: HostMemory;
  readonly #core: number;
  readonly #host: RegionHost;
  readonly #quota: number;
  readonly #statistics: JitStatistics;
  readonly #free: number[] = [];
  /** In the order of their compilation. */
  readonly #modules = new Set<CompiledModule>();
  readonly #moduleOf: (CompiledModule | undefined)[] = [];
  /** Regions that the engine still compiles. */
  readonly #pending = new Set<number>();

  /** @throws MemoryError reserve-exhausted */
  constructor(memory: HostMemory, core: number, host: RegionHost, quota: number, statistics: JitStatistics) {
    this.#memory = memory;
    this.#core = core;
    this.#host = host;
    this.#quota = quota;
    this.#statistics = statistics;
    this.descriptors = memory.reserve(REGION_LIMIT * C.REGION_SIZE);
    const { view } = memory;
    view.setUint32(core + C.C_REGIONS, this.descriptors, true);
    view.setUint32(core + C.C_REGION_LIMIT, REGION_LIMIT, true);
    view.setUint32(core + C.C_REGION_PAGES, memory.reserve((memory.size / 4096) * 4), true);
    view.setUint32(core + C.C_NODES_FREE, this.#makeNodes(), true);
    // Slot 0 of the table belongs to nobody, and no region has number 0.
    host.table.grow(Math.max(0, REGION_LIMIT - host.table.length));
    for (let region = REGION_LIMIT - 1; region > 0; region--) this.#free.push(region);
  }

  /** A number for a new region, for which the oldest ones may have to go; undefined when all are being compiled. */
  take(): number | undefined {
    if (this.#free.length === 0) this.#evict();
    return this.#free.pop();
  }

  /** A number that {@link take} gave and that became nothing. */
  giveBack(region: number): void {
    // What was described before it failed is in the list of dropped ones.
    if (this.#state(region) !== C.REGION_DROPPED) this.#free.push(region);
  }

  /** The engine compiles these. */
  announce(regions: readonly number[]): void {
    for (const region of regions) this.#pending.add(region);
  }

  /** The engine had no room for them. */
  abandon(regions: readonly number[]): void {
    for (const region of regions) {
      this.#pending.delete(region);
      if (this.#state(region) === C.REGION_DROPPED) this.#release(region);
      else this.#host.dropRegion(this.#core, region);
    }
    this.sweep();
  }

  /**
   * Their functions are there, exported as `0`, `1` and so on of `size` bytes together; regions `replaced` go.
   * Those that were dropped meanwhile are not entered.
   */
  install(
    regions: readonly number[],
    functions: WebAssembly.Exports,
    size: number,
    replaced: readonly number[],
  ): void {
    for (const region of replaced) this.#host.dropRegion(this.#core, region);
    this.sweep();
    const compiled: CompiledModule = { regions, live: 0, cost: size * COST_FACTOR + MODULE_COST };
    regions.forEach((region, index) => {
      this.#pending.delete(region);
      if (this.#host.installRegion(this.#core, region) === 0) {
        this.#release(region);
        return;
      }
      compiled.live++;
      this.#moduleOf[region] = compiled;
      this.#host.table.set(region, functions[String(index)]);
    });
    this.#statistics.modules++;
    this.#statistics.regions += regions.length;
    this.#statistics.bytes += size;
    if (compiled.live === 0) return;
    this.#modules.add(compiled);
    this.#statistics.residentBytes += compiled.cost;
    while (this.#statistics.residentBytes > this.#quota && this.#modules.size > 1) this.#evict();
  }

  /** One of the regions was compiled for speed. */
  isFast(regions: Iterable<number>): boolean {
    return [...regions].some((region) => this.#field(region, C.REGION_FAST) !== 0);
  }

  dropAll(): void {
    this.#host.dropAllRegions(this.#core);
    this.sweep();
  }

  /** Lets go of the regions that were dropped, and of modules without any. Not while a hart runs. */
  sweep(): void {
    const { view } = this.#memory;
    const head = this.#core + C.C_DROPPED;
    let region = view.getUint32(head, true);
    if (region === 0) return;
    view.setUint32(head, 0, true);
    while (region !== 0) {
      const next = this.#field(region, C.REGION_NEXT_DROPPED);
      this.#statistics.dropped++;
      if (!this.#pending.has(region)) this.#release(region);
      region = next;
    }
  }

  #release(region: number): void {
    this.#memory.view.setUint32(
      this.descriptors + region * C.REGION_SIZE + C.REGION_STATE,
      C.REGION_FREE,
      true,
    );
    this.#host.table.set(region, null);
    this.#free.push(region);
    const compiled = this.#moduleOf[region];
    this.#moduleOf[region] = undefined;
    if (compiled === undefined || --compiled.live > 0) return;
    this.#modules.delete(compiled);
    this.#statistics.residentBytes -= compiled.cost;
  }

  /** Drops the module that was compiled first. */
  #evict(): void {
    const [oldest] = this.#modules;
    if (oldest === undefined) return;
    for (const region of oldest.regions) {
      if (this.#moduleOf[region] !== oldest) continue;
      this.#host.dropRegion(this.#core, region);
      this.#statistics.evicted++;
    }
    this.sweep();
  }

  #state(region: number): number {
    return this.#field(region, C.REGION_STATE);
  }

  #field(region: number, field: number): number {
    return this.#memory.view.getUint32(this.descriptors + region * C.REGION_SIZE + field, true);
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
}
