#include "dhcp.h"

#include "string.h"
#include "timer.h"
#include "udp.h"

#define SERVER_PORT 67
#define CLIENT_PORT 68
#define BROADCAST_IP 0xffffffffu
#define MAGIC_COOKIE 0x63825363u
#define BOOT_REQUEST 1
#define BOOT_REPLY 2
#define FLAG_BROADCAST 0x8000 // answer to everybody: we cannot take unicast yet
#define FIRST_INTERVAL_MS 1000
#define LAST_INTERVAL_MS 16000

// Figure 1 of RFC 2131, options aside.
struct dhcp_message {
  u8 operation, hardware_type, hardware_length, hops;
  u32 transaction;
  u16 seconds, flags;
  u32 client_ip, your_ip, server_ip, relay_ip;
  u8 client_mac[16];
  u8 server_name[64], boot_file[128];
  u32 cookie;
  u8 options[];
} PACKED;

// RFC 2132
enum option {
  OPT_PAD = 0,
  OPT_MASK = 1,
  OPT_ROUTER = 3,
  OPT_REQUESTED_IP = 50,
  OPT_LEASE = 51,
  OPT_TYPE = 53,
  OPT_SERVER = 54,
  OPT_WANTED = 55,
  OPT_END = 255,
};

enum message_type { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6 };

static enum state { STOPPED, SELECTING, REQUESTING, BOUND, RENEWING } state;
static struct netif *interface;
static struct udp_socket *dhcp_socket;
static u32 transaction, offered_ip, server_ip, lease_seconds;
static u64 next_run, interval_ms, lease_end;

static u8 *put_option(u8 *at, u8 code, u32 value) {
  *at++ = code;
  *at++ = 4;
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = (u8)(value >> shift);
  return at;
}

static void send(enum message_type type) {
  struct ip_packet packet;
  u8 *payload = udp_begin(&packet, interface, state == RENEWING ? server_ip : BROADCAST_IP);
  if (!payload) return; // it will be repeated
  struct dhcp_message *message = (void *)payload;
  memset(message, 0, sizeof(*message));
  message->operation = BOOT_REQUEST;
  message->hardware_type = 1;
  message->hardware_length = sizeof(mac_address);
  message->transaction = htonl(transaction);
  message->cookie = htonl(MAGIC_COOKIE);
  memcpy(message->client_mac, &interface->mac, sizeof(mac_address));
  if (state == RENEWING) message->client_ip = htonl(interface->address);
  else message->flags = htons(FLAG_BROADCAST);

  u8 *at = message->options;
  *at++ = OPT_TYPE, *at++ = 1, *at++ = (u8)type;
  *at++ = OPT_WANTED, *at++ = 3, *at++ = OPT_MASK, *at++ = OPT_ROUTER, *at++ = OPT_LEASE;
  if (state == REQUESTING) {
    at = put_option(at, OPT_REQUESTED_IP, offered_ip);
    at = put_option(at, OPT_SERVER, server_ip);
  }
  *at++ = OPT_END;
  udp_end(&packet, CLIENT_PORT, SERVER_PORT, (u32)(at - payload));
}

struct options {
  u32 type, mask, router, lease, server;
};

// Reads what we know and steps over the rest; stops at the first option that does not fit.
static struct options read_options(const u8 *at, const u8 *end) {
  struct options options = {0};
  while (at < end && *at != OPT_END) {
    u8 code = *at++;
    if (code == OPT_PAD) continue;
    if (at == end || *at > end - at - 1) break;
    u32 length = *at++, value = 0;
    for (u32 i = 0; i < 4 && i < length; i++) value = value << 8 | at[i];
    if (code == OPT_TYPE && length == 1) options.type = value;
    if (code == OPT_MASK && length == 4) options.mask = value;
    if (code == OPT_ROUTER && length >= 4) options.router = value;
    if (code == OPT_LEASE && length == 4) options.lease = value;
    if (code == OPT_SERVER && length == 4) options.server = value;
    at += length;
  }
  return options;
}

static void enter(enum state next) {
  state = next;
  interval_ms = FIRST_INTERVAL_MS;
  next_run = 0;
}

static void bind(u32 address, const struct options *options) {
  lease_seconds = options->lease;
  lease_end = lease_seconds == 0 || lease_seconds == UINT32_MAX ? NEVER : deadline_in_ms(lease_seconds * 1000ul);
  u32 mask = options->mask ? options->mask : 0xffffff00;
  bool changed = interface->address != address || interface->mask != mask || interface->gateway != options->router;
  if (changed) ip_configure(interface, address, mask, options->router);
  state = BOUND;
  // RFC 2131, 4.4.5: T1 is half of the lease
  next_run = lease_end == NEVER ? NEVER : deadline_in_ms(lease_seconds * 500ul);
}

static void receive(struct udp_socket *socket, const struct udp_datagram *datagram) {
  (void)socket;
  const struct dhcp_message *message = (const void *)datagram->data;
  bool ours = datagram->netif == interface && datagram->length >= sizeof(*message) &&
              message->operation == BOOT_REPLY && ntohl(message->transaction) == transaction &&
              ntohl(message->cookie) == MAGIC_COOKIE &&
              memcmp(message->client_mac, &interface->mac, sizeof(mac_address)) == 0;
  if (!ours) return;
  struct options options = read_options(message->options, datagram->data + datagram->length);
  u32 address = ntohl(message->your_ip);
  bool usable = address != 0 && address != BROADCAST_IP;
  if (state == SELECTING && options.type == OFFER && usable && options.server != 0) {
    offered_ip = address;
    server_ip = options.server;
    enter(REQUESTING);
    send(REQUEST);
    next_run = deadline_in_ms(interval_ms);
  } else if ((state == REQUESTING || state == RENEWING) && options.type == ACK && usable) {
    bind(address, &options);
  } else if ((state == REQUESTING || state == RENEWING) && options.type == NAK) {
    ip_configure(interface, 0, 0, 0);
    enter(SELECTING);
  }
}

void dhcp_start(struct netif *netif) {
  if (!dhcp_socket) dhcp_socket = udp_open(CLIENT_PORT, receive, 0);
  if (!dhcp_socket) return;
  interface = netif;
  const u8 *mac = netif->mac.bytes;
  transaction = ((u32)mac[2] << 24 | (u32)mac[3] << 16 | (u32)mac[4] << 8 | mac[5]) ^ (u32)time_ns();
  ip_configure(netif, 0, 0, 0);
  enter(SELECTING);
}

void dhcp_stop(struct netif *netif) {
  if (interface == netif) state = STOPPED;
}

bool dhcp_bound(const struct netif *netif) {
  return interface == netif && (state == BOUND || state == RENEWING);
}

u32 dhcp_lease(void) {
  return lease_seconds;
}

u64 dhcp_run(void) {
  if (state == STOPPED) return NEVER;
  u64 now = time_ns();
  if (now < next_run) return next_run;
  if (state == BOUND) enter(RENEWING);
  if (state == RENEWING && now >= lease_end) {
    ip_configure(interface, 0, 0, 0);
    enter(SELECTING);
  }
  if (state == REQUESTING && interval_ms == LAST_INTERVAL_MS) enter(SELECTING); // the server is gone
  send(state == SELECTING ? DISCOVER : REQUEST);
  next_run = deadline_in_ms(interval_ms);
  interval_ms = min_u64(interval_ms * 2, LAST_INTERVAL_MS);
  return next_run;
}
