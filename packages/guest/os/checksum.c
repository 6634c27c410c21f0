#include "checksum.h"

// One's complement sums may be taken over words of any width and in either byte order, as long as
// carries come back in at the bottom.
static u64 add_carry(u64 sum, u64 word) {
  sum += word;
  return sum + (sum < word);
}

u64 checksum_add(u64 sum, const void *bytes, u32 length) {
  const u8 *at = bytes;
  for (; length >= 2 && ((u64)at & 7) != 0; length -= 2, at += 2) sum = add_carry(sum, *(const u16 *)at);
  for (; length >= 8; length -= 8, at += 8) sum = add_carry(sum, *(const u64 *)at);
  for (; length >= 2; length -= 2, at += 2) sum = add_carry(sum, *(const u16 *)at);
  return length > 0 ? add_carry(sum, *at) : sum;
}

u16 checksum_end(u64 sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (u16)~sum;
}
