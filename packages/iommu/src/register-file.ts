/** The first KiB of the register page as words, and as pairs of words. Offsets in bytes. */
export class RegisterFile {
  readonly words = new Uint32Array(256);

  get(offset: number): number {
    return this.words[offset >>> 2];
  }

  set(offset: number, value: number): void {
    this.words[offset >>> 2] = value;
  }

  /** Sets and clears bits. */
  change(offset: number, set: number, clear = 0): void {
    this.words[offset >>> 2] = (this.words[offset >>> 2] & ~clear) | set;
  }

  get64(offset: number): bigint {
    return (BigInt(this.get(offset + 4)) << 32n) | BigInt(this.get(offset));
  }

  set64(offset: number, value: bigint): void {
    this.set(offset, Number(value & 0xffff_ffffn));
    this.set(offset + 4, Number((value >> 32n) & 0xffff_ffffn));
  }
}
