/** Integer operations that wasm has not, or has with traps. */

/** The upper half of an unsigned product. */
export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

export function mulh(a: i64, b: i64): i64 {
  return i64(mulhu(u64(a), u64(b))) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}

export function mulhsu(a: i64, b: u64): i64 {
  return i64(mulhu(u64(a), b)) - (a < 0 ? i64(b) : 0);
}

export function div(a: i64, b: i64): i64 {
  if (b == 0) return -1;
  return b == -1 ? 0 - a : a / b;
}

export function divu(a: u64, b: u64): u64 {
  return b == 0 ? -1 : a / b;
}

export function rem(a: i64, b: i64): i64 {
  if (b == 0) return a;
  return b == -1 ? 0 : a % b;
}

export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}

export function divw(a: i32, b: i32): i64 {
  if (b == 0) return -1;
  // The overflow of -2^31 / -1 wraps.
  return i64(b == -1 ? -a : a / b);
}

export function divuw(a: u32, b: u32): i64 {
  return b == 0 ? -1 : i64(i32(a / b));
}

export function remw(a: i32, b: i32): i64 {
  if (b == 0) return a;
  return b == -1 ? 0 : i64(a % b);
}

export function remuw(a: u32, b: u32): i64 {
  return i64(i32(b == 0 ? a : a % b));
}

/** orc.b: every byte that is not zero becomes 0xff. */
export function orCombine(a: u64): u64 {
  const any = ((a & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | a;
  const bits = (any >> 7) & 0x0101010101010101;
  return bits * 255;
}
