import type { Clock, Counter, EventOwner, SnapshotValue } from '@vmloom/device';
import { FrameQueue } from '../frame-queue.js';
import type { Port } from '../port.js';
import { put16 } from './bytes.js';
import { FRAME_AT, PacketBuffer } from './buffer.js';

/** Frames that wait for the guest, TCP apart. */
const QUEUE_FRAMES = 1024;
const QUEUE_BYTES = 4 * 1024 * 1024;
/** Bytes of the shortest frame that goes out, so that a guest's driver sees none below Ethernet's least. */
const SHORTEST = 60;

/**
 * The way to the guest. Packets are built in one buffer behind the Ethernet header and either wait in a
 * bounded queue (what answers a frame must not be sent while that frame is received) or go at once.
 */
export class Output {
  readonly buffer = new PacketBuffer();
  readonly #queue = new FrameQueue();
  #scheduled = false;
  #blocked = false;

  constructor(
    readonly owner: EventOwner,
    readonly clock: Clock,
    readonly port: Port,
    readonly mac: Uint8Array,
    /** Frames dropped because the queue was full. */
    readonly dropped: Counter,
  ) {}

  /** Asks for an `output` event of the owner, now. */
  request(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    this.clock.schedule(this.owner, 'output', this.clock.now);
  }

  /** Lets `work` queue packets without asking for an event. */
  hold(work: () => void): void {
    const scheduled = this.#scheduled;
    this.#scheduled = true;
    work();
    this.#scheduled = scheduled;
  }

  /** Puts the packet of `length` bytes in the buffer into the queue. */
  queue(to: Uint8Array, type: number, length: number): void {
    if (this.#queue.count >= QUEUE_FRAMES || this.#queue.bytes + length > QUEUE_BYTES) {
      this.dropped.value++;
      return;
    }
    this.#queue.push(this.buffer.frame(this.#header(to, type, length)), 0, 0);
    this.request();
  }

  /** The next {@link send} has a chance. */
  get open(): boolean {
    return !this.#blocked && this.#queue.count === 0;
  }

  /** Sends the packet of `length` bytes in the buffer. False: blocked; an `output` event follows. */
  send(to: Uint8Array, type: number, length: number): boolean {
    if (this.#blocked || this.#queue.count > 0) return false;
    this.#blocked = !this.port.send(this.buffer.frame(this.#header(to, type, length)));
    return !this.#blocked;
  }

  /** The `output` event has come: sends what waits. False: blocked. */
  drain(): boolean {
    this.#scheduled = false;
    while (!this.#blocked && this.#queue.count > 0) {
      if (this.port.send(this.#queue.peek())) this.#queue.pop();
      else this.#blocked = true;
    }
    return !this.#blocked;
  }

  /** The port takes frames again. */
  writable(): void {
    this.#blocked = false;
    this.request();
  }

  save(): { readonly [name: string]: SnapshotValue } {
    return { queue: this.#queue.save(), scheduled: this.#scheduled, blocked: this.#blocked };
  }

  restore(saved: { readonly [name: string]: SnapshotValue }): void {
    this.#queue.restore(saved['queue'] as unknown as ReturnType<FrameQueue['save']>);
    this.#scheduled = saved['scheduled'] as boolean;
    this.#blocked = saved['blocked'] as boolean;
  }

  #header(to: Uint8Array, type: number, length: number): number {
    const { bytes } = this.buffer;
    bytes.set(to, FRAME_AT);
    bytes.set(this.mac, FRAME_AT + 6);
    put16(bytes, FRAME_AT + 12, type);
    const total = length + 14;
    if (total >= SHORTEST) return total;
    bytes.fill(0, FRAME_AT + total, FRAME_AT + SHORTEST);
    return SHORTEST;
  }
}
