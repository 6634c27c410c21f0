#include "icmp.h"

#include "checksum.h"
#include "ipv4.h"
#include "string.h"

void (*icmp_on_reply)(const struct icmp_reply *reply);

static void answer(struct netif *netif, u32 to, const u8 *message, u32 length) {
  struct ip_packet packet;
  u8 *payload = ip_begin(&packet, netif, to, IPV4_ICMP);
  if (!payload) {
    netif->counters.tx_dropped++;
    return;
  }
  memcpy(payload, message, length);
  struct icmp_echo *reply = (void *)payload;
  reply->type = ICMP_ECHO_REPLY;
  reply->checksum = 0;
  reply->checksum = checksum_end(checksum_add(0, payload, length));
  ip_end(&packet, length);
}

void icmp_receive(struct netif *netif, u32 from, u32 to, const u8 *message, u32 length) {
  const struct icmp_echo *echo = (const void *)message;
  if (length < sizeof(*echo) || checksum_end(checksum_add(0, message, length)) != 0) {
    net_drops.icmp_malformed++;
    return;
  }
  // RFC 1122, 3.2.2.6: an echo request to a broadcast address may be ignored.
  if (echo->type == ICMP_ECHO && echo->code == 0 && to == netif->address && netif->address != 0) {
    answer(netif, from, message, length);
  } else if (echo->type == ICMP_ECHO_REPLY && echo->code == 0 && icmp_on_reply) {
    icmp_on_reply(&(struct icmp_reply){
      .from = from,
      .id = ntohs(echo->id),
      .sequence = ntohs(echo->sequence),
      .data = message + sizeof(*echo),
      .length = length - sizeof(*echo),
    });
  } else {
    net_drops.icmp_type++;
  }
}

bool icmp_send_echo(u32 to, u16 id, u16 sequence, u32 size) {
  struct ip_packet packet;
  u8 *payload = ip_begin(&packet, 0, to, IPV4_ICMP);
  if (!payload) return false;
  struct icmp_echo *echo = (void *)payload;
  *echo = (struct icmp_echo){.type = ICMP_ECHO, .id = htons(id), .sequence = htons(sequence)};
  for (u32 i = 0; i < size; i++) payload[sizeof(*echo) + i] = (u8)('a' + i % 26);
  echo->checksum = checksum_end(checksum_add(0, payload, sizeof(*echo) + size));
  ip_end(&packet, sizeof(*echo) + size);
  return true;
}
