#include "netif.h"

#include "dhcp.h"
#include "string.h"
#include "timer.h"

struct netif *netifs[NETIFS];
u32 netif_count;

bool netif_register(struct netif *netif) {
  if (netif_count == NETIFS) return false;
  netif->name[0] = 'e', netif->name[1] = 't', netif->name[2] = 'h';
  netif->name[3] = (char)('0' + netif_count);
  netifs[netif_count++] = netif;
  return true;
}

struct netif *netif_find(const char *name) {
  for (u32 i = 0; i < netif_count; i++) {
    if (strcmp(netifs[i]->name, name) == 0) return netifs[i];
  }
  return 0;
}

bool net_poll(void) {
  bool busy = false;
  for (u32 i = 0; i < netif_count; i++) busy |= netifs[i]->poll(netifs[i]);
  for (u32 i = 0; i < netif_count; i++) netifs[i]->tx_flush(netifs[i]);
  return busy;
}

void net_wait(u64 deadline) {
  if (net_poll()) return;
  u64 timers = dhcp_run();
  for (u32 i = 0; i < netif_count; i++) netifs[i]->tx_flush(netifs[i]);
  sleep(min_u64(deadline, timers));
}
