// The 82540EM's descriptor walks, checksums, segmentation and filters. All state lies in the state block
// (src/layouts.ts), whose base is the first argument of every export.
import { fillCrcTable } from '@vmloom/net/assembly/crc';
import * as L from '../src/layout-offsets';

export { transmit, stash } from './transmit';
export { receive, drain } from './receive';

/** Fills the tables of a new state block. */
export function initialize(s: u32): void {
  fillCrcTable(s + L.CORE_STATE_CRC_TABLE);
}
