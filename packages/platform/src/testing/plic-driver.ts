import type { MmioHandler } from '@vmloom/memory';

/** Drives a PLIC through its registers only, for one context. */
export class PlicDriver {
  constructor(
    private readonly plic: MmioHandler,
    private readonly context = 0,
  ) {}

  setPriority(source: number, priority: number): void {
    this.plic.write(source * 4, 4, priority);
  }

  priority(source: number): number {
    return this.plic.read(source * 4, 4);
  }

  isPending(source: number): boolean {
    return ((this.plic.read(0x1000 + (source >>> 5) * 4, 4) >>> (source & 31)) & 1) !== 0;
  }

  enable(source: number): void {
    const at = 0x2000 + this.context * 0x80 + (source >>> 5) * 4;
    this.plic.write(at, 4, (this.plic.read(at, 4) | (1 << (source & 31))) >>> 0);
  }

  disable(source: number): void {
    const at = 0x2000 + this.context * 0x80 + (source >>> 5) * 4;
    this.plic.write(at, 4, (this.plic.read(at, 4) & ~(1 << (source & 31))) >>> 0);
  }

  set threshold(priority: number) {
    this.plic.write(0x20_0000 + this.context * 0x1000, 4, priority);
  }

  get threshold(): number {
    return this.plic.read(0x20_0000 + this.context * 0x1000, 4);
  }

  claim(): number {
    return this.plic.read(0x20_0004 + this.context * 0x1000, 4);
  }

  complete(source: number): void {
    this.plic.write(0x20_0004 + this.context * 0x1000, 4, source);
  }
}
