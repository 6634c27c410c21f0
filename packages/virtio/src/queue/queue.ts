import { DMA_OK, expectSnapshot, type DmaPort, type Snapshot, type SnapshotValue } from '@vmloom/device';
import * as L from '../layout-offsets.js';
import { Chain } from './chain.js';
import { POP_CHAIN, POP_EMPTY } from './codes.js';
import type { Core } from './core.js';
import { faultOf, type QueueFault } from './faults.js';
import { HeldChain } from './held-chain.js';
import type { QueueMemory } from './queue-memory.js';

/** The three parts of a queue (2.6), by their names in 4.1.4.3. */
export type QueueArea = 'descriptors' | 'driver' | 'device';

/** What was negotiated about rings (chapter 6). */
export interface RingFeatures {
  readonly packed: boolean;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
  readonly inOrder: boolean;
}

/** What a queue tells the side of it that knows the driver. */
export interface QueueOwner {
  /** The driver wants to hear of used buffers. */
  used(queue: Virtqueue): void;
  /** The device has signalled a queue whose signals are {@link Virtqueue.deferred}. */
  deferred(queue: Virtqueue): void;
  /** Buffers were used, and the driver does not want to hear of them. */
  spared(queue: Virtqueue): void;
  /** The driver broke the rules; the queue has stopped. */
  fault(queue: Virtqueue, fault: QueueFault): void;
}

const AREAS: Readonly<Record<QueueArea, number>> = {
  descriptors: L.QUEUE_STATE_DESCRIPTORS,
  driver: L.QUEUE_STATE_DRIVER,
  device: L.QUEUE_STATE_DEVICE,
};
const AREA_BYTES = L.QUEUE_STATE_DRIVER_BYTES - L.QUEUE_STATE_DRIVER;
const AREA_SHIFT = L.QUEUE_STATE_DRIVER_SHIFT - L.QUEUE_STATE_DRIVER;
const AREA_PAGES = L.QUEUE_STATE_DRIVER_PAGES - L.QUEUE_STATE_DRIVER;
const PAGE = 4096;
const SNAPSHOT = { type: 'virtqueue', version: 1 } as const;

/** Where the walk stands; saved by name. */
const POSITION = {
  nextAvailable: L.QUEUE_STATE_NEXT_AVAILABLE,
  availableWrap: L.QUEUE_STATE_AVAILABLE_WRAP,
  nextUsed: L.QUEUE_STATE_NEXT_USED,
  usedWrap: L.QUEUE_STATE_USED_WRAP,
  unsignalled: L.QUEUE_STATE_UNSIGNALLED,
  inFlight: L.QUEUE_STATE_IN_FLIGHT,
  orderHead: L.QUEUE_STATE_ORDER_HEAD,
  orderCount: L.QUEUE_STATE_ORDER_COUNT,
  packed: L.QUEUE_STATE_PACKED,
  indirect: L.QUEUE_STATE_INDIRECT,
  eventIndex: L.QUEUE_STATE_EVENT_INDEX,
  inOrder: L.QUEUE_STATE_IN_ORDER,
} as const;

/**
 * A virtqueue, split or packed, as the device sees it. It owns no memory: the rings are the driver's, reached through
 * the DMA port, and the position in them is a block in the reserve.
 *
 * The device takes chains with {@link pop}, gives them back with {@link push}, and calls {@link signal} when it has
 * given back what it had. Whatever the driver writes, nothing here throws and nothing outside its memory is touched:
 * a malformed chain stops the queue, and the owner hears of it.
 */
export class Virtqueue {
  readonly index: number;
  /** Descriptors at most. */
  readonly maxSize: number;
  /** Descriptors, as the driver chose; `maxSize` unless it did. */
  size: number;
  readonly #memory: QueueMemory;
  readonly #base: number;
  readonly #core: Core;
  readonly #dma: DmaPort;
  readonly #owner: QueueOwner;
  readonly #chain: Chain;
  readonly #held = new Set<HeldChain>();
  readonly #free: HeldChain[] = [];
  #enabled = false;
  #broken = false;
  #notifications = true;
  #polled = false;
  /** Generation and translator of the DMA port for which the pages of the rings are known. */
  #generation = NaN;
  #translator: unknown;
  #chains = 0;

  constructor(parts: {
    readonly index: number;
    readonly memory: QueueMemory;
    readonly core: Core;
    readonly dma: DmaPort;
    readonly owner: QueueOwner;
  }) {
    this.index = parts.index;
    this.#memory = parts.memory;
    this.#base = parts.memory.base;
    this.#core = parts.core;
    this.#dma = parts.dma;
    this.#owner = parts.owner;
    this.#chain = new Chain(parts.memory);
    this.maxSize = parts.memory.maxSize;
    this.size = this.maxSize;
    this.reset();
  }

  // For the device ----------------------------------------------------------------------------------------

  /** The driver has set the queue up, and nothing went wrong with it since. */
  get ready(): boolean {
    return this.#enabled && !this.#broken;
  }

  /**
   * Takes the next chain; undefined when there is none. The object is reused by the next call, and its ranges hold
   * until the end of the event.
   */
  pop(): Chain | undefined {
    if (!this.#reachable()) return undefined;
    const answer = this.#core.pop(this.#base);
    if (answer === POP_CHAIN) {
      this.#chains++;
      return this.#chain;
    }
    if (answer !== POP_EMPTY) this.#fail(faultOf(answer));
    return undefined;
  }

  /**
   * Gives a chain back. `written`: bytes the device wrote from the beginning of the writable part on. The driver is
   * not told before {@link signal}.
   */
  push(token: number, written: number): void {
    if (this.#reachable()) this.#core.push(this.#base, token, written);
  }

  /** Undoes the pop of the chain that was popped last and not pushed. Several are undone last first. */
  unpop(token: number): void {
    if (this.#reachable()) this.#core.unpop(this.#base, token);
  }

  /** Interrupts the driver unless it does not want to hear of what was pushed since the last call. */
  signal(): void {
    if (this.unsignalled === 0) return;
    if (this.deferred) this.#owner.deferred(this);
    else this.signalNow();
  }

  /** True when a chain waits to be popped. */
  get waiting(): boolean {
    return this.#reachable() && this.#core.waiting(this.#base) !== 0;
  }

  /** Chains popped and not pushed. */
  get inFlight(): number {
    return this.#memory.get(L.QUEUE_STATE_IN_FLIGHT);
  }

  /** Keeps the chain popped last beyond the event. */
  hold(): HeldChain {
    const memory = this.#memory;
    const held = this.#free.pop() ?? new HeldChain();
    const count = memory.get(L.QUEUE_STATE_SEGMENT_COUNT);
    held.take(this.#chain.token, count, memory.get(L.QUEUE_STATE_READABLE_SEGMENTS), memory.segments);
    this.#held.add(held);
    return held;
  }

  /**
   * The chain of {@link hold}, mapped for this event; undefined when its memory is gone (the queue has stopped) or
   * the queue was reset meanwhile.
   */
  map(held: HeldChain): Chain | undefined {
    if (!this.#held.has(held) || !this.#reachable()) return undefined;
    const memory = this.#memory;
    memory.segments.set(held.words.subarray(0, 4 * held.count));
    memory.set(L.QUEUE_STATE_TOKEN, held.token);
    memory.set(L.QUEUE_STATE_SEGMENT_COUNT, held.count);
    memory.set(L.QUEUE_STATE_READABLE_SEGMENTS, held.readable);
    const answer = this.#core.remap(this.#base);
    if (answer === POP_CHAIN) return this.#chain;
    this.#fail(faultOf(answer));
    return undefined;
  }

  /** {@link push} for a held chain; nothing happens when the queue was reset since. */
  complete(held: HeldChain, written: number): void {
    if (!this.#held.delete(held)) return;
    this.push(held.token, written);
    this.#free.push(held);
  }

  /** Held chains, oldest first. After a restore a device finds its requests here. */
  get held(): Iterable<HeldChain> {
    return this.#held;
  }

  /**
   * Asks the driver for doorbells. True when chains are waiting already: the driver may have put them there without
   * one, so the device goes on popping.
   */
  enableNotifications(): boolean {
    if (this.polled) return this.waiting;
    this.#notifications = true;
    return this.#reachable() && this.#core.notify(this.#base, 1) !== 0;
  }

  /** Tells the driver that it need not ring while the device looks by itself. */
  disableNotifications(): void {
    this.#notifications = false;
    if (this.#reachable()) this.#core.notify(this.#base, 0);
  }

  /** Whether doorbells are asked for. */
  get notifications(): boolean {
    return this.#notifications;
  }

  // For the policy of notifications -----------------------------------------------------------------------

  /** Somebody looks at the queue by the clock: doorbells stay off whatever the device asks for. */
  get polled(): boolean {
    return this.#polled;
  }

  set polled(polled: boolean) {
    this.#polled = polled;
    if (polled) this.disableNotifications();
  }

  /** {@link signal} asks the owner, which calls {@link signalNow} in its own time. */
  deferred = false;

  /** Asks the driver, and interrupts if it wants that. */
  signalNow(): void {
    if (this.unsignalled === 0 || !this.#reachable()) return;
    if (this.#core.needsInterrupt(this.#base) !== 0) this.#owner.used(this);
    else this.#owner.spared(this);
  }

  /** What was pushed since the driver was asked last: chains (split) or what they take of the ring (packed). */
  get unsignalled(): number {
    return this.#memory.get(L.QUEUE_STATE_UNSIGNALLED);
  }

  /** Chains popped since the queue was made. */
  get popped(): number {
    return this.#chains;
  }

  // For the transport -------------------------------------------------------------------------------------

  /** The driver has written the address of a part, in two halves. Has no effect while the queue is enabled. */
  setAddress(area: QueueArea, low: number, high: number): void {
    if (this.#enabled) return;
    this.#memory.set(AREAS[area], low);
    this.#memory.set(AREAS[area] + 4, high);
  }

  /** The half of a part's address: 0 the lower one. */
  address(area: QueueArea, half: 0 | 1): number {
    return this.#memory.get(AREAS[area] + 4 * half);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** The driver has described the queue. What is wrong with the description stops it. */
  enable(features: RingFeatures): void {
    if (this.#enabled) return;
    const memory = this.#memory;
    const { size } = this;
    this.#enabled = true;
    memory.set(L.QUEUE_STATE_QUEUE_SIZE, size);
    memory.set(L.QUEUE_STATE_PACKED, Number(features.packed));
    memory.set(L.QUEUE_STATE_INDIRECT, Number(features.indirect));
    memory.set(L.QUEUE_STATE_EVENT_INDEX, Number(features.eventIndex));
    memory.set(L.QUEUE_STATE_IN_ORDER, Number(features.inOrder));
    memory.set(L.QUEUE_STATE_AVAILABLE_WRAP, 1);
    memory.set(L.QUEUE_STATE_USED_WRAP, 1);
    this.#describe();
    this.#generation = NaN;
    // 2.7, 2.8: a split queue's size is a power of two.
    if (size < 1 || size > this.maxSize || (!features.packed && (size & (size - 1)) !== 0)) {
      return this.#fail('queue size');
    }
    const misaligned = (area: QueueArea, alignment: number): boolean =>
      (this.address(area, 0) & (alignment - 1)) !== 0;
    if (
      misaligned('descriptors', 16) ||
      misaligned('driver', features.packed ? 4 : 2) ||
      misaligned('device', 4)
    ) {
      return this.#fail('queue alignment');
    }
    if (this.#reachable() && !this.#notifications) this.#core.notify(this.#base, 0);
  }

  /** 2.4, 2.6.1: back to the state before the driver touched it; chains in flight are forgotten. */
  reset(): void {
    this.#memory.clear();
    // What is held now may still be completed by its device, so these objects are not used again.
    this.#held.clear();
    this.#enabled = false;
    this.#broken = false;
    this.#notifications = true;
    this.#generation = NaN;
    this.size = this.maxSize;
  }

  /** Nothing moves any more until a reset. */
  stop(): void {
    this.#broken = true;
    this.#generation = NaN;
  }

  /** Descriptors read since the last call. */
  takeDescriptors(): number {
    return this.#memory.take(L.QUEUE_STATE_DESCRIPTORS_READ);
  }

  save(): Snapshot {
    const memory = this.#memory;
    const position: Record<string, number> = {};
    for (const [name, field] of Object.entries(POSITION)) position[name] = memory.get(field);
    const address = (area: QueueArea): number[] => [this.address(area, 0), this.address(area, 1)];
    return {
      ...SNAPSHOT,
      size: this.size,
      enabled: this.#enabled,
      broken: this.#broken,
      notifications: this.#notifications,
      polled: this.#polled,
      descriptors: address('descriptors'),
      driver: address('driver'),
      device: address('device'),
      position,
      order: [...memory.order.subarray(0, 3 * this.size)],
      held: [...this.#held].map((held) => held.save()),
    };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.reset();
    const memory = this.#memory;
    for (const area of ['descriptors', 'driver', 'device'] as const) {
      const [low, high] = snapshot[area] as [number, number];
      this.setAddress(area, low, high);
    }
    const position = snapshot['position'] as Readonly<Record<string, number>>;
    for (const [name, field] of Object.entries(POSITION)) memory.set(field, position[name] ?? 0);
    this.size = snapshot['size'] as number;
    this.#enabled = snapshot['enabled'] as boolean;
    this.#broken = snapshot['broken'] as boolean;
    this.#notifications = snapshot['notifications'] as boolean;
    this.#polled = snapshot['polled'] as boolean;
    memory.set(L.QUEUE_STATE_QUEUE_SIZE, this.size);
    memory.order.set(snapshot['order'] as number[]);
    this.#describe();
    for (const saved of snapshot['held'] as SnapshotValue[]) {
      const held = new HeldChain();
      held.restore(saved);
      this.#held.add(held);
    }
  }

  // The rings in the host's memory ------------------------------------------------------------------------

  /** Sizes of the three parts, and where in a page they begin. */
  #describe(): void {
    const { size } = this;
    const memory = this.#memory;
    const packed = memory.get(L.QUEUE_STATE_PACKED) !== 0;
    const event = memory.get(L.QUEUE_STATE_EVENT_INDEX) !== 0 ? 2 : 0;
    const bytes: Readonly<Record<QueueArea, number>> = {
      descriptors: 16 * size,
      driver: packed ? L.EVENT_SUPPRESSION_SIZE : L.AVAILABLE_RING_SIZE + 2 * size + event,
      device: packed ? L.EVENT_SUPPRESSION_SIZE : L.USED_RING_SIZE + L.USED_ELEMENT_SIZE * size + event,
    };
    for (const area of ['descriptors', 'driver', 'device'] as const) {
      memory.set(AREAS[area] + AREA_BYTES, bytes[area]);
      memory.set(AREAS[area] + AREA_SHIFT, this.address(area, 0) & (PAGE - 1));
    }
  }

  /** True when the queue runs and the pages of its rings are known. */
  #reachable(): boolean {
    const { generation, translator } = this.#dma;
    if (generation === this.#generation && translator === this.#translator) return true;
    return this.#mapRings(generation);
  }

  #mapRings(generation: number): boolean {
    this.#generation = NaN;
    // While the function may not master the bus nothing happens, and nothing is wrong.
    if (!this.ready || generation < 0) return false;
    const memory = this.#memory;
    const packed = memory.get(L.QUEUE_STATE_PACKED) !== 0;
    memory.words.fill(
      0,
      (this.#base + L.QUEUE_STATE_READ_WINDOW) >>> 2,
      (this.#base + L.QUEUE_STATE_DESCRIPTOR) >>> 2,
    );
    if (
      !this.#mapArea('descriptors', packed) ||
      !this.#mapArea('driver', false) ||
      !this.#mapArea('device', true)
    ) {
      this.#fail('queue address');
      return false;
    }
    this.#generation = generation;
    this.#translator = this.#dma.translator;
    return true;
  }

  /** Finds the host's page for each page of a part. */
  #mapArea(area: QueueArea, write: boolean): boolean {
    const dma = this.#dma;
    const { words } = this.#memory;
    const field = AREAS[area];
    const bytes = this.#memory.get(field + AREA_BYTES);
    const shift = this.#memory.get(field + AREA_SHIFT);
    const low = this.address(area, 0);
    let page = this.#memory.get(field + AREA_PAGES) >>> 2;
    for (let at = 0; at < bytes; page++) {
      const inPage = (shift + at) & (PAGE - 1);
      const length = Math.min(PAGE - inPage, bytes - at);
      const sum = low + at;
      const high = this.address(area, 1) + (sum >= 0x1_0000_0000 ? 1 : 0);
      if (high >= 0x1_0000_0000) return false;
      if (dma.map(sum >>> 0, high, length, write) !== DMA_OK || dma.answer.count !== 1) return false;
      words[page] = dma.answer.offsets[0] - inPage;
      at += length;
    }
    return true;
  }

  #fail(fault: QueueFault): void {
    if (this.#broken) return;
    this.stop();
    this.#owner.fault(this, fault);
  }
}
