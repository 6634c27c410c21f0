import {
  Clock,
  DirectTranslator,
  DmaPort,
  Ledger,
  type DmaTranslator,
  type EventArguments,
  type EventOwner,
} from '@vmloom/device';
import { AddressSpace, HostMemory } from '@vmloom/memory';
import type { VirtioDevice } from '../device.js';
import { VirtioEndpoint, type TransportLink, type TransportOptions } from '../endpoint.js';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED, hasFeature } from '../features.js';
import * as S from '../status.js';
import { GuestMemory, RAM_BASE } from './guest-memory.js';
import type { Buffers, MockQueue, UsedBuffer } from './mock-queue.js';
import { PackedMockQueue } from './packed-queue.js';
import { SplitMockQueue } from './split-queue.js';

export interface DeviceBenchOptions extends TransportOptions {
  readonly name?: string;
  /** Benches on one clock share time, so that their devices can talk to each other. */
  readonly clock?: Clock;
  readonly ledger?: Ledger;
  readonly memory?: HostMemory;
  /** Bytes of RAM; 4 MiB unless told. */
  readonly ram?: number;
  /** Descriptors of each queue; what the device offers unless told. */
  readonly size?: number;
  /** Stands between device and memory. */
  readonly translator?: (space: AddressSpace) => DmaTranslator;
}

/**
 * A device with memory, a clock and a driver's hands on its queues, and no transport: what tests of devices drive
 * them with. The driver works through memory and doorbells alone.
 */
export class DeviceBench implements EventOwner, TransportLink {
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly host: HostMemory;
  readonly space: AddressSpace;
  readonly dma: DmaPort;
  readonly memory: GuestMemory;
  readonly endpoint: VirtioEndpoint;
  /** Interrupts per queue since the start, and those of configuration changes. */
  readonly interrupts: number[] = [];
  configInterrupts = 0;
  /** The driver's side of each queue, from {@link start} on. */
  queues: MockQueue[] = [];
  readonly #size: number | undefined;

  constructor(device: VirtioDevice, options: DeviceBenchOptions = {}) {
    this.name = options.name ?? device.model;
    this.#size = options.size;
    this.clock = options.clock ?? new Clock();
    this.ledger = options.ledger ?? new Ledger();
    this.host = options.memory ?? new HostMemory({ ram: options.ram ?? 0x40_0000, reserve: 0x40_0000 });
    this.space = new AddressSpace(this.host);
    const { ramSize: size, ramOffset: offset } = this.host;
    this.space.mapRam({ name: 'ram', base: RAM_BASE, size, offset });
    this.dma = new DmaPort(this.host, options.translator?.(this.space) ?? new DirectTranslator(this.space));
    this.memory = new GuestMemory(this.host, RAM_BASE);
    this.endpoint = new VirtioEndpoint({ ...options, device }, this);
    this.clock.register(this);
    this.endpoint.attach({ clock: this.clock, ledger: this.ledger, dma: this.dma, owner: this });
  }

  /**
   * Negotiates and sets all queues up, as 3.1.1 has it. Accepts all that is offered but `without`. False when the
   * device refuses.
   */
  start(without = 0n): boolean {
    const { endpoint } = this;
    endpoint.setStatus(0);
    endpoint.setStatus(S.ACKNOWLEDGE);
    endpoint.setStatus(S.ACKNOWLEDGE | S.DRIVER);
    const wanted = endpoint.offered() & ~without;
    for (let word = 0; word < 4; word++) {
      endpoint.setDriverWord(word, Number((wanted >> BigInt(32 * word)) & 0xffff_ffffn));
    }
    endpoint.setStatus(endpoint.status | S.FEATURES_OK);
    if ((endpoint.status & S.FEATURES_OK) === 0) return false;
    this.queues = endpoint.queues.map((_, index) => this.setUpQueue(index));
    endpoint.setStatus(endpoint.status | S.DRIVER_OK);
    return true;
  }

  /** Describes one queue to the device; the driver's side of it. */
  setUpQueue(index: number, size = this.#size): MockQueue {
    const queue = this.endpoint.queues[index];
    if (size !== undefined) queue.size = Math.min(size, queue.maxSize);
    const { features } = this.endpoint;
    const options = {
      memory: this.memory,
      size: queue.size,
      eventIndex: hasFeature(features, VIRTIO_F_EVENT_IDX),
    };
    const packed = hasFeature(features, VIRTIO_F_RING_PACKED);
    const mock = packed ? new PackedMockQueue(options) : new SplitMockQueue(options);
    for (const area of ['descriptors', 'driver', 'device'] as const) {
      queue.setAddress(area, mock[area] >>> 0, Math.floor(mock[area] / 0x1_0000_0000));
    }
    this.endpoint.enableQueue(queue);
    this.interrupts[index] = 0;
    return mock;
  }

  /** Makes a chain available and rings the doorbell if the device wants that; the chain's ID. */
  submit(queue: number, buffers: Buffers): number {
    const mock = this.queues[queue];
    const id = mock.add(buffers);
    if (mock.needsDoorbell()) this.endpoint.ring(queue);
    return id;
  }

  /** Runs the clock for `time` nanoseconds. */
  run(time = 1_000_000): void {
    this.clock.runUntil(this.clock.now + time);
  }

  /** Submits, runs, and answers what came back; undefined when nothing did. */
  request(queue: number, buffers: Buffers, time?: number): UsedBuffer | undefined {
    this.submit(queue, buffers);
    this.run(time);
    return this.queues[queue].poll();
  }

  /** The sum of the ledger's counters of this device. */
  count(event: string, reason?: string): number {
    return this.ledger.total({ owner: this.name, event, ...(reason === undefined ? {} : { reason }) });
  }

  onEvent(kind: string, args: EventArguments): void {
    this.endpoint.onEvent(kind, args);
  }

  queueInterrupt(queue: number): void {
    this.interrupts[queue]++;
  }

  configInterrupt(): void {
    this.configInterrupts++;
  }
}
