// Benchmark kernels of different nature, timed by the guest's own clock:
//
//   kernel=NAME   which one
//   sv39=1        under Sv39 with 4 KiB pages; else with paging off
//   short=N       units of work from the start on, warm-up included
//   long=N        units behind these, in the steady state
//   seconds=N     in place of both: units until so many seconds have passed
//
// Lines say `begin` and `then` where the short and the long part begin. The checksum depends on the kernel and the number of units alone.
#include "bench.h"

extern char image_end[];

static const struct bench_kernel *const kernels[] = {
    &bench_integer,  &bench_mix,     &bench_pointer,   &bench_stream,     &bench_bytecode,
    &bench_matrix,   &bench_newcode, &bench_loop_hash, &bench_loop_sieve, &bench_loop_sort,
};

struct span {
  u64 units, ticks, instret;
};

static struct span run(const struct bench_kernel *kernel, void *memory, u64 units, u64 ticks, u64 *sum) {
  struct span span = {0};
  u64 start_time = read_time(), start_instret = read_instret();
  while (span.units < units) {
    *sum = kernel->work(memory, *sum);
    span.units++;
    if (ticks && read_time() - start_time >= ticks) break;
  }
  span.instret = read_instret() - start_instret;
  span.ticks = read_time() - start_time;
  return span;
}

static void show(const char *name, struct span span) {
  print(" %s=%lu %s.instret=%lu %s.ticks=%lu", name, span.units, name, span.instret, name, span.ticks);
}

static const struct bench_kernel *find(const char *name) {
  for (u32 i = 0; i < COUNT_OF(kernels); i++) {
    if (strcmp(kernels[i]->name, name) == 0) return kernels[i];
  }
  return NULL;
}

bool program(void) {
  char name[24] = "";
  bootargs_value(runtime_arguments, "kernel", name, sizeof(name));
  const struct bench_kernel *kernel = find(name);
  if (!kernel) {
    print("bench: kernel=");
    for (u32 i = 0; i < COUNT_OF(kernels); i++) print("%s%s", i ? "|" : "", kernels[i]->name);
    print("\n");
    return false;
  }
  u64 paging = runtime_number("sv39", 0), seconds = runtime_number("seconds", 0), sum = 0;
  void *memory = image_end;
  if (paging) memory = bench_paging_on(memory);
  kernel->prepare(memory);
  print("begin\n");
  if (seconds) {
    struct span span = run(kernel, memory, ~0ul, seconds * runtime_timebase, &sum);
    print("bench: kernel=%s sv39=%lu", name, paging);
    show("seconds", span);
  } else {
    struct span first = run(kernel, memory, runtime_number("short", 0), 0, &sum);
    print("then\n");
    struct span then = run(kernel, memory, runtime_number("long", 0), 0, &sum);
    print("bench: kernel=%s sv39=%lu", name, paging);
    show("short", first);
    show("long", then);
  }
  print(" checksum=%016lx timebase=%lu\n", sum, runtime_timebase);
  return true;
}
