import type { AddressSpace } from '@vmloom/memory';
import { EID_DBCN, SBI_ERR_INVALID_PARAM, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import { guestRange } from './guest-memory.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';

/** Where the SBI's console goes. */
export interface SbiConsole {
  write(byte: number): void;
  /** The next byte that was typed; -1 when there is none. */
  read(): number;
}

/** Bytes that one call moves at most; it answers how many it moved, and the caller comes again (12.1). */
const MOST = 4096;

/** Debug console extension, SBI 2.0 chapter 12. */
export class DbcnExtension implements SbiExtension {
  readonly eid = EID_DBCN;

  constructor(
    private readonly space: AddressSpace,
    private readonly console: SbiConsole,
  ) {}

  call({ fid, args }: SbiCall): SbiRet {
    const [count, low, high] = [args[0], args[1], args[2]];
    switch (fid) {
      case 0:
        return this.#write(count, low, high);
      case 1:
        return this.#read(count, low, high);
      case 2:
        this.console.write(Number(count & 0xffn));
        return sbiRet(SBI_SUCCESS);
      default:
        return sbiRet(SBI_ERR_NOT_SUPPORTED);
    }
  }

  #write(count: bigint, low: bigint, high: bigint): SbiRet {
    if (count === 0n) return sbiRet(SBI_SUCCESS);
    const address = guestRange(this.space, low, high, count, false);
    if (address === undefined) return sbiRet(SBI_ERR_INVALID_PARAM);
    const bytes = this.space.readBytes(address, Math.min(Number(count), MOST));
    for (const byte of bytes) this.console.write(byte);
    return sbiRet(SBI_SUCCESS, BigInt(bytes.length));
  }

  #read(count: bigint, low: bigint, high: bigint): SbiRet {
    if (count === 0n) return sbiRet(SBI_SUCCESS);
    const address = guestRange(this.space, low, high, count, true);
    if (address === undefined) return sbiRet(SBI_ERR_INVALID_PARAM);
    const bytes: number[] = [];
    while (bytes.length < Math.min(Number(count), MOST)) {
      const byte = this.console.read();
      if (byte < 0) break;
      bytes.push(byte);
    }
    this.space.writeBytes(address, Uint8Array.from(bytes));
    return sbiRet(SBI_SUCCESS, BigInt(bytes.length));
  }
}
