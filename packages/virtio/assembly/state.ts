import * as L from '../src/layout-offsets';

// The state block of a queue (queueState in layouts.ts), whose base is the first argument of everything.

// @ts-ignore: decorator
@inline
export function get(q: u32, field: u32): u32 {
  return load<u32>(q + field);
}

// @ts-ignore: decorator
@inline
export function set(q: u32, field: u32, value: u32): void {
  store<u32>(q + field, value);
}

// @ts-ignore: decorator
@inline
export function bump(q: u32, field: u32, by: u32): void {
  store<u32>(q + field, load<u32>(q + field) + by);
}

/**
 * Where byte `offset` of a part of the queue lies in the host's memory; `area` is the field of the part. What
 * is read there must not cross a page.
 */
// @ts-ignore: decorator
@inline
export function ringAt(q: u32, area: u32, offset: u32): u32 {
  const at = offset + load<u32>(q + area, L.QUEUE_STATE_DRIVER_SHIFT - L.QUEUE_STATE_DRIVER);
  const pages = load<u32>(q + area, L.QUEUE_STATE_DRIVER_PAGES - L.QUEUE_STATE_DRIVER);
  return load<u32>(pages + ((at >> 12) << 2)) + (at & 0xfff);
}
