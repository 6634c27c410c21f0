import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import { ALL_POOLS, pools, VLVF, VMOLR } from './switch-bits.js';

/** Pools by VLAN (7.10.3.3, step 6), and the VLANs that a pool may send into (7.10.3.9.2). */
export class VlanFilter {
  readonly #registers: RegisterFile;

  constructor(registers: RegisterFile) {
    this.#registers = registers;
  }

  /**
   * The pools that a frame with this tag (TCI; -1: none) may reach. 8.10.1: without RCTL.VFE the VLAN does not matter;
   * with it a VLAN that VFTA does not have reaches nobody.
   */
  members(tag: number): number {
    if ((this.#registers.get(R.REG_RCTL) & B.RCTL_VFE) === 0) return ALL_POOLS;
    if (tag < 0) {
      return pools((pool) => (this.#registers.get(R.REG_VMOLR + 4 * pool) & VMOLR.acceptUntagged) !== 0);
    }
    const vlan = tag & VLVF.vlanMask;
    const known = (this.#registers.image[(R.REG_VFTA >> 2) + (vlan >> 5)] >>> (vlan & 31)) & 1;
    return known === 0 ? 0 : this.#pools(vlan);
  }

  /** A frame with a tag is of a VLAN that the pool is in; one without may always be sent. */
  maySend(tag: number, pool: number): boolean {
    return tag < 0 || ((this.#pools(tag & VLVF.vlanMask) >> pool) & 1) !== 0;
  }

  /** The entries of VLVF that a tag belongs to. */
  entries(tag: number): number {
    let mask = 0;
    if (tag < 0) return mask;
    for (let index = 0; index < VLVF.count; index++) {
      if (this.#matches(index, tag & VLVF.vlanMask)) mask |= 1 << index;
    }
    return mask;
  }

  #pools(vlan: number): number {
    let mask = 0;
    for (let index = 0; index < VLVF.count; index++) {
      if (!this.#matches(index, vlan)) continue;
      mask |= (this.#registers.get(R.REG_VLVF + 4 * index) >>> VLVF.poolShift) & ALL_POOLS;
    }
    return mask;
  }

  #matches(index: number, vlan: number): boolean {
    const entry = this.#registers.get(R.REG_VLVF + 4 * index);
    return (entry & VLVF.enable) !== 0 && (entry & VLVF.vlanMask) === vlan;
  }
}
