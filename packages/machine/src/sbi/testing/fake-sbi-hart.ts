import type { SbiHart } from '../sbi-hart.js';

/** A hart without a processor: registers, CSRs and what the SBI did to it. */
export class FakeSbiHart implements SbiHart {
  readonly x: bigint[] = Array.from({ length: 32 }, () => 0n);
  readonly csrs = new Map<number, bigint>();
  /** mip as {@link setInterrupt} left it. */
  pending = 0n;
  flushes = 0;
  fences = 0;
  readonly resets: { pc: bigint; privilege: number; a0: bigint; a1: bigint }[] = [];

  constructor(readonly id: number) {}

  readX(index: number): bigint {
    return this.x[index];
  }

  writeX(index: number, value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`x${index} cannot hold ${value}`);
    this.x[index] = value;
  }

  readCsr(number: number): bigint {
    return number === 0x344 ? this.pending : (this.csrs.get(number) ?? 0n);
  }

  writeCsr(number: number, value: bigint): void {
    this.csrs.set(number, value);
  }

  setInterrupt(bit: number, level: boolean): void {
    const mask = 1n << BigInt(bit);
    this.pending = level ? this.pending | mask : this.pending & ~mask;
  }

  flushTlb(): void {
    this.flushes++;
  }

  fenceI(): void {
    this.fences++;
  }

  reset(state: { pc: bigint; privilege: number; a0: bigint; a1: bigint }): void {
    this.resets.push(state);
  }
}
