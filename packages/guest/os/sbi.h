// Calls to the firmware (RISC-V Supervisor Binary Interface 2.0).
#pragma once

#include "types.h"

// Learns which extensions the firmware has. To be called once, before the others.
void sbi_init(void);

// Asks for a timer interrupt when `time` reaches `ticks` (TIME, or the legacy call).
void sbi_set_timer(u64 ticks);

// Writes to the debug console (DBCN, or the legacy call); `text` lies in memory that is mapped one to one.
void sbi_console_write(const char *text, size_t length);

enum sbi_reset_type { SBI_SHUTDOWN = 0, SBI_COLD_REBOOT = 1 };
enum sbi_reset_reason { SBI_NO_REASON = 0, SBI_SYSTEM_FAILURE = 1 };

// Ends or restarts the machine (SRST, or the legacy shutdown); stops the hart if the firmware cannot.
_Noreturn void sbi_reset(enum sbi_reset_type type, enum sbi_reset_reason reason);
