import type { SbiError } from './codes.js';
import type { SbiHart } from './sbi-hart.js';

/** What a call answers: a0 and a1 (SBI 3, binary encoding). */
export interface SbiRet {
  readonly error: SbiError;
  /** 64 bits; 0 unless told. */
  readonly value?: bigint;
}

export const sbiRet = (error: SbiError, value = 0n): SbiRet => ({ error, value });

/** One call: its function number and arguments a0 to a5, all unsigned. */
export interface SbiCall {
  readonly hart: SbiHart;
  /** a6; -1 when that is no id. */
  readonly fid: number;
  readonly args: readonly bigint[];
}

/** One extension: answers its functions, NOT_SUPPORTED for those it does not have. */
export interface SbiExtension {
  readonly eid: number;
  call(call: SbiCall): SbiRet;
}
