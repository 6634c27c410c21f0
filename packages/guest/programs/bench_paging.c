#include "bench.h"

#define ENTRIES 512
#define LEVELS 3
#define WINDOW GIB(16) // where the memory of the kernels appears
#define PAGES (BENCH_MEMORY / PAGE_SIZE)
#define SCATTER 1597 // odd, so that it orders the pages anew

// Page table entries, Privileged Specification 4.3.1 and 4.4.1.
#define PTE_V 1ul
#define PTE_RWXAD 0xceul

// Two tables of the middle level, and one of the lowest for every 2 MiB of image and memory.
#define TABLES 16

static u64 tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static u32 used = 1;

static void map(u64 virtual, u64 physical) {
  u64 *table = tables[0];
  for (u32 level = LEVELS - 1; level > 0; level--) {
    u64 *entry = &table[virtual >> (12 + 9 * level) & (ENTRIES - 1)];
    if (!*entry) *entry = (u64)tables[used++] >> 12 << 10 | PTE_V;
    table = (u64 *)(*entry >> 10 << 12);
  }
  table[virtual >> 12 & (ENTRIES - 1)] = physical >> 12 << 10 | PTE_RWXAD | PTE_V;
}

void *bench_paging_on(void *physical) {
  extern char text_start[], image_end[];
  for (u64 at = (u64)text_start; at < (u64)image_end; at += PAGE_SIZE) map(at, at);
  for (u64 page = 0; page < PAGES; page++)
    map(WINDOW + page * PAGE_SIZE, (u64)physical + page * SCATTER % PAGES * PAGE_SIZE);
  csr_write(satp, SATP_SV39 | (u64)tables[0] >> 12);
  asm volatile("sfence.vma" ::: "memory");
  return (void *)WINDOW;
}
