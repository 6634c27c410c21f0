import type { Frame } from '@vmloom/net';

/** Bytes up to which words are copied one by one: calls into the engine cost more. */
const SHORT = 256;

/** Copies frames into one memory, without an allocation where the frame is short or lies in that memory too. */
export class FrameCopy {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The memory of the last frame, and words of it. */
  #source: Uint8Array;
  #sourceView: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#source = bytes;
    this.#view = this.#sourceView = viewOf(bytes);
  }

  /** Copies `length` bytes of a frame, from byte `from` on, to `to`; the frame has them. */
  copy(frame: Frame, from: number, to: number, length: number): void {
    const { memory, offsets, lengths } = frame;
    for (let index = 0; length > 0; index++) {
      const size = lengths[index];
      if (from >= size) {
        from -= size;
        continue;
      }
      const part = Math.min(size - from, length);
      this.#move(memory, offsets[index] + from, to, part);
      to += part;
      length -= part;
      from = 0;
    }
  }

  #move(memory: Uint8Array, from: number, to: number, length: number): void {
    if (length > SHORT) {
      if (memory === this.#bytes) this.#bytes.copyWithin(to, from, from + length);
      else this.#bytes.set(memory.subarray(from, from + length), to);
      return;
    }
    if (memory !== this.#source) {
      this.#source = memory;
      this.#sourceView = viewOf(memory);
    }
    const source = this.#sourceView;
    const target = this.#view;
    const words = length & ~3;
    let at = 0;
    for (; at < words; at += 4) target.setUint32(to + at, source.getUint32(from + at, true), true);
    for (; at < length; at++) target.setUint8(to + at, source.getUint8(from + at));
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
