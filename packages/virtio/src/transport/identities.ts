/** What a PCI transport says of a device type: as QEMU has it, so that drivers and lspci see the same. */
export interface PciIdentity {
  /** 24 bits. */
  readonly classCode: number;
  /** 4.1.2.1: the device ID of a transitional device; none for types that came with 1.0. */
  readonly transitional?: number;
}

export const VENDOR = 0x1af4;
/** 4.1.2.1: the device type is added. */
export const MODERN_DEVICE = 0x1040;
/** What QEMU puts into the subsystem ID of a device that is not transitional. */
export const MODERN_SUBSYSTEM = 0x1100;

const IDENTITIES: Readonly<Record<number, PciIdentity>> = {
  // Network card.
  1: { classCode: 0x02_00_00, transitional: 0x1000 },
  // Block device.
  2: { classCode: 0x01_00_00, transitional: 0x1001 },
  // Console.
  3: { classCode: 0x07_80_00, transitional: 0x1003 },
  // Entropy source.
  4: { classCode: 0x00_ff_00, transitional: 0x1005 },
  // 9P transport.
  9: { classCode: 0x00_02_00, transitional: 0x1009 },
  // Socket device.
  19: { classCode: 0x07_80_00 },
};

export const identityOf = (type: number): PciIdentity => IDENTITIES[type] ?? { classCode: 0x00_ff_00 };
