#include "checksum.h"

// One's complement sums may be taken over words of any width and in either byte order. The carries are
// left to the end: a packet has at most 8192 doublewords, whose halves sum up to less than 2^46.
u64 checksum_add(u64 sum, const void *bytes, u32 length) {
  const u8 *at = bytes;
  for (; length >= 2 && ((u64)at & 7) != 0; length -= 2, at += 2) sum += *(const u16 *)at;
  for (; length >= 8; length -= 8, at += 8) {
    u64 word = *(const u64 *)at;
    sum += (u32)word + (word >> 32);
  }
  for (; length >= 2; length -= 2, at += 2) sum += *(const u16 *)at;
  return length > 0 ? sum + *at : sum;
}

u16 checksum_end(u64 sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (u16)~sum;
}
