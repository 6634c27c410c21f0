#include "timer.h"

#include "platform.h"
#include "riscv.h"
#include "sbi.h"

static volatile bool awake;

u64 time_ns(void) {
  u64 ticks = read_time();
  u64 seconds = ticks / platform.timebase, rest = ticks % platform.timebase;
  return seconds * NS_PER_S + rest * NS_PER_S / platform.timebase;
}

// Rounded up, so that time_ns() has reached `ns` when `time` reaches the result.
static u64 ticks_at(u64 ns) {
  u64 seconds = ns / NS_PER_S, rest = ns % NS_PER_S;
  return seconds * platform.timebase + (rest * platform.timebase + NS_PER_S - 1) / NS_PER_S;
}

u64 deadline_in_ms(u64 ms) {
  u64 now = time_ns();
  return ms > (NEVER - now) / NS_PER_MS ? NEVER : now + ms * NS_PER_MS;
}

void delay_us(u64 us) {
  u64 end = time_ns() + us * 1000;
  while (time_ns() < end) {
  }
}

static u64 armed; // what the compare register holds

static void set_compare(u64 ticks) {
  armed = ticks;
  if (platform.sstc) asm volatile("csrw %0, %1" ::"i"(CSR_STIMECMP), "r"(ticks));
  else sbi_set_timer(ticks);
}

void timer_interrupt(void) {
  set_compare(UINT64_MAX);
  wake_up();
}

void wake_up(void) {
  awake = true;
}

void sleep(u64 deadline) {
  interrupts_off();
  if (!awake && time_ns() < deadline) {
    u64 ticks = deadline == NEVER ? UINT64_MAX : ticks_at(deadline);
    if (ticks != armed) set_compare(ticks);
    wait_for_interrupt(); // a pending interrupt ends it even while they are off
  }
  awake = false;
  interrupts_on(); // whatever is pending is taken here, and sets `awake` for the next call
}

void pause_ms(u64 ms) {
  u64 end = deadline_in_ms(ms);
  while (time_ns() < end) sleep(end);
}
