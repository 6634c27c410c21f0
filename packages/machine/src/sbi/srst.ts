import { EID_SRST, SBI_ERR_INVALID_PARAM, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';

/** What a guest asks of the machine. */
export interface SbiResetRequest {
  readonly type: 'shutdown' | 'cold-reboot' | 'warm-reboot';
  /** 0: no reason; 1: system failure; 0xe0000000 and above: the SBI's own or the platform's. */
  readonly reason: number;
}

export const RESET_TYPES: readonly SbiResetRequest['type'][] = ['shutdown', 'cold-reboot', 'warm-reboot'];
const VENDOR_TYPES = 0xf000_0000;
const LAST_REASON = 1;
const IMPLEMENTATION_REASONS = 0xe000_0000;

/** System reset extension, SBI 2.0 chapter 10. */
export class SrstExtension implements SbiExtension {
  readonly eid = EID_SRST;

  /** `request` schedules what was asked for; the caller does not come back from it. */
  constructor(private readonly request: (type: number, reason: number) => void) {}

  call({ fid, args }: SbiCall): SbiRet {
    if (fid !== 0) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    // Both are 32 bits wide (10.1, uint32_t).
    const type = Number(BigInt.asUintN(32, args[0]!));
    const reason = Number(BigInt.asUintN(32, args[1]!));
    if (type >= VENDOR_TYPES) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    if (type >= RESET_TYPES.length) return sbiRet(SBI_ERR_INVALID_PARAM);
    if (reason > LAST_REASON && reason < IMPLEMENTATION_REASONS) return sbiRet(SBI_ERR_INVALID_PARAM);
    this.request(type, reason);
    return sbiRet(SBI_SUCCESS);
  }
}
