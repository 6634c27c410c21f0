// The walks of split and packed virtqueues. All state lies in the state block of a queue (src/layouts.ts), whose
// base is the first argument of every export.
import * as L from '../src/layout-offsets';
import * as C from '../src/queue/codes';
import { orderAdd, orderDone, orderTake, orderUndo } from './order';
import { packedNeedsInterrupt, packedNotify, packedPop, packedPush, packedWaiting } from './packed';
import { splitNeedsInterrupt, splitNotify, splitPop, splitPush, splitWaiting } from './split';
import { bump, get, set } from './state';

export { remap } from './segment';

/** Takes the next chain: POP_CHAIN, POP_EMPTY, or a fault. */
export function pop(q: u32): u32 {
  const answer = get(q, L.QUEUE_STATE_PACKED) != 0 ? packedPop(q) : splitPop(q);
  if (answer == C.POP_CHAIN) {
    bump(q, L.QUEUE_STATE_IN_FLIGHT, 1);
    if (get(q, L.QUEUE_STATE_IN_ORDER) != 0) orderAdd(q, get(q, L.QUEUE_STATE_TOKEN));
  }
  return answer;
}

/** Undoes the last pop whose chain has not been pushed. */
export function unpop(q: u32, token: u32): void {
  if (get(q, L.QUEUE_STATE_PACKED) != 0) {
    let next = get(q, L.QUEUE_STATE_NEXT_AVAILABLE);
    const slots = token >>> 16;
    if (next < slots) {
      next += get(q, L.QUEUE_STATE_QUEUE_SIZE);
      set(q, L.QUEUE_STATE_AVAILABLE_WRAP, get(q, L.QUEUE_STATE_AVAILABLE_WRAP) ^ 1);
    }
    set(q, L.QUEUE_STATE_NEXT_AVAILABLE, next - slots);
  } else set(q, L.QUEUE_STATE_NEXT_AVAILABLE, (get(q, L.QUEUE_STATE_NEXT_AVAILABLE) - 1) & 0xffff);
  set(q, L.QUEUE_STATE_IN_FLIGHT, get(q, L.QUEUE_STATE_IN_FLIGHT) - 1);
  if (get(q, L.QUEUE_STATE_IN_ORDER) != 0) orderUndo(q);
}

function use(q: u32, token: u32, written: u32): void {
  if (get(q, L.QUEUE_STATE_PACKED) != 0) packedPush(q, token, written);
  else splitPush(q, token, written);
  set(q, L.QUEUE_STATE_IN_FLIGHT, get(q, L.QUEUE_STATE_IN_FLIGHT) - 1);
}

/** Gives a chain back with the number of bytes written to it. */
export function push(q: u32, token: u32, written: u32): void {
  if (get(q, L.QUEUE_STATE_IN_ORDER) == 0) return use(q, token, written);
  orderDone(q, token, written);
  for (let at = orderTake(q); at != 0; at = orderTake(q)) {
    use(q, load<u32>(at), load<u32>(at, L.ORDER_ENTRY_WRITTEN));
  }
}

/** Chains that wait; of a packed ring 1 when any does. */
export function waiting(q: u32): u32 {
  return get(q, L.QUEUE_STATE_PACKED) != 0 ? packedWaiting(q) : splitWaiting(q);
}

export function needsInterrupt(q: u32): bool {
  return get(q, L.QUEUE_STATE_PACKED) != 0 ? packedNeedsInterrupt(q) : splitNeedsInterrupt(q);
}

/** Asks the driver for doorbells, or to spare them; true when chains are waiting already. */
export function notify(q: u32, wanted: bool): bool {
  return get(q, L.QUEUE_STATE_PACKED) != 0 ? packedNotify(q, wanted) : splitNotify(q, wanted);
}
