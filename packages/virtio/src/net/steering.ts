import type { SnapshotValue } from '@vmloom/device';
import type { Frame } from '@vmloom/net';
import * as N from './codes.js';
import { Flow } from './flow.js';
import { FlowHash } from './hash.js';

/** Flows that automatic steering remembers; two that share an entry share a queue. */
const FLOWS = 4096;

/** Which receive queue a frame goes to (5.1.6.5.5, 5.1.6.5.6), and the hash that is reported with it. */
export class Steering {
  readonly hash = new FlowHash();
  /** Pairs of queues in use. */
  pairs = 1;
  /** The driver has set RSS parameters, and no VQ_PAIRS_SET came later. */
  scaling = false;
  /** HASH_REPORT was negotiated. */
  reporting = false;
  readonly #flow = new Flow();
  /** Of each flow, the queue by which the driver last sent a frame of it, and 1. */
  readonly #learned = new Uint16Array(FLOWS);
  #table = new Uint16Array(1);
  #unclassified = 0;

  reset(): void {
    this.hash.configure(0, new Uint8Array(0));
    this.pairs = 1;
    this.scaling = false;
    this.reporting = false;
    this.#learned.fill(0);
  }

  /** 5.1.6.5.5: automatic steering over so many pairs. */
  automatic(pairs: number): void {
    this.pairs = pairs;
    this.scaling = false;
    this.#learned.fill(0);
  }

  /** 5.1.6.5.6.1: `data` as the driver sends it; false when something in it cannot be, and nothing changes. */
  scale(data: Uint8Array, mostPairs: number): boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (data.length < 8) return false;
    const types = view.getUint32(0, true);
    const length = view.getUint16(4, true) + 1;
    const unclassified = view.getUint16(6, true);
    if (length > N.RSS_TABLE_LENGTH || (length & (length - 1)) !== 0) return false;
    const end = 8 + 2 * length;
    if (data.length < end + 3) return false;
    const transmit = view.getUint16(end, true);
    const key = keyAt(data, end + 2, types);
    if (key === undefined || transmit < 1 || transmit > mostPairs || unclassified >= mostPairs) return false;
    const table = Uint16Array.from({ length }, (_, index) => view.getUint16(8 + 2 * index, true));
    if (table.some((queue) => queue >= mostPairs)) return false;
    this.hash.configure(types, key);
    this.#table = table;
    this.#unclassified = unclassified;
    this.pairs = transmit;
    this.scaling = true;
    return true;
  }

  /** 5.1.6.5.5.1: hash types and key without RSS; false when they cannot be. */
  configureHash(data: Uint8Array): boolean {
    if (data.length < 13) return false;
    const types = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    const key = keyAt(data, 12, types);
    if (key === undefined) return false;
    this.hash.configure(types, key);
    return true;
  }

  /** The driver sent a frame by `pair`: what comes back of its flow goes there too. */
  learn(frame: Frame, pair: number): void {
    if (this.pairs === 1 || this.scaling) return;
    this.#flow.read(frame);
    const slot = this.#slot();
    if (slot >= 0) this.#learned[slot] = pair + 1;
  }

  /** The pair for a frame that arrives. Its hash is in {@link hash} where one is wanted. */
  choose(frame: Frame): number {
    const wanted = this.scaling || this.reporting;
    if (!wanted && this.pairs === 1) return 0;
    this.#flow.read(frame);
    const hashed = wanted && this.hash.calculate(this.#flow);
    if (this.scaling)
      return hashed ? this.#table[this.hash.value & (this.#table.length - 1)] : this.#unclassified;
    if (this.pairs === 1) return 0;
    const slot = this.#slot();
    const learned = slot < 0 ? 0 : this.#learned[slot];
    if (learned > 0 && learned <= this.pairs) return learned - 1;
    return slot < 0 ? 0 : slot % this.pairs;
  }

  save(): SnapshotValue {
    return {
      hash: this.hash.save(),
      pairs: this.pairs,
      scaling: this.scaling,
      reporting: this.reporting,
      learned: Array.from(this.#learned),
      table: Array.from(this.#table),
      unclassified: this.#unclassified,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      hash: SnapshotValue;
      pairs: number;
      scaling: boolean;
      reporting: boolean;
      learned: number[];
      table: number[];
      unclassified: number;
    };
    this.hash.restore(saved.hash);
    this.pairs = saved.pairs;
    this.scaling = saved.scaling;
    this.reporting = saved.reporting;
    this.#learned.set(saved.learned);
    this.#table = Uint16Array.from(saved.table);
    this.#unclassified = saved.unclassified;
  }

  /** The entry of the flow at hand, the same in both directions; -1 for what is no IP. */
  #slot(): number {
    const flow = this.#flow;
    if (flow.version === 0) return -1;
    const size = flow.version === 4 ? 4 : 16;
    let sum = flow.protocol;
    for (let at = 0; at < size; at += 2) {
      sum = Math.imul(sum, 31) + (flow.u16(flow.source + at) ^ flow.u16(flow.destination + at));
    }
    if (flow.protocol !== 0) sum = Math.imul(sum, 31) + (flow.u16(flow.ports) ^ flow.u16(flow.ports + 2));
    sum = Math.imul(sum ^ (sum >>> 15), 0x2c1b_3c6d);
    return ((sum ^ (sum >>> 12)) >>> 0) % FLOWS;
  }
}

/** The key whose length stands at `at`; undefined when it is too long or not whole, or types are not known. */
function keyAt(data: Uint8Array, at: number, types: number): Uint8Array | undefined {
  const length = data[at];
  if (length > N.RSS_KEY_SIZE || at + 1 + length > data.length || (types & ~N.HASH_ALL) !== 0)
    return undefined;
  // Without a key every hash would be 0.
  if (length === 0 && types !== 0) return undefined;
  return data.subarray(at + 1, at + 1 + length);
}
