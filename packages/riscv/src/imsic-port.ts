import type { CoreClient } from './core.js';
import type { HartState } from './hart-state.js';
import { FILE_TOP, S_VALUE } from './layout.js';

/**
 * What a hart's CSRs reach of its incoming-MSI controller (AIA 1.0, chapter 3). `file` is 0 for the machine's
 * interrupt file, 1 for the supervisor's, and from 2 on those of guests 1, 2 and so on. `register` is the number
 * that `miselect` or `siselect` holds, 0x70 to 0xff, in the arrays an even one: each access is 64 bits wide.
 */
export interface ImsicPort {
  /** The value, low half first, into `out`; of what is reserved 0. */
  read(file: number, register: number, out: Uint32Array): void;
  /** `low` and `high` are unsigned. What is reserved ignores it. */
  write(file: number, register: number, low: number, high: number): void;
  /** mtopei, stopei: identity in bits 26:16, priority in bits 10:0; 0 when nothing is pending and enabled. */
  top(file: number): number;
  /** Clears the pending bit of what {@link top} tells. */
  claim(file: number): void;
}

/** How the core's CSR accesses come to the port of the hart with this state. */
export function imsicClient(
  state: HartState,
  imsic: () => ImsicPort,
): Pick<CoreClient, 'imsicRead' | 'imsicWrite'> {
  const pair = new Uint32Array(2);
  return {
    imsicRead: (file, register) => {
      pair.fill(0);
      if (register === FILE_TOP) pair[0] = imsic().top(file);
      else imsic().read(file, register, pair);
      state.setU32(S_VALUE, pair[0]);
      state.setU32(S_VALUE + 4, pair[1]);
    },
    imsicWrite: (file, register, low, high) => {
      if (register === FILE_TOP) imsic().claim(file);
      else imsic().write(file, register, low >>> 0, high >>> 0);
    },
  };
}
