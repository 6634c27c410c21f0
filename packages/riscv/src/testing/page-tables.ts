import { RAM_BASE, type BareMachine } from './bare-machine.js';

/** Page-table entry bits (privileged architecture 4.3.1). */
export const PTE = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
/** A supervisor page that never faults. */
export const PTE_KERNEL = PTE.V | PTE.R | PTE.W | PTE.X | PTE.A | PTE.D;
export const PTE_USER = PTE_KERNEL | PTE.U;

/** Sv39 or Sv48 tables, built in the RAM of a bare machine from an address upwards. */
export class PageTables {
  readonly root: number;
  #next: number;

  constructor(
    readonly machine: BareMachine,
    readonly levels: 3 | 4 = 3,
    at = RAM_BASE + 0x10_0000,
  ) {
    this.root = at;
    this.#next = at + 4096;
  }

  /** Maps one page of 4 KiB (level 0), 2 MiB (1), 1 GiB (2) or 512 GiB (3); the address of its entry. */
  map(virtual: bigint, physicalAddress: bigint, bits: bigint, level = 0): number {
    let table = this.root;
    for (let at = this.levels - 1; at > level; at--) {
      const slot = table + Number((virtual >> BigInt(12 + 9 * at)) & 511n) * 8;
      let pte = this.machine.read64(slot);
      if (pte === 0n) {
        pte = (BigInt(this.#next) >> 2n) | PTE.V;
        this.#next += 4096;
        this.machine.write64(slot, pte);
      }
      table = Number((pte >> 10n) << 12n);
    }
    const slot = table + Number((virtual >> BigInt(12 + 9 * level)) & 511n) * 8;
    this.machine.write64(slot, ((physicalAddress >> 12n) << 10n) | bits);
    return slot;
  }

  /** The value of satp that selects these tables. */
  satp(asid = 0): bigint {
    return (BigInt(this.levels === 3 ? 8 : 9) << 60n) | (BigInt(asid) << 44n) | (BigInt(this.root) >> 12n);
  }
}
