import { Capability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import type { ConfigEffect } from '../effects.js';
import { PciError } from '../error.js';
import { CAPABILITY_EXPRESS } from '../registers.js';

export type ExpressType =
  | 'endpoint'
  | 'legacy-endpoint'
  | 'integrated-endpoint'
  | 'root-port'
  | 'upstream-port'
  | 'downstream-port'
  | 'pci-bridge';

export interface ExpressOptions {
  readonly type: ExpressType;
  /** Function level reset; false unless told. */
  readonly functionReset?: boolean;
  /** Link speed: 1 is 2.5 GT/s, 2 is 5, 3 is 8, 4 is 16. 1 unless told. */
  readonly speed?: 1 | 2 | 3 | 4;
  /** Lanes. 1 unless told. */
  readonly width?: 1 | 2 | 4 | 8 | 16 | 32;
  /** Largest payload in bytes. 128 unless told. */
  readonly maxPayload?: 128 | 256 | 512 | 1024 | 2048 | 4096;
  /** Of a virtual function: link and device control are those of its physical function (PCIe 9.3.5). False unless told. */
  readonly virtual?: boolean;
  /** Of a port: it can address functions 8 to 255 below (ARI forwarding). False unless told. */
  readonly ariForwarding?: boolean;
  /** Of a port, 0 to 255. 0 unless told. */
  readonly portNumber?: number;
  /** Of a port with a slot: the registers that the slot brings. */
  readonly slot?: ((offset: number) => readonly ConfigRegister[]) | undefined;
  /** Of a port: what becomes of a written link disable bit. */
  readonly onLinkChange?: () => void;
}

const TYPES: Readonly<Record<ExpressType, number>> = {
  endpoint: 0,
  'legacy-endpoint': 1,
  'root-port': 4,
  'upstream-port': 5,
  'downstream-port': 6,
  'pci-bridge': 7,
  'integrated-endpoint': 9,
};

/** Offsets within the capability (PCIe 7.5.3). */
export const EXPRESS = {
  flags: 0x02,
  deviceCapabilities: 0x04,
  deviceControl: 0x08,
  deviceStatus: 0x0a,
  linkCapabilities: 0x0c,
  linkControl: 0x10,
  linkStatus: 0x12,
  slotCapabilities: 0x14,
  slotControl: 0x18,
  slotStatus: 0x1a,
  rootControl: 0x1c,
  rootStatus: 0x20,
  deviceCapabilities2: 0x24,
  deviceControl2: 0x28,
  linkCapabilities2: 0x2c,
  linkControl2: 0x30,
} as const;

const VERSION = 2;
const SLOT_IMPLEMENTED = 1 << 8;
const ROLE_BASED_ERRORS = 1 << 15;
const FUNCTION_RESET_CAPABLE = 1 << 28;
const INITIATE_FUNCTION_RESET = 1 << 15;
const PAYLOAD = 7 << 5;
const LINK_ACTIVE_REPORTING = 1 << 20;
// 7.5.3.6: set by everything that is built to revision 3.0 or later.
const ASPM_OPTIONALITY = 1 << 22;
const LINK_DISABLE = 1 << 4;
// The data link layer is up.
const LINK_ACTIVE = 1 << 13;
const LINK_CLOCK = 1 << 12;
const ARI_FORWARDING = 1 << 5;

/** The PCI Express capability (PCIe 7.5.3), version 2. */
export class ExpressCapability extends Capability {
  readonly id = CAPABILITY_EXPRESS;
  readonly name = 'Express';
  readonly size = 0x3c;
  readonly type: ExpressType;
  readonly #options: ExpressOptions;

  /** @throws PciError bad-capability */
  constructor(options: ExpressOptions) {
    super();
    this.type = options.type;
    this.#options = options;
    if (options.functionReset === true && !this.isEndpoint) {
      throw new PciError('bad-capability', `a ${options.type} has no function level reset`);
    }
  }

  /** That of a virtual function of the function that has this one (PCIe 9.3.5): it says the same of link and device. */
  ofVirtual(): ExpressCapability {
    return new ExpressCapability({ ...this.#options, virtual: true, functionReset: true });
  }

  /** Function level reset is there. */
  get functionReset(): boolean {
    return this.#options.functionReset ?? false;
  }

  get isEndpoint(): boolean {
    return this.type === 'endpoint' || this.type === 'legacy-endpoint' || this.type === 'integrated-endpoint';
  }

  /** A port towards devices: root port, or downstream port of a switch. */
  get isDownstream(): boolean {
    return this.type === 'root-port' || this.type === 'downstream-port';
  }

  registers(offset: number): readonly ConfigRegister[] {
    const slot = this.#options.slot;
    return [
      {
        name: 'express flags',
        offset: offset + EXPRESS.flags,
        size: 2,
        value: VERSION | (TYPES[this.type] << 4) | (slot ? SLOT_IMPLEMENTED : 0),
      },
      ...this.#deviceRegisters(offset),
      ...(this.type === 'integrated-endpoint' ? [] : this.#linkRegisters(offset)),
      ...(slot?.(offset) ?? []),
      ...(this.type === 'root-port' ? rootRegisters(offset) : []),
    ];
  }

  get ariForwarding(): boolean {
    return this.isDownstream && (this.read16(EXPRESS.deviceControl2) & ARI_FORWARDING) !== 0;
  }

  /** Software has not disabled the link below this port. */
  get linkEnabled(): boolean {
    return (this.read16(EXPRESS.linkControl) & LINK_DISABLE) === 0;
  }

  /** The link of this port is shown as up. */
  get linkActive(): boolean {
    return (this.read16(EXPRESS.linkStatus) & LINK_ACTIVE) !== 0;
  }

  /** A downstream port shows that its link is up or down. */
  setLinkActive(active: boolean): void {
    const at = this.offset + EXPRESS.linkStatus;
    if (active) this.owner.config.setBits(at, LINK_ACTIVE);
    else this.owner.config.clearBits(at, LINK_ACTIVE);
  }

  override fields(): CapabilityFields {
    const status = this.read16(EXPRESS.linkStatus);
    return {
      type: this.type,
      functionReset: this.functionReset,
      maxPayload: 128 << ((this.read16(EXPRESS.deviceControl) & PAYLOAD) >>> 5),
      linkSpeed: status & 0xf,
      linkWidth: (status >>> 4) & 0x3f,
      ...(this.isDownstream && {
        linkActive: (status & LINK_ACTIVE) !== 0,
        ariForwarding: this.ariForwarding,
      }),
    };
  }

  #deviceRegisters(offset: number): readonly ConfigRegister[] {
    const { functionReset = false, maxPayload = 128, ariForwarding = false, virtual = false } = this.#options;
    const ari = ariForwarding && this.isDownstream ? ARI_FORWARDING : 0;
    const capable =
      ROLE_BASED_ERRORS | Math.log2(maxPayload / 128) | (functionReset ? FUNCTION_RESET_CAPABLE : 0);
    return [
      { name: 'device capabilities', offset: offset + EXPRESS.deviceCapabilities, size: 4, value: capable },
      {
        name: 'device control',
        offset: offset + EXPRESS.deviceControl,
        size: 2,
        // Relaxed ordering and no snoop allowed, read requests up to 512 bytes.
        value: virtual ? 0 : 0x2810,
        write: virtual ? 0 : 0x78ff,
        held: PAYLOAD,
        effect: ({ written }) =>
          functionReset && (written & INITIATE_FUNCTION_RESET) !== 0 ? { kind: 'function-reset' } : undefined,
      },
      { name: 'device status', offset: offset + EXPRESS.deviceStatus, size: 2, clear: 0xf },
      { name: 'device capabilities 2', offset: offset + EXPRESS.deviceCapabilities2, size: 4, value: ari },
      {
        name: 'device control 2',
        offset: offset + EXPRESS.deviceControl2,
        size: 2,
        write: ari,
        effect: (): ConfigEffect => ({ kind: 'bus-numbers' }),
      },
    ];
  }

  #linkRegisters(offset: number): readonly ConfigRegister[] {
    const { speed = 1, width = 1, portNumber = 0, virtual = false, onLinkChange } = this.#options;
    const down = this.isDownstream;
    const negotiated = speed | (width << 4);
    return [
      {
        name: 'link capabilities',
        offset: offset + EXPRESS.linkCapabilities,
        size: 4,
        value:
          (negotiated | ASPM_OPTIONALITY | (down ? LINK_ACTIVE_REPORTING : 0) | (portNumber << 24)) >>> 0,
      },
      {
        name: 'link control',
        offset: offset + EXPRESS.linkControl,
        size: 2,
        write: virtual ? 0 : 0xc3 | (this.type === 'root-port' ? 0 : 1 << 3) | (down ? LINK_DISABLE : 0),
        held: 0xcb,
        effect: ({ before, after }) =>
          ((before ^ after) & LINK_DISABLE) !== 0 && onLinkChange !== undefined
            ? { kind: 'action', name: 'link-disable', run: onLinkChange }
            : undefined,
      },
      {
        name: 'link status',
        offset: offset + EXPRESS.linkStatus,
        size: 2,
        value: virtual ? 0 : negotiated | LINK_CLOCK,
        clear: down ? 0xc000 : 0,
        live: LINK_ACTIVE,
      },
      {
        name: 'link capabilities 2',
        offset: offset + EXPRESS.linkCapabilities2,
        size: 4,
        value: (2 ** speed - 1) << 1,
      },
      {
        name: 'link control 2',
        offset: offset + EXPRESS.linkControl2,
        size: 2,
        value: virtual ? 0 : speed,
        write: virtual ? 0 : 0xf,
        sticky: 0xf,
      },
    ];
  }
}

function rootRegisters(offset: number): readonly ConfigRegister[] {
  return [
    { name: 'root control', offset: offset + EXPRESS.rootControl, size: 2, write: 0xf },
    { name: 'root status', offset: offset + EXPRESS.rootStatus, size: 4, clear: 0x1_0000 },
  ];
}
