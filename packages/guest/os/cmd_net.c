// Addresses and links, and what the commands that send have in common.
#include "arp.h"
#include "commands.h"
#include "console.h"
#include "dhcp.h"
#include "print.h"
#include "string.h"
#include "timer.h"

#define LINK_TIMEOUT_MS 5000
#define NEIGHBOUR_TIMEOUT_MS 3000
#define NEIGHBOUR_RETRY_MS 200
#define DHCP_TIMEOUT_MS 20000

static bool wait_for_link(struct netif *netif, u64 ms) {
  // A link coming up is an interrupt; the short sleeps are for devices that do not tell.
  u64 deadline = deadline_in_ms(ms);
  while (!netif->link_up(netif)) {
    if (console_interrupted() || time_ns() >= deadline) return false;
    net_wait(min_u64(deadline, deadline_in_ms(100)));
  }
  return true;
}

bool reach(const char *command, u32 to) {
  u32 next_hop;
  struct netif *netif = ip_route(to, &next_hop);
  if (!netif) {
    print("%s: no route to %s\n", command, ip_text(to));
    return false;
  }
  if (!wait_for_link(netif, LINK_TIMEOUT_MS)) {
    print("%s: the link of %s is down\n", command, netif->name);
    return false;
  }
  if (next_hop == UINT32_MAX || (netif->mask < 0xfffffffe && next_hop == (netif->address | ~netif->mask))) return true;
  u64 deadline = deadline_in_ms(NEIGHBOUR_TIMEOUT_MS);
  while (!arp_lookup(netif, next_hop)) {
    if (console_interrupted() || time_ns() >= deadline) {
      print("%s: %s does not answer on %s\n", command, ip_text(next_hop), netif->name);
      return false;
    }
    u64 retry = deadline_in_ms(NEIGHBOUR_RETRY_MS);
    NET_WAIT_UNTIL(arp_lookup(netif, next_hop), min_u64(deadline, retry));
  }
  return true;
}

u8 *udp_begin_wait(struct ip_packet *packet, u32 to, u64 deadline) {
  for (;;) {
    u8 *payload = udp_begin(packet, 0, to);
    if (payload) return payload;
    u32 next_hop;
    struct netif *netif = ip_route(to, &next_hop);
    if (!netif || console_interrupted() || time_ns() >= deadline) return 0;
    netif->tx_wait(netif);
    net_wait(deadline);
  }
}

void summary_add(struct summary *summary, u64 ns) {
  summary->min = summary->count == 0 ? ns : min_u64(summary->min, ns);
  summary->max = max_u64(summary->max, ns);
  summary->sum += ns;
  summary->count++;
}

void summary_print(const char *command, u64 sent, const struct summary *summary) {
  print("%s: %lu sent, %lu received", command, sent, summary->count);
  if (summary->count > 0) {
    print(", rtt min/avg/max = %lu/%lu/%lu ns", summary->min, summary->sum / summary->count, summary->max);
  }
  print("\n");
}

static u32 mask_bits(u32 mask) {
  u32 bits = 0;
  for (; mask & 0x80000000; mask <<= 1) bits++;
  return bits;
}

static void show_address(const struct netif *netif) {
  if (netif->address == 0) {
    print("%s: no address, mac %s\n", netif->name, mac_text(&netif->mac));
    return;
  }
  print("%s: %s/%u", netif->name, ip_text(netif->address), mask_bits(netif->mask));
  if (netif->gateway) print(" gateway %s", ip_text(netif->gateway));
  if (dhcp_bound(netif)) print(" lease %u s", dhcp_lease());
  print(" mac %s\n", mac_text(&netif->mac));
}

static bool ask_dhcp(struct netif *netif) {
  if (!wait_for_link(netif, LINK_TIMEOUT_MS)) {
    print("ip: the link of %s is down\n", netif->name);
    return false;
  }
  dhcp_start(netif);
  if (!NET_WAIT_UNTIL(dhcp_bound(netif), deadline_in_ms(DHCP_TIMEOUT_MS))) {
    dhcp_stop(netif);
    print("ip: no answer to DHCP on %s\n", netif->name);
    return false;
  }
  show_address(netif);
  return true;
}

bool cmd_ip(int argc, char **argv) {
  if (netif_count == 0) {
    print("ip: there is no network interface\n");
    return false;
  }
  struct netif *named = argc > 1 ? netif_find(argv[1]) : 0;
  struct netif *netif = named ? named : netifs[0];
  if (named) argc--, argv++;
  if (argc == 1) {
    for (u32 i = 0; i < netif_count; i++) {
      if (!named || netifs[i] == named) show_address(netifs[i]);
    }
    return true;
  }
  if (argc == 2 && strcmp(argv[1], "dhcp") == 0) return ask_dhcp(netif);
  u32 address, mask, gateway = 0;
  bool parsed = argc <= 3 && parse_ip(argv[1], &address, &mask) && (argc < 3 || parse_ip(argv[2], &gateway, 0));
  if (!parsed) return usage("ip");
  dhcp_stop(netif);
  ip_configure(netif, address, mask, gateway);
  show_address(netif);
  return true;
}

bool cmd_link(int argc, char **argv) {
  (void)argc, (void)argv;
  for (u32 i = 0; i < netif_count; i++) {
    struct netif *netif = netifs[i];
    print("%s: %s link %s mac %s\n", netif->name, netif->driver, netif->link_up(netif) ? "up" : "down",
          mac_text(&netif->mac));
  }
  return true;
}

bool cmd_wait_link(int argc, char **argv) {
  u64 ms = LINK_TIMEOUT_MS;
  if (!parse_options(&argc, &argv, "t", &ms)) return false;
  struct netif *netif = argc > 0 ? netif_find(argv[0]) : netifs[0];
  if (!netif) {
    print("wait-link: there is no such interface\n");
    return false;
  }
  bool up = wait_for_link(netif, ms);
  print("wait-link: %s is %s\n", netif->name, up ? "up" : "down");
  return up;
}
