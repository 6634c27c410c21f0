// A static program of Linux without a C library, for what benchmarks of a whole system need and no package has:
//
//   linuxbench syscalls N   asks N times for the parent's process id
//   linuxbench faults N     maps N times 4 MiB of memory, writes to each page, and unmaps it
//   linuxbench forks N      makes N times a child that ends at once, and waits for it
//   linuxbench execs N      likewise with a child that starts this program anew
//
// Exit status: 0 done, 1 a system call failed, 2 another usage.
#include <stdint.h>

typedef uint64_t u64;
typedef int64_t i64;

#define PAGE_SIZE 4096
#define AREA (4 << 20)

// Numbers of Linux's generic system call table.
enum { CLONE = 220, EXECVE = 221, WAIT4 = 260, EXIT = 93, GETPPID = 173, MMAP = 222, MUNMAP = 215 };

#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22
#define SIGCHLD 17

_Noreturn void start(const i64 *stack);

static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  register i64 a7 asm("a7") = number;
  register i64 a0 asm("a0") = a;
  register i64 a1 asm("a1") = b;
  register i64 a2 asm("a2") = c;
  register i64 a3 asm("a3") = d;
  register i64 a4 asm("a4") = e;
  register i64 a5 asm("a5") = f;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
  return a0;
}

static _Noreturn void leave(i64 status) {
  for (;;) call(EXIT, status, 0, 0, 0, 0, 0);
}

static void check(int ok) {
  if (!ok) leave(1);
}

static void syscalls(u64 n) {
  while (n--) check(call(GETPPID, 0, 0, 0, 0, 0, 0) >= 0);
}

static void faults(u64 n) {
  while (n--) {
    i64 area = call(MMAP, 0, AREA, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    check(area > 0);
    for (volatile char *at = (char *)area; at < (char *)area + AREA; at += PAGE_SIZE) *at = 1;
    check(call(MUNMAP, area, AREA, 0, 0, 0, 0) == 0);
  }
}

static void forks(u64 n, const char *program) {
  while (n--) {
    i64 child = call(CLONE, SIGCHLD, 0, 0, 0, 0, 0);
    check(child >= 0);
    if (child == 0) {
      const char *arguments[] = {program, "syscalls", "1", 0}, *environment[] = {0};
      if (program) call(EXECVE, (i64)program, (i64)arguments, (i64)environment, 0, 0, 0);
      leave(program != 0); // behind a program that could not be started
    }
    int status = -1;
    check(call(WAIT4, child, (i64)&status, 0, 0, 0, 0) == child && status == 0);
  }
}

static int is(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static u64 number(const char *text) {
  u64 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (u64)(*text - '0');
  return value;
}

// The stack of a new process: how many arguments, then pointers to them.
_Noreturn void start(const i64 *stack) {
  if (stack[0] != 3) leave(2);
  const char *const *arguments = (const char *const *)(stack + 1);
  u64 n = number(arguments[2]);
  if (is(arguments[1], "syscalls")) syscalls(n);
  else if (is(arguments[1], "faults")) faults(n);
  else if (is(arguments[1], "forks")) forks(n, 0);
  else if (is(arguments[1], "execs")) forks(n, arguments[0]);
  else leave(2);
  leave(0);
}
