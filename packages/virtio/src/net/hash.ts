import type { SnapshotValue } from '@vmloom/device';
import * as N from './codes.js';
import type { Flow } from './flow.js';

/** Bytes of the longest input: two IPv6 addresses and two ports. */
const LONGEST = 36;

/** 5.1.6.4.3: the Toeplitz hash of a flow, by a key and the types that are enabled. */
export class FlowHash {
  /** Enabled hash types. */
  types = 0;
  /** Of the last flow: its hash, and what of it was hashed (0: nothing). */
  value = 0;
  report = 0;
  #key = new Uint8Array(0);
  /** What each value of each byte of the input adds. */
  readonly #parts = new Uint32Array(LONGEST * 256);
  readonly #input = new Uint8Array(LONGEST);
  #length = 0;

  /** `key`: up to 40 bytes; what it lacks is zero. */
  configure(types: number, key: Uint8Array): void {
    this.types = types;
    this.#key = key.slice();
    const bit = (index: number): number => ((key[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
    for (let byte = 0; byte < LONGEST; byte++) {
      // The 32 bits of the key from each bit of this byte on.
      const windows = Array.from({ length: 8 }, (_, shift) => {
        let window = 0;
        for (let index = 0; index < 32; index++) window = (window << 1) | bit(8 * byte + shift + index);
        return window;
      });
      for (let value = 0; value < 256; value++) {
        let sum = 0;
        for (let shift = 0; shift < 8; shift++) if ((value & (0x80 >> shift)) !== 0) sum ^= windows[shift];
        this.#parts[256 * byte + value] = sum;
      }
    }
  }

  /** Hashes a flow; false when nothing of it is to be hashed. */
  calculate(flow: Flow): boolean {
    this.value = 0;
    this.report = 0;
    const type = this.#type(flow);
    if (type === 0) return false;
    this.#length = 0;
    const mobile = type >= N.HASH_IP_EX;
    const size = flow.version === 4 ? 4 : 16;
    this.#add(flow, mobile ? flow.homeAddress : flow.source, size);
    this.#add(flow, mobile ? flow.routedTo : flow.destination, size);
    if ((type & (N.HASH_IPV4 | N.HASH_IPV6 | N.HASH_IP_EX)) === 0) this.#add(flow, flow.ports, 4);
    let hash = 0;
    for (let at = 0; at < this.#length; at++) hash ^= this.#parts[256 * at + this.#input[at]];
    this.value = hash >>> 0;
    this.report = 32 - Math.clz32(type);
    return true;
  }

  save(): SnapshotValue {
    return { types: this.types, key: this.#key.slice() };
  }

  restore(value: SnapshotValue): void {
    const { types, key } = value as { types: number; key: Uint8Array };
    this.configure(types, key);
  }

  /** The type that applies, most specific first. */
  #type(flow: Flow): number {
    const { types } = this;
    const tcp = flow.protocol === 6;
    const udp = flow.protocol === 17;
    if (flow.version === 4) {
      if (tcp && (types & N.HASH_TCPV4) !== 0) return N.HASH_TCPV4;
      if (udp && (types & N.HASH_UDPV4) !== 0) return N.HASH_UDPV4;
      return types & N.HASH_IPV4;
    }
    if (flow.version !== 6) return 0;
    if (flow.extended) {
      if (tcp && (types & N.HASH_TCP_EX) !== 0) return N.HASH_TCP_EX;
      if (udp && (types & N.HASH_UDP_EX) !== 0) return N.HASH_UDP_EX;
      if ((types & N.HASH_IP_EX) !== 0) return N.HASH_IP_EX;
    }
    if (tcp && (types & N.HASH_TCPV6) !== 0) return N.HASH_TCPV6;
    if (udp && (types & N.HASH_UDPV6) !== 0) return N.HASH_UDPV6;
    return types & N.HASH_IPV6;
  }

  #add(flow: Flow, at: number, length: number): void {
    for (let index = 0; index < length; index++) this.#input[this.#length++] = flow.bytes[at + index];
  }
}
