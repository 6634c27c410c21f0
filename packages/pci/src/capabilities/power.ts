import { Capability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import type { PowerState } from '../effects.js';
import type { PciFunction } from '../function.js';
import { CAPABILITY_POWER } from '../registers.js';

export interface PowerOptions {
  /** True: registers survive D3hot (No_Soft_Reset). False unless told. */
  readonly noSoftReset?: boolean;
}

const CONTROL = 4;
const STATE = 3;
const NO_SOFT_RESET = 1 << 3;
const PME_ENABLE = 1 << 8;
const PME_STATUS = 1 << 15;
// PCI Power Management 1.2.
const VERSION = 3;

/** Power management (PCIe 7.5.2): the states D0 and D3hot. */
export class PowerCapability extends Capability {
  readonly id = CAPABILITY_POWER;
  readonly name = 'Power Management';
  readonly size = 8;
  readonly #noSoftReset: boolean;

  constructor(options: PowerOptions = {}) {
    super();
    this.#noSoftReset = options.noSoftReset ?? false;
  }

  override added(owner: PciFunction): void {
    super.added(owner);
    owner.usePower(this);
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [
      { name: 'power capabilities', offset: offset + 2, size: 2, value: VERSION },
      {
        name: 'power control',
        offset: offset + CONTROL,
        size: 2,
        value: this.#noSoftReset ? NO_SOFT_RESET : 0,
        write: STATE | PME_ENABLE,
        clear: PME_STATUS,
        sticky: PME_ENABLE | PME_STATUS,
        effect: ({ before, after }) => {
          // 7.5.2.2: a write of a state that is not there is carried out, but changes no state.
          if ((after & STATE) !== 0 && (after & STATE) !== STATE) {
            this.owner.config.set(this.offset + CONTROL, 2, (after & ~STATE) | (before & STATE));
            return undefined;
          }
          const [from, to] = [stateOf(before), stateOf(after)];
          return from === to ? undefined : { kind: 'power-state', from, to, softReset: !this.#noSoftReset };
        },
      },
    ];
  }

  get state(): PowerState {
    return stateOf(this.read16(CONTROL));
  }

  override fields(): CapabilityFields {
    return { state: this.state, noSoftReset: this.#noSoftReset };
  }
}

const stateOf = (control: number): PowerState => ((control & STATE) === STATE ? 'D3hot' : 'D0');
