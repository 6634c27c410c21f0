import { BIT_SSIP, EID_IPI, SBI_ERR_INVALID_PARAM, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import { FIRMWARE_IPI_RECEIVED, FIRMWARE_IPI_SENT, type CountFirmwareEvent } from './firmware-counters.js';
import { hartsOfMask } from './hart-mask.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';
import type { SbiHart } from './sbi-hart.js';

/** IPI extension, SBI 2.0 chapter 7. A stopped hart takes none: it begins without pending interrupts. */
export class IpiExtension implements SbiExtension {
  readonly eid = EID_IPI;

  constructor(
    private readonly harts: readonly SbiHart[],
    private readonly isStopped: (hart: number) => boolean,
    private readonly count: CountFirmwareEvent,
  ) {}

  call({ hart, fid, args }: SbiCall): SbiRet {
    if (fid !== 0) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    const targets = hartsOfMask(this.harts, args[0], args[1]);
    if (targets === undefined) return sbiRet(SBI_ERR_INVALID_PARAM);
    for (const target of targets) {
      if (this.isStopped(target.id)) continue;
      this.count(hart.id, FIRMWARE_IPI_SENT);
      this.count(target.id, FIRMWARE_IPI_RECEIVED);
      target.setInterrupt(BIT_SSIP, true);
    }
    return sbiRet(SBI_SUCCESS);
  }
}
