import { hasFeature, VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED } from '../features.js';
import * as S from '../status.js';
import type { GuestMemory } from './guest-memory.js';
import type { Buffers, MockQueue, UsedBuffer } from './mock-queue.js';
import { PackedMockQueue } from './packed-queue.js';
import { SplitMockQueue } from './split-queue.js';

/** What a transport lets a driver do; a mock driver is written against it as a real one is. */
export interface DriverTransport {
  readStatus(): number;
  writeStatus(status: number): void;
  offered(): bigint;
  accept(features: bigint): void;
  /** Descriptors at most; 0: there is no such queue. */
  queueLimit(index: number): number;
  enableQueue(index: number, queue: MockQueue): void;
  ring(index: number, data: number): void;
}

export interface MockDriverOptions {
  /** Offered features that the driver does not want. */
  readonly without?: bigint;
  /** Descriptors of each queue; the device's limit unless told. */
  readonly size?: number;
  /** Queues that are set up; all unless told. */
  readonly queues?: number;
  /** A driver of before 1.0: no FEATURES_OK, split rings only. */
  readonly legacy?: boolean;
}

/** A driver that brings a device up by its transport alone (3.1.1), and works its queues. */
export class MockDriver {
  features = 0n;
  #legacy = false;
  queues: MockQueue[] = [];

  constructor(
    readonly transport: DriverTransport,
    readonly memory: GuestMemory,
  ) {}

  /** False when the device refuses the features. */
  start(options: MockDriverOptions = {}): boolean {
    const { transport } = this;
    const { without = 0n, legacy = false } = options;
    this.#legacy = legacy;
    transport.writeStatus(0);
    transport.writeStatus(S.ACKNOWLEDGE);
    transport.writeStatus(S.ACKNOWLEDGE | S.DRIVER);
    this.features = transport.offered() & ~without;
    transport.accept(this.features);
    let status = S.ACKNOWLEDGE | S.DRIVER;
    if (!legacy) {
      status |= S.FEATURES_OK;
      transport.writeStatus(status);
      if ((transport.readStatus() & S.FEATURES_OK) === 0) return false;
    }
    this.queues = [];
    for (let index = 0; index < (options.queues ?? 1024); index++) {
      const limit = transport.queueLimit(index);
      if (limit === 0) break;
      this.queues.push(this.setUp(index, Math.min(options.size ?? limit, limit)));
    }
    transport.writeStatus(status | S.DRIVER_OK);
    return true;
  }

  /** Gives a queue memory and describes it to the device. */
  setUp(index: number, size: number): MockQueue {
    const { memory } = this;
    const eventIndex = hasFeature(this.features, VIRTIO_F_EVENT_IDX);
    const options = { memory, size, eventIndex, legacy: this.#legacy };
    const packed = hasFeature(this.features, VIRTIO_F_RING_PACKED);
    const queue = packed ? new PackedMockQueue(options) : new SplitMockQueue(options);
    this.transport.enableQueue(index, queue);
    return queue;
  }

  /** Makes a chain available and rings if the device wants that; the chain's ID. */
  submit(index: number, buffers: Buffers): number {
    const queue = this.queues[index];
    const id = queue.add(buffers);
    if (queue.needsDoorbell()) this.transport.ring(index, queue.notificationData);
    return id;
  }

  poll(index: number): UsedBuffer | undefined {
    return this.queues[index].poll();
  }
}
