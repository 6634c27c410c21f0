// The list of commands, and help.
#include "commands.h"

#include "print.h"

static bool cmd_help(int argc, char **argv);

const struct command commands[] = {
  {"help", "", "this list", cmd_help},
  {"ip", "[ethN] [address[/bits] [gateway] | dhcp]", "show or set addresses", cmd_ip},
  {"link", "", "state of the interfaces", cmd_link},
  {"wait-link", "[-t ms] [ethN]", "wait until a link is up", cmd_wait_link},
  {"ping", "[-c n] [-i ms] [-s size] [-t ms] address", "send echo requests", cmd_ping},
  {"udp-echo", "[port]", "answer datagrams, in the background (port 7)", cmd_udp_echo},
  {"udp-send", "[-t ms] address port text", "send a datagram, print what comes back", cmd_udp_send},
  {"udp-rr", "[-n count] [-s size] [-t ms] address [port]", "time requests and responses", cmd_udp_rr},
  {"udp-sink", "[-w] [-t ms] [port]", "count datagrams, in the background (port 9); -w: wait for a stream's end", cmd_udp_sink},
  {"udp-stream", "[-t ms | -n packets] [-s size] [-r pps] address [port]", "send a stream to a sink", cmd_udp_stream},
  {"stats", "", "counters as key=value", cmd_stats},
  {"lspci", "", "PCI functions", cmd_lspci},
  {"mem", "", "memory", cmd_mem},
  {"uname", "", "what this is", cmd_uname},
  {"wait", "ms", "do nothing", cmd_wait},
  {"crash", "", "store to address 0", cmd_crash},
  {"reboot", "", "restart the machine", cmd_reboot},
  {"poweroff", "", "end the machine", cmd_poweroff},
  {0},
};

static bool cmd_help(int argc, char **argv) {
  (void)argc, (void)argv;
  for (const struct command *command = commands; command->name; command++) {
    print("%s %s\n    %s\n", command->name, command->usage, command->help);
  }
  return true;
}
