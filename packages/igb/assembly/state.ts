import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';

// @ts-ignore: decorator
@inline
export function get(s: u32, field: u32): u32 {
  return load<u32>(s + field);
}

// @ts-ignore: decorator
@inline
export function set(s: u32, field: u32, value: u32): void {
  store<u32>(s + field, value);
}

/** A register of a queue. */
// @ts-ignore: decorator
@inline
export function queueRegister(register: u32, q: u32): u32 {
  return register + q * R.QUEUE_STRIDE;
}

// @ts-ignore: decorator
@inline
export function txQueue(s: u32, q: u32): u32 {
  return s + L.CORE_STATE_TX_QUEUES + q * L.CORE_STATE_TX_QUEUES_STRIDE;
}

// @ts-ignore: decorator
@inline
export function rxQueue(s: u32, q: u32): u32 {
  return s + L.CORE_STATE_RX_QUEUES + q * L.CORE_STATE_RX_QUEUES_STRIDE;
}

/** MRQC says VMDq. */
// @ts-ignore: decorator
@inline
export function pooled(s: u32): bool {
  const mode = get(s, R.REG_MRQC) & 7;
  return mode == 3 || mode == 5;
}

export function raise(s: u32, cause: u32): void {
  set(s, L.CORE_STATE_CAUSES, get(s, L.CORE_STATE_CAUSES) | cause);
}
