// A state machine that tells what the words of a text are: integers, numbers with a point or an exponent, or neither.
#include "bench_mix.h"

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

void mix_text_prepare(char *text, u64 *random) {
  static const char *const words[] = {"5012", "-874",   "+122",  "35.54400", ".1234500", "-110.700", "+0.64400", "5.500e+3",
                                      "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^", "9"};
  for (u32 at = 0; at < MIX_TEXT_SIZE - 1;) {
    for (const char *word = words[bench_random(random) >> 60]; *word && at < MIX_TEXT_SIZE - 2;) text[at++] = *word++;
    text[at++] = ',';
  }
  text[MIX_TEXT_SIZE - 1] = 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static enum state after(enum state state, char c) {
  switch (state) {
    case START:
      if (c == '+' || c == '-') return SIGN;
      // fall through
    case SIGN: return is_digit(c) ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER: return is_digit(c) ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case POINT: return is_digit(c) ? FRACTION : INVALID;
    case FRACTION: return is_digit(c) ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : INVALID;
    case EXPONENT: return c == '+' || c == '-' ? EXPONENT_SIGN : is_digit(c) ? SCIENTIFIC : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC: return is_digit(c) ? SCIENTIFIC : INVALID;
    default: return INVALID;
  }
}

static void count_states(const char *text, u32 *ends, u32 *visits) {
  enum state state = START;
  for (; *text; text++) {
    if (*text == ',') {
      ends[state]++;
      state = START;
      continue;
    }
    state = after(state, *text);
    visits[state]++;
  }
}

// Every so manieth character turned into another one, or back.
static void spoil(char *text, u32 step, char with) {
  for (u32 at = step; at < MIX_TEXT_SIZE - 1; at += step) {
    if (text[at] != ',' && (text[at] ^ with) != ',' && text[at] != with) text[at] ^= with;
  }
}

u16 mix_text_work(char *text, u32 seed) {
  u32 ends[STATES] = {0}, visits[STATES] = {0};
  u32 step = 5 + seed % 16;
  count_states(text, ends, visits);
  spoil(text, step, 1 + seed % 3);
  count_states(text, ends, visits);
  spoil(text, step, 1 + seed % 3);
  u16 crc = 0;
  for (u32 i = 0; i < STATES; i++) crc = mix_crc(mix_crc(crc, ends[i]), visits[i]);
  return crc;
}
