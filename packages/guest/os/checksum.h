// The Internet checksum (RFC 1071).
#pragma once

#include "types.h"

// Adds bytes to a running sum, from 0. Every piece but the last has an even length and starts at an even address.
u64 checksum_add(u64 sum, const void *bytes, u32 length);

// The checksum field for a sum: 0 for data that contains its own right checksum.
u16 checksum_end(u64 sum);
