import {
  DeviceError,
  expectSnapshot,
  type Counter,
  type Device,
  type InterruptLine,
  type Ledger,
  type Snapshot,
  type WiredOr,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';

// PLIC specification 1.0.0, chapter 3: the memory map.
const PENDING_BASE = 0x1000;
const ENABLE_BASE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT_BASE = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;
const MAX_SOURCES = 1023;
const MAX_CONTEXTS = 15_872;
const THRESHOLD = 0;
const CLAIM_COMPLETE = 4;

export interface PlicOptions {
  /** `plic` unless told. */
  readonly name?: string;
  /** Interrupt sources 1 to `sources` exist, 1023 at most (source 0 does not exist). 95 (the virt board) unless told. */
  readonly sources?: number;
  /** The largest priority, one less than a power of two; 7 unless told. */
  readonly maxPriority?: number;
  /** The external interrupt line of each context: M and S of hart 0, M and S of hart 1, and so on. */
  readonly contexts: readonly InterruptLine[];
  /** Counts `interrupt-claimed` by source, under the PLIC's name. */
  readonly ledger?: Ledger;
}

/**
 * RISC-V Platform-Level Interrupt Controller 1.0.0. Sources are level-triggered lines: the gateway of a
 * source forwards one request, and no other before its completion; a line that is high then pends again.
 */
export class Plic implements MmioHandler, Device {
  /** Registers are 32 bits wide; an 8-byte access is no PLIC access. */
  static readonly WIDTHS: readonly Width[] = [4];

  readonly name: string;
  readonly sources: number;
  /** Bytes of registers for this many contexts, as the virt board maps them. */
  readonly size: number;
  readonly #contexts: readonly InterruptLine[];
  readonly #maxPriority: number;
  readonly #words: number;
  readonly #lines: (WiredOr | undefined)[] = [];
  readonly #claims: (Counter | undefined)[];

  readonly #priority: Uint32Array;
  readonly #threshold: Uint32Array;
  /** By word of 32 sources: lines that are high, requests forwarded, and requests claimed but not completed. */
  readonly #level: Uint32Array;
  readonly #pending: Uint32Array;
  readonly #claimed: Uint32Array;
  /** By context, then word. */
  readonly #enable: Uint32Array;

  /** @throws RangeError for more sources or contexts than the specification's map holds, or a bad priority */
  constructor(options: PlicOptions) {
    this.name = options.name ?? 'plic';
    this.sources = options.sources ?? 95;
    this.#maxPriority = options.maxPriority ?? 7;
    this.#contexts = options.contexts;
    if (!Number.isInteger(this.sources) || this.sources < 1 || this.sources > MAX_SOURCES) {
      throw new RangeError(`a PLIC has 1 to ${MAX_SOURCES} sources, not ${this.sources}`);
    }
    if (this.#contexts.length > MAX_CONTEXTS) {
      throw new RangeError(`a PLIC has at most ${MAX_CONTEXTS} contexts, not ${this.#contexts.length}`);
    }
    if (this.#maxPriority < 1 || (this.#maxPriority & (this.#maxPriority + 1)) !== 0) {
      throw new RangeError(`the largest priority is one less than a power of two, not ${this.#maxPriority}`);
    }
    this.size = CONTEXT_BASE + this.#contexts.length * CONTEXT_STRIDE;
    this.#words = (this.sources >>> 5) + 1;
    this.#priority = new Uint32Array(this.sources + 1);
    this.#threshold = new Uint32Array(this.#contexts.length);
    this.#level = new Uint32Array(this.#words);
    this.#pending = new Uint32Array(this.#words);
    this.#claimed = new Uint32Array(this.#words);
    this.#enable = new Uint32Array(this.#words * this.#contexts.length);
    this.#claims = Array.from({ length: this.sources + 1 }, (_, source) =>
      source === 0 ? undefined : options.ledger?.counter(this.name, 'interrupt-claimed', `source ${source}`),
    );
  }

  /** Joins a line to a source; its completion is told back to the line. @throws RangeError for no such source */
  connect(source: number, line: WiredOr): void {
    if (!Number.isInteger(source) || source < 1 || source > this.sources) {
      throw new RangeError(`the PLIC has sources 1 to ${this.sources}, not ${source}`);
    }
    if (this.#lines[source] !== undefined)
      throw new RangeError(`source ${source} of the PLIC has a line already`);
    this.#lines[source] = line;
    line.connect((level) => this.#setLevel(source, level));
  }

  read(offset: number, _width: HandlerWidth): number {
    if (offset >= CONTEXT_BASE) {
      const context = Math.floor((offset - CONTEXT_BASE) / CONTEXT_STRIDE);
      if (context >= this.#contexts.length) return 0;
      const register = offset % CONTEXT_STRIDE;
      if (register === THRESHOLD) return this.#threshold[context];
      return register === CLAIM_COMPLETE ? this.#claim(context) : 0;
    }
    if (offset >= ENABLE_BASE) {
      const index = this.#enableIndex(offset);
      return index < 0 ? 0 : this.#enable[index];
    }
    if (offset >= PENDING_BASE) return this.#pending[(offset - PENDING_BASE) >>> 2] ?? 0;
    return this.#priority[offset >>> 2] ?? 0;
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    if (offset >= CONTEXT_BASE) {
      const context = Math.floor((offset - CONTEXT_BASE) / CONTEXT_STRIDE);
      if (context >= this.#contexts.length) return;
      const register = offset % CONTEXT_STRIDE;
      if (register === THRESHOLD) {
        this.#threshold[context] = value & this.#maxPriority;
        this.#updateContext(context);
      } else if (register === CLAIM_COMPLETE) this.#complete(context, value);
      return;
    }
    if (offset >= ENABLE_BASE) {
      const index = this.#enableIndex(offset);
      if (index < 0) return;
      const word = index % this.#words;
      this.#enable[index] = value & this.#existing(word);
      this.#forward(word, this.#level[word]);
      this.#updateContext(Math.floor(index / this.#words));
      return;
    }
    // Pending bits are read-only (chapter 5), and source 0 has no priority.
    if (offset >= PENDING_BASE) return;
    const source = offset >>> 2;
    if (source === 0 || source > this.sources) return;
    this.#priority[source] = value & this.#maxPriority;
    this.#update();
  }

  /**
   * Requests, claims and settings are dropped. A line that is still high when software begins to enable sources
   * is forwarded then, so that devices may be reset before or after their controller.
   */
  reset(): void {
    for (const state of [this.#priority, this.#threshold, this.#pending, this.#claimed, this.#enable]) {
      state.fill(0);
    }
    this.#update();
  }

  save(): Snapshot {
    return {
      type: 'plic',
      version: 1,
      priority: [...this.#priority],
      threshold: [...this.#threshold],
      level: [...this.#level],
      pending: [...this.#pending],
      claimed: [...this.#claimed],
      enable: [...this.#enable],
    };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'plic', 1);
    const fields = {
      priority: this.#priority,
      threshold: this.#threshold,
      level: this.#level,
      pending: this.#pending,
      claimed: this.#claimed,
      enable: this.#enable,
    };
    for (const [name, state] of Object.entries(fields)) {
      const saved = snapshot[name] as readonly number[];
      if (saved.length !== state.length) {
        throw new DeviceError(
          'bad-snapshot',
          `the snapshot's PLIC has another number of sources or contexts (${name})`,
        );
      }
      state.set(saved);
    }
    this.#update();
  }

  #enableIndex(offset: number): number {
    const context = Math.floor((offset - ENABLE_BASE) / ENABLE_STRIDE);
    const word = (offset % ENABLE_STRIDE) >>> 2;
    return context < this.#contexts.length && word < this.#words ? context * this.#words + word : -1;
  }

  /** The sources of a word that exist. */
  #existing(word: number): number {
    let mask = 0xffff_ffff;
    if (word === 0) mask &= ~1;
    const beyond = this.sources + 1 - word * 32;
    if (beyond < 32) mask &= (1 << beyond) - 1;
    return mask >>> 0;
  }

  #setLevel(source: number, level: boolean): void {
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if (!level) {
      // A forwarded request stays until it is claimed, whatever the line does.
      this.#level[word] &= ~bit;
      return;
    }
    this.#level[word] |= bit;
    this.#forward(word, bit);
  }

  /** The gateways of a word's sources: of each, one request is under way at most. */
  #forward(word: number, bits: number): void {
    const requests = bits & ~this.#claimed[word] & ~this.#pending[word];
    if (requests === 0) return;
    this.#pending[word] |= requests;
    this.#update();
  }

  #claim(context: number): number {
    const source = this.#best(context, 0);
    if (source === 0) return 0;
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    this.#pending[word] &= ~bit;
    this.#claimed[word] |= bit;
    const counter = this.#claims[source];
    if (counter !== undefined) counter.value++;
    this.#update();
    return source;
  }

  #complete(context: number, source: number): void {
    const word = source >>> 5;
    if (source > this.sources) return;
    const bit = 1 << (source & 31);
    // Chapter 9: ignored unless the source is enabled for the context.
    if ((this.#enable[context * this.#words + word] & bit) === 0) return;
    if ((this.#claimed[word] & bit) === 0) return;
    this.#claimed[word] &= ~bit;
    const line = this.#lines[source];
    if (line !== undefined) line.complete();
    else if ((this.#level[word] & bit) !== 0) this.#forward(word, bit);
  }

  /** The pending, enabled source of highest priority above `above`, of equals the lowest; 0 when there is none. */
  #best(context: number, above: number): number {
    let best = 0;
    let bestPriority = above;
    for (let word = 0; word < this.#words; word++) {
      let candidates = this.#pending[word] & this.#enable[context * this.#words + word];
      while (candidates !== 0) {
        const bit = 31 - Math.clz32(candidates & -candidates);
        candidates &= candidates - 1;
        const source = word * 32 + bit;
        const priority = this.#priority[source];
        if (priority > bestPriority) {
          best = source;
          bestPriority = priority;
        }
      }
    }
    return best;
  }

  #update(): void {
    for (let context = 0; context < this.#contexts.length; context++) this.#updateContext(context);
  }

  #updateContext(context: number): void {
    this.#contexts[context].set(this.#best(context, this.#threshold[context]) !== 0);
  }
}
