import type { Imsic } from '../imsic.js';

/** Drives one interrupt file of an IMSIC as software does: messages to its page, everything else as by CSRs. */
export class ImsicDriver {
  readonly #pair = new Uint32Array(2);

  /** `file`: 0 the machine's, 1 the supervisor's, 1 + n that of guest n. */
  constructor(
    private readonly imsic: Imsic,
    private readonly file: number,
  ) {}

  /** A message, as a device writes it. */
  send(identity: number, offset = 0): void {
    if (this.file === 0) this.imsic.machinePage.write(offset, 4, identity);
    else this.imsic.supervisorPages.write((this.file - 1) * 4096 + offset, 4, identity);
  }

  read(register: number): bigint {
    this.imsic.read(this.file, register, this.#pair);
    return (BigInt(this.#pair[1]) << 32n) | BigInt(this.#pair[0]);
  }

  write(register: number, value: bigint): void {
    this.imsic.write(this.file, register, Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  set delivery(value: number) {
    this.write(0x70, BigInt(value));
  }

  get delivery(): number {
    return Number(this.read(0x70));
  }

  set threshold(value: number) {
    this.write(0x72, BigInt(value));
  }

  get threshold(): number {
    return Number(this.read(0x72));
  }

  enable(identity: number): void {
    const register = 0xc0 + (identity >>> 6) * 2;
    this.write(register, this.read(register) | (1n << BigInt(identity & 63)));
  }

  disable(identity: number): void {
    const register = 0xc0 + (identity >>> 6) * 2;
    this.write(register, this.read(register) & ~(1n << BigInt(identity & 63)));
  }

  isPending(identity: number): boolean {
    return ((this.read(0x80 + (identity >>> 6) * 2) >> BigInt(identity & 63)) & 1n) !== 0n;
  }

  /** The value of mtopei, stopei or vstopei. */
  get top(): number {
    return this.imsic.top(this.file);
  }

  /** CSRRW with rd: the identity, and it is claimed; 0 when there is none. */
  claim(): number {
    const { top } = this;
    this.imsic.claim(this.file);
    return top >>> 16;
  }
}
