import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import { ALL_POOLS, pools, VMOLR } from './switch-bits.js';

/** How a unicast or group address found its pools. */
export interface AddressMatch {
  /** A mask of pools. */
  pools: number;
  /** By an exact address, not by a hash, a promiscuous setting or as broadcast. */
  exact: boolean;
}

const HASH_SHIFTS = [4, 3, 2, 0] as const;

/** Pools by destination address (7.10.3.3, steps 1 to 5), and the addresses that a pool may send from (7.10.3.9.1). */
export class AddressFilter {
  readonly #registers: RegisterFile;
  readonly #match: AddressMatch = { pools: 0, exact: false };

  constructor(registers: RegisterFile) {
    this.#registers = registers;
  }

  /** The pools of the address in the first six bytes of a frame. The answer is reused. */
  destination(header: Uint8Array): AddressMatch {
    const match = this.#match;
    match.exact = false;
    if (isBroadcast(header)) {
      match.pools = this.#poolsWith(VMOLR.acceptBroadcast);
      return match;
    }
    match.pools = this.#exact(header, 0);
    if (match.pools !== 0) match.exact = true;
    if ((header[0] & 1) !== 0) {
      if (this.#hashed(R.REG_MTA, header)) match.pools |= this.#poolsWith(VMOLR.acceptMulticastHash);
      match.pools |= this.#poolsWith(VMOLR.acceptAllMulticast);
    } else if (!match.exact && this.#hashed(R.REG_UTA, header)) {
      match.pools |= this.#poolsWith(VMOLR.acceptUnicastHash);
    }
    return match;
  }

  /** The address in bytes 6 to 11 of a frame is one of the pool's own. */
  mayBeFrom(header: Uint8Array, pool: number): boolean {
    return ((this.#exact(header, 6) >> pool) & 1) !== 0;
  }

  /** Pools of all receive addresses that are equal: RAH has them in bits 25:18. */
  #exact(header: Uint8Array, at: number): number {
    const { image } = this.#registers;
    const low = word(header, at);
    const high = header[at + 4] | (header[at + 5] << 8);
    let found = 0;
    for (let index = 0; index < B.RAR_COUNT; index++) {
      const bank = index < B.RAR_FIRST_BANK ? R.REG_RAL0 : R.REG_RAL16 - 8 * B.RAR_FIRST_BANK;
      const register = (bank + 8 * index) >> 2;
      if (image[register] !== low) continue;
      const upper = image[register + 1];
      if ((upper & B.RAH_AV) === 0 || (upper & 0xffff) !== high) continue;
      found |= (upper >>> B.RAH_POOL_SHIFT) & ALL_POOLS;
    }
    return found;
  }

  /** 8.10.15, 8.10.22: twelve bits of the address, chosen by RCTL.MO, pick one bit of the table. */
  #hashed(table: number, header: Uint8Array): boolean {
    const { image } = this.#registers;
    const choice = (this.#registers.get(R.REG_RCTL) >> B.RCTL_MO_SHIFT) & 3;
    const bits = ((header[4] | (header[5] << 8)) >> HASH_SHIFTS[choice]) & 0xfff;
    return ((image[(table >> 2) + (bits >> 5)] >>> (bits & 31)) & 1) !== 0;
  }

  #poolsWith(bit: number): number {
    return pools((pool) => (this.#registers.get(R.REG_VMOLR + 4 * pool) & bit) !== 0);
  }
}

function isBroadcast(header: Uint8Array): boolean {
  for (let at = 0; at < 6; at++) if (header[at] !== 0xff) return false;
  return true;
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
