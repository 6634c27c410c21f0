import * as L from '../src/layout-offsets';
import { rangeAt } from './frame';

/** RFC 9260 appendix A: CRC32c of the bytes from `from` to before `to` of the frame at hand, as it goes on the wire. */
export function crc32c(s: u32, from: u32, to: u32): u32 {
  const count = load<u32>(s + L.CORE_STATE_FRAME_COUNT);
  let crc: u32 = 0xffffffff;
  let position: u32 = 0;
  for (let i: u32 = 0; i < count && position < to; i++) {
    const range = rangeAt(s, i);
    const size = load<u32>(range, 4);
    const start = max(from, position);
    const end = min(to, position + size);
    for (let at = start; at < end; at++) {
      crc ^= load<u8>(load<u32>(range) + (at - position));
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
    }
    position += size;
  }
  return ~crc;
}
