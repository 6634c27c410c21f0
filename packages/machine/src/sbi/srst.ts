import { EID_SRST, SBI_ERR_INVALID_PARAM, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';

/** What a guest asks of the machine. */
export interface SbiResetRequest {
  readonly type: 'shutdown' | 'cold-reboot' | 'warm-reboot';
  readonly reason: 'none' | 'system-failure';
}

const RESET_TYPES: readonly SbiResetRequest['type'][] = ['shutdown', 'cold-reboot', 'warm-reboot'];
/** No reason, system failure. The implementation's and the platform's own reasons do not exist here. */
const REASONS = 2;

/** System reset extension, SBI 2.0 chapter 10. */
export class SrstExtension implements SbiExtension {
  readonly eid = EID_SRST;

  /** `request` schedules what was asked for; the caller does not come back from it. */
  constructor(private readonly request: (request: SbiResetRequest) => void) {}

  call({ fid, args }: SbiCall): SbiRet {
    if (fid !== 0) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    // Both are 32 bits wide (10.1, uint32_t): what is above them is not part of them.
    const type = Number(BigInt.asUintN(32, args[0]));
    const reason = Number(BigInt.asUintN(32, args[1]));
    if (type >= RESET_TYPES.length || reason >= REASONS) return sbiRet(SBI_ERR_INVALID_PARAM);
    this.request({ type: RESET_TYPES[type], reason: reason === 0 ? 'none' : 'system-failure' });
    return sbiRet(SBI_SUCCESS);
  }
}
