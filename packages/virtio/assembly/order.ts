import * as L from '../src/layout-offsets';
import { bump, get, set } from './state';

// 2.7.9 and 2.8.8: with IN_ORDER chains go back in the order in which they came. A chain that is done early waits.

// @ts-ignore: decorator
@inline
function entry(q: u32, index: u32): u32 {
  const size = get(q, L.QUEUE_STATE_QUEUE_SIZE);
  let at = get(q, L.QUEUE_STATE_ORDER_HEAD) + index;
  if (at >= size) at -= size;
  return get(q, L.QUEUE_STATE_ORDER) + at * L.ORDER_ENTRY_SIZE;
}

/** A chain came. */
export function orderAdd(q: u32, token: u32): void {
  const at = entry(q, get(q, L.QUEUE_STATE_ORDER_COUNT));
  store<u32>(at, token);
  store<u32>(at, 0, L.ORDER_ENTRY_DONE);
  bump(q, L.QUEUE_STATE_ORDER_COUNT, 1);
}

/** The chain that came last was given back. */
export function orderUndo(q: u32): void {
  set(q, L.QUEUE_STATE_ORDER_COUNT, get(q, L.QUEUE_STATE_ORDER_COUNT) - 1);
}

/** A chain is done. */
export function orderDone(q: u32, token: u32, written: u32): void {
  const count = get(q, L.QUEUE_STATE_ORDER_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const at = entry(q, i);
    if (load<u32>(at) != token || load<u32>(at, L.ORDER_ENTRY_DONE) != 0) continue;
    store<u32>(at, written, L.ORDER_ENTRY_WRITTEN);
    store<u32>(at, 1, L.ORDER_ENTRY_DONE);
    return;
  }
}

/** The oldest chain when it is done, taken out of the list: its entry; 0 when there is none. */
export function orderTake(q: u32): u32 {
  const count = get(q, L.QUEUE_STATE_ORDER_COUNT);
  if (count == 0) return 0;
  const at = entry(q, 0);
  if (load<u32>(at, L.ORDER_ENTRY_DONE) == 0) return 0;
  let head = get(q, L.QUEUE_STATE_ORDER_HEAD) + 1;
  if (head == get(q, L.QUEUE_STATE_QUEUE_SIZE)) head = 0;
  set(q, L.QUEUE_STATE_ORDER_HEAD, head);
  set(q, L.QUEUE_STATE_ORDER_COUNT, count - 1);
  return at;
}
