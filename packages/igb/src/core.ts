import { DMA_OK, type DmaPort } from '@vmloom/device';
import { fetchCore, instantiateCore } from '@vmloom/memory';
import {
  CORE_STATE_MAP_COUNT,
  CORE_STATE_MAP_RANGES,
  CORE_STATE_MAP_RANGES_COUNT,
} from './layout-offsets.js';
import type { StateBlock } from './state-block.js';

const wasm = await fetchCore(new URL('../wasm/igb.wasm', import.meta.url));

/** The AssemblyScript core; every function takes the base of a state block (`coreState` in layouts.ts). */
export interface Core {
  initialize(state: number): void;
  /** TX_* */
  transmit(state: number, queue: number): number;
  countSent(state: number): void;
  stash(state: number): void;
  /** Bytes of the frame at hand in rxHeader. */
  peek(state: number): number;
  /** RX_ACCEPTED, RX_DROPPED or RX_PAUSE. */
  examine(state: number, local: number): number;
  countGood(state: number): void;
  /** RX_DELIVERED, RX_STORED or RX_DROPPED. */
  deliver(state: number, queue: number, pool: number): number;
  /** Frames that left the receive FIFO. */
  drain(state: number): number;
  chooseQueue(state: number): number;
  poolQueue(state: number, pool: number): number;
}

/** The port by which the core's next requests go: that of the function whose queue is worked on. */
export interface CorePort {
  dma: DmaPort;
}

/** Instantiates the core for one device; its ways to memory are all ports of one host. */
export function createCore(port: CorePort, state: StateBlock): Core {
  const { words, base } = state;
  const mapCount = (base + CORE_STATE_MAP_COUNT) >> 2;
  const mapRanges = (base + CORE_STATE_MAP_RANGES) >> 2;
  const dmaMap = (low: number, high: number, length: number, write: number): number => {
    const { dma } = port;
    if (dma.map(low, high, length >>> 0, write !== 0) !== DMA_OK) return 0;
    const { offsets, lengths, count } = dma.answer;
    const used = Math.min(count, CORE_STATE_MAP_RANGES_COUNT);
    let covered = 0;
    for (let index = 0; index < used; index++) {
      words[mapRanges + 2 * index] = offsets[index]!;
      words[mapRanges + 2 * index + 1] = lengths[index]!;
      covered += lengths[index];
    }
    words[mapCount] = used;
    return covered;
  };
  return instantiateCore<Core>(wasm, port.dma.memory, { dmaMap });
}
