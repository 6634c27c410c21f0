// Time, and waiting for it or for an interrupt.
#pragma once

#include "types.h"

#define NS_PER_MS 1000000ul
#define NS_PER_S 1000000000ul
#define NEVER UINT64_MAX

// Nanoseconds since the hart's `time` counter was 0.
u64 time_ns(void);

// A deadline this many milliseconds from now.
u64 deadline_in_ms(u64 ms);

// Burns time; for the few microseconds that a device needs between two accesses.
void delay_us(u64 us);

// Tells the next sleep() that something has happened: every interrupt handler does.
void wake_up(void);

// Stops the hart until an interrupt or until time_ns() reaches `deadline`; returns at once if
// something has happened since the last call, so that a caller cannot sleep through it.
void sleep(u64 deadline);

// Sleeps for a whole time, whatever happens meanwhile.
void pause_ms(u64 ms);

// Serves the timer; called by the trap handler.
void timer_interrupt(void);
