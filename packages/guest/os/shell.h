// The shell: lines from the console or the boot arguments, commands separated by semicolons.
#pragma once

#include "types.h"

struct command {
  const char *name, *usage, *help;
  // Returns whether it did what it was asked; it has said why if it did not.
  bool (*run)(int argc, char **argv);
};

// All commands, ended by an entry without a name (commands.c).
extern const struct command commands[];

// Runs the commands of a line, which is changed by it; stops at Ctrl-C.
void shell_run(char *line);

// Reads and runs lines for ever.
_Noreturn void shell_loop(void);

// Takes `-x value` options off the front of the arguments. `letters` lists them; values[i] belongs to
// letters[i] and keeps its old value if the option is absent. A letter followed by ! is a switch and
// sets 1; the ! takes up no value. Prints what is wrong and returns false if they do not parse.
bool parse_options(int *argc, char ***argv, const char *letters, u64 *values);

// Reads one numeric argument within bounds; prints what is wrong.
bool parse_argument(const char *command, const char *what, const char *text, u64 low, u64 high, u64 *value);

// Prints how a command is used, and returns false.
bool usage(const char *name);
