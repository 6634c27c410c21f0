#include "print.h"

#include "string.h"

// Collects characters so that the console sees bursts instead of single bytes.
struct sink {
  char text[128];
  size_t used;
};

static void flush(struct sink *sink) {
  if (sink->used > 0) console_write(sink->text, sink->used);
  sink->used = 0;
}

static void put(struct sink *sink, char c) {
  if (sink->used == sizeof(sink->text)) flush(sink);
  sink->text[sink->used++] = c;
}

struct field {
  int width;
  bool zero, left;
};

static void put_field(struct sink *sink, const char *text, size_t length, struct field field) {
  int fill = field.width - (int)length;
  if (field.zero && length > 0 && *text == '-') {
    put(sink, *text++);
    length--;
  }
  for (; !field.left && fill > 0; fill--) put(sink, field.zero ? '0' : ' ');
  for (; length > 0; length--) put(sink, *text++);
  for (; fill > 0; fill--) put(sink, ' ');
}

static void put_number(struct sink *sink, u64 value, u64 base, bool negative, struct field field) {
  char digits[21];
  size_t at = sizeof(digits);
  do {
    digits[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  if (negative) digits[--at] = '-';
  put_field(sink, digits + at, sizeof(digits) - at, field);
}

void print_va(const char *format, va_list args) {
  struct sink sink = {.used = 0};
  for (const char *f = format; *f; f++) {
    if (*f != '%') {
      put(&sink, *f);
      continue;
    }
    struct field field = {0};
    bool is_long = false;
    f++;
    for (; *f == '0' || *f == '-'; f++) {
      if (*f == '0') field.zero = true;
      else field.left = true;
    }
    for (; *f >= '0' && *f <= '9'; f++) field.width = field.width * 10 + (*f - '0');
    for (; *f == 'l'; f++) is_long = true;
    switch (*f) {
      case 'd': {
        i64 value = is_long ? va_arg(args, i64) : va_arg(args, int);
        put_number(&sink, value < 0 ? -(u64)value : (u64)value, 10, value < 0, field);
        break;
      }
      case 'u':
      case 'x': {
        u64 value = is_long ? va_arg(args, u64) : va_arg(args, u32);
        put_number(&sink, value, *f == 'x' ? 16 : 10, false, field);
        break;
      }
      case 'p':
        put_field(&sink, "0x", 2, (struct field){0});
        put_number(&sink, (u64)va_arg(args, void *), 16, false, (struct field){.width = 16, .zero = true});
        break;
      case 's': {
        const char *text = va_arg(args, const char *);
        put_field(&sink, text, strlen(text), field);
        break;
      }
      case 'c': put(&sink, (char)va_arg(args, int)); break;
      case 0: f--; break;
      default: put(&sink, *f);
    }
  }
  flush(&sink);
}

void print(const char *format, ...) {
  va_list args;
  va_start(args, format);
  print_va(format, args);
  va_end(args);
}
