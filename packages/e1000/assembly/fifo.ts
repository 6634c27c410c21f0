import * as L from '../src/layout-offsets';
import { bump } from './dma';
import { addRange, clearFrame, copyOut } from './frame';

// The receive FIFO: a ring of records (header, bytes, padding) in the first bytes of the packet buffer.
// Frames wait here for descriptors.

// @ts-ignore: decorator
@inline
function get(s: u32, field: u32): u32 {
  return load<u32>(s + field);
}

// @ts-ignore: decorator
@inline
function room(length: u32): u32 {
  return L.FIFO_RECORD_SIZE + ((length + 15) & ~15);
}

export function fifoFits(s: u32, length: u32): bool {
  return room(length) <= get(s, L.CORE_STATE_FIFO_SIZE) - get(s, L.CORE_STATE_FIFO_USED);
}

/** Appends the frame at hand from byte `from` to byte `to`, with its attributes. The caller saw that it fits. */
export function fifoPush(s: u32, from: u32, to: u32): void {
  const size = get(s, L.CORE_STATE_FIFO_SIZE);
  const used = get(s, L.CORE_STATE_FIFO_USED);
  const buffer = s + L.CORE_STATE_PACKET_BUFFER;
  let at = get(s, L.CORE_STATE_FIFO_HEAD) + used;
  if (at >= size) at -= size;
  const length = to - from;
  const record = buffer + at;
  store<u32>(record, length, L.FIFO_RECORD_LENGTH);
  store<u8>(record, get(s, L.CORE_STATE_RX_STATUS), L.FIFO_RECORD_STATUS);
  store<u8>(record, get(s, L.CORE_STATE_RX_ERRORS), L.FIFO_RECORD_ERRORS);
  store<u16>(record, get(s, L.CORE_STATE_RX_CHECKSUM), L.FIFO_RECORD_CHECKSUM);
  store<u16>(record, get(s, L.CORE_STATE_RX_SPECIAL), L.FIFO_RECORD_SPECIAL);
  at += L.FIFO_RECORD_SIZE;
  if (at >= size) at -= size;
  const first = min(length, size - at);
  copyOut(s, from, first, buffer + at);
  if (first < length) copyOut(s, from + first, length - first, buffer);
  bump(s + L.CORE_STATE_BYTES_COPIED, length);
  bump(s + L.CORE_STATE_FIFO_USED, room(length));
  bump(s + L.CORE_STATE_FIFO_COUNT, 1);
}

/** Makes the oldest frame the frame at hand, with its attributes; its length. */
export function fifoFront(s: u32): u32 {
  const size = get(s, L.CORE_STATE_FIFO_SIZE);
  const buffer = s + L.CORE_STATE_PACKET_BUFFER;
  let at = get(s, L.CORE_STATE_FIFO_HEAD);
  const record = buffer + at;
  // A guest may write to the packet buffer (13.8): what it leaves there must stay inside.
  const length = min(load<u32>(record, L.FIFO_RECORD_LENGTH), get(s, L.CORE_STATE_FIFO_USED) - L.FIFO_RECORD_SIZE);
  store<u32>(s + L.CORE_STATE_RX_STATUS, load<u8>(record, L.FIFO_RECORD_STATUS));
  store<u32>(s + L.CORE_STATE_RX_ERRORS, load<u8>(record, L.FIFO_RECORD_ERRORS));
  store<u32>(s + L.CORE_STATE_RX_CHECKSUM, load<u16>(record, L.FIFO_RECORD_CHECKSUM));
  store<u32>(s + L.CORE_STATE_RX_SPECIAL, load<u16>(record, L.FIFO_RECORD_SPECIAL));
  at += L.FIFO_RECORD_SIZE;
  if (at >= size) at -= size;
  const first = min(length, size - at);
  clearFrame(s);
  addRange(s, buffer + at, first);
  if (first < length) addRange(s, buffer, length - first);
  return length;
}

/** Takes the oldest frame, of `length` bytes, away. */
export function fifoPop(s: u32, length: u32): void {
  const size = get(s, L.CORE_STATE_FIFO_SIZE);
  const taken = min(room(length), get(s, L.CORE_STATE_FIFO_USED));
  let head = get(s, L.CORE_STATE_FIFO_HEAD) + taken;
  if (head >= size) head -= size;
  const left = get(s, L.CORE_STATE_FIFO_COUNT) - 1;
  const used: u32 = left == 0 ? 0 : get(s, L.CORE_STATE_FIFO_USED) - taken;
  store<u32>(s + L.CORE_STATE_FIFO_HEAD, head);
  store<u32>(s + L.CORE_STATE_FIFO_USED, used);
  store<u32>(s + L.CORE_STATE_FIFO_COUNT, used == 0 ? 0 : left);
  store<u32>(s + L.CORE_STATE_FIFO_FRONT_DONE, 0);
}
