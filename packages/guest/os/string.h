// Memory and text, as in the C library. Compilers call the first four of their own accord.
#pragma once

#include "types.h"

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
bool starts_with(const char *text, const char *prefix);

// Does `text` contain `part` as a whole word, words being separated by anything not alphanumeric?
bool contains_word(const char *text, const char *part);

// Copies at most size - 1 characters and always ends the text.
void copy_text(char *to, const char *from, size_t size);

// Reads a decimal or 0x-prefixed number that takes up the whole text; false if it is not one.
bool parse_number(const char *text, u64 *value);
