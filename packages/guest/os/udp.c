#include "udp.h"

#include "checksum.h"
#include "string.h"

#define SOCKETS 16
#define FIRST_DYNAMIC_PORT 49152

static struct udp_socket sockets[SOCKETS];

static struct udp_socket *find(u16 port) {
  for (u32 i = 0; i < SOCKETS; i++) {
    if (sockets[i].port == port) return &sockets[i];
  }
  return 0;
}

struct udp_socket *udp_open(u16 port, void (*receive)(struct udp_socket *, const struct udp_datagram *), void *context) {
  static u16 next_dynamic = FIRST_DYNAMIC_PORT;
  struct udp_socket *socket = find(0);
  if (!socket || (port != 0 && find(port))) return 0;
  while (port == 0) {
    if (!find(next_dynamic)) port = next_dynamic;
    next_dynamic = next_dynamic == UINT16_MAX ? FIRST_DYNAMIC_PORT : next_dynamic + 1;
  }
  *socket = (struct udp_socket){port, receive, context};
  return socket;
}

void udp_close(struct udp_socket *socket) {
  socket->port = 0;
}

void udp_receive(struct netif *netif, u32 from, u32 to, const u8 *bytes, u32 length) {
  const struct udp_header *header = (const void *)bytes;
  u32 claimed = length >= sizeof(*header) ? ntohs(header->length) : 0;
  if (claimed < sizeof(*header) || claimed > length) {
    net_drops.udp_malformed++;
    return;
  }
  if (header->checksum != 0) { // 0: the sender made none
    u64 sum = ip_pseudo_sum(from, to, IPV4_UDP, claimed);
    if (checksum_end(checksum_add(sum, bytes, claimed)) != 0) {
      net_drops.udp_checksum++;
      return;
    }
  }
  u16 port = ntohs(header->to);
  struct udp_socket *socket = port ? find(port) : 0;
  if (!socket) {
    net_drops.udp_port++;
    return;
  }
  socket->receive(socket, &(struct udp_datagram){
                            .netif = netif,
                            .from = from,
                            .to = to,
                            .from_port = ntohs(header->from),
                            .to_port = port,
                            .data = bytes + sizeof(*header),
                            .length = claimed - sizeof(*header),
                          });
}

u8 *udp_begin(struct ip_packet *packet, struct netif *netif, u32 to) {
  u8 *payload = ip_begin(packet, netif, to, IPV4_UDP);
  return payload ? payload + sizeof(struct udp_header) : 0;
}

void udp_end(struct ip_packet *packet, u16 from_port, u16 to_port, u32 length) {
  struct udp_header *header = (void *)(packet->frame + sizeof(struct ethernet_header) + sizeof(struct ipv4_header));
  u32 total = sizeof(*header) + length;
  *header = (struct udp_header){htons(from_port), htons(to_port), htons((u16)total), 0};
  u64 sum = ip_pseudo_sum(packet->netif->address, packet->to, IPV4_UDP, total);
  u16 checksum = checksum_end(checksum_add(sum, header, total));
  header->checksum = checksum ? checksum : 0xffff; // 0 would say that there is none
  ip_end(packet, total);
}

void udp_reply(const struct udp_datagram *datagram, const void *data, u32 length) {
  struct ip_packet packet;
  u8 *payload = udp_begin(&packet, datagram->netif, datagram->from);
  if (!payload || length > UDP_PAYLOAD_MAX) {
    datagram->netif->counters.tx_dropped++;
    return;
  }
  memcpy(payload, data, length);
  udp_end(&packet, datagram->to_port, datagram->from_port, length);
}
