// The 82576's descriptor walks, checksums, segmentation and filters. All state lies in the state block (src/layouts.ts),
// whose base is the first argument of every export.
import { fillCrcTable } from '@vmloom/net/assembly/crc';
import * as L from '../src/layout-offsets';

export { transmit, stash, countSent } from './transmit';
export { peek, examine, deliver, drain, countGood } from './receive';
export { chooseQueue, poolQueue } from './rss';

/** Fills the tables of a new state block. */
export function initialize(s: u32): void {
  fillCrcTable(s + L.CORE_STATE_CRC_TABLE);
}
