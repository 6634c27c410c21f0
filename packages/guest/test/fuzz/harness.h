// What the fuzzers share: they run the guest's own files as programs of the build machine. Input lies
// right before a page that may not be touched, so reading one byte too many ends the program.
#pragma once

#include "types.h"

// A place of `length` bytes that ends at a forbidden page; its start is aligned to `alignment`, which
// may leave a few zeroed bytes between.
u8 *guarded_place(u32 length, u32 alignment);

// A pseudo-random number below `limit`, from a fixed seed.
u64 random_below(u64 limit);

// Reads a whole file into memory of its own.
u8 *read_file(const char *path, u32 *length);

// Ends the program with failure and one sentence.
_Noreturn void fail(const char *sentence);
