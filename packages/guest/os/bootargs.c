#include "bootargs.h"

#include "string.h"

// The end of the argument that begins at `text`.
static const char *argument_end(const char *text) {
  bool quoted = false;
  for (; *text && (quoted || *text != ' '); text++) {
    if (*text == '"') quoted = !quoted;
  }
  return text;
}

static const char *next_argument(const char *text) {
  while (*text == ' ') text++;
  return text;
}

bool bootargs_has(const char *arguments, const char *word) {
  size_t length = strlen(word);
  for (const char *at = next_argument(arguments); *at; at = next_argument(argument_end(at))) {
    if (starts_with(at, word) && argument_end(at) == at + length) return true;
  }
  return false;
}

bool bootargs_value(const char *arguments, const char *key, char *value, size_t size) {
  size_t length = strlen(key);
  for (const char *at = next_argument(arguments); *at; at = next_argument(argument_end(at))) {
    if (!starts_with(at, key) || at[length] != '=') continue;
    const char *end = argument_end(at);
    size_t used = 0;
    for (const char *c = at + length + 1; c < end && used + 1 < size; c++) {
      if (*c != '"') value[used++] = *c;
    }
    value[used] = 0;
    return true;
  }
  return false;
}
