import type { MmioHandler } from '@vmloom/memory';

/** Drives one domain of an APLIC through its registers only. */
export class AplicDriver {
  constructor(private readonly domain: MmioHandler) {}

  read(offset: number): number {
    return this.domain.read(offset, 4) >>> 0;
  }

  write(offset: number, value: number): void {
    this.domain.write(offset, 4, value >>> 0);
  }

  set enabled(on: boolean) {
    this.write(0, on ? 0x100 : 0);
  }

  configure(source: number, value: number): void {
    this.write(source * 4, value);
  }

  configuration(source: number): number {
    return this.read(source * 4);
  }

  /** Delegates a source to the child domain. */
  delegate(source: number): void {
    this.configure(source, 0x400);
  }

  /** Where a source leads: `low` is a priority, or a guest and an identity. */
  setTarget(source: number, hart: number, low: number): void {
    this.write(0x3000 + source * 4, (hart << 18) | low);
  }

  target(source: number): number {
    return this.read(0x3000 + source * 4);
  }

  enable(source: number): void {
    this.write(0x1edc, source);
  }

  disable(source: number): void {
    this.write(0x1fdc, source);
  }

  isEnabled(source: number): boolean {
    return ((this.read(0x1e00 + (source >>> 5) * 4) >>> (source & 31)) & 1) !== 0;
  }

  pend(source: number): void {
    this.write(0x1cdc, source);
  }

  clear(source: number): void {
    this.write(0x1ddc, source);
  }

  isPending(source: number): boolean {
    return ((this.read(0x1c00 + (source >>> 5) * 4) >>> (source & 31)) & 1) !== 0;
  }

  /** The rectified input of a source. */
  input(source: number): boolean {
    return ((this.read(0x1d00 + (source >>> 5) * 4) >>> (source & 31)) & 1) !== 0;
  }

  setDelivery(hart: number, on: boolean): void {
    this.write(0x4000 + hart * 32, on ? 1 : 0);
  }

  force(hart: number): void {
    this.write(0x4004 + hart * 32, 1);
  }

  forced(hart: number): boolean {
    return this.read(0x4004 + hart * 32) !== 0;
  }

  setThreshold(hart: number, priority: number): void {
    this.write(0x4008 + hart * 32, priority);
  }

  top(hart: number): number {
    return this.read(0x4018 + hart * 32);
  }

  claim(hart: number): number {
    return this.read(0x401c + hart * 32);
  }
}
