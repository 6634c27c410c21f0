/**
 * An Ethernet frame without preamble and FCS, as ranges of a memory (scattered in a guest's RAM, or one
 * array). The object is reused by its sender: a receiver copies what it keeps before it returns.
 */
export class Frame {
  /** What the ranges index: a host's whole memory, or a buffer. */
  memory: Uint8Array = EMPTY;
  /** Ranges in use. */
  count = 0;
  offsets: number[] = [];
  lengths: number[] = [];
  /** Bytes of all ranges. */
  length = 0;
  /**
   * What its sender left undone (OFFLOAD_*); 0: the frame is as on a wire. Such a frame stands for the plain ones
   * that come of it, and reaches only owners that take it ({@link PortOwner.offloads}).
   */
  needs = 0;
  /** With OFFLOAD_CHECKSUM: from which byte on the checksum is to be made, and how far behind it belongs. */
  checksumStart = 0;
  checksumOffset = 0;
  /** With segmentation: bytes of payload of each segment. */
  segmentSize = 0;

  /** A frame of one array. */
  static of(bytes: Uint8Array): Frame {
    const frame = new Frame();
    frame.clear(bytes);
    frame.add(0, bytes.length);
    return frame;
  }

  /** Empties the frame and points it at a memory; nothing is left undone. */
  clear(memory: Uint8Array): void {
    this.memory = memory;
    this.count = 0;
    this.length = 0;
    this.needs = 0;
  }

  /** Leaves undone what another frame does, which has `shift` bytes less in front of its network header. */
  needLike(frame: Frame, shift: number): void {
    this.needs = frame.needs;
    this.checksumStart = frame.checksumStart + shift;
    this.checksumOffset = frame.checksumOffset;
    this.segmentSize = frame.segmentSize;
  }

  add(offset: number, length: number): void {
    this.offsets[this.count] = offset;
    this.lengths[this.count++] = length;
    this.length += length;
  }

  /** Adds the ranges of `length` bytes of another frame of the same memory, from byte `from` of it on. */
  addPart(frame: Frame, from: number, length: number): void {
    for (let index = 0; index < frame.count && length > 0; index++) {
      const size = frame.lengths[index];
      if (from >= size) {
        from -= size;
        continue;
      }
      const part = Math.min(size - from, length);
      this.add(frame.offsets[index] + from, part);
      length -= part;
      from = 0;
    }
  }

  /** Copies up to `length` bytes from `from` of the frame on into `target` at `at`; the count copied. */
  copyTo(target: Uint8Array, at = 0, from = 0, length = this.length - from): number {
    let copied = 0;
    for (let index = 0; index < this.count && copied < length; index++) {
      const size = this.lengths[index];
      if (from >= size) {
        from -= size;
        continue;
      }
      const part = Math.min(size - from, length - copied);
      const start = this.offsets[index] + from;
      target.set(this.memory.subarray(start, start + part), at + copied);
      copied += part;
      from = 0;
    }
    return copied;
  }

  /** The byte at `position`, 0 beyond the end. */
  byte(position: number): number {
    for (let index = 0; index < this.count; index++) {
      const size = this.lengths[index];
      if (position < size) return this.memory[this.offsets[index] + position];
      position -= size;
    }
    return 0;
  }

  /** The bytes in an array of their own. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    this.copyTo(bytes);
    return bytes;
  }
}

const EMPTY = new Uint8Array(0);
