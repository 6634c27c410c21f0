import { EID_LEGACY_GETCHAR, EID_LEGACY_PUTCHAR, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import type { SbiConsole } from './dbcn.js';

/** Extension ids of the legacy calls (SBI 2.0 chapter 5) with those reserved for them. */
export const isLegacy = (eid: number): boolean => eid >= 0 && eid <= 0x0f;

/** What a legacy call leaves in a0; a1 is not changed by it. Of the legacy calls the console's are there. */
export function legacyCall(eid: number, argument: bigint, console: SbiConsole): number {
  switch (eid) {
    case EID_LEGACY_PUTCHAR:
      console.write(Number(argument & 0xffn));
      return SBI_SUCCESS;
    case EID_LEGACY_GETCHAR:
      // 5.3: -1 when nothing was typed.
      return console.read();
    default:
      return SBI_ERR_NOT_SUPPORTED;
  }
}
