import { blockSum, fold, swap16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import { rangeAt } from './frame';

/**
 * The one's complement sum (RFC 1071), as a number whose high byte comes first on the wire, of the bytes
 * from `from` to before `to` of the frame at hand.
 */
export function frameSum(s: u32, from: u32, to: u32): u32 {
  const count = load<u32>(s + L.CORE_STATE_FRAME_COUNT);
  let sum: u64 = 0;
  let odd = false;
  let position: u32 = 0;
  for (let i: u32 = 0; i < count && position < to; i++) {
    const range = rangeAt(s, i);
    const size = load<u32>(range, 4);
    const start = max(from, position);
    const end = min(to, position + size);
    if (start < end) {
      const part = fold(blockSum(load<u32>(range) + (start - position), end - start));
      sum += odd ? swap16(part) : part;
      if (((end - start) & 1) != 0) odd = !odd;
    }
    position += size;
  }
  return swap16(fold(sum));
}
