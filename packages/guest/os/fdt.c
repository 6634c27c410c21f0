#include "fdt.h"

#include "string.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };

#define FDT_MAGIC 0xd00dfeed
#define FDT_SIZE_LIMIT MIB(1)
#define DEPTH_LIMIT 16

static const u8 *blob; // 0 until a header has been accepted
static u32 struct_start, struct_end, strings_start, strings_end;

u64 fdt_cells(const u8 *bytes, u32 cells) {
  const u32 *words = (const void *)bytes;
  u64 value = 0;
  for (u32 i = 0; i < cells; i++) value = value << 32 | __builtin_bswap32(words[i]);
  return value;
}

static u32 header(u32 word) {
  return (u32)fdt_cells(blob + word * 4, 1);
}

bool fdt_init(const void *address) {
  blob = address;
  if (!blob || ((u64)blob & 7) != 0 || header(0) != FDT_MAGIC) {
    blob = 0;
    return false;
  }
  u64 total = header(1);
  u64 structs = header(2), strings = header(3), strings_size = header(8), structs_size = header(9);
  bool sane = total >= 40 && total <= FDT_SIZE_LIMIT && structs + structs_size <= total &&
              strings + strings_size <= total && (structs & 3) == 0 && structs >= 40;
  if (!sane) {
    blob = 0;
    return false;
  }
  struct_start = (u32)structs;
  struct_end = (u32)(structs + structs_size);
  strings_start = (u32)strings;
  strings_end = (u32)(strings + strings_size);
  // Up to its last NUL, every text in the strings block is ended: tokens need not look again.
  while (strings_end > strings_start && blob[strings_end - 1] != 0) strings_end--;
  return true;
}

// A text inside [from, end) that is really ended there, or 0.
static const char *text_at(u64 from, u64 end) {
  for (u64 at = from; at < end; at++) {
    if (blob[at] == 0) return (const char *)blob + from;
  }
  return 0;
}

struct token {
  u32 kind;
  u64 next;         // offset of the token after this one
  const char *name; // of a node or property
  const u8 *data;   // of a property
  u32 length;
};

// Reads the token at `at`; whatever does not fit reads as the end of the tree.
static struct token read_token(u64 at) {
  const struct token end = {.kind = END};
  if (!blob || at + 4 > struct_end) return end;
  struct token token = {.kind = (u32)fdt_cells(blob + at, 1), .next = at + 4};
  if (token.kind == BEGIN_NODE) {
    token.name = text_at(token.next, struct_end);
    if (!token.name) return end;
    token.next = align_up(token.next + strlen(token.name) + 1, 4);
  } else if (token.kind == PROP) {
    if (at + 12 > struct_end) return end;
    token.length = (u32)fdt_cells(blob + at + 4, 1);
    u64 name = strings_start + fdt_cells(blob + at + 8, 1);
    token.name = (const char *)blob + name;
    if (name >= strings_end || at + 12 + token.length > struct_end) return end;
    token.data = blob + at + 12;
    token.next = align_up(at + 12 + token.length, 4);
  } else if (token.kind != END_NODE && token.kind != NOP) {
    return end;
  }
  return token;
}

// The first node at or after an offset.
static fdt_node node_from(u64 at) {
  for (;;) {
    struct token token = read_token(at);
    if (token.kind == END) return FDT_NONE;
    if (token.kind == BEGIN_NODE) return (fdt_node)at;
    at = token.next;
  }
}

fdt_node fdt_root(void) {
  return node_from(struct_start);
}

fdt_node fdt_next(fdt_node node) {
  return node == FDT_NONE ? fdt_root() : node_from(read_token((u64)node).next);
}

fdt_node fdt_parent(fdt_node node) {
  fdt_node open[DEPTH_LIMIT];
  u32 depth = 0;
  for (u64 at = struct_start; at < (u64)node;) {
    struct token token = read_token(at);
    if (token.kind == END) return FDT_NONE;
    if (token.kind == BEGIN_NODE) {
      if (depth == DEPTH_LIMIT) return FDT_NONE;
      open[depth++] = (fdt_node)at;
    }
    if (token.kind == END_NODE && depth > 0) depth--;
    at = token.next;
  }
  return depth > 0 ? open[depth - 1] : FDT_NONE;
}

const u8 *fdt_property(fdt_node node, const char *name, u32 *length) {
  if (node == FDT_NONE) return 0;
  struct token token = read_token((u64)node);
  for (u64 at = token.next;; at = token.next) {
    token = read_token(at);
    if (token.kind == PROP && strcmp(token.name, name) == 0) {
      *length = token.length;
      return token.data;
    }
    if (token.kind != PROP && token.kind != NOP) return 0;
  }
}

bool fdt_has_text(fdt_node node, const char *property, const char *text) {
  u32 length, size = (u32)strlen(text) + 1;
  const u8 *data = fdt_property(node, property, &length);
  if (!data) return false;
  for (u32 at = 0; at + size <= length; at++) {
    bool begins = at == 0 || data[at - 1] == 0;
    if (begins && memcmp(data + at, text, size) == 0) return true;
  }
  return false;
}

const char *fdt_text(fdt_node node, const char *property) {
  u32 length;
  const u8 *data = fdt_property(node, property, &length);
  if (!data) return 0;
  u64 from = (u64)(data - blob);
  return text_at(from, from + length);
}

u32 fdt_u32(fdt_node node, const char *property, u32 otherwise) {
  u32 length;
  const u8 *data = fdt_property(node, property, &length);
  return data && length >= 4 ? (u32)fdt_cells(data, 1) : otherwise;
}

fdt_node fdt_find_name(const char *name) {
  size_t size = strlen(name);
  for (fdt_node node = fdt_root(); node != FDT_NONE; node = fdt_next(node)) {
    const char *own = read_token((u64)node).name;
    if (starts_with(own, name) && (own[size] == 0 || own[size] == '@')) return node;
  }
  return FDT_NONE;
}

fdt_node fdt_find_compatible(fdt_node after, const char *compatible) {
  for (fdt_node node = fdt_next(after); node != FDT_NONE; node = fdt_next(node)) {
    if (fdt_has_text(node, "compatible", compatible)) return node;
  }
  return FDT_NONE;
}

fdt_node fdt_find_phandle(u32 phandle) {
  for (fdt_node node = fdt_root(); node != FDT_NONE; node = fdt_next(node)) {
    if (fdt_u32(node, "phandle", 0) == phandle) return node;
  }
  return FDT_NONE;
}

bool fdt_reg(fdt_node node, u32 index, u64 *base, u64 *size) {
  u32 length;
  const u8 *data = fdt_property(node, "reg", &length);
  fdt_node parent = fdt_parent(node);
  u32 address_cells = fdt_u32(parent, "#address-cells", 2);
  u32 size_cells = fdt_u32(parent, "#size-cells", 1);
  if (!data || address_cells > 2 || size_cells > 2) return false;
  u32 entry = (address_cells + size_cells) * 4;
  if (entry == 0 || index >= length / entry) return false;
  *base = fdt_cells(data + index * entry, address_cells);
  *size = fdt_cells(data + index * entry + address_cells * 4, size_cells);
  return true;
}
