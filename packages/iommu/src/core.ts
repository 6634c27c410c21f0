import { fetchCore, instantiateCore, joinAddress, physical, type AddressSpace } from '@vmloom/memory';
import { IOTLB_WAYS } from './codes.js';
import * as L from './layout-offsets.js';

const wasm = await fetchCore(new URL('../wasm/iommu.wasm', import.meta.url));

/** The AssemblyScript core; every function takes the base of a state block (`walkState` in layouts.ts). */
export interface Core {
  /** The cause of a fault; 0: the answer is in the state block. */
  translate(state: number, device: number, process: number, type: number, low: number, high: number): number;
  /** The cause of a fault; 0: tc of the device is in the state block. */
  findDevice(state: number, device: number): number;
  invalidateDevices(state: number, one: number, device: number): void;
  invalidateProcesses(state: number, oneDevice: number, device: number, one: number, process: number): void;
  invalidateFirst(state: number, gscid: number, pscid: number, address: bigint, rangeShift: number): void;
  invalidateSecond(state: number, gscid: number): void;
  forget(state: number): void;
}

/** Entries of the caches, each a power of two. */
export interface CacheSizes {
  /** Translations, in sets of 4. */
  readonly iotlb: number;
  readonly devices: number;
  readonly processes: number;
}

/** The core with its state block: caches of stated sizes, words by the names of layouts.ts. */
export class WalkState {
  readonly core: Core;
  readonly base: number;
  readonly words: Uint32Array;
  readonly #cacheBytes: Uint8Array;

  constructor(
    readonly space: AddressSpace,
    sizes: CacheSizes,
  ) {
    const { memory } = space;
    this.words = new Uint32Array(memory.wasm.buffer);
    const iotlb = sizes.iotlb * L.IOTLB_ENTRY_SIZE;
    const devices = sizes.devices * L.DEVICE_ENTRY_SIZE;
    const processes = sizes.processes * L.PROCESS_ENTRY_SIZE;
    const state = Math.ceil(L.WALK_STATE_SIZE / 64) * 64;
    const total = iotlb + devices + processes;
    this.base = memory.reserve(state + total, 64);
    const caches = this.base + state;
    this.#cacheBytes = memory.bytes.subarray(caches, caches + total);
    this.set(L.WALK_STATE_PAGE_FLAGS, memory.flags.offset);
    this.set(L.WALK_STATE_IOTLB, caches);
    this.set(L.WALK_STATE_IOTLB_SETS, sizes.iotlb / IOTLB_WAYS);
    this.set(L.WALK_STATE_DEVICE_CACHE, caches + iotlb);
    this.set(L.WALK_STATE_DEVICE_ENTRIES, sizes.devices);
    this.set(L.WALK_STATE_PROCESS_CACHE, caches + iotlb + devices);
    this.set(L.WALK_STATE_PROCESS_ENTRIES, sizes.processes);
    const locate = (low: number, high: number, length: number, write: number): number => {
      const offset = space.resolve(joinAddress(low, high), length >>> 0, write !== 0);
      if (offset >= 0 && write === 0) this.#learn(low, high);
      return Math.max(0, offset);
    };
    this.core = instantiateCore<Core>(wasm, memory, { locate });
    space.onChange(() => this.#forgetRam());
  }

  get(field: number): number {
    return this.words[(this.base + field) >>> 2];
  }

  set(field: number, value: number): void {
    this.words[(this.base + field) >>> 2] = value;
  }

  /** A field of 64 bits as a bigint. */
  get64(field: number): bigint {
    return (BigInt(this.get(field + 4)) << 32n) | BigInt(this.get(field));
  }

  /** An address: UNMAPPABLE when it is 2^53 or more. */
  address(field: number): number {
    return joinAddress(this.get(field), this.get(field + 4));
  }

  /** A count since the last call. */
  take(field: number): number {
    const at = (this.base + field) >>> 2;
    const value = this.words[at];
    this.words[at] = 0;
    return value;
  }

  /** What the caches hold, for a snapshot. */
  saveCaches(): { sizes: bigint; bytes: Uint8Array } {
    return { sizes: this.get64(L.WALK_STATE_IOTLB_SIZES), bytes: this.#cacheBytes.slice() };
  }

  /** False: the sizes differ. */
  restoreCaches(saved: { sizes: bigint; bytes: Uint8Array }): boolean {
    if (saved.bytes.length !== this.#cacheBytes.length) return false;
    this.#cacheBytes.set(saved.bytes);
    this.set(L.WALK_STATE_IOTLB_SIZES, Number(saved.sizes & 0xffff_ffffn));
    this.set(L.WALK_STATE_IOTLB_SIZES + 4, Number(saved.sizes >> 32n));
    return true;
  }

  /** The core finds the RAM around this address by itself from now on. */
  #learn(low: number, high: number): void {
    const address = joinAddress(low, high);
    const { space } = this;
    for (const region of space.regions()) {
      if (address < region.base || address >= region.base + region.size) continue;
      // ROM answers loads only: it stays with the slow way.
      const offset = space.resolve(region.base, region.size, true);
      if (offset < 0) return;
      this.#setWide(L.WALK_STATE_RAM_BASE, region.base);
      this.#setWide(L.WALK_STATE_RAM_END, region.base + region.size);
      this.set(L.WALK_STATE_RAM_OFFSET, offset);
      return;
    }
  }

  #forgetRam(): void {
    this.#setWide(L.WALK_STATE_RAM_BASE, 0);
    this.#setWide(L.WALK_STATE_RAM_END, 0);
  }

  #setWide(field: number, value: number): void {
    this.set(field, value >>> 0);
    this.set(field + 4, Math.floor(physical(value) / 0x1_0000_0000));
  }
}
