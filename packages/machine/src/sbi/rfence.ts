import {
  EID_RFENCE,
  SBI_ERR_INVALID_ADDRESS,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  SBI_SUCCESS,
} from './codes.js';
import {
  FIRMWARE_FENCE_I_RECEIVED,
  FIRMWARE_FENCE_I_SENT,
  FIRMWARE_SFENCE_VMA_ASID_RECEIVED,
  FIRMWARE_SFENCE_VMA_ASID_SENT,
  FIRMWARE_SFENCE_VMA_RECEIVED,
  FIRMWARE_SFENCE_VMA_SENT,
  type CountFirmwareEvent,
} from './firmware-counters.js';
import { hartsOfMask } from './hart-mask.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';
import type { SbiHart } from './sbi-hart.js';

const REMOTE_FENCE_I = 0;
const REMOTE_SFENCE_VMA_ASID = 2;
const ADDRESS_SPACE = 1n << 64n;
const WHOLE = ADDRESS_SPACE - 1n;
/** Firmware events of the caller and of each target, by function. */
const EVENTS: readonly (readonly [sent: number, received: number])[] = [
  [FIRMWARE_FENCE_I_SENT, FIRMWARE_FENCE_I_RECEIVED],
  [FIRMWARE_SFENCE_VMA_SENT, FIRMWARE_SFENCE_VMA_RECEIVED],
  [FIRMWARE_SFENCE_VMA_ASID_SENT, FIRMWARE_SFENCE_VMA_ASID_RECEIVED],
];
/** satp.ASID has 16 bits. */
const MAX_ASID = 0xffffn;

/**
 * RFENCE extension, SBI 2.0 chapter 8. The hypervisor fences (functions 3 to 6) need the H extension, which
 * these harts do not have. Dropping more translations than were named is always correct.
 */
export class RfenceExtension implements SbiExtension {
  readonly eid = EID_RFENCE;

  constructor(
    private readonly harts: readonly SbiHart[],
    private readonly isStopped: (hart: number) => boolean,
    private readonly count: CountFirmwareEvent,
  ) {}

  call({ hart, fid, args }: SbiCall): SbiRet {
    if (fid < 0 || fid > REMOTE_SFENCE_VMA_ASID) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    const targets = hartsOfMask(this.harts, args[0], args[1]);
    if (targets === undefined) return sbiRet(SBI_ERR_INVALID_PARAM);
    if (fid !== REMOTE_FENCE_I) {
      const [start, size] = [args[2], args[3]];
      // Size 0 with start 0, and size -1, name the whole address space (8, "range").
      if (size !== WHOLE && start + size > ADDRESS_SPACE) return sbiRet(SBI_ERR_INVALID_ADDRESS);
      if (fid === REMOTE_SFENCE_VMA_ASID && args[4] > MAX_ASID) return sbiRet(SBI_ERR_INVALID_PARAM);
    }
    const [sent, received] = EVENTS[fid];
    for (const target of targets) {
      if (this.isStopped(target.id)) continue;
      this.count(hart.id, sent);
      this.count(target.id, received);
      if (fid === REMOTE_FENCE_I) target.fenceI?.();
      else target.flushTlb();
    }
    return sbiRet(SBI_SUCCESS);
  }
}
