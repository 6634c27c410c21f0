import * as L from '../src/layout-offsets';

// The frame at hand: a list of ranges of the host's memory. Range 0 is kept for a header of our own
// making; the data begin at range 1.

export const MAX_RANGES: u32 = L.CORE_STATE_FRAME_RANGES_COUNT;

// @ts-ignore: decorator
@inline
export function rangeAt(s: u32, index: u32): u32 {
  return s + L.CORE_STATE_FRAME_RANGES + (index << 3);
}

export function clearFrame(s: u32): void {
  store<u64>(rangeAt(s, 0), 0);
  store<u32>(s + L.CORE_STATE_FRAME_COUNT, 1);
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, 0);
}

/** Adds a range at the end; the caller sees to it that there is room. */
export function addRange(s: u32, offset: u32, length: u32): void {
  const count = load<u32>(s + L.CORE_STATE_FRAME_COUNT);
  const last = rangeAt(s, count - 1);
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, load<u32>(s + L.CORE_STATE_FRAME_LENGTH) + length);
  const lastLength = load<u32>(last, 4);
  if (count > 1 && load<u32>(last) + lastLength == offset) {
    store<u32>(last, lastLength + length, 4);
    return;
  }
  const range = rangeAt(s, count);
  store<u32>(range, offset);
  store<u32>(range, length, 4);
  store<u32>(s + L.CORE_STATE_FRAME_COUNT, count + 1);
}

/** Copies up to `length` bytes from `from` of the frame on to `to`; the count. */
export function copyOut(s: u32, from: u32, length: u32, to: u32): u32 {
  const count = load<u32>(s + L.CORE_STATE_FRAME_COUNT);
  let copied: u32 = 0;
  for (let i: u32 = 0; i < count && copied < length; i++) {
    const range = rangeAt(s, i);
    const size = load<u32>(range, 4);
    if (from >= size) {
      from -= size;
      continue;
    }
    const n = min(size - from, length - copied);
    memory.copy(to + copied, load<u32>(range) + from, n);
    copied += n;
    from = 0;
  }
  return copied;
}

/** Takes `length` bytes away from the end. */
export function trimEnd(s: u32, length: u32): void {
  store<u32>(s + L.CORE_STATE_FRAME_LENGTH, load<u32>(s + L.CORE_STATE_FRAME_LENGTH) - length);
  for (let i = load<u32>(s + L.CORE_STATE_FRAME_COUNT) - 1; length > 0; i--) {
    const range = rangeAt(s, i);
    const n = min(load<u32>(range, 4), length);
    store<u32>(range, load<u32>(range, 4) - n, 4);
    length -= n;
  }
}

/** Replaces the first `length` bytes by the `newLength` bytes at `header` (range 0). */
export function replaceStart(s: u32, length: u32, header: u32, newLength: u32): void {
  const total = s + L.CORE_STATE_FRAME_LENGTH;
  store<u32>(total, load<u32>(total) - length + newLength);
  for (let i: u32 = 1; length > 0; i++) {
    const range = rangeAt(s, i);
    const n = min(load<u32>(range, 4), length);
    store<u32>(range, load<u32>(range) + n);
    store<u32>(range, load<u32>(range, 4) - n, 4);
    length -= n;
  }
  store<u32>(rangeAt(s, 0), header);
  store<u32>(rangeAt(s, 0), newLength, 4);
}
