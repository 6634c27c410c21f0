import type { Counter, Ledger } from '@vmloom/device';
import {
  CORE_STATE_BYTES_COPIED,
  CORE_STATE_DESCRIPTORS_READ,
  CORE_STATE_DESCRIPTORS_WRITTEN,
  CORE_STATE_DMA_FAILURES,
} from './layout-offsets.js';
import type { StateBlock } from './state-block.js';

/** The ledger's counters of what the core does by itself: it counts in the state block, four words in a row. */
export class WorkCounters {
  readonly #copied: Counter;
  readonly #read: Counter;
  readonly #written: Counter;
  readonly #refused: Counter;
  readonly #words: Uint32Array;

  constructor(ledger: Ledger, owner: string, state: StateBlock) {
    this.#copied = ledger.counter(owner, 'copy', 'bytes');
    this.#read = ledger.counter(owner, 'dma', 'descriptors read');
    this.#written = ledger.counter(owner, 'dma', 'descriptors written');
    this.#refused = ledger.counter(owner, 'dma', 'refused');
    const at = (state.base + CORE_STATE_BYTES_COPIED) >> 2;
    this.#words = state.words.subarray(at, at + 4);
  }

  /** Adds what the core has done since the last time. */
  settle(): void {
    const words = this.#words;
    this.#copied.value += words[0];
    this.#read.value += words[READ];
    this.#written.value += words[WRITTEN];
    this.#refused.value += words[REFUSED];
    words.fill(0);
  }
}

const READ = (CORE_STATE_DESCRIPTORS_READ - CORE_STATE_BYTES_COPIED) >> 2;
const WRITTEN = (CORE_STATE_DESCRIPTORS_WRITTEN - CORE_STATE_BYTES_COPIED) >> 2;
const REFUSED = (CORE_STATE_DMA_FAILURES - CORE_STATE_BYTES_COPIED) >> 2;
