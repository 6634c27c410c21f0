#include "ipv4.h"

#include "arp.h"
#include "checksum.h"
#include "icmp.h"
#include "udp.h"

#define LIMITED_BROADCAST 0xffffffffu
#define TTL 64

static bool is_broadcast(const struct netif *netif, u32 address) {
  if (address == LIMITED_BROADCAST) return true;
  return netif->address != 0 && netif->mask < 0xfffffffe && address == (netif->address | ~netif->mask);
}

static bool is_multicast(u32 address) {
  return address >> 28 == 0xe;
}

// A packet for us, or for everybody; without an address of our own (during DHCP) any is taken.
static bool is_for_us(const struct netif *netif, u32 to) {
  return netif->address == 0 || to == netif->address || is_broadcast(netif, to);
}

void ip_receive(struct netif *netif, const u8 *bytes, u32 length) {
  const struct ipv4_header *header = (const void *)bytes;
  u32 header_length = length >= sizeof(*header) ? (header->version_words & 15) * 4 : 0;
  if (header_length < sizeof(*header) || header_length > length || header->version_words >> 4 != IPV4_VERSION) {
    net_drops.ip_header++;
    return;
  }
  u32 total = ntohs(header->total_length);
  if (total < header_length || total > length) {
    net_drops.ip_length++;
    return;
  }
  if (checksum_end(checksum_add(0, bytes, header_length)) != 0) {
    net_drops.ip_checksum++;
    return;
  }
  if (ntohs(header->fragment) & IPV4_FRAGMENT_MASK) {
    net_drops.ip_fragment++;
    return;
  }
  u32 from = ntohl(header->from), to = ntohl(header->to);
  bool from_nowhere = is_multicast(from) || is_broadcast(netif, from) || (from != 0 && from == netif->address);
  if (!is_for_us(netif, to) || from_nowhere) {
    net_drops.ip_address++;
    return;
  }
  const u8 *payload = bytes + header_length;
  u32 payload_length = total - header_length; // what follows in the frame is padding
  switch (header->protocol) {
    case IPV4_ICMP: icmp_receive(netif, from, to, payload, payload_length); break;
    case IPV4_UDP: udp_receive(netif, from, to, payload, payload_length); break;
    default: net_drops.ip_protocol++;
  }
}

struct netif *ip_route(u32 to, u32 *next_hop) {
  for (u32 i = 0; i < netif_count; i++) {
    struct netif *netif = netifs[i];
    if (netif->address == 0 || ((netif->address ^ to) & netif->mask) != 0) continue;
    *next_hop = to;
    return netif;
  }
  for (u32 i = 0; i < netif_count; i++) {
    struct netif *netif = netifs[i];
    if (netif->address == 0 || netif->gateway == 0) continue;
    *next_hop = netif->gateway;
    return netif;
  }
  return 0;
}

u8 *ip_begin(struct ip_packet *packet, struct netif *netif, u32 to, u8 protocol) {
  u32 next_hop;
  if (!netif) netif = ip_route(to, &next_hop);
  if (!netif) {
    net_drops.no_route++;
    return 0;
  }
  *packet = (struct ip_packet){netif, to, protocol, netif->tx_begin(netif)};
  if (!packet->frame) return 0;
  return packet->frame + sizeof(struct ethernet_header) + sizeof(struct ipv4_header);
}

void ip_end(struct ip_packet *packet, u32 payload_length) {
  static u16 next_id;
  struct netif *netif = packet->netif;
  struct ipv4_header *header = (void *)(packet->frame + sizeof(struct ethernet_header));
  u32 length = sizeof(*header) + payload_length;
  *header = (struct ipv4_header){
    .version_words = IPV4_VERSION << 4 | sizeof(*header) / 4,
    .total_length = htons((u16)length),
    .id = htons(next_id++),
    .fragment = htons(IPV4_DONT_FRAGMENT),
    .ttl = TTL,
    .protocol = packet->protocol,
    .from = htonl(netif->address),
    .to = htonl(packet->to),
  };
  header->checksum = checksum_end(checksum_add(0, header, sizeof(*header)));

  if (is_broadcast(netif, packet->to)) {
    ethernet_send(netif, packet->frame, &mac_broadcast, ETHERTYPE_IPV4, length);
    return;
  }
  bool on_link = ((netif->address ^ packet->to) & netif->mask) == 0;
  u32 next_hop = on_link ? packet->to : netif->gateway;
  const mac_address *mac = next_hop ? arp_known(netif, next_hop) : 0;
  if (mac) {
    ethernet_send(netif, packet->frame, mac, ETHERTYPE_IPV4, length);
  } else if (next_hop) {
    arp_hold(netif, next_hop, (const u8 *)header, length);
  } else {
    net_drops.no_route++;
  }
}

void ip_configure(struct netif *netif, u32 address, u32 mask, u32 gateway) {
  arp_forget(netif);
  netif->address = address;
  netif->mask = mask;
  netif->gateway = gateway;
  arp_announce(netif);
}

u64 ip_pseudo_sum(u32 from, u32 to, u8 protocol, u32 length) {
  return (u64)htonl(from) + htonl(to) + htons(protocol) + htons((u16)length);
}
