// Spoilt device trees: fuzz-fdt BLOB ROUNDS. Nothing behind the totalsize of a tree may be read.
#include <stdio.h>
#include <stdlib.h>

#include "fdt.h"
#include "harness.h"
#include "platform.h"
#include "string.h"

#define HEADER_SIZE 40
#define TOTALSIZE 4 // offset of the field

// Stand in for the linker script's.
char text_start[1], image_end[1];

static void put_total(u8 *blob, u32 total) {
  for (u32 i = 0; i < 4; i++) blob[TOTALSIZE + i] = (u8)(total >> (24 - 8 * i));
}

// Changes bytes everywhere, more of them in the header.
static void spoil(u8 *blob, u32 length) {
  static const u8 favourites[] = {0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff};
  for (u64 n = random_below(16); n > 0; n--) {
    u64 at = random_below(random_below(3) ? length : HEADER_SIZE);
    blob[at] = random_below(2) ? (u8)random_below(256) : favourites[random_below(COUNT_OF(favourites))];
  }
}

static void check_sane(void) {
  if (platform.timebase == 0) fail("a timebase of 0 was accepted");
  if (platform.pci.map_rows > INTERRUPT_MAP_SIZE) fail("more rows than the interrupt map has");
  if (platform.pci.first_bus > 255 || platform.pci.last_bus > 255) fail("a bus above 255");
  if (strlen(platform.bootargs) >= BOOTARGS_SIZE) fail("the boot arguments are not ended");
}

int main(int argc, char **argv) {
  u32 length;
  if (argc != 3) fail("usage: fuzz-fdt BLOB ROUNDS");
  u8 *original = read_file(argv[1], &length);
  u64 total = fdt_cells(original + TOTALSIZE, 1);
  if (length < HEADER_SIZE || total > length) fail("this is no device tree");
  u64 accepted = 0, rounds = strtoull(argv[2], 0, 10);
  for (u64 round = 0; round < rounds; round++) {
    u32 size = (u32)(random_below(4) ? total : HEADER_SIZE + random_below(total - HEADER_SIZE));
    u8 *blob = guarded_place(size, 8);
    memcpy(blob, original, size);
    if (round > 0) spoil(blob, size);
    put_total(blob, size);
    platform = (struct platform){0};
    accepted += platform_init(0, blob);
    check_sane();
  }
  printf("fdt: %lu trees, %lu with a usable header\n", (unsigned long)rounds, (unsigned long)accepted);
  return accepted > 0 ? 0 : 1;
}
