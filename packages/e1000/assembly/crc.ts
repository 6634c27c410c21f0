import { updateCrc } from '@vmloom/net/assembly/crc';
import * as L from '../src/layout-offsets';
import { rangeAt } from './frame';

/** The FCS of the first `length` bytes of the frame at hand; its low byte goes first on the wire. */
export function frameFcs(s: u32, length: u32): u32 {
  const table = s + L.CORE_STATE_CRC_TABLE;
  const count = load<u32>(s + L.CORE_STATE_FRAME_COUNT);
  let crc: u32 = 0xffffffff;
  for (let i: u32 = 0; i < count && length > 0; i++) {
    const range = rangeAt(s, i);
    const n = min(load<u32>(range, 4), length);
    crc = updateCrc(table, crc, load<u32>(range), n);
    length -= n;
  }
  return ~crc;
}
