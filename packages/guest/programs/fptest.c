// Runs every F and D operation on operands of every class and prints, for each operation and rounding
// mode, a hash of all results and exception flags: two machines that print the same lines compute the
// same. `dump=fadd.d/rne` instead prints every case of one operation in one mode.
//
// A mode is the static one of the instruction (rne rtz rdn rup rmm), with frm set to another one to
// prove that it is not looked at; or dyn-rne and so on, where the instruction says "dynamic" and frm
// has the mode; or - for an operation that does not round.
#include "fptest.h"

#define FNV_OFFSET 0xcbf29ce484222325ul
#define FNV_PRIME 0x100000001b3ul

static const char *const mode_names[MODES] = {"rne", "rtz", "rdn", "rup", "rmm"};

struct run {
  const struct operation *operation;
  operation_function function;
  const char *prefix, *mode;
  u32 frm;
  bool dump;
  u64 hash, cases;
};

static void run_case(struct run *run, u64 a, u64 b, u64 c) {
  csr_write(fcsr, run->frm << 5);
  u64 result = run->function(a, b, c);
  u64 flags = csr_read(fflags);
  run->hash = (run->hash ^ result) * FNV_PRIME;
  run->hash = (run->hash ^ flags ^ run->hash >> 32) * FNV_PRIME;
  run->cases++;
  if (run->dump) print("%s %s%s %016lx %016lx %016lx = %016lx %02lx\n", run->operation->name, run->prefix, run->mode, a, b, c, result, flags);
}

static void run_all(struct run *run) {
  struct operands operands;
  operands_begin(&operands, run->operation->kind);
  run->hash = FNV_OFFSET;
  while (operands_next(&operands)) run_case(run, operands.a, operands.b, operands.c);
  if (!run->dump) print("%s %s%s %016lx n=%lu\n", run->operation->name, run->prefix, run->mode, run->hash, run->cases);
}

// The operation and mode that dump= asks for; all of them if it is absent.
static char wanted[32];

static bool is_wanted(const struct run *run) {
  if (!*wanted) return true;
  const char *at = wanted;
  const char *const parts[] = {run->operation->name, "/", run->prefix, run->mode};
  for (u32 i = 0; i < COUNT_OF(parts); i++) {
    if (!starts_with(at, parts[i])) return false;
    at += strlen(parts[i]);
  }
  return *at == 0;
}

static u64 total;

static void run_mode(const struct operation *operation, operation_function function, const char *prefix,
                     const char *mode, u32 frm) {
  struct run run = {operation, function, prefix, mode, frm, .dump = *wanted != 0};
  if (!is_wanted(&run)) return;
  run_all(&run);
  total += run.cases;
}

bool program(void) {
  bootargs_value(runtime_arguments, "dump", wanted, sizeof(wanted));
  for (const struct operation *operation = operations; operation->name; operation++) {
    if (!operation->rounds) {
      run_mode(operation, operation->functions[0], "", "-", 0);
      continue;
    }
    for (u32 mode = 0; mode < MODES; mode++) {
      run_mode(operation, operation->functions[mode], "", mode_names[mode], (mode + 1) % MODES);
      run_mode(operation, operation->functions[MODES], "dyn-", mode_names[mode], mode);
    }
  }
  print("fptest: %lu cases\n", total);
  return total > 0;
}
