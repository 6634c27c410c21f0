import type { GuestMemory } from './guest-memory.js';

/** What a mock driver makes available: buffers for the device to read, and lengths for it to write. */
export interface Buffers {
  readonly out?: readonly Uint8Array[];
  /** Bytes of each device-writable buffer. */
  readonly in?: readonly number[];
  /** In an indirect table. False unless told. */
  readonly indirect?: boolean;
}

/** One descriptor, for drivers that want to say exactly what stands in it. */
export interface Segment {
  readonly address: number;
  readonly length: number;
  readonly write: boolean;
}

/** A chain that came back. */
export interface UsedBuffer {
  readonly id: number;
  /** As the device said. */
  readonly written: number;
  /** The device-writable bytes, cut to `written`. */
  readonly bytes: Uint8Array;
}

export interface MockQueueOptions {
  readonly memory: GuestMemory;
  readonly size: number;
  readonly eventIndex?: boolean;
  /** The three parts at the fixed places of a legacy queue (2.7.2). */
  readonly legacy?: boolean;
}

/** What both formats have in common: the parts in memory, and the buffers of each chain. */
export abstract class MockQueue {
  readonly size: number;
  /** Addresses of the three parts (4.1.4.3). */
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  protected readonly memory: GuestMemory;
  protected readonly eventIndex: boolean;
  protected readonly segments = new Map<number, readonly Segment[]>();

  constructor(options: MockQueueOptions, driverBytes: number, deviceBytes: number) {
    this.memory = options.memory;
    this.size = options.size;
    this.eventIndex = options.eventIndex ?? false;
    if (options.legacy === true) {
      const front = Math.ceil((16 * this.size + driverBytes) / 4096) * 4096;
      this.descriptors = this.memory.allocate(front + deviceBytes, 4096);
      this.driver = this.descriptors + 16 * this.size;
      this.device = this.descriptors + front;
      return;
    }
    this.descriptors = this.memory.allocate(16 * this.size, 16);
    this.driver = this.memory.allocate(driverBytes, 4);
    this.device = this.memory.allocate(deviceBytes, 4);
  }

  /** Makes a chain available and answers its ID; -1 when the ring has no room. Buffers get memory of their own. */
  add(buffers: Buffers): number {
    const segments: Segment[] = [];
    for (const bytes of buffers.out ?? []) {
      const address = this.memory.allocate(bytes.length);
      this.memory.write(address, bytes);
      segments.push({ address, length: bytes.length, write: false });
    }
    for (const length of buffers.in ?? []) {
      segments.push({ address: this.memory.allocate(length), length, write: true });
    }
    return this.addSegments(segments, buffers.indirect ?? false);
  }

  /** Makes a chain of given segments available. */
  abstract addSegments(segments: readonly Segment[], indirect?: boolean): number;

  /** The next chain that came back, in the device's order. */
  abstract poll(): UsedBuffer | undefined;

  /** True when the device wants a doorbell for what was added since the last call. */
  abstract needsDoorbell(): boolean;

  /** Tells the device whether interrupts are wanted. With EVENT_IDX: with the next chain that comes back. */
  abstract wantInterrupts(wanted: boolean): void;

  /** Where the driver stands, as NOTIFICATION_DATA puts it into bits 31:16 of a doorbell (2.9). */
  abstract readonly notificationData: number;

  protected finish(id: number, written: number): UsedBuffer {
    const parts: Uint8Array[] = [];
    let left = written;
    for (const { address, length, write } of this.segments.get(id) ?? []) {
      if (!write) continue;
      parts.push(this.memory.read(address, Math.min(length, left)));
      left -= Math.min(length, left);
    }
    this.segments.delete(id);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { id, written, bytes };
  }
}
