// The boot arguments: words such as `quiet`, and key=value, where "..." keeps spaces in a value.
#pragma once

#include "types.h"

// Is the word among them?
bool bootargs_has(const char *arguments, const char *word);

// Copies the value of a key, without its quotes and cut to `size`; false if there is no such key.
bool bootargs_value(const char *arguments, const char *key, char *value, size_t size);
