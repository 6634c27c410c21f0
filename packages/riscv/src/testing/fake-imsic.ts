import type { ImsicPort } from '../imsic-port.js';

/** An incoming-MSI controller that is nothing but registers and a settable top interrupt, by file. */
export class FakeImsic implements ImsicPort {
  readonly registers = new Map<string, bigint>();
  /** What mtopei, stopei read, by file. */
  readonly tops = new Map<number, number>();
  /** Files whose top was claimed, in order. */
  readonly claims: number[] = [];
  /** Told of each claim and each write, as a controller that moves a line of the hart. */
  onChange: (() => void) | undefined;

  read(file: number, register: number, out: Uint32Array): void {
    const value = this.registers.get(`${file}:${register}`) ?? 0n;
    out[0] = Number(value & 0xffff_ffffn);
    out[1] = Number(value >> 32n);
  }

  write(file: number, register: number, low: number, high: number): void {
    this.registers.set(`${file}:${register}`, (BigInt(high) << 32n) | BigInt(low));
    this.onChange?.();
  }

  top(file: number): number {
    return this.tops.get(file) ?? 0;
  }

  claim(file: number): void {
    this.claims.push(file);
    this.onChange?.();
  }
}
