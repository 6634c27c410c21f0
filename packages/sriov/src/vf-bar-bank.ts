import { Bar, type ConfigRegister, type ConfigSpace } from '@vmloom/pci';
import { VF_BAR0 } from './registers.js';

/**
 * One VF BAR of the SR-IOV capability (PCIe 9.3.3.14): as a base address register it has the size of one function's
 * share, and covers one share after the other for all functions (9.2.1.1.1). A share is never smaller than the system
 * page, so that each function can be mapped by itself.
 */
export class VfBarBank {
  readonly #template: Bar;
  readonly #config: ConfigSpace;
  #bar: Bar;

  /** `template`: the BAR of number `index` that the virtual functions have. */
  constructor(
    readonly index: number,
    template: Bar,
    config: ConfigSpace,
    capability: number,
  ) {
    this.#template = template;
    this.#config = config;
    this.#bar = this.#make(capability + VF_BAR0 + 4 * index, template.size);
  }

  registers(): readonly ConfigRegister[] {
    return this.#bar.registers();
  }

  /** Bytes between one function's share and the next. */
  get aperture(): number {
    return this.#bar.size;
  }

  /** The bus address of a function's share; -1 where no machine maps anything. */
  base(index: number): number {
    const { base, size } = this.#bar;
    return base < 0 ? -1 : base + index * size;
  }

  /** The system page has a size, in bytes, from now on: address bits below the share become read-only 0. */
  setPage(bytes: number): void {
    const size = Math.max(this.#template.size, bytes);
    if (size === this.#bar.size) return;
    this.#bar = this.#make(this.#bar.offset, size);
    for (const register of this.#bar.registers()) {
      const { offset, value = 0, write = 0 } = register;
      this.#config.setWritable(offset, 4, write);
      this.#config.set(offset, 4, (this.#config.read(offset, 4) & write) | value);
    }
  }

  /** The register, or both of them. */
  save(): readonly number[] {
    return this.registers().map(({ offset }) => this.#config.read(offset, 4));
  }

  restore(saved: readonly number[]): void {
    this.registers().forEach(({ offset }, at) => this.#config.set(offset, 4, saved[at] ?? 0));
  }

  #make(offset: number, size: number): Bar {
    const { bits, prefetchable } = this.#template;
    return new Bar(`vf bar${this.index}`, offset, this.#config, { kind: 'memory', size, bits, prefetchable });
  }
}
