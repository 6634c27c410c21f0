/** Nothing known of the address. */
export const UNKNOWN_PORT = -1;

const FREE = -1;

/**
 * The filtering database of a bridge (802.1Q 8.8): (VLAN, address) to port, learned and aged. A bounded
 * open-addressing table over typed arrays: look-up and learning allocate nothing.
 */
export class ForwardingTable {
  readonly #mask: number;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #port: Int32Array;
  readonly #seen: Float64Array;
  #count = 0;
  #nextSweep = 0;

  /** `capacity` in addresses, 1 or more; `ageing` in nanoseconds. */
  constructor(
    readonly capacity: number,
    readonly ageing: number,
  ) {
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#mask = slots - 1;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#port = new Int32Array(slots).fill(FREE);
    this.#seen = new Float64Array(slots);
  }

  get count(): number {
    return this.#count;
  }

  /** The port of an address seen no longer ago than the ageing time, or {@link UNKNOWN_PORT}. */
  lookup(vlan: number, high: number, low: number, now: number): number {
    const slot = this.#find(((vlan << 16) | high) >>> 0, low);
    if (this.#port[slot] === FREE || now - this.#seen[slot] > this.ageing) return UNKNOWN_PORT;
    return this.#port[slot];
  }

  /** Notes that the address is behind `port`. False: the table is full and the address new. */
  learn(vlan: number, high: number, low: number, port: number, now: number): boolean {
    const key = ((vlan << 16) | high) >>> 0;
    let slot = this.#find(key, low);
    if (this.#port[slot] === FREE) {
      if (this.#count >= this.capacity) {
        if (!this.#sweep(now)) return false;
        slot = this.#find(key, low);
      }
      this.#high[slot] = key;
      this.#low[slot] = low;
      this.#count++;
    }
    this.#port[slot] = port;
    this.#seen[slot] = now;
    return true;
  }

  /** Forgets every address behind a port; all of them without one. */
  forget(port?: number): void {
    if (port === undefined) {
      this.#port.fill(FREE);
      this.#count = 0;
      this.#nextSweep = 0;
    } else this.#keep((slot) => this.#port[slot] !== port);
  }

  /** (VLAN, address as a 48-bit number, port, when last seen) of every entry. */
  *entries(): Generator<{ vlan: number; address: number; port: number; seen: number }> {
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#port[slot] === FREE) continue;
      const high = this.#high[slot];
      yield {
        vlan: high >>> 16,
        address: (high & 0xffff) * 0x1_0000_0000 + this.#low[slot],
        port: this.#port[slot],
        seen: this.#seen[slot],
      };
    }
  }

  #find(high: number, low: number): number {
    let slot = (Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 8) & this.#mask;
    while (this.#port[slot] !== FREE && (this.#low[slot] !== low || this.#high[slot] !== high)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  /** Throws out the aged; false when none has. Not before the oldest can have aged: a flood of new addresses costs no sweep each. */
  #sweep(now: number): boolean {
    if (now < this.#nextSweep) return false;
    this.#keep((slot) => now - this.#seen[slot] <= this.ageing);
    let oldest = now;
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#port[slot] !== FREE && this.#seen[slot] < oldest) oldest = this.#seen[slot]!;
    }
    this.#nextSweep = oldest + this.ageing;
    return this.#count < this.capacity;
  }

  #keep(wanted: (slot: number) => boolean): void {
    const kept: { high: number; low: number; port: number; seen: number }[] = [];
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#port[slot] === FREE || !wanted(slot)) continue;
      kept.push({
        high: this.#high[slot],
        low: this.#low[slot],
        port: this.#port[slot],
        seen: this.#seen[slot],
      });
    }
    this.#port.fill(FREE);
    this.#count = kept.length;
    for (const { high, low, port, seen } of kept) {
      const slot = this.#find(high, low);
      this.#high[slot] = high;
      this.#low[slot] = low;
      this.#port[slot] = port;
      this.#seen[slot] = seen;
    }
  }
}
