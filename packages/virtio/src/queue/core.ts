import { DMA_OK, type DmaPort } from '@vmloom/device';
import { fetchCore, instantiateCore } from '@vmloom/memory';
import {
  QUEUE_STATE_MAP_COUNT,
  QUEUE_STATE_MAP_RANGES,
  QUEUE_STATE_MAP_RANGES_COUNT,
  QUEUE_STATE_READ_WINDOW,
  QUEUE_STATE_READ_WINDOW_BYTES,
  QUEUE_STATE_READ_WINDOW_OFFSET,
  QUEUE_STATE_READ_WINDOW_START,
  QUEUE_STATE_WRITE_WINDOW,
} from '../layout-offsets.js';

const wasm = await fetchCore(new URL('../../wasm/virtio.wasm', import.meta.url));

/** The AssemblyScript core; every function takes the base of a queue's state (`queueState` in layouts.ts). */
export interface Core {
  /** POP_* or FAULT_* */
  pop(queue: number): number;
  unpop(queue: number, token: number): void;
  push(queue: number, token: number, written: number): void;
  waiting(queue: number): number;
  /** 0 or 1. */
  needsInterrupt(queue: number): number;
  /** 0 or 1: chains are waiting already. */
  notify(queue: number, wanted: number): number;
  /** POP_CHAIN or FAULT_* */
  remap(queue: number): number;
}

const WINDOW_BYTES = QUEUE_STATE_READ_WINDOW_BYTES - QUEUE_STATE_READ_WINDOW_START;
const WINDOW_OFFSET = QUEUE_STATE_READ_WINDOW_OFFSET - QUEUE_STATE_READ_WINDOW_START;

/** Instantiates the core for the queues of one device; their way to memory is `dma`. */
export function createCore(dma: DmaPort): Core {
  const { memory } = dma;
  const words = new Uint32Array(memory.wasm.buffer);

  /** What lies in one piece around the address is mapped by the core itself from now on. */
  const learnWindow = (queue: number, low: number, high: number, write: boolean): void => {
    const window = dma.translator.window?.((high >>> 0) * 0x1_0000_0000 + (low >>> 0), write);
    if (window === undefined) return;
    const at = (queue >>> 0) + (write ? QUEUE_STATE_WRITE_WINDOW : QUEUE_STATE_READ_WINDOW);
    setWide(words, at, window.start);
    setWide(words, at + WINDOW_BYTES, window.length);
    words[(at + WINDOW_OFFSET) >>> 2] = window.offset;
  };

  const dmaMap = (queue: number, low: number, high: number, length: number, write: number): number => {
    if (dma.map(low, high, length >>> 0, write !== 0) !== DMA_OK) return 0;
    const { offsets, lengths, count } = dma.answer;
    const ranges = ((queue >>> 0) + QUEUE_STATE_MAP_RANGES) >>> 2;
    const used = Math.min(count, QUEUE_STATE_MAP_RANGES_COUNT);
    let covered = 0;
    for (let index = 0; index < used; index++) {
      words[ranges + 2 * index] = offsets[index]!;
      words[ranges + 2 * index + 1] = lengths[index]!;
      covered += lengths[index];
    }
    words[((queue >>> 0) + QUEUE_STATE_MAP_COUNT) >>> 2] = used;
    learnWindow(queue, low, high, write !== 0);
    return covered;
  };
  return instantiateCore<Core>(wasm, memory, { dmaMap });
}

function setWide(words: Uint32Array, at: number, value: number): void {
  words[at >>> 2] = value;
  words[(at >>> 2) + 1] = Math.floor(value / 0x1_0000_0000);
}
