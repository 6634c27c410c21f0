import { fetchCore, HostMemory, instantiateCore } from '@vmloom/memory';
import { Frame } from '../frame.js';
import { OFFLOAD_CHECKSUM, OFFLOAD_SEGMENTATION, OFFLOAD_TCP4, OFFLOAD_TCP6 } from './codes.js';

const wasm = await fetchCore(new URL('../../wasm/offload.wasm', import.meta.url));

/** Functions of assembly/offload.core.ts. */
interface Core {
  complete(packet: number, length: number, start: number, offset: number): void;
  headers(packet: number, length: number, needs: number, start: number, limit: number): number;
  segment(
    packet: number,
    length: number,
    layout: number,
    needs: number,
    start: number,
    index: number,
    sent: number,
    payload: number,
    target: number,
  ): void;
}

/** Bytes of the longest frame that is taken. */
const LONGEST = 128 * 1024;
/** Bytes of the longest headers. */
const HEADER_AREA = 4096;
/** Segments of one frame: 64 KiB in the smallest segments that a TCP sends (48 bytes) are fewer. */
const MOST_SEGMENTS = 2048;

/**
 * Does what frames leave undone: completes checksums and cuts segments. It works on a copy, in a memory of its own;
 * a frame that comes out has a header made here and a part of that copy.
 */
export class Segmenter {
  readonly #memory = new HostMemory({ ram: HEADER_AREA + LONGEST, reserve: 0 });
  readonly #core = instantiateCore<Core>(wasm, this.#memory);
  readonly #frame = new Frame();
  readonly #header: number = this.#memory.ramOffset;
  readonly #packet: number = this.#memory.ramOffset + HEADER_AREA;
  #needs = 0;
  #length = 0;
  #start = 0;
  #size = 0;
  #layout = 0;
  #payload = 0;
  #sent = 0;
  #index = 0;
  #left = 0;

  /** Takes a frame; false when what it says of itself does not hold. */
  begin(frame: Frame): boolean {
    const { needs, length, checksumStart: start, checksumOffset: offset } = frame;
    this.#left = 0;
    // Whatever is cut has a checksum per segment.
    if (needs !== 0 && (needs & OFFLOAD_CHECKSUM) === 0) return false;
    if (length > LONGEST || start + offset + 2 > length) return false;
    frame.copyTo(this.#memory.bytes, this.#packet);
    this.#needs = needs;
    this.#length = length;
    this.#start = start;
    this.#index = 0;
    this.#sent = 0;
    this.#left = 1;
    if ((needs & OFFLOAD_SEGMENTATION) === 0) {
      if (needs !== 0) this.#core.complete(this.#packet, length, start, offset);
      return true;
    }
    this.#left = this.#plan(frame);
    return this.#left > 0;
  }

  /** True when a frame that is to be cut can be. Looks at its headers alone. */
  fits(frame: Frame): boolean {
    this.#left = 0;
    frame.copyTo(this.#memory.bytes, this.#packet, 0, Math.min(frame.length, HEADER_AREA));
    return (frame.needs & OFFLOAD_CHECKSUM) !== 0 && this.#plan(frame) > 0;
  }

  /** How many segments the packet at hand comes to; 0: its headers are not what the frame says. */
  #plan(frame: Frame): number {
    const { needs, length, checksumStart: start } = frame;
    const tcp = (needs & (OFFLOAD_TCP4 | OFFLOAD_TCP6)) !== 0;
    if (frame.segmentSize < 1 || frame.checksumOffset !== (tcp ? 16 : 6)) return 0;
    this.#layout = this.#core.headers(this.#packet, length, needs, start, HEADER_AREA);
    if (this.#layout === 0) return 0;
    this.#size = frame.segmentSize;
    this.#payload = length - (this.#layout & 0xffff);
    const count = Math.max(1, Math.ceil(this.#payload / this.#size));
    return count > MOST_SEGMENTS ? 0 : count;
  }

  /** The next frame, valid until the next call; undefined behind the last. */
  next(): Frame | undefined {
    if (this.#left === 0) return undefined;
    this.#left--;
    const frame = this.#frame;
    frame.clear(this.#memory.bytes);
    if ((this.#needs & OFFLOAD_SEGMENTATION) === 0) {
      frame.add(this.#packet, this.#length);
      return frame;
    }
    const sent = this.#sent;
    const payload = Math.min(this.#size, this.#payload - sent);
    const header = this.#layout & 0xffff;
    this.#core.segment(
      this.#packet,
      this.#length,
      this.#layout,
      this.#needs,
      this.#start,
      this.#index++,
      sent,
      payload,
      this.#header,
    );
    this.#sent += payload;
    frame.add(this.#header, header);
    if (payload > 0) frame.add(this.#packet + header + sent, payload);
    return frame;
  }
}

const idle: Segmenter[] = [];

/** True when a frame that is to be cut ({@link OFFLOAD_SEGMENTATION}) has the headers that it says it has. */
export function soundSegmentation(frame: Frame): boolean {
  const segmenter = idle.pop() ?? new Segmenter();
  idle.push(segmenter);
  return segmenter.fits(frame);
}

/**
 * Calls `visit` with each plain frame that a frame stands for, in order; a plain frame is handed on as it is. Ends
 * early when `visit` answers false. False when what the frame says of itself does not hold: nothing was visited.
 */
export function eachPlainFrame(frame: Frame, visit: (plain: Frame) => boolean): boolean {
  if (frame.needs === 0) {
    visit(frame);
    return true;
  }
  // A receiver may send from within: each level has a segmenter of its own.
  const segmenter = idle.pop() ?? new Segmenter();
  try {
    if (!segmenter.begin(frame)) return false;
    for (let plain = segmenter.next(); plain !== undefined; plain = segmenter.next()) {
      if (!visit(plain)) break;
    }
    return true;
  } finally {
    idle.push(segmenter);
  }
}
