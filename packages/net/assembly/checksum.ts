// The Internet checksum (RFC 1071) of blocks of memory. Sums are of little-endian words until they are swapped.

/** The sum of the little-endian 16-bit words of a block (an odd last byte is a low byte), not folded. */
export function blockSum(at: u32, length: u32): u64 {
  let sum: u64 = 0;
  const end = at + length;
  if (length >= 16) {
    let lanes = i32x4.splat(0);
    // 65535 * 2 a step: the lanes cannot overflow within the 32768 steps of half a megabyte.
    for (; at + 16 <= end; at += 16) {
      lanes = i32x4.add(lanes, i32x4.extadd_pairwise_i16x8_u(v128.load(at)));
    }
    sum = <u64>(<u32>i32x4.extract_lane(lanes, 0)) + <u64>(<u32>i32x4.extract_lane(lanes, 1));
    sum += <u64>(<u32>i32x4.extract_lane(lanes, 2)) + <u64>(<u32>i32x4.extract_lane(lanes, 3));
  }
  for (; at + 2 <= end; at += 2) sum += load<u16>(at);
  if (at < end) sum += load<u8>(at);
  return sum;
}

/** A sum in 16 bits, carries added (0 only of zeros). */
// @ts-ignore: decorator
@inline
export function fold(sum: u64): u32 {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return <u32>((sum & 0xffff) + (sum >> 16));
}

// @ts-ignore: decorator
@inline
export function swap16(value: u32): u32 {
  return ((value & 0xff) << 8) | ((value >> 8) & 0xff);
}

// @ts-ignore: decorator
@inline
export function loadBe16(at: u32): u32 {
  return swap16(load<u16>(at));
}

// @ts-ignore: decorator
@inline
export function storeBe16(at: u32, value: u32): void {
  store<u16>(at, <u16>swap16(value));
}
