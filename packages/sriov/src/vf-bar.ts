import { Bar, registers as R, type BarOptions, type ConfigRegister, type ConfigSpace } from '@vmloom/pci';

/**
 * A base address register of a virtual function as the function itself has it: none. It reads as 0 (PCIe 9.3.4.1);
 * the function answers in its share of what its physical function's VF BAR covers (9.2.1.1.1).
 */
export class VfBar extends Bar {
  /** `place`: the bus address of the share; -1 where no machine maps anything. */
  constructor(
    index: number,
    config: ConfigSpace,
    options: BarOptions,
    private readonly place: () => number,
  ) {
    super(`bar${index}`, R.BAR0 + index * 4, config, options);
  }

  override get base(): number {
    return this.place();
  }

  override registers(): readonly ConfigRegister[] {
    const low: ConfigRegister = { name: this.name, offset: this.offset, size: 4 };
    return this.bits === 32 ? [low] : [low, { name: `${this.name} upper`, offset: this.offset + 4, size: 4 }];
  }
}
