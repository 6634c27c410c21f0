#include "arp.h"

#include "string.h"
#include "timer.h"

#define NEIGHBOURS 32
#define REQUEST_INTERVAL_NS (100 * NS_PER_MS) // at most one request per neighbour in this time

struct neighbour {
  struct netif *netif; // 0: a free entry
  u32 address;
  bool known;
  mac_address mac;
  u64 last_use, last_request;
  u32 held_length; // of the payload that waits for the answer
  u8 held[FRAME_MAX];
};

static struct neighbour neighbours[NEIGHBOURS];

static struct neighbour *find(struct netif *netif, u32 address) {
  for (u32 i = 0; i < NEIGHBOURS; i++) {
    if (neighbours[i].netif == netif && neighbours[i].address == address) return &neighbours[i];
  }
  return 0;
}

// Finds an entry, or puts a new one in the place of the one that was not used for longest.
static struct neighbour *find_or_add(struct netif *netif, u32 address) {
  struct neighbour *found = find(netif, address);
  if (found) return found;
  found = &neighbours[0];
  for (u32 i = 0; i < NEIGHBOURS; i++) {
    if (neighbours[i].last_use < found->last_use) found = &neighbours[i];
  }
  if (found->held_length > 0) net_drops.no_neighbour++;
  found->netif = netif;
  found->address = address;
  found->known = false;
  found->held_length = 0;
  found->last_request = 0;
  found->last_use = time_ns();
  return found;
}

static void send(struct netif *netif, u16 operation, const mac_address *to, u32 target_ip, u32 sender_ip) {
  u8 *frame = netif->tx_begin(netif);
  if (!frame) {
    netif->counters.tx_dropped++;
    return;
  }
  struct arp_packet *packet = (void *)(frame + sizeof(struct ethernet_header));
  *packet = (struct arp_packet){
    .hardware = htons(ARP_HARDWARE_ETHERNET),
    .protocol = htons(ETHERTYPE_IPV4),
    .hardware_length = sizeof(mac_address),
    .protocol_length = sizeof(u32),
    .operation = htons(operation),
    .sender_mac = netif->mac,
    .sender_ip = htonl(sender_ip),
    .target_ip = htonl(target_ip),
  };
  if (operation == ARP_REPLY) packet->target_mac = *to;
  ethernet_send(netif, frame, to, ETHERTYPE_ARP, sizeof(*packet));
}

static void learn(struct neighbour *neighbour, const mac_address *mac) {
  neighbour->known = true;
  neighbour->mac = *mac;
  if (neighbour->held_length == 0) return;
  struct netif *netif = neighbour->netif;
  u8 *frame = netif->tx_begin(netif);
  if (frame) {
    memcpy(frame + sizeof(struct ethernet_header), neighbour->held, neighbour->held_length);
    ethernet_send(netif, frame, mac, ETHERTYPE_IPV4, neighbour->held_length);
  } else {
    netif->counters.tx_dropped++;
  }
  neighbour->held_length = 0;
}

void arp_receive(struct netif *netif, const u8 *bytes, u32 length) {
  const struct arp_packet *packet = (const void *)bytes;
  bool sane = length >= sizeof(*packet) && ntohs(packet->hardware) == ARP_HARDWARE_ETHERNET &&
              ntohs(packet->protocol) == ETHERTYPE_IPV4 && packet->hardware_length == sizeof(mac_address) &&
              packet->protocol_length == sizeof(u32) && (packet->sender_mac.bytes[0] & 1) == 0;
  if (!sane) {
    net_drops.arp_malformed++;
    return;
  }
  u32 sender = ntohl(packet->sender_ip), target = ntohl(packet->target_ip);
  bool for_us = netif->address != 0 && target == netif->address;
  bool can_learn = sender != 0 && sender != netif->address;
  // Known neighbours are updated by anything they say, new ones are only learned if they speak to us.
  struct neighbour *neighbour = !can_learn ? 0 : for_us ? find_or_add(netif, sender) : find(netif, sender);
  if (neighbour) learn(neighbour, &packet->sender_mac);
  if (for_us && ntohs(packet->operation) == ARP_REQUEST) {
    send(netif, ARP_REPLY, &packet->sender_mac, sender, netif->address);
  }
}

const mac_address *arp_known(struct netif *netif, u32 address) {
  struct neighbour *neighbour = find(netif, address);
  if (!neighbour || !neighbour->known) return 0;
  neighbour->last_use = time_ns();
  return &neighbour->mac;
}

const mac_address *arp_lookup(struct netif *netif, u32 address) {
  const mac_address *mac = arp_known(netif, address);
  if (mac) return mac;
  struct neighbour *neighbour = find_or_add(netif, address);
  u64 now = time_ns();
  neighbour->last_use = now;
  if (neighbour->last_request == 0 || now - neighbour->last_request >= REQUEST_INTERVAL_NS) {
    neighbour->last_request = now;
    send(netif, ARP_REQUEST, &mac_broadcast, address, netif->address);
  }
  return 0;
}

void arp_hold(struct netif *netif, u32 address, const u8 *payload, u32 length) {
  struct neighbour *neighbour = find_or_add(netif, address);
  if (length > sizeof(neighbour->held)) return;
  if (neighbour->held_length > 0) net_drops.no_neighbour++;
  memcpy(neighbour->held, payload, length);
  neighbour->held_length = length;
  arp_lookup(netif, address); // only now: the request is written where the payload was
}

void arp_announce(struct netif *netif) {
  if (netif->address != 0) send(netif, ARP_REQUEST, &mac_broadcast, netif->address, netif->address);
}

void arp_forget(struct netif *netif) {
  for (u32 i = 0; i < NEIGHBOURS; i++) {
    if (neighbours[i].netif == netif) neighbours[i] = (struct neighbour){0};
  }
}
