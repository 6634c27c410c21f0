import { advance, distance, type Sequence } from './sequence.js';

/** Pieces kept. */
const MAX_PIECES = 128;

/** Data that came before its turn (RFC 9293 3.10.7.4), in order and without overlap; bounded by the window and in count. */
export class ReceiveQueue {
  readonly #pieces: { sequence: Sequence; bytes: Uint8Array }[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of what is not held yet of `length` bytes at `at`; all of it lies in the window. */
  add(sequence: Sequence, source: Uint8Array, at: number, length: number): void {
    const pieces = this.#pieces;
    let index = 0;
    while (length > 0 && pieces.length < MAX_PIECES) {
      const piece = pieces[index];
      const gap = piece === undefined ? length : Math.min(length, distance(piece.sequence, sequence));
      if (gap > 0) {
        pieces.splice(index++, 0, { sequence, bytes: source.slice(at, at + gap) });
        this.#bytes += gap;
        if (piece === undefined) return;
      }
      // Skip what the next piece holds already.
      const covered =
        piece === undefined ? 0 : distance(advance(piece.sequence, piece.bytes.length), sequence);
      const skip = Math.max(gap, covered, 0);
      sequence = advance(sequence, skip);
      at += skip;
      length -= skip;
      index++;
    }
  }

  /** The piece that begins at or before `next` and ends behind it, cut to begin there; older ones go. */
  take(next: Sequence): Uint8Array | undefined {
    for (;;) {
      const first = this.#pieces[0];
      if (first === undefined) return undefined;
      const behind = distance(next, first.sequence);
      if (behind < 0) return undefined;
      this.#pieces.shift();
      this.#bytes -= first.bytes.length;
      if (behind < first.bytes.length) return behind === 0 ? first.bytes : first.bytes.subarray(behind);
    }
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}
