import { DMA_OK, type DmaPort } from '@vmloom/device';
import { fetchCore, instantiateCore } from '@vmloom/memory';
import {
  CORE_STATE_MAP_COUNT,
  CORE_STATE_MAP_RANGES,
  CORE_STATE_MAP_RANGES_COUNT,
} from './layout-offsets.js';
import type { StateBlock } from './state-block.js';

const wasm = await fetchCore(new URL('../wasm/e1000.wasm', import.meta.url));

/** The AssemblyScript core; every function takes the base of a state block (`coreState` in layouts.ts). */
export interface Core {
  initialize(state: number): void;
  /** TX_* */
  transmit(state: number): number;
  stash(state: number): void;
  /** RX_* */
  receive(state: number): number;
  /** Frames that left the receive FIFO. */
  drain(state: number): number;
}

/** Instantiates the core for one device; its way to memory is `dma`. */
export function createCore(dma: DmaPort, state: StateBlock): Core {
  const { words, base } = state;
  const mapCount = (base + CORE_STATE_MAP_COUNT) >> 2;
  const mapRanges = (base + CORE_STATE_MAP_RANGES) >> 2;
  const dmaMap = (low: number, high: number, length: number, write: number): number => {
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
  return instantiateCore<Core>(wasm, dma.memory, { dmaMap });
}
