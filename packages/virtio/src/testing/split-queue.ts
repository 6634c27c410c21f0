import { AVAIL_NO_INTERRUPT, DESC_INDIRECT, DESC_NEXT, DESC_WRITE, USED_NO_NOTIFY } from '../queue/codes.js';
import { MockQueue, type MockQueueOptions, type Segment, type UsedBuffer } from './mock-queue.js';

/** The driver's side of a split virtqueue (2.7), over plain memory. */
export class SplitMockQueue extends MockQueue {
  readonly #free: number[];
  readonly #heads = new Map<number, readonly number[]>();
  #available = 0;
  #announced = 0;
  #used = 0;

  constructor(options: MockQueueOptions) {
    super(options, 6 + 2 * options.size, 6 + 8 * options.size);
    this.#free = Array.from({ length: this.size }, (_, index) => index);
  }

  addSegments(segments: readonly Segment[], indirect = false): number {
    const needed = indirect ? 1 : segments.length;
    if (this.#free.length < needed || needed === 0) return -1;
    const taken = this.#free.splice(0, needed);
    if (indirect) {
      const table = this.memory.allocate(16 * segments.length);
      segments.forEach((segment, index) =>
        this.#describe(table, index, segment, index + 1 < segments.length, index + 1),
      );
      const at = this.descriptors + 16 * taken[0];
      this.#store(at, table, 16 * segments.length, DESC_INDIRECT, 0);
    } else {
      segments.forEach((segment, index) =>
        this.#describe(this.descriptors, taken[index], segment, index + 1 < needed, taken[index + 1] ?? 0),
      );
    }
    const head = taken[0];
    this.#heads.set(head, taken);
    this.segments.set(head, segments);
    this.offer(head);
    return head;
  }

  /** Puts a head into the available ring and moves its index. */
  offer(head: number): void {
    const slot = this.#available % this.size;
    this.memory.setU16(this.driver + 4 + 2 * slot, head);
    this.#available = (this.#available + 1) & 0xffff;
    this.memory.setU16(this.driver + 2, this.#available);
  }

  poll(): UsedBuffer | undefined {
    if (this.memory.u16(this.device + 2) === this.#used) return undefined;
    const at = this.device + 4 + 8 * (this.#used % this.size);
    this.#used = (this.#used + 1) & 0xffff;
    const id = this.memory.u32(at);
    this.#free.push(...(this.#heads.get(id) ?? []));
    this.#heads.delete(id);
    return this.finish(id, this.memory.u32(at + 4));
  }

  needsDoorbell(): boolean {
    const from = this.#announced;
    this.#announced = this.#available;
    if (!this.eventIndex) return (this.memory.u16(this.device) & USED_NO_NOTIFY) === 0;
    const event = this.memory.u16(this.device + 4 + 8 * this.size);
    return ((this.#available - event - 1) & 0xffff) < ((this.#available - from) & 0xffff);
  }

  wantInterrupts(wanted: boolean): void {
    if (this.eventIndex) {
      this.memory.setU16(this.driver + 4 + 2 * this.size, wanted ? this.#used : (this.#used - 1) & 0xffff);
    } else this.memory.setU16(this.driver, wanted ? 0 : AVAIL_NO_INTERRUPT);
  }

  get notificationData(): number {
    return this.#available;
  }

  #describe(table: number, index: number, segment: Segment, more: boolean, next: number): void {
    const flags = (more ? DESC_NEXT : 0) | (segment.write ? DESC_WRITE : 0);
    this.#store(table + 16 * index, segment.address, segment.length, flags, more ? next : 0);
  }

  #store(at: number, address: number, length: number, flags: number, next: number): void {
    this.memory.setU64(at, address);
    this.memory.setU32(at + 8, length);
    this.memory.setU16(at + 12, flags);
    this.memory.setU16(at + 14, next);
  }
}
