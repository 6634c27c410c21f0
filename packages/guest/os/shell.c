#include "shell.h"

#include "console.h"
#include "netif.h"
#include "print.h"
#include "string.h"
#include "timer.h"

#define LINE_SIZE 512
#define ARGUMENTS 16
#define PROMPT "vmloom# "

enum { BACKSPACE = 8, KILL_LINE = 21, ESCAPE = 27, DELETE = 127 };

static const struct command *find_command(const char *name) {
  for (const struct command *command = commands; command->name; command++) {
    if (strcmp(command->name, name) == 0) return command;
  }
  return 0;
}

bool usage(const char *name) {
  const struct command *command = find_command(name);
  print("usage: %s %s\n", name, command ? command->usage : "");
  return false;
}

// Splits at spaces; '...' and "..." keep them. Returns the number of arguments, or -1 if there are too many.
static int split(char *text, char **argv) {
  int argc = 0;
  for (;;) {
    while (*text == ' ' || *text == '\t') text++;
    if (!*text) return argc;
    if (argc == ARGUMENTS) return -1;
    char quote = *text == '"' || *text == '\'' ? *text++ : 0;
    argv[argc++] = text;
    while (*text && (quote ? *text != quote : *text != ' ' && *text != '\t')) text++;
    if (*text) *text++ = 0;
  }
}

static void run_one(char *text) {
  char *argv[ARGUMENTS + 1];
  int argc = split(text, argv);
  if (argc == 0) return;
  if (argc < 0) {
    print("more than %u arguments\n", ARGUMENTS);
    return;
  }
  argv[argc] = 0;
  const struct command *command = find_command(argv[0]);
  if (!command) {
    print("%s: no such command, try help\n", argv[0]);
    return;
  }
  command->run(argc, argv);
}

// The end of the command that begins at `text`: the next semicolon outside quotes, or the end.
static char *command_end(char *text) {
  char quote = 0;
  for (; *text && (quote || *text != ';'); text++) {
    if (quote ? *text == quote : *text == '"' || *text == '\'') quote = quote ? 0 : *text;
  }
  return text;
}

void shell_run(char *line) {
  console_clear_interrupt();
  for (bool more = true; more && !console_interrupted();) {
    char *end = command_end(line);
    more = *end == ';';
    *end = 0;
    run_one(line);
    line = end + 1;
  }
  if (console_interrupted()) print("^C\n");
  console_clear_interrupt();
}

// The next character, while the network goes on; -1 on Ctrl-C.
static int wait_for_character(void) {
  for (;;) {
    if (console_interrupted()) return -1;
    int c = console_read();
    if (c >= 0) return c;
    net_wait(NEVER);
  }
}

// Cursor keys and the like send ESC [ ... and a letter or ~, which would otherwise end up in the line.
static void skip_escape_sequence(void) {
  int c = wait_for_character();
  if (c != '[' && c != 'O') return;
  do c = wait_for_character();
  while (c >= ' ' && c < '@');
}

static void erase(u32 count) {
  while (count-- > 0) print("\b \b");
}

static bool read_line(char *line) {
  static int last;
  u32 length = 0;
  console_clear_interrupt();
  for (;;) {
    int previous = last;
    int c = last = wait_for_character();
    if (c < 0) {
      print("^C\n");
      return false;
    }
    if (c == '\n' && previous == '\r') continue; // one line end, not two
    if (c == '\r' || c == '\n') {
      print("\n");
      line[length] = 0;
      return true;
    }
    if (c == ESCAPE) skip_escape_sequence();
    if ((c == BACKSPACE || c == DELETE) && length > 0) {
      length--;
      erase(1);
    }
    if (c == KILL_LINE) {
      erase(length);
      length = 0;
    }
    if (c >= ' ' && c < DELETE && length + 1 < LINE_SIZE) {
      line[length++] = (char)c;
      print("%c", c);
    }
  }
}

_Noreturn void shell_loop(void) {
  static char line[LINE_SIZE];
  for (;;) {
    print(PROMPT);
    if (read_line(line)) shell_run(line);
  }
}

bool parse_argument(const char *command, const char *what, const char *text, u64 low, u64 high, u64 *value) {
  if (parse_number(text, value) && *value >= low && *value <= high) return true;
  print("%s: %s must be a number from %lu to %lu, not %s\n", command, what, low, high, text);
  return false;
}

bool parse_options(int *argc, char ***argv, const char *letters, u64 *values) {
  const char *name = (*argv)[0];
  for ((*argc)--, (*argv)++; *argc > 0 && (*argv)[0][0] == '-'; (*argc)--, (*argv)++) {
    char letter = (*argv)[0][1];
    const char *at = letters;
    u64 *value = values;
    for (; *at && *at != letter; at++) value += at[0] != '!';
    if (!letter || letter == '!' || !*at || (*argv)[0][2]) return usage(name);
    if (at[1] == '!') {
      *value = 1;
      continue;
    }
    if (*argc < 2) return usage(name);
    if (!parse_argument(name, (*argv)[0], (*argv)[1], 0, UINT32_MAX, value)) return false;
    (*argc)--, (*argv)++;
  }
  return true;
}
