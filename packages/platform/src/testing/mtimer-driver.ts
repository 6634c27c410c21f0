import type { MmioHandler } from '@vmloom/memory';

/** Drives an ACLINT by 64-bit accesses, each of which arrives as two of 32 bits, the low half first. */
export class MtimerDriver {
  constructor(private readonly aclint: MmioHandler) {}

  get time(): bigint {
    return this.#read(0xbff8);
  }

  set time(value: bigint) {
    this.#write(0xbff8, value);
  }

  compare(hart: number): bigint {
    return this.#read(0x4000 + hart * 8);
  }

  setCompare(hart: number, value: bigint): void {
    this.#write(0x4000 + hart * 8, value);
  }

  software(hart: number): number {
    return this.aclint.read(hart * 4, 4);
  }

  setSoftware(hart: number, value: number): void {
    this.aclint.write(hart * 4, 4, value);
  }

  #read(at: number): bigint {
    const low = BigInt(this.aclint.read(at, 4));
    return (BigInt(this.aclint.read(at + 4, 4)) << 32n) | low;
  }

  #write(at: number, value: bigint): void {
    this.aclint.write(at, 4, Number(value & 0xffff_ffffn));
    this.aclint.write(at + 4, 4, Number(value >> 32n));
  }
}
