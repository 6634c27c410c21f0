import { Capability } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { PciError } from '../error.js';
import { CAPABILITY_VENDOR } from '../registers.js';

/**
 * A vendor-specific capability (PCIe 7.9.4): bytes that the vendor gives a meaning to. virtio finds its registers
 * with several of them.
 */
export class VendorCapability extends Capability {
  readonly id = CAPABILITY_VENDOR;
  readonly name: string;
  readonly size: number;

  /**
   * `body` follows the length byte, at offset 3. `writable` says which of its bits software writes; none unless
   * told. @throws PciError bad-capability
   */
  constructor(
    private readonly body: Uint8Array,
    private readonly writable?: Uint8Array,
    name = 'Vendor Specific',
  ) {
    super();
    this.name = name;
    this.size = body.length + 3;
    if (this.size > 0xff)
      throw new PciError('bad-capability', `${name}: ${body.length} bytes are too many; at most 252`);
  }

  registers(offset: number): readonly ConfigRegister[] {
    const list: ConfigRegister[] = [
      { name: `${this.name} length`, offset: offset + 2, size: 1, value: this.size },
    ];
    this.body.forEach((value, index) => {
      const write = this.writable?.[index] ?? 0;
      list.push({ name: `${this.name} byte ${index}`, offset: offset + 3 + index, size: 1, value, write });
    });
    return list;
  }
}
