import {
  CSR_MARCHID,
  CSR_MIMPID,
  CSR_MVENDORID,
  EID_BASE,
  SBI_ERR_NOT_SUPPORTED,
  SBI_SUCCESS,
} from './codes.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';

/** Major version in bits 30:24, minor in 23:0. */
const SPEC_VERSION = 0x0200_0000n;
/** No registered implementation: "vml" in ASCII. */
const IMPLEMENTATION_ID = 0x76_6d6cn;
const IMPLEMENTATION_VERSION = 1n;

/** Base extension, SBI 2.0 chapter 4. */
export class BaseExtension implements SbiExtension {
  readonly eid = EID_BASE;

  /** `probe` answers whether an extension is there. */
  constructor(private readonly probe: (eid: bigint) => boolean) {}

  call({ hart, fid, args }: SbiCall): SbiRet {
    switch (fid) {
      case 0:
        return sbiRet(SBI_SUCCESS, SPEC_VERSION);
      case 1:
        return sbiRet(SBI_SUCCESS, IMPLEMENTATION_ID);
      case 2:
        return sbiRet(SBI_SUCCESS, IMPLEMENTATION_VERSION);
      case 3:
        return sbiRet(SBI_SUCCESS, this.probe(args[0]) ? 1n : 0n);
      case 4:
        return sbiRet(SBI_SUCCESS, hart.readCsr(CSR_MVENDORID));
      case 5:
        return sbiRet(SBI_SUCCESS, hart.readCsr(CSR_MARCHID));
      case 6:
        return sbiRet(SBI_SUCCESS, hart.readCsr(CSR_MIMPID));
      default:
        return sbiRet(SBI_ERR_NOT_SUPPORTED);
    }
  }
}
