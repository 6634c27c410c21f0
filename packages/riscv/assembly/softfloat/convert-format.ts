/** Conversions between binary32 and binary64. */
import { NV, raise } from './flags';
import { NAN32, NAN64, isFinite64, isNaN32, isNaN64, isSignaling32, isSignaling64 } from './format';
import { narrow } from './narrow';

/** `FCVT.D.S`: exact, so `rm` has no effect. */
export function f32ToF64(flags: usize, a: u32, rm: u32): u64 {
  if (!isNaN32(a)) return reinterpret<u64>(<f64>reinterpret<f32>(a));
  if (isSignaling32(a)) raise(flags, NV);
  return NAN64;
}

/** `FCVT.S.D`. */
export function f64ToF32(flags: usize, a: u64, rm: u32): u32 {
  if (isFinite64(a)) return narrow(flags, reinterpret<f64>(a), rm);
  if (!isNaN64(a)) return reinterpret<u32>(<f32>reinterpret<f64>(a));
  if (isSignaling64(a)) raise(flags, NV);
  return NAN32;
}
