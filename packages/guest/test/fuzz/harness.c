#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PLACE_SIZE (1ul << 20)

u8 *guarded_place(u32 length, u32 alignment) {
  static u8 *end;
  if (!end) {
    u8 *base = mmap(0, PLACE_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + PLACE_SIZE, PAGE_SIZE, PROT_NONE) != 0) fail("no memory");
    end = base + PLACE_SIZE;
  }
  u64 size = align_up(length, alignment);
  if (size > PLACE_SIZE) fail("the input is too long");
  u8 *place = end - size;
  for (u64 i = length; i < size; i++) place[i] = 0;
  return place;
}

// xorshift64*
u64 random_below(u64 limit) {
  static u64 x = 0x766d6c6f6f6d2121ul;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  return (x * 0x2545f4914f6cdd1dul >> 16) % limit;
}

u8 *read_file(const char *path, u32 *length) {
  FILE *file = fopen(path, "rb");
  u8 *bytes = malloc(PLACE_SIZE);
  if (!file || !bytes) fail("the file cannot be read");
  *length = (u32)fread(bytes, 1, PLACE_SIZE, file);
  fclose(file);
  return bytes;
}

_Noreturn void fail(const char *sentence) {
  printf("fail: %s\n", sentence);
  exit(1);
}
