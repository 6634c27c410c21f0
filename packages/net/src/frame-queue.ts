import { Frame } from './frame.js';

/** Buffers longer than this are given back once their frame has left. */
const KEPT_BUFFER = 2048;

/**
 * Copies of frames, first in first out, each with the time at which it has left its sender and the time at
 * which it arrives (nanoseconds). Buffers are reused; the caller sets the bound.
 */
export class FrameQueue {
  readonly #view = new Frame();
  #buffers: Uint8Array[] = [];
  #lengths: number[] = [];
  #departs: number[] = [];
  #arrives: number[] = [];
  #head = 0;
  #count = 0;
  #departed = 0;
  #waitingBytes = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** Frames that {@link advance} has not yet seen leave. */
  get waiting(): number {
    return this.#count - this.#departed;
  }
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  push(frame: Frame, depart: number, arrive: number): void {
    if (this.#count === this.#buffers.length) this.#grow();
    const slot = this.#slot(this.#count++);
    let buffer = this.#buffers[slot];
    if (buffer.length < frame.length) {
      buffer = new Uint8Array(frame.length <= KEPT_BUFFER ? KEPT_BUFFER : frame.length);
      this.#buffers[slot] = buffer;
    }
    frame.copyTo(buffer);
    this.#lengths[slot] = frame.length;
    this.#departs[slot] = depart;
    this.#arrives[slot] = arrive;
    this.#bytes += frame.length;
    this.#waitingBytes += frame.length;
  }

  /** Takes note of the frames that have left by `now`. */
  advance(now: number): void {
    while (this.#departed < this.#count) {
      const slot = this.#slot(this.#departed);
      if (this.#departs[slot] > now) return;
      this.#waitingBytes -= this.#lengths[slot];
      this.#departed++;
    }
  }

  /** When the next waiting frame will have left; Infinity when none waits. */
  get nextDeparture(): number {
    return this.#departed < this.#count ? this.#departs[this.#slot(this.#departed)] : Infinity;
  }

  /** When the first frame arrives; Infinity when the queue is empty. */
  get nextArrival(): number {
    return this.#count > 0 ? this.#arrives[this.#head] : Infinity;
  }

  /** The first frame, valid until the next call. */
  peek(): Frame {
    this.#view.clear(this.#buffers[this.#head]);
    this.#view.add(0, this.#lengths[this.#head]);
    return this.#view;
  }

  pop(): void {
    const slot = this.#head;
    const length = this.#lengths[slot];
    this.#bytes -= length;
    if (this.#departed > 0) this.#departed--;
    else this.#waitingBytes -= length;
    if (this.#buffers[slot].length > KEPT_BUFFER) this.#buffers[slot] = EMPTY;
    this.#head = this.#slot(1);
    this.#count--;
  }

  clear(): void {
    while (this.#count > 0) this.pop();
  }

  save(): { readonly bytes: Uint8Array; readonly depart: number; readonly arrive: number }[] {
    return Array.from({ length: this.#count }, (_, index) => {
      const slot = this.#slot(index);
      return {
        bytes: this.#buffers[slot].slice(0, this.#lengths[slot]),
        depart: this.#departs[slot],
        arrive: this.#arrives[slot],
      };
    });
  }

  restore(
    frames: readonly { readonly bytes: Uint8Array; readonly depart: number; readonly arrive: number }[],
  ): void {
    this.clear();
    for (const { bytes, depart, arrive } of frames) this.push(Frame.of(bytes), depart, arrive);
  }

  #slot(index: number): number {
    const slot = this.#head + index;
    return slot < this.#buffers.length ? slot : slot - this.#buffers.length;
  }

  #grow(): void {
    const turned = <T>(values: T[]): T[] => [...values.slice(this.#head), ...values.slice(0, this.#head)];
    const more = Math.max(16, this.#buffers.length);
    this.#buffers = turned(this.#buffers).concat(new Array<Uint8Array>(more).fill(EMPTY));
    this.#lengths = turned(this.#lengths).concat(new Array<number>(more).fill(0));
    this.#departs = turned(this.#departs).concat(new Array<number>(more).fill(0));
    this.#arrives = turned(this.#arrives).concat(new Array<number>(more).fill(0));
    this.#head = 0;
  }
}

const EMPTY = new Uint8Array(0);
