import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import { AerCapability, MsixCapability, type ExpressCapability, type PciFunction } from '@vmloom/pci';
import { AriCapability, VirtualFunction } from '@vmloom/sriov';
import { VF_VECTORS } from '../interrupts.js';
import { VF_REGISTER_BYTES } from './vf-register-map.js';
import type { VirtualFunctions } from './virtual-functions.js';

/** 9.7.x: a virtual function of the 82576. */
const DEVICE = 0x10ca;
const MSIX_BAR = 3;
const MSIX_BAR_BYTES = 0x4000;

/** What the virtual function's PCI side needs of its physical function. */
export interface VfHost extends PciFunction {
  /** Undefined until the card is on a bus. */
  readonly virtual: VirtualFunctions | undefined;
}

/** A virtual function on the bus (9.7): registers in BAR 0, MSI-X of three vectors in BAR 3. */
export class IgbVf extends VirtualFunction {
  readonly #host: VfHost;

  constructor(physical: VfHost, index: number, express: ExpressCapability) {
    super({ physical, index, device: DEVICE, model: 'igbvf' });
    this.#host = physical;
    const wide = { kind: 'memory', bits: 64, prefetchable: true } as const;
    const regions = [{ name: 'registers', handler: this.#registers }];
    this.addBar(0, { ...wide, size: VF_REGISTER_BYTES, regions });
    this.addBar(MSIX_BAR, { ...wide, size: MSIX_BAR_BYTES });
    this.addCapability(
      new MsixCapability({ vectors: VF_VECTORS, bar: MSIX_BAR, pendingOffset: 0x2000 }),
      0x70,
    );
    this.addCapability(express.ofVirtual(), 0xa0);
    this.addCapability(new AerCapability({ virtual: true }), 0x100);
    this.addCapability(new AriCapability(), 0x150);
  }

  /** Function level reset; when it vanishes the controller has been told already. */
  protected override onReset(): void {
    if (this.isPresent) this.#host.virtual?.reset(this.index);
  }

  /** Registers are 32 bits wide; a narrower read gets its part of one, a narrower write is ignored. */
  get #registers(): MmioHandler {
    return {
      read: (offset, width: HandlerWidth) => {
        const value = this.#host.virtual?.read(this.index, offset & ~3) ?? 0;
        if (width === 4) return value >>> 0;
        return (value >>> ((offset & 3) * 8)) & (width === 1 ? 0xff : 0xffff);
      },
      write: (offset, width: HandlerWidth, value) => {
        if (width === 4 && (offset & 3) === 0) this.#host.virtual?.write(this.index, offset, value);
      },
    };
  }
}
