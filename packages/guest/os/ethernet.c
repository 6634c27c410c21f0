#include "ethernet.h"

#include "arp.h"
#include "ipv4.h"
#include "string.h"

struct net_drops net_drops;

const mac_address mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

void ethernet_receive(struct netif *netif, const u8 *frame, u32 length) {
  const struct ethernet_header *header = (const void *)frame;
  if (length < sizeof(*header)) {
    net_drops.ethernet_short++;
    return;
  }
  const u8 *payload = frame + sizeof(*header);
  length -= sizeof(*header);
  switch (ntohs(header->type)) {
    case ETHERTYPE_ARP: arp_receive(netif, payload, length); break;
    case ETHERTYPE_IPV4: ip_receive(netif, payload, length); break;
    default: net_drops.ethernet_type++;
  }
}

void ethernet_send(struct netif *netif, u8 *frame, const mac_address *to, u16 type, u32 length) {
  struct ethernet_header *header = (void *)frame;
  header->to = *to;
  header->from = netif->mac;
  header->type = htons(type);
  length += sizeof(*header);
  if (length < FRAME_MIN) {
    memset(frame + length, 0, FRAME_MIN - length); // or an older frame's bytes would leak out
    length = FRAME_MIN;
  }
  netif->tx_commit(netif, length);
}

#define TEXTS 4
#define TEXT_SIZE 20

static char *next_text(void) {
  static char texts[TEXTS][TEXT_SIZE];
  static u32 next;
  return texts[next++ % TEXTS];
}

const char *ip_text(u32 address) {
  char *text = next_text(), *at = text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    u32 byte = address >> shift & 0xff;
    if (byte >= 100) *at++ = (char)('0' + byte / 100);
    if (byte >= 10) *at++ = (char)('0' + byte / 10 % 10);
    *at++ = (char)('0' + byte % 10);
    *at++ = shift > 0 ? '.' : 0;
  }
  return text;
}

const char *mac_text(const mac_address *mac) {
  static const char digits[] = "0123456789abcdef";
  char *text = next_text(), *at = text;
  for (u32 i = 0; i < sizeof(mac->bytes); i++) {
    *at++ = digits[mac->bytes[i] >> 4];
    *at++ = digits[mac->bytes[i] & 15];
    *at++ = i < 5 ? ':' : 0;
  }
  return text;
}

// Reads decimal digits up to a limit and moves past them.
static bool parse_part(const char **text, u32 limit, u32 *value) {
  const char *at = *text;
  u32 sum = 0;
  for (; *at >= '0' && *at <= '9' && sum <= limit; at++) sum = sum * 10 + (u32)(*at - '0');
  if (at == *text || sum > limit) return false;
  *text = at;
  *value = sum;
  return true;
}

bool parse_ip(const char *text, u32 *address, u32 *mask) {
  u32 sum = 0, part, bits = 24;
  for (u32 i = 0; i < 4; i++) {
    if (i > 0 && *text++ != '.') return false;
    if (!parse_part(&text, 255, &part)) return false;
    sum = sum << 8 | part;
  }
  if (mask && *text == '/') {
    text++;
    if (!parse_part(&text, 32, &bits)) return false;
  }
  if (*text) return false;
  *address = sum;
  if (mask) *mask = bits == 0 ? 0 : ~0u << (32 - bits);
  return true;
}
