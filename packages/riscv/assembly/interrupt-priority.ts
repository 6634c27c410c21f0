import { S_EXTERNAL_PRIORITY, S_MIPRIO, S_SIPRIO } from '../src/layout';
import { MACHINE } from './status';

/** Priority among major interrupts (AIA 5.1, 5.2.1, 5.4.1; without priority numbers privileged 3.1.9). */

const MACHINE_EXTERNAL: u32 = 11;
const SUPERVISOR_EXTERNAL: u32 = 9;
// Default order, a nibble each, the highest at the bottom: 11, 3, 7, 9, 1, 5.
const DEFAULT_ORDER: u32 = 0x51973b;
// Of an external interrupt that its controller gave no number.
const UNNUMBERED_EXTERNAL: u32 = 256;
// Of what has the number 0 and a default below external interrupts: below every number of a controller.
const LAST: u32 = 0x1_0000;

// @ts-ignore: decorator
@inline
function byDefault(pending: u64): u32 {
  let order = DEFAULT_ORDER;
  while (((pending >> u64(order & 15)) & 1) == 0) order >>= 4;
  return order & 15;
}

function numberOf(s: u32, interrupt: u32, level: u32): u32 {
  if (level == MACHINE) {
    if (interrupt != MACHINE_EXTERNAL) return load<u8>(s + interrupt, S_MIPRIO);
    const number = load<u32>(s, S_EXTERNAL_PRIORITY);
    return number == 0 ? UNNUMBERED_EXTERNAL : number;
  }
  if (interrupt != SUPERVISOR_EXTERNAL) return load<u8>(s + interrupt, S_SIPRIO);
  const number = load<u32>(s, S_EXTERNAL_PRIORITY + 4);
  return number == 0 ? UNNUMBERED_EXTERNAL : number;
}

/** Of major interrupts 1 to 11 that would trap to `level` the one of highest priority; `pending` is not 0. */
export function strongest(s: u32, pending: u64, level: u32): u32 {
  const numbers = s + (level == MACHINE ? S_MIPRIO : S_SIPRIO);
  if ((load<u64>(numbers) | load<u64>(numbers, 8)) == 0) return byDefault(pending);
  let best: u32 = 0;
  let bestNumber: u32 = LAST + 1;
  for (let order = DEFAULT_ORDER; order != 0; order >>= 4) {
    const interrupt = order & 15;
    if (((pending >> u64(interrupt)) & 1) == 0) continue;
    const given = numberOf(s, interrupt, level);
    const number = given == 0 ? LAST : given;
    if (number >= bestNumber) continue;
    best = interrupt;
    bestNumber = number;
  }
  return best;
}

/** mtopi and stopi (5.2.2, 5.4.2): 0, or the strongest interrupt and its priority as 8 bits show it. */
export function topInterrupt(s: u32, pending: u64, level: u32): u64 {
  if (pending == 0) return 0;
  const interrupt = strongest(s, pending, level);
  const number = numberOf(s, interrupt, level);
  const shown: u32 = number == 0 || number > 255 ? 255 : number;
  return (u64(interrupt) << 16) | u64(shown);
}
