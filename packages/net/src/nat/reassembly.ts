import type { Clock } from '@vmloom/device';
import type { Ipv4Header } from './ipv4.js';

/** Datagrams under way. */
const CAPACITY = 16;
const MAX_FRAGMENTS = 64;
/** RFC 791 3.2 suggests 15 s, RFC 1122 3.3.2 asks for 60 to 120 s of hosts; 30 s is what Linux keeps. */
const TIMEOUT = 30e9;

interface Datagram {
  readonly key: string;
  readonly expires: number;
  /** In ascending order, not overlapping. */
  readonly fragments: { readonly at: number; readonly bytes: Uint8Array }[];
  /** Of the payload, once the last fragment is here; -1 before. */
  total: number;
}

/** Puts fragments together (RFC 791 3.2), within fixed bounds. */
export class Reassembly {
  readonly #datagrams = new Map<string, Datagram>();

  constructor(readonly clock: Clock) {}

  get count(): number {
    return this.#datagrams.size;
  }

  /**
   * A fragment came, its payload of `length` bytes at `at`. The whole payload when it completes a datagram.
   * A datagram whose fragments overlap or contradict each other is thrown away (RFC 1858).
   */
  add(header: Ipv4Header, bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
    const key = `${header.source},${header.destination},${header.protocol},${header.identification}`;
    const start = header.fragmentOffset;
    const end = start + length;
    let datagram = this.#datagrams.get(key);
    if (datagram === undefined) {
      this.expire();
      // The oldest makes room: a Map keeps the order of insertion.
      if (this.#datagrams.size >= CAPACITY) this.#datagrams.delete(this.#datagrams.keys().next().value!);
      datagram = { key, expires: this.clock.now + TIMEOUT, fragments: [], total: -1 };
      this.#datagrams.set(key, datagram);
    }
    const { fragments } = datagram;
    const index = fragments.findIndex((fragment) => fragment.at >= start);
    const place = index < 0 ? fragments.length : index;
    const before = fragments[place - 1];
    const after = fragments[place];
    // A fragment sent twice is no overlap.
    if (after !== undefined && after.at === start && after.bytes.length === length) return undefined;
    const valid =
      end <= 65_535 - 20 &&
      length > 0 &&
      (!header.moreFragments || length % 8 === 0) &&
      (before === undefined || before.at + before.bytes.length <= start) &&
      (after === undefined || end <= after.at) &&
      (header.moreFragments || (datagram.total < 0 && after === undefined)) &&
      (datagram.total < 0 || end <= datagram.total) &&
      fragments.length < MAX_FRAGMENTS;
    if (!valid) {
      this.#datagrams.delete(key);
      return undefined;
    }
    fragments.splice(place, 0, { at: start, bytes: bytes.slice(at, at + length) });
    if (!header.moreFragments) datagram.total = end;
    return this.#complete(datagram);
  }

  /** Throws away what has waited too long. */
  expire(): void {
    for (const [key, datagram] of this.#datagrams) {
      if (datagram.expires > this.clock.now) return;
      this.#datagrams.delete(key);
    }
  }

  #complete(datagram: Datagram): Uint8Array | undefined {
    if (datagram.total < 0) return undefined;
    let next = 0;
    for (const { at, bytes } of datagram.fragments) {
      if (at !== next) return undefined;
      next += bytes.length;
    }
    if (next !== datagram.total) return undefined;
    const whole = new Uint8Array(next);
    for (const { at, bytes } of datagram.fragments) whole.set(bytes, at);
    this.#datagrams.delete(datagram.key);
    return whole;
  }
}
