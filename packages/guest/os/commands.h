// What the shell can be asked to do. Each has its arguments' syntax in commands.c.
#pragma once

#include "shell.h"
#include "udp.h"

bool cmd_ip(int argc, char **argv); // cmd_net.c
bool cmd_link(int argc, char **argv);
bool cmd_wait_link(int argc, char **argv);
bool cmd_ping(int argc, char **argv); // cmd_ping.c
bool cmd_udp_echo(int argc, char **argv); // cmd_udp.c
bool cmd_udp_send(int argc, char **argv);
bool cmd_udp_rr(int argc, char **argv);
bool cmd_udp_sink(int argc, char **argv); // cmd_stream.c
bool cmd_udp_stream(int argc, char **argv);
bool cmd_stats(int argc, char **argv); // cmd_system.c
bool cmd_lspci(int argc, char **argv);
bool cmd_mem(int argc, char **argv);
bool cmd_uname(int argc, char **argv);
bool cmd_wait(int argc, char **argv);
bool cmd_crash(int argc, char **argv);
bool cmd_reboot(int argc, char **argv);
bool cmd_poweroff(int argc, char **argv);

// Waits until packets to `to` can leave: the link is up and the neighbour on the way has told its
// address. Prints why if they cannot.
bool reach(const char *command, u32 to);

// udp_begin(), waiting for room in the ring; 0 at the deadline or on Ctrl-C.
u8 *udp_begin_wait(struct ip_packet *packet, u32 to, u64 deadline);

// Prints the counters of the sinks, as `stats` does.
void print_sink_stats(void);
void print_echo_stats(void);

// Smallest, mean and largest of a number of times.
struct summary {
  u64 count, min, max, sum;
};

void summary_add(struct summary *summary, u64 ns);
// Prints "NAME: SENT sent, N received[, rtt min/avg/max = A/B/C ns]".
void summary_print(const char *command, u64 sent, const struct summary *summary);
