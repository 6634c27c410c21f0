#include "string.h"

void *memcpy(void *to, const void *from, size_t length) {
  u8 *d = to;
  const u8 *s = from;
  if ((((u64)d ^ (u64)s) & 7) == 0) {
    for (; length > 0 && ((u64)d & 7) != 0; length--) *d++ = *s++;
    UNROLLED
    for (; length >= 8; length -= 8, d += 8, s += 8) *(u64 *)d = *(const u64 *)s;
  }
  for (; length > 0; length--) *d++ = *s++;
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  u8 *d = to;
  const u8 *s = from;
  if (d <= s || d >= s + length) return memcpy(to, from, length);
  while (length-- > 0) d[length] = s[length];
  return to;
}

void *memset(void *to, int value, size_t length) {
  u8 *d = to;
  u64 word = (u8)value * 0x0101010101010101ul;
  for (; length > 0 && ((u64)d & 7) != 0; length--) *d++ = (u8)value;
  UNROLLED
  for (; length >= 8; length -= 8, d += 8) *(u64 *)d = word;
  for (; length > 0; length--) *d++ = (u8)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t length) {
  const u8 *x = a, *y = b;
  for (; length > 0; length--, x++, y++) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (u8)*a - (u8)*b;
}

bool starts_with(const char *text, const char *prefix) {
  while (*prefix) {
    if (*text++ != *prefix++) return false;
  }
  return true;
}

static bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool contains_word(const char *text, const char *part) {
  size_t length = strlen(part);
  for (const char *at = text; *at; at++) {
    bool begins = at == text || !alphanumeric(at[-1]);
    if (begins && starts_with(at, part) && !alphanumeric(at[length])) return true;
  }
  return false;
}

void copy_text(char *to, const char *from, size_t size) {
  size_t i = 0;
  for (; i + 1 < size && from[i]; i++) to[i] = from[i];
  to[i] = 0;
}

bool parse_number(const char *text, u64 *value) {
  u64 base = 10, sum = 0;
  if (text[0] == '0' && text[1] == 'x') base = 16, text += 2;
  if (!*text) return false;
  for (; *text; text++) {
    u64 digit;
    if (*text >= '0' && *text <= '9') digit = (u64)(*text - '0');
    else if (*text >= 'a' && *text <= 'f') digit = (u64)(*text - 'a') + 10;
    else return false;
    if (digit >= base || sum > (UINT64_MAX - digit) / base) return false;
    sum = sum * base + digit;
  }
  *value = sum;
  return true;
}
