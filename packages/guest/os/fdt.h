// Reading a flattened device tree (Devicetree Specification 0.4, chapter 5).
// Nothing outside the blob's own totalsize is ever read, whatever its offsets and lengths say.
#pragma once

#include "types.h"

// A node is the offset of its FDT_BEGIN_NODE token.
typedef i64 fdt_node;
#define FDT_NONE (-1)

// False if there is no well-formed header at `blob`; all searches then find nothing.
bool fdt_init(const void *blob);

fdt_node fdt_root(void);
fdt_node fdt_next(fdt_node node); // in document order, children included
fdt_node fdt_parent(fdt_node node);

// The first node after `after` (or of all, with FDT_NONE) that has the name, its unit address aside.
fdt_node fdt_find_name(const char *name);
fdt_node fdt_find_compatible(fdt_node after, const char *compatible);
fdt_node fdt_find_phandle(u32 phandle);

// The bytes of a property, or 0.
const u8 *fdt_property(fdt_node node, const char *name, u32 *length);

// Is one of the NUL-separated texts of this property equal to `text`?
bool fdt_has_text(fdt_node node, const char *property, const char *text);

// A property that is one text, checked to be ended by NUL inside the property; or 0.
const char *fdt_text(fdt_node node, const char *property);

// A property of one cell, or the fall-back.
u32 fdt_u32(fdt_node node, const char *property, u32 otherwise);

// One entry of `reg`, in the cell sizes of the parent.
bool fdt_reg(fdt_node node, u32 index, u64 *base, u64 *size);

// A big-endian number of 1 or 2 cells at `bytes`, aligned as all of them are in a tree.
u64 fdt_cells(const u8 *bytes, u32 cells);
