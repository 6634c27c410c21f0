import type { HostMemory } from '@vmloom/memory';
import {
  ORDER_ENTRY_SIZE,
  QUEUE_STATE_DESCRIPTORS_PAGES,
  QUEUE_STATE_DEVICE_PAGES,
  QUEUE_STATE_DRIVER_PAGES,
  QUEUE_STATE_ORDER,
  QUEUE_STATE_PAGE_FLAGS,
  QUEUE_STATE_RANGE_LENGTHS,
  QUEUE_STATE_RANGE_LIMIT,
  QUEUE_STATE_RANGE_OFFSETS,
  QUEUE_STATE_SEGMENT_LIMIT,
  QUEUE_STATE_SEGMENTS,
  QUEUE_STATE_SIZE,
  SEGMENT_SIZE,
} from '../layout-offsets.js';

/** Pages that `bytes` bytes touch at most, wherever they begin. */
const pages = (bytes: number): number => Math.ceil(bytes / 4096) + 1;

/** The state of one queue in the reserve of a host's memory (`queueState` in layouts.ts) and the arrays behind it. */
export class QueueMemory {
  readonly base: number;
  /** The whole memory of the host, by words. */
  readonly words: Uint32Array;
  readonly rangeOffsets: Uint32Array;
  readonly rangeLengths: Uint32Array;
  /** Four words each: address, upper half, length, unused. */
  readonly segments: Uint32Array;
  readonly order: Uint32Array;
  readonly #pointers: readonly (readonly [field: number, value: number])[];

  /** `maxSize` descriptors at most, `chainLimit` of them in one chain. @throws MemoryError reserve-exhausted */
  constructor(
    readonly memory: HostMemory,
    readonly maxSize: number,
    readonly chainLimit: number,
  ) {
    this.words = new Uint32Array(memory.wasm.buffer);
    const ranges = 2 * chainLimit;
    const sizes = {
      state: QUEUE_STATE_SIZE,
      segments: chainLimit * SEGMENT_SIZE,
      offsets: ranges * 4,
      lengths: ranges * 4,
      order: maxSize * ORDER_ENTRY_SIZE,
      descriptorPages: pages(16 * maxSize) * 4,
      driverPages: pages(6 + 2 * maxSize) * 4,
      devicePages: pages(6 + 8 * maxSize) * 4,
    };
    const starts: Record<string, number> = {};
    let total = 0;
    for (const [name, size] of Object.entries(sizes)) {
      starts[name] = total;
      total += Math.ceil(size / 16) * 16;
    }
    const base = memory.reserve(total, 16);
    const place = (name: keyof typeof sizes): number => base + starts[name];
    const array = (name: keyof typeof sizes): Uint32Array =>
      this.words.subarray(place(name) >>> 2, (place(name) + sizes[name]) >>> 2);
    this.base = base;
    this.rangeOffsets = array('offsets');
    this.rangeLengths = array('lengths');
    this.segments = array('segments');
    this.order = array('order');
    this.#pointers = [
      [QUEUE_STATE_PAGE_FLAGS, memory.flags.offset],
      [QUEUE_STATE_SEGMENTS, place('segments')],
      [QUEUE_STATE_SEGMENT_LIMIT, chainLimit],
      [QUEUE_STATE_RANGE_OFFSETS, place('offsets')],
      [QUEUE_STATE_RANGE_LENGTHS, place('lengths')],
      [QUEUE_STATE_RANGE_LIMIT, ranges],
      [QUEUE_STATE_ORDER, place('order')],
      [QUEUE_STATE_DESCRIPTORS_PAGES, place('descriptorPages')],
      [QUEUE_STATE_DRIVER_PAGES, place('driverPages')],
      [QUEUE_STATE_DEVICE_PAGES, place('devicePages')],
    ];
  }

  /** All zero, but for where things are. */
  clear(): void {
    this.words.fill(0, this.base >>> 2, (this.base + QUEUE_STATE_SIZE) >>> 2);
    for (const [field, value] of this.#pointers) this.set(field, value);
  }

  get(field: number): number {
    return this.words[(this.base + field) >>> 2];
  }

  set(field: number, value: number): void {
    this.words[(this.base + field) >>> 2] = value;
  }

  /** The value, which becomes 0. */
  take(field: number): number {
    const value = this.get(field);
    this.set(field, 0);
    return value;
  }
}
