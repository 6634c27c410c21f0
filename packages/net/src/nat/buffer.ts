import { Frame } from '../frame.js';
import { MAX_FRAME } from '../link.js';

/**
 * Where the Ethernet frame begins in a {@link PacketBuffer}: so the IP header behind its 14 octets lies on
 * a word boundary and checksums run over whole words.
 */
export const FRAME_AT = 2;
export const IP_AT = FRAME_AT + 14;

/** Room for one frame, seen as bytes and as words. */
export class PacketBuffer {
  readonly bytes = new Uint8Array(FRAME_AT + MAX_FRAME + 20);
  readonly words = new Uint16Array(this.bytes.buffer, 0, this.bytes.length >> 1);
  readonly #frame = new Frame();

  /** The first `length` bytes as a frame, valid until the next call. */
  frame(length: number): Frame {
    this.#frame.clear(this.bytes);
    this.#frame.add(FRAME_AT, length);
    return this.#frame;
  }
}
