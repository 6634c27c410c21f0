import { ExtendedCapability, registers as R, type CapabilityFields, type ConfigRegister } from '@vmloom/pci';

const CAPABILITY = 4;
const CONTROL = 6;
const NEXT_FUNCTION_SHIFT = 8;

/**
 * Alternative routing-ID interpretation (PCIe 7.8.8): the device has up to 256 functions and no device number. Every
 * function of such a device has it; of a virtual one the next function number means nothing and is 0 (9.3.7).
 */
export class AriCapability extends ExtendedCapability {
  readonly id = R.EXTENDED_ARI;
  readonly version = 1;
  readonly name = 'Alternative Routing-ID Interpretation';
  readonly size = 8;

  /** `nextFunction`: the number of the device's next physical function, 0 to 255; 0: this is the last. */
  constructor(readonly nextFunction = 0) {
    super();
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [
      {
        name: 'ari capability',
        offset: offset + CAPABILITY,
        size: 2,
        value: this.nextFunction << NEXT_FUNCTION_SHIFT,
      },
      // No function groups: nothing to control.
      { name: 'ari control', offset: offset + CONTROL, size: 2 },
    ];
  }

  override fields(): CapabilityFields {
    return { nextFunction: this.nextFunction };
  }
}
