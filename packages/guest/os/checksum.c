#include "checksum.h"

// One's complement sums may be taken over words of any width and in either byte order, as long as the
// carries come back in at the bottom. Sums are folded to little more than 32 bits between pieces.
u64 checksum_add(u64 sum, const void *bytes, u32 length) {
  const u8 *at = bytes;
  u64 carries = 0;
  for (; length >= 2 && ((u64)at & 7) != 0; length -= 2, at += 2) sum += *(const u16 *)at;
  UNROLLED
  for (; length >= 8; length -= 8, at += 8) {
    u64 word = *(const u64 *)at;
    sum += word;
    carries += sum < word;
  }
  sum = (u32)sum + (sum >> 32) + carries;
  for (; length >= 2; length -= 2, at += 2) sum += *(const u16 *)at;
  return length > 0 ? sum + *at : sum;
}

u16 checksum_end(u64 sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (u16)~sum;
}
