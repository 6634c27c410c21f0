// The sieve and checksum that intloop and bench share.
#pragma once

#include "types.h"

void sieve_prepare(void);

// Sieves once and goes on with the checksum; the number of primes is left in `primes`.
u32 sieve_round(u32 checksum, u32 *primes);
