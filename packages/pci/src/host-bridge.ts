import { PciFunction } from './function.js';

/** The host bridge of QEMU's virt board: there to be found at 00:00.0, with nothing to program. */
export class HostBridge extends PciFunction {
  constructor() {
    super({
      vendor: 0x1b36,
      device: 0x0008,
      classCode: 0x06_00_00,
      subsystemVendor: 0x1af4,
      subsystem: 0x1100,
      pin: 'none',
      model: 'host-bridge',
    });
  }
}
