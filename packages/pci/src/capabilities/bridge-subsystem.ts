import { Capability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { CAPABILITY_BRIDGE_SUBSYSTEM } from '../registers.js';

/** Subsystem IDs of a bridge, whose header has no room for them (PCI-to-PCI Bridge 1.2, 3.2.5.13; PCIe 7.9.24). */
export class BridgeSubsystemCapability extends Capability {
  readonly id = CAPABILITY_BRIDGE_SUBSYSTEM;
  readonly name = 'Bridge Subsystem';
  readonly size = 8;

  constructor(
    private readonly vendor: number,
    private readonly subsystem: number,
  ) {
    super();
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [
      { name: 'bridge subsystem vendor', offset: offset + 4, size: 2, value: this.vendor },
      { name: 'bridge subsystem', offset: offset + 6, size: 2, value: this.subsystem },
    ];
  }

  override fields(): CapabilityFields {
    return { vendor: this.vendor, subsystem: this.subsystem };
  }
}
