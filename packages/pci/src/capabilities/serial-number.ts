import { ExtendedCapability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { EXTENDED_SERIAL_NUMBER } from '../registers.js';

/** Device serial number (PCIe 7.9.3): an EUI-64, in NICs made from the MAC address. */
export class SerialNumberCapability extends ExtendedCapability {
  readonly id = EXTENDED_SERIAL_NUMBER;
  readonly version = 1;
  readonly name = 'Device Serial Number';
  readonly size = 12;

  /** The two halves, low first. */
  constructor(
    private readonly low: number,
    private readonly high: number,
  ) {
    super();
  }

  /** The number of a card with a 6-byte MAC address: its two halves with FFFEh between them. */
  static fromMac(mac: Uint8Array): SerialNumberCapability {
    const [a, b, c, d, e, f] = mac as unknown as [number, number, number, number, number, number];
    return new SerialNumberCapability(
      ((0xfe << 24) | (d << 16) | (e << 8) | f) >>> 0,
      ((a << 24) | (b << 16) | (c << 8) | 0xff) >>> 0,
    );
  }

  registers(offset: number): readonly ConfigRegister[] {
    return [
      { name: 'serial number low', offset: offset + 4, size: 4, value: this.low },
      { name: 'serial number high', offset: offset + 8, size: 4, value: this.high },
    ];
  }

  override fields(): CapabilityFields {
    const hex = (value: number): string => value.toString(16).padStart(8, '0');
    const bytes = (hex(this.high) + hex(this.low)).match(/../g) ?? [];
    return { number: bytes.join('-') };
  }
}
