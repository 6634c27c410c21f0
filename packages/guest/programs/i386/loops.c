// The three loops of bench on i386, with its arguments and its lines on the first serial port; who listens takes the
// time from one line to the next.
#include "../loops.h"

#define COM1 0x3f8
#define HAS_COMMAND_LINE 4

// Multiboot 0.6.96, 3.3: what is used of it.
struct multiboot_information {
  uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
};

void program(const struct multiboot_information *information);

static uint8_t memory[LOOPS_MEMORY] __attribute__((aligned(4096)));

static void put(char c) {
  asm volatile("outb %0, %1" ::"a"(c), "Nd"((uint16_t)COM1));
}

static void print(const char *text) {
  while (*text) put(*text++);
}

static void print_hexadecimal(uint32_t value) {
  for (int32_t shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

// Behind `key=` in the arguments; nothing if it is not there.
static const char *argument(const char *arguments, const char *key) {
  for (; *arguments; arguments++) {
    uint32_t i = 0;
    while (key[i] && arguments[i] == key[i]) i++;
    if (!key[i] && arguments[i] == '=') return arguments + i + 1;
  }
  return 0;
}

static uint32_t number(const char *arguments, const char *key) {
  uint32_t value = 0;
  const char *text = argument(arguments, key);
  while (text && *text >= '0' && *text <= '9') value = value * 10 + (uint32_t)(*text++ - '0');
  return value;
}

static uint32_t run(char kernel, uint32_t units, uint32_t sum) {
  while (units--) sum = kernel == 'h' ? loop_hash(memory, sum) : kernel == 'i' ? loop_sieve(memory, sum) : loop_sort(memory, sum);
  return sum;
}

void program(const struct multiboot_information *information) {
  const char *arguments = information->flags & HAS_COMMAND_LINE ? (const char *)information->command_line : "";
  const char *name = argument(arguments, "kernel");
  if (!name || (name[0] != 'h' && name[0] != 's')) {
    print("bench: kernel=hash|sieve|sort\n");
    return;
  }
  char kernel = name[0] == 'h' ? 'h' : name[1]; // hash, sieve, sort
  print("begin\n");
  uint32_t sum = run(kernel, number(arguments, "short"), 0);
  print("then\n");
  sum = run(kernel, number(arguments, "long"), sum);
  print("bench: checksum=");
  print_hexadecimal(sum);
  print("\n");
}
