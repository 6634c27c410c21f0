import * as L from '../src/layout-offsets';
import { bump } from './dma';
import { addRange, clearFrame } from './frame';
import { copyStripped } from './strip';
import { get, set } from './state';

// The receive packet buffer: a ring of records (header, bytes, padding). Frames wait here for descriptors.

// @ts-ignore: decorator
@inline
function room(length: u32): u32 {
  return L.FIFO_RECORD_SIZE + ((length + 15) & ~15);
}

export function fifoFits(s: u32, length: u32): bool {
  return room(length) <= get(s, L.CORE_STATE_FIFO_SIZE) - get(s, L.CORE_STATE_FIFO_USED);
}

/** Appends the `length` bytes of the frame at hand, for queue `q`, with its attributes. The caller saw that it fits. */
export function fifoPush(s: u32, q: u32, length: u32): void {
  const size = get(s, L.CORE_STATE_FIFO_SIZE);
  const used = get(s, L.CORE_STATE_FIFO_USED);
  const buffer = s + L.CORE_STATE_PACKET_BUFFER;
  let at = get(s, L.CORE_STATE_FIFO_HEAD) + used;
  if (at >= size) at -= size;
  // Records begin at multiples of 16 and the size is one, so that a header wraps between its two halves only.
  store<u32>(buffer + at, length, L.FIFO_RECORD_LENGTH);
  store<u32>(buffer + at, q, L.FIFO_RECORD_QUEUE);
  store<u32>(buffer + at, get(s, L.CORE_STATE_RX_STATUS), L.FIFO_RECORD_STATUS);
  store<u32>(buffer + at, get(s, L.CORE_STATE_RX_HASH), L.FIFO_RECORD_HASH);
  const second = buffer + (at + 16 >= size ? at + 16 - size : at + 16) - 16;
  const strip = get(s, L.CORE_STATE_RX_STRIP);
  store<u16>(second, packetInfo(s), L.FIFO_RECORD_PACKET_INFO);
  store<u16>(second, get(s, L.CORE_STATE_RX_SPLIT_LENGTH) - strip, L.FIFO_RECORD_SPLIT_LENGTH);
  store<u16>(second, strip != 0 ? get(s, L.CORE_STATE_RX_TAG) : 0, L.FIFO_RECORD_VLAN);
  store<u16>(second, get(s, L.CORE_STATE_RX_CHECKSUM), L.FIFO_RECORD_CHECKSUM);
  store<u32>(second, strip, L.FIFO_RECORD_STRIP);
  store<u32>(second, get(s, L.CORE_STATE_RX_SPLIT_KIND), L.FIFO_RECORD_SPLIT_KIND);
  at += L.FIFO_RECORD_SIZE;
  if (at >= size) at -= size;
  const first = min(length, size - at);
  copyStripped(s, 0, first, buffer + at);
  if (first < length) copyStripped(s, first, length - first, buffer);
  bump(s + L.CORE_STATE_BYTES_COPIED, length);
  bump(s + L.CORE_STATE_FIFO_USED, room(length));
  bump(s + L.CORE_STATE_FIFO_COUNT, 1);
}

/** Type of the hash in bits 3:0, of the packet in 15:4, as the descriptor has them. */
// @ts-ignore: decorator
@inline
export function packetInfo(s: u32): u32 {
  return (get(s, L.CORE_STATE_RX_PACKET_INFO) & 0xfff0) | get(s, L.CORE_STATE_RX_RSS_TYPE);
}

/** The queue of the oldest frame. */
export function fifoQueue(s: u32): u32 {
  return load<u32>(s + L.CORE_STATE_PACKET_BUFFER + get(s, L.CORE_STATE_FIFO_HEAD), L.FIFO_RECORD_QUEUE);
}

/** Makes the oldest frame the frame at hand, with its attributes; its length. The tag is out of it already. */
export function fifoFront(s: u32): u32 {
  const size = get(s, L.CORE_STATE_FIFO_SIZE);
  const buffer = s + L.CORE_STATE_PACKET_BUFFER;
  let at = get(s, L.CORE_STATE_FIFO_HEAD);
  const length = load<u32>(buffer + at, L.FIFO_RECORD_LENGTH);
  set(s, L.CORE_STATE_RX_STATUS, load<u32>(buffer + at, L.FIFO_RECORD_STATUS));
  set(s, L.CORE_STATE_RX_HASH, load<u32>(buffer + at, L.FIFO_RECORD_HASH));
  const second = buffer + (at + 16 >= size ? at + 16 - size : at + 16) - 16;
  const info = <u32>load<u16>(second, L.FIFO_RECORD_PACKET_INFO);
  set(s, L.CORE_STATE_RX_PACKET_INFO, info & 0xfff0);
  set(s, L.CORE_STATE_RX_RSS_TYPE, info & 15);
  set(s, L.CORE_STATE_RX_SPLIT_LENGTH, load<u16>(second, L.FIFO_RECORD_SPLIT_LENGTH));
  set(s, L.CORE_STATE_RX_TAG, load<u16>(second, L.FIFO_RECORD_VLAN));
  set(s, L.CORE_STATE_RX_CHECKSUM, load<u16>(second, L.FIFO_RECORD_CHECKSUM));
  set(s, L.CORE_STATE_RX_SPLIT_KIND, load<u32>(second, L.FIFO_RECORD_SPLIT_KIND));
  set(s, L.CORE_STATE_RX_STRIP, 0);
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
  set(s, L.CORE_STATE_FIFO_HEAD, head);
  set(s, L.CORE_STATE_FIFO_USED, get(s, L.CORE_STATE_FIFO_USED) - taken);
  set(s, L.CORE_STATE_FIFO_COUNT, get(s, L.CORE_STATE_FIFO_COUNT) - 1);
  set(s, L.CORE_STATE_FIFO_FRONT_DONE, 0);
}
