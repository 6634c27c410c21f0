import { ExtendedCapability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { EXTENDED_ACS } from '../registers.js';

/** Bits of both registers, capability and control (PCIe 7.7.11.2, 7.7.11.3). */
export const ACS = {
  sourceValidation: 1 << 0,
  translationBlocking: 1 << 1,
  requestRedirect: 1 << 2,
  completionRedirect: 1 << 3,
  upstreamForwarding: 1 << 4,
  egressControl: 1 << 5,
  directTranslated: 1 << 6,
} as const;

/** What ports have: everything but egress control. */
const OF_PORTS =
  ACS.sourceValidation |
  ACS.translationBlocking |
  ACS.requestRedirect |
  ACS.completionRedirect |
  ACS.upstreamForwarding |
  ACS.directTranslated;

const CAPABILITY = 4;
const CONTROL = 6;

/**
 * Access control services (PCIe 7.7.11). On this fabric all requests between functions go by way of the root complex
 * and its translator, as with every redirection enabled, and bus numbers that a port does not claim are refused, as with
 * source validation; so translation blocking alone changes anything. Software reads from the rest that functions
 * below cannot reach each other past the IOMMU.
 */
export class AcsCapability extends ExtendedCapability {
  readonly id = EXTENDED_ACS;
  readonly version = 1;
  readonly name = 'Access Control Services';
  readonly size = 8;

  /** `services`: bits of {@link ACS}; those of a root port or downstream port unless told. */
  constructor(readonly services: number = OF_PORTS) {
    super();
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [
      { name: 'acs capability', offset: offset + CAPABILITY, size: 2, value: this.services },
      { name: 'acs control', offset: offset + CONTROL, size: 2, write: this.services },
    ];
  }

  /** Bits of {@link ACS} that software enabled. */
  get enabled(): number {
    return this.read16(CONTROL);
  }

  get blocksTranslated(): boolean {
    return (this.enabled & ACS.translationBlocking) !== 0;
  }

  override fields(): CapabilityFields {
    return { services: this.services, enabled: this.enabled };
  }
}
