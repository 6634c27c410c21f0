#include "memory.h"

#include "platform.h"
#include "riscv.h"
#include "string.h"
#include "trap.h"

extern char text_start[], text_end[], rodata_end[], image_end[];

#define LEVELS 3
#define ENTRIES 512
#define ADDRESS_LIMIT GIB(256) // the lower half of Sv39

// Page table entries, Privileged Specification 4.3.1 and 4.4.1.
#define PTE_V 1ul
#define PTE_LEAF (PTE_V | 1ul << 6 | 1ul << 7) // accessed and dirty: no hardware update needed
#define PTE_RWX 0xeul

typedef u64 page_table[ENTRIES];

static u64 next_page, end_of_pages;
static page_table *root;

void *pages_alloc(u64 bytes) {
  if (bytes > end_of_pages - next_page) panic("out of memory: %lu bytes wanted, %lu left", bytes, end_of_pages - next_page);
  void *pages = (void *)next_page;
  next_page += align_up(bytes, PAGE_SIZE);
  return memset(pages, 0, bytes);
}

void pages_usage(u64 *used, u64 *unused) {
  *used = next_page - platform.ram_base;
  *unused = end_of_pages - next_page;
}

static u64 page_size(u32 level) {
  return PAGE_SIZE << (9 * level);
}

// The table below an entry, made on first use.
static page_table *table_below(u64 *entry) {
  if (!(*entry & PTE_V)) *entry = ((u64)pages_alloc(PAGE_SIZE) >> 12) << 10 | PTE_V;
  return (page_table *)((*entry >> 10) << 12);
}

void memory_map(u64 base, u64 size, u32 permissions) {
  u64 end = align_up(base + size, PAGE_SIZE);
  if (base + size < base || end > ADDRESS_LIMIT) panic("address %lx + %lx cannot be mapped", base, size);
  for (u64 at = align_down(base, PAGE_SIZE); at < end;) {
    page_table *table = root;
    u32 level = LEVELS - 1;
    for (;; level--) {
      u64 *entry = &(*table)[at / page_size(level) % ENTRIES];
      bool leaf = *entry & PTE_RWX;
      bool fits = at % page_size(level) == 0 && end - at >= page_size(level) && !(*entry & PTE_V);
      if (leaf) break; // mapped before, by a neighbour in the same page
      if (level == 0 || fits) {
        *entry = (at >> 12) << 10 | PTE_LEAF | permissions;
        break;
      }
      table = table_below(entry);
    }
    at = align_down(at, page_size(level)) + page_size(level);
  }
  asm volatile("sfence.vma" ::: "memory");
}

void memory_init(void) {
  next_page = (u64)image_end;
  end_of_pages = align_down(platform.ram_base + platform.ram_size, PAGE_SIZE);
  root = pages_alloc(PAGE_SIZE);
  memory_map((u64)text_start, (u64)(text_end - text_start), MAP_READ | MAP_EXECUTE);
  memory_map((u64)text_end, (u64)(rodata_end - text_end), MAP_READ);
  memory_map((u64)rodata_end, end_of_pages - (u64)rodata_end, MAP_READ | MAP_WRITE);
  memory_map(platform.uart.base, platform.uart.size, MAP_READ | MAP_WRITE);
  csr_write(satp, SATP_SV39 | (u64)root >> 12);
  asm volatile("sfence.vma" ::: "memory");
}
