import type { HostMemory, HostOffset } from '@vmloom/memory';
import {
  QUEUE_STATE_RANGE_COUNT,
  QUEUE_STATE_READABLE_LENGTH,
  QUEUE_STATE_READABLE_RANGES,
  QUEUE_STATE_TOKEN,
  QUEUE_STATE_WRITABLE_LENGTH,
} from '../layout-offsets.js';
import type { QueueMemory } from './queue-memory.js';

/**
 * One of the two parts of a chain: bytes that lie in ranges of the host's memory. Position 0 is its first byte; how
 * the driver cut it into descriptors means nothing (2.7.4.1).
 */
abstract class ChainPart {
  protected readonly memory: HostMemory;

  constructor(protected readonly state: QueueMemory) {
    this.memory = state.memory;
  }

  /** The index of the part's first range in {@link Chain.offsets} and {@link Chain.lengths}. */
  abstract readonly first: number;
  /** The index behind its last range. */
  abstract readonly end: number;
  /** Bytes, below 2^32. */
  abstract readonly length: number;

  /** Ranges. */
  get count(): number {
    return this.end - this.first;
  }

  /** Calls `visit` with each piece of `length` bytes from `at` on, as far as the part goes; the bytes covered. */
  protected pieces(at: number, length: number, visit: (offset: HostOffset, bytes: number) => void): number {
    const { rangeOffsets, rangeLengths } = this.state;
    let left = Math.min(length, Math.max(this.length - at, 0));
    const covered = left;
    for (let index = this.first; left > 0; index++) {
      const size = rangeLengths[index];
      if (at >= size) {
        at -= size;
        continue;
      }
      const bytes = Math.min(size - at, left);
      visit((rangeOffsets[index] + at) as HostOffset, bytes);
      left -= bytes;
      at = 0;
    }
    return covered;
  }

  /** The host offset of byte `at`; -1 behind the end. */
  offset(at: number): number {
    const { rangeOffsets, rangeLengths } = this.state;
    if (at < 0) return -1;
    for (let index = this.first; index < this.end; index++) {
      const size = rangeLengths[index];
      if (at < size) return rangeOffsets[index] + at;
      at -= size;
    }
    return -1;
  }

  /**
   * Appends the ranges of `length` bytes from `at` on to `offsets` and `lengths`, from index `count` on; the new
   * count. The arrays must have room for `count` of the part.
   */
  slice(
    at: number,
    length: number,
    offsets: Float64Array | Uint32Array | number[],
    lengths: Float64Array | Uint32Array | number[],
    count = 0,
  ): number {
    this.pieces(at, length, (offset, bytes) => {
      offsets[count] = offset;
      lengths[count++] = bytes;
    });
    return count;
  }
}

/** What the driver wrote for the device. */
export class ReadablePart extends ChainPart {
  readonly first = 0;

  get end(): number {
    return this.state.get(QUEUE_STATE_READABLE_RANGES);
  }

  get length(): number {
    return this.state.get(QUEUE_STATE_READABLE_LENGTH);
  }

  /** Copies bytes from `at` on into `target`; how many there were. */
  read(at: number, target: Uint8Array): number {
    let to = 0;
    return this.pieces(at, target.length, (offset, bytes) => {
      target.set(this.memory.bytes.subarray(offset, offset + bytes), to);
      to += bytes;
    });
  }

  /** A copy of bytes from `at` on; shorter where the part ends. */
  bytes(at = 0, length = this.length): Uint8Array {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.length - at)));
    this.read(at, target);
    return target;
  }

  /** A byte; 0 behind the end. */
  u8(at: number): number {
    const offset = this.offset(at);
    return offset < 0 ? 0 : this.memory.bytes[offset];
  }

  /** 16 bits, little-endian; bytes behind the end are 0. */
  u16(at: number): number {
    return this.u8(at) | (this.u8(at + 1) << 8);
  }

  /** 32 bits, little-endian, unsigned. */
  u32(at: number): number {
    return (this.u16(at) | (this.u16(at + 2) << 16)) >>> 0;
  }

  /** 64 bits, little-endian; exact up to 2^53. */
  u64(at: number): number {
    return this.u32(at + 4) * 0x1_0000_0000 + this.u32(at);
  }
}

/** Where the device answers. Stores honour the page flags. */
export class WritablePart extends ChainPart {
  get first(): number {
    return this.state.get(QUEUE_STATE_READABLE_RANGES);
  }

  get end(): number {
    return this.state.get(QUEUE_STATE_RANGE_COUNT);
  }

  get length(): number {
    return this.state.get(QUEUE_STATE_WRITABLE_LENGTH);
  }

  /** Copies `source` to `at`; how many bytes had room. */
  write(at: number, source: Uint8Array): number {
    let from = 0;
    return this.pieces(at, source.length, (offset, bytes) => {
      this.memory.write(
        offset,
        from === 0 && bytes === source.length ? source : source.subarray(from, from + bytes),
      );
      from += bytes;
    });
  }

  /** Sets `length` bytes from `at` on; how many had room. */
  fill(at: number, length: number, value: number): number {
    return this.pieces(at, length, (offset, bytes) => this.memory.fill(offset, bytes, value));
  }

  /** Copies `length` bytes of the host's memory at `from` to `at`; how many had room. */
  copy(at: number, from: HostOffset, length: number): number {
    let done = 0;
    return this.pieces(at, length, (offset, bytes) => {
      this.memory.bytes.copyWithin(offset, from + done, from + done + bytes);
      this.memory.flags.noteStore(offset, bytes);
      done += bytes;
    });
  }

  /** A byte; nothing behind the end. */
  setU8(at: number, value: number): void {
    const offset = this.offset(at);
    if (offset >= 0) this.memory.writeU8(offset as HostOffset, value);
  }

  /** 16 bits, little-endian. */
  setU16(at: number, value: number): void {
    this.setU8(at, value & 0xff);
    this.setU8(at + 1, (value >>> 8) & 0xff);
  }

  /** 32 bits, little-endian. */
  setU32(at: number, value: number): void {
    this.setU16(at, value & 0xffff);
    this.setU16(at + 2, value >>> 16);
  }
}

/**
 * The chain at hand of one queue: what {@link Virtqueue.pop} answers, reused by the next one. The ranges hold until
 * the end of the event; what must live longer is held ({@link Virtqueue.hold}).
 */
export class Chain {
  /** Host offsets and lengths of the ranges: readable ones first. */
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly readable: ReadablePart;
  readonly writable: WritablePart;

  constructor(private readonly state: QueueMemory) {
    this.offsets = state.rangeOffsets;
    this.lengths = state.rangeLengths;
    this.readable = new ReadablePart(state);
    this.writable = new WritablePart(state);
  }

  /** What names the chain to {@link Virtqueue.push}: its ID in bits 15:0, what it takes of the ring above. */
  get token(): number {
    return this.state.get(QUEUE_STATE_TOKEN);
  }

  /** The head (split) or the buffer ID (packed). */
  get id(): number {
    return this.token & 0xffff;
  }
}
