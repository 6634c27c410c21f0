import {
  DESC_AVAIL,
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_USED,
  DESC_WRITE,
  EVENT_DESCRIPTOR,
  EVENT_DISABLE,
  EVENT_ENABLE,
  EVENT_WRAP,
} from '../queue/codes.js';
import { MockQueue, type MockQueueOptions, type Segment, type UsedBuffer } from './mock-queue.js';

/** The driver's side of a packed virtqueue (2.8), over plain memory. */
export class PackedMockQueue extends MockQueue {
  readonly #ids: number[];
  /** Descriptors that each chain in flight takes. */
  readonly #taken = new Map<number, number>();
  #room: number;
  #next = 0;
  #wrap = true;
  #used = 0;
  #usedWrap = true;
  /** Descriptors added since the device was last asked whether it wants a doorbell. */
  #fresh = 0;

  constructor(options: MockQueueOptions) {
    super(options, 4, 4);
    this.#room = this.size;
    this.#ids = Array.from({ length: this.size }, (_, index) => index);
  }

  addSegments(segments: readonly Segment[], indirect = false): number {
    const needed = indirect ? 1 : segments.length;
    if (this.#room < needed || needed === 0) return -1;
    const id = this.#ids.shift()!;
    const first = this.#next;
    let firstFlags = 0;
    const place = (address: number, length: number, flags: number): void => {
      const at = this.descriptors + 16 * this.#next;
      this.memory.setU64(at, address);
      this.memory.setU32(at + 8, length);
      this.memory.setU16(at + 12, id);
      const whole = flags | (this.#wrap ? DESC_AVAIL : DESC_USED);
      // The first descriptor is made available last (2.8.6).
      if (this.#next === first) firstFlags = whole;
      else this.memory.setU16(at + 14, whole);
      if (++this.#next === this.size) {
        this.#next = 0;
        this.#wrap = !this.#wrap;
      }
    };
    if (indirect) {
      const table = this.memory.allocate(16 * segments.length);
      segments.forEach(({ address, length, write }, index) => {
        this.memory.setU64(table + 16 * index, address);
        this.memory.setU32(table + 16 * index + 8, length);
        this.memory.setU16(table + 16 * index + 14, write ? DESC_WRITE : 0);
      });
      place(table, 16 * segments.length, DESC_INDIRECT);
    } else {
      segments.forEach(({ address, length, write }, index) =>
        place(address, length, (write ? DESC_WRITE : 0) | (index + 1 < needed ? DESC_NEXT : 0)),
      );
    }
    this.memory.setU16(this.descriptors + 16 * first + 14, firstFlags);
    this.#room -= needed;
    this.#fresh += needed;
    this.#taken.set(id, needed);
    this.segments.set(id, segments);
    return id;
  }

  poll(): UsedBuffer | undefined {
    const at = this.descriptors + 16 * this.#used;
    const flags = this.memory.u16(at + 14);
    const expected = this.#usedWrap ? DESC_AVAIL | DESC_USED : 0;
    if ((flags & (DESC_AVAIL | DESC_USED)) !== expected) return undefined;
    const id = this.memory.u16(at + 12);
    const taken = this.#taken.get(id) ?? 1;
    this.#taken.delete(id);
    this.#ids.push(id);
    this.#room += taken;
    this.#used += taken;
    if (this.#used >= this.size) {
      this.#used -= this.size;
      this.#usedWrap = !this.#usedWrap;
    }
    return this.finish(id, (flags & DESC_WRITE) !== 0 ? this.memory.u32(at + 8) : 0);
  }

  needsDoorbell(): boolean {
    const fresh = this.#fresh;
    this.#fresh = 0;
    const mode = this.memory.u16(this.device + 2) & 3;
    if (mode === EVENT_DISABLE) return false;
    if (mode !== EVENT_DESCRIPTOR) return true;
    const event = this.memory.u16(this.device);
    const here = this.#next + (this.#wrap ? 0 : this.size);
    const wanted = (event & (EVENT_WRAP - 1)) + ((event & EVENT_WRAP) !== 0 ? 0 : this.size);
    const behind = (here - wanted + 2 * this.size) % (2 * this.size);
    return behind >= 1 && behind <= fresh;
  }

  wantInterrupts(wanted: boolean): void {
    this.memory.setU16(this.driver, this.#used | (this.#usedWrap ? EVENT_WRAP : 0));
    const on = this.eventIndex ? EVENT_DESCRIPTOR : EVENT_ENABLE;
    this.memory.setU16(this.driver + 2, wanted ? on : EVENT_DISABLE);
  }

  get notificationData(): number {
    return this.#next | (this.#wrap ? EVENT_WRAP : 0);
  }
}
