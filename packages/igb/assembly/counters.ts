import * as R from '../src/register-map';

// 8.18: statistics stick at their largest value.

// @ts-ignore: decorator
@inline
export function count(s: u32, register: u32): void {
  const value = load<u32>(s + register);
  if (value != 0xffffffff) store<u32>(s + register, value + 1);
}

// @ts-ignore: decorator
@inline
export function count64(s: u32, register: u32, by: u32): void {
  const before = load<u64>(s + register);
  const after = before + by;
  store<u64>(s + register, after < before ? u64.MAX_VALUE : after);
}

/** Adds 1 to the size class of a frame of `length` bytes with FCS; `first` is the register of 64 bytes. */
export function countSize(s: u32, first: u32, length: u32): void {
  let step: u32 = 0;
  if (length > 1023) step = 5;
  else if (length > 511) step = 4;
  else if (length > 255) step = 3;
  else if (length > 127) step = 2;
  else if (length > 64) step = 1;
  count(s, first + (step << 2));
}

/** 8.18: what a frame of `length` bytes with FCS, sent to `low` and `high`, adds to the counters. */
export function countTransmitted(s: u32, length: u32, low: u32, high: u32): void {
  count(s, R.REG_TPT);
  count64(s, R.REG_TOTL, length);
  count(s, R.REG_GPTC);
  count64(s, R.REG_GOTCL, length);
  countSize(s, R.REG_PTC64, length);
  if (low == 0xffffffff && high == 0xffff) count(s, R.REG_BPTC);
  else if ((low & 1) != 0) count(s, R.REG_MPTC);
}
