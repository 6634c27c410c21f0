/** Privilege levels as CSR fields and SBI use them. */
export const PRIVILEGE_SUPERVISOR = 1;

/** What the SBI needs of a hart. `Hart` of `@vmloom/riscv` is one. */
export interface SbiHart {
  /** mhartid. */
  readonly id: number;
  /** An integer register, 64 bits unsigned. */
  readX(index: number): bigint;
  /** `value` is 64 bits unsigned. */
  writeX(index: number, value: bigint): void;
  readCsr(number: number): bigint;
  writeCsr(number: number, value: bigint): void;
  /** Sets or clears a bit of mip: SSIP (1) or STIP (5). */
  setInterrupt(bit: number, level: boolean): void;
  /** Drops all cached translations (sfence.vma without operands). */
  flushTlb(): void;
  /** Makes earlier stores visible to fetches, where the hart does not see to that by page flags. */
  fenceI?(): void;
  /** Begins anew at `pc` in the given privilege with satp and sstatus.SIE zero, a0 and a1 as told. */
  reset(state: { pc: bigint; privilege: 0 | 1 | 3; a0: bigint; a1: bigint }): void;
}
