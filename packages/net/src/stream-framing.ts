import { MAX_FRAME } from './link.js';

const PREFIX = 4;

/**
 * Cuts a byte stream into frames as QEMU's `stream` and `socket` netdevs write them: a length of 32 bits,
 * big-endian, then the frame. A length of 0 is skipped, one beyond the longest frame ends the stream.
 */
export class FrameDecoder {
  readonly #partial = new Uint8Array(PREFIX + MAX_FRAME);
  #held = 0;

  /**
   * Calls `frame` with each frame that is complete, valid until it returns. False: the stream announced an
   * impossible length; nothing more can be read from it.
   */
  push(bytes: Uint8Array, frame: (bytes: Uint8Array) => void): boolean {
    let at = 0;
    while (at < bytes.length || this.#held > 0) {
      const wanted = this.#wanted();
      if (wanted < 0) return false;
      if (this.#held === 0 && bytes.length - at >= PREFIX) {
        const length = lengthAt(bytes, at);
        if (length > MAX_FRAME) return false;
        if (bytes.length - at >= PREFIX + length) {
          if (length > 0) frame(bytes.subarray(at + PREFIX, at + PREFIX + length));
          at += PREFIX + length;
          continue;
        }
      }
      const part = Math.min(wanted - this.#held, bytes.length - at);
      this.#partial.set(bytes.subarray(at, at + part), this.#held);
      this.#held += part;
      at += part;
      if (this.#held < wanted) return true;
      if (wanted > PREFIX || lengthAt(this.#partial, 0) === 0) {
        this.#held = 0;
        if (wanted > PREFIX) frame(this.#partial.subarray(PREFIX, wanted));
      }
    }
    return true;
  }

  reset(): void {
    this.#held = 0;
  }

  /** Bytes to hold before the next step; -1 for an impossible length. */
  #wanted(): number {
    if (this.#held < PREFIX) return PREFIX;
    const length = lengthAt(this.#partial, 0);
    return length > MAX_FRAME ? -1 : PREFIX + length;
  }
}

/** A frame of `length` bytes with room for its prefix, the prefix written. */
export function framed(length: number): Uint8Array {
  const bytes = new Uint8Array(PREFIX + length);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

const lengthAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
