import * as L from '../src/layout-offsets';
import { copyOut } from './frame';
import { get } from './state';

/** Copies `length` bytes from `from` on of the frame at hand as its receiver sees it: without the tag, where that is stripped. */
export function copyStripped(s: u32, from: u32, length: u32, to: u32): void {
  const strip = get(s, L.CORE_STATE_RX_STRIP);
  if (strip == 0) {
    copyOut(s, from, length, to);
    return;
  }
  if (from < 12) {
    const n = min(12 - from, length);
    copyOut(s, from, n, to);
    from += n;
    to += n;
    length -= n;
  }
  if (length > 0) copyOut(s, from + strip, length, to);
}
