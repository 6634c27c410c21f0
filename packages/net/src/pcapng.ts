import type { Frame } from './frame.js';
import type { ByteSink } from './sink.js';

// Block types and options of draft-ietf-opsawg-pcapng.
const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const LINKTYPE_ETHERNET = 1;
const OPTION_END = 0;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;
const EPB_FLAGS = 2;

/** Direction of a packet as its interface sees it (epb_flags 1:0). */
export const INBOUND = 1;
export const OUTBOUND = 2;
export type Direction = 1 | 2;

export interface PcapngOptions {
  /** Bytes kept of each frame; all of them unless told. */
  readonly snapLength?: number;
  /** Unix seconds of virtual time 0. 0 unless told. */
  readonly startTime?: number;
}

/** Writes one section of a pcapng file: an interface per captured port, times in virtual nanoseconds. */
export class PcapngWriter {
  readonly #sink: ByteSink;
  readonly #snapLength: number;
  readonly #startTime: number;
  #buffer = new Uint8Array(8192);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;
  #interfaces = 0;
  #open = 0;

  constructor(sink: ByteSink, options: PcapngOptions = {}) {
    this.#sink = sink;
    this.#snapLength = options.snapLength ?? Infinity;
    this.#startTime = options.startTime ?? 0;
    const start = this.#begin(SECTION_HEADER);
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u16(1);
    this.#u16(0);
    // Length of the section: not told.
    this.#u32(0xffff_ffff);
    this.#u32(0xffff_ffff);
    this.#option(SHB_USERAPPL, new TextEncoder().encode('vmloom'));
    this.#option(OPTION_END, EMPTY);
    this.#end(start);
    this.#flush();
  }

  /** Describes a further interface; its number. */
  addInterface(name: string): number {
    const start = this.#begin(INTERFACE_DESCRIPTION);
    this.#u16(LINKTYPE_ETHERNET);
    this.#u16(0);
    this.#u32(Number.isFinite(this.#snapLength) ? this.#snapLength : 0);
    this.#option(IF_NAME, new TextEncoder().encode(name));
    this.#option(IF_TSRESOL, Uint8Array.of(9));
    if (this.#startTime !== 0) {
      const seconds = new Uint8Array(8);
      new DataView(seconds.buffer).setBigInt64(0, BigInt(this.#startTime), true);
      this.#option(IF_TSOFFSET, seconds);
    }
    this.#option(OPTION_END, EMPTY);
    this.#end(start);
    if (this.#open === 0) this.#flush();
    return this.#interfaces++;
  }

  /** Writes one packet; `time` in nanoseconds. */
  packet(interfaceId: number, direction: Direction, time: number, frame: Frame): void {
    this.end(this.begin(interfaceId, direction, time, frame), true);
  }

  /**
   * Writes one packet that is about to be handed over, so that it stands before those that follow from it.
   * Every begin is ended, the last begun first; blocks reach the sink when all are.
   */
  begin(interfaceId: number, direction: Direction, time: number, frame: Frame): number {
    this.#open++;
    const kept = Math.min(frame.length, this.#snapLength);
    const start = this.#begin(ENHANCED_PACKET);
    this.#u32(interfaceId);
    this.#u32(Math.floor(time / 0x1_0000_0000));
    this.#u32(time);
    this.#u32(kept);
    this.#u32(frame.length);
    const padded = (kept + 3) & ~3;
    this.#reserve(padded);
    this.#buffer.fill(0, this.#length + kept, this.#length + padded);
    frame.copyTo(this.#buffer, this.#length, 0, kept);
    this.#length += padded;
    this.#u16(EPB_FLAGS);
    this.#u16(4);
    this.#u32(direction);
    this.#option(OPTION_END, EMPTY);
    this.#end(start);
    return start;
  }

  /** The packet was taken, or refused: then it comes again and is struck out here. */
  end(block: number, taken: boolean): void {
    if (!taken) {
      const length = this.#view.getUint32(block + 4, true);
      this.#buffer.copyWithin(block, block + length, this.#length);
      this.#length -= length;
    }
    if (--this.#open === 0) this.#flush();
  }

  #flush(): void {
    if (this.#length > 0) this.#sink.write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  #begin(type: number): number {
    const start = this.#length;
    this.#u32(type);
    this.#u32(0);
    return start;
  }

  #end(start: number): void {
    const length = this.#length - start + 4;
    this.#u32(length);
    this.#view.setUint32(start + 4, length, true);
  }

  #option(code: number, value: Uint8Array): void {
    this.#u16(code);
    this.#u16(value.length);
    const padded = (value.length + 3) & ~3;
    this.#reserve(padded);
    this.#buffer.fill(0, this.#length, this.#length + padded);
    this.#buffer.set(value, this.#length);
    this.#length += padded;
  }

  #u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  #u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

const EMPTY = new Uint8Array(0);
