// Spoilt frames into the network stack: fuzz-net ROUNDS. No byte behind a frame may be read, none
// behind the buffer of a frame to send be written, and honest neighbours are still served afterwards.
#include <stdio.h>
#include <stdlib.h>

#include "arp.h"
#include "checksum.h"
#include "dhcp.h"
#include "harness.h"
#include "icmp.h"
#include "string.h"
#include "timer.h"
#include "udp.h"

#define OUR_IP 0x0a000001u
#define THEIR_IP 0x0a000063u
#define OUR_MASK 0xffffff00u

// The clock and the idle loop of the fuzzer: every look at the clock takes a millisecond.
u64 time_ns(void) {
  static u64 now;
  return now += NS_PER_MS;
}

u64 deadline_in_ms(u64 ms) {
  return time_ns() + ms * NS_PER_MS;
}

void sleep(u64 deadline) {
  (void)deadline;
}

static u8 tx_frame[FRAME_BUFFER + 64]; // the tail must stay as it is
static u32 tx_length;
static u64 tx_count;
static u32 dhcp_transaction;

static u8 *tx_begin(struct netif *netif) {
  (void)netif;
  return random_below(50) ? tx_frame : 0;
}

static void tx_commit(struct netif *netif, u32 length) {
  (void)netif;
  if (length < FRAME_MIN || length > FRAME_MAX) fail("a frame of a forbidden length was sent");
  for (u32 i = FRAME_BUFFER; i < sizeof(tx_frame); i++) {
    if (tx_frame[i] != 0xa5) fail("the stack wrote behind a buffer");
  }
  tx_length = length;
  tx_count++;
  // DHCP requests are told by their cookie; an answer needs their transaction.
  u32 cookie;
  memcpy(&cookie, tx_frame + 42 + 236, 4);
  if (length > 42 + 240 && cookie == htonl(0x63825363)) memcpy(&dhcp_transaction, tx_frame + 42 + 4, 4);
}

static void tx_flush(struct netif *netif) {
  (void)netif;
}

static bool no_poll(struct netif *netif) {
  (void)netif;
  return false;
}

static struct netif netif = {
  .mac = {{0x52, 0x54, 0, 0, 0, 1}},
  .tx_begin = tx_begin,
  .tx_commit = tx_commit,
  .tx_flush = tx_flush,
  .tx_wait = tx_flush,
  .poll = no_poll,
};

static volatile u8 looked_at;

static void look(const u8 *data, u32 length) {
  for (u32 i = 0; i < length; i++) looked_at ^= data[i];
}

static void on_datagram(struct udp_socket *socket, const struct udp_datagram *datagram) {
  (void)socket;
  look(datagram->data, datagram->length);
  udp_reply(datagram, datagram->data, datagram->length);
}

static void on_reply(const struct icmp_reply *reply) {
  look(reply->data, reply->length);
}

// Builds headers from the outside in. Frames are made honest first, then spoilt.
static u8 *put_ethernet(u8 *frame, u16 type) {
  struct ethernet_header *header = (void *)frame;
  *header = (struct ethernet_header){netif.mac, {{0x52, 0x54, 0, 0, 0, 0x99}}, htons(type)};
  return frame + sizeof(*header);
}

static void fix_ip_checksum(struct ipv4_header *header) {
  header->checksum = 0;
  header->checksum = checksum_end(checksum_add(0, header, (header->version_words & 15) * 4));
}

static struct ipv4_header *put_ip(u8 *frame, u8 protocol, u32 payload_length) {
  struct ipv4_header *header = (void *)put_ethernet(frame, ETHERTYPE_IPV4);
  *header = (struct ipv4_header){
    .version_words = 0x45,
    .total_length = htons((u16)(sizeof(*header) + payload_length)),
    .ttl = 64,
    .protocol = protocol,
    .from = htonl(THEIR_IP),
    .to = htonl(random_below(8) ? OUR_IP : 0xffffffff),
  };
  fix_ip_checksum(header);
  return header;
}

static void make_arp(u8 *frame, u16 operation) {
  struct arp_packet *packet = (void *)put_ethernet(frame, ETHERTYPE_ARP);
  *packet = (struct arp_packet){
    .hardware = htons(ARP_HARDWARE_ETHERNET),
    .protocol = htons(ETHERTYPE_IPV4),
    .hardware_length = 6,
    .protocol_length = 4,
    .operation = htons(operation),
    .sender_mac = {{0x52, 0x54, 0, 0, 0, 0x99}},
    .sender_ip = htonl(THEIR_IP),
    .target_ip = htonl(OUR_IP),
  };
}

// Some are shorter than the header, their checksum right all the same. Returns the frame's length.
static u32 make_echo(u8 *frame, u32 length) {
  u32 size = random_below(4) ? length - 34 : (u32)random_below(sizeof(struct icmp_echo));
  struct icmp_echo *echo = (void *)(put_ip(frame, IPV4_ICMP, size) + 1);
  *echo = (struct icmp_echo){.type = random_below(2) ? ICMP_ECHO : ICMP_ECHO_REPLY};
  echo->checksum = checksum_end(checksum_add(0, echo, size));
  return 34 + size;
}

static void make_udp(u8 *frame, u32 length, u16 from, u16 to) {
  struct udp_header *header = (void *)(put_ip(frame, IPV4_UDP, length - 34) + 1);
  *header = (struct udp_header){htons(from), htons(to), htons((u16)(length - 34)), 0};
}

static void make_dhcp(u8 *frame, u32 length) {
  static const u8 types[] = {2, 2, 5, 5, 6, 1};
  make_udp(frame, length, 67, 68);
  u8 *message = frame + 42;
  for (u32 i = 0; i + 42 < length; i++) message[i] = (u8)random_below(256);
  message[0] = 2;
  memcpy(message + 4, &dhcp_transaction, 4);
  memcpy(message + 28, &netif.mac, 6);
  static const u8 cookie_and_type[] = {0x63, 0x82, 0x53, 0x63, 53, 1};
  memcpy(message + 236, cookie_and_type, sizeof(cookie_and_type));
  message[242] = types[random_below(COUNT_OF(types))];
  static const u8 server_and_lease[] = {54, 4, 10, 0, 0, 2, 51, 4, 0, 0, 0, 9};
  memcpy(message + 243, server_and_lease, sizeof(server_and_lease));
}

static u32 make_frame(u8 *frame) {
  u32 length = (u32)(random_below(2) ? 60 + random_below(100) : 400 + random_below(FRAME_MAX - 400 + 1));
  memset(frame, (int)random_below(256), length);
  switch (random_below(5)) {
    case 0: make_arp(frame, (u16)(1 + random_below(2))); break;
    case 1: length = make_echo(frame, length); break;
    case 2: make_udp(frame, length, (u16)random_below(65536), 7); break;
    case 3: length = (u32)max_u64(length, 320); make_dhcp(frame, length); break;
    default: put_ethernet(frame, ETHERTYPE_IPV4);
  }
  return length;
}

static u32 spoil(u8 *frame, u32 length) {
  static const u8 favourites[] = {0, 1, 4, 7, 8, 0x45, 0x46, 0x4f, 0x80, 0xff};
  for (u64 n = random_below(5); n > 0; n--) {
    u64 at = 12 + random_below(random_below(3) ? min_u64(32, length - 12) : length - 12);
    frame[at] = random_below(2) ? (u8)random_below(256) : favourites[random_below(COUNT_OF(favourites))];
  }
  if (random_below(6) == 0) length = (u32)random_below(length + 1);
  // Most get a right header checksum again, or the first check would stop them all.
  if (random_below(4) && length >= 14 + 60 && frame[12] == 8) fix_ip_checksum((void *)(frame + 14));
  return length;
}

static void receive(const u8 *frame, u32 length) {
  u8 *place = guarded_place(length, 2);
  memcpy(place, frame, length);
  ethernet_receive(&netif, place, length);
}

// RFC 826 and RFC 1122, 3.2.2.6: whatever came before, questions are answered.
static void check_alive(void) {
  static u8 frame[FRAME_MAX];
  ip_configure(&netif, OUR_IP, OUR_MASK, 0);
  for (u32 tries = 0; tries < 20; tries++) { // a full ring is part of the fuzzing
    make_arp(frame, ARP_REQUEST);
    receive(frame, 60);
  }
  const struct arp_packet *arp = (const void *)(tx_frame + 14);
  if (tx_length != 60 || ntohs(arp->operation) != ARP_REPLY || ntohl(arp->sender_ip) != OUR_IP) fail("no reply to ARP");
  for (u32 tries = 0; tries < 20; tries++) {
    struct ipv4_header *ip = put_ip(frame, IPV4_ICMP, 64);
    ip->to = htonl(OUR_IP);
    fix_ip_checksum(ip);
    struct icmp_echo *echo = (void *)(ip + 1);
    memset(echo, 0x5a, 64);
    *echo = (struct icmp_echo){.type = ICMP_ECHO, .id = htons(7), .sequence = htons(9)};
    echo->checksum = checksum_end(checksum_add(0, echo, 64));
    receive(frame, 98);
  }
  const struct icmp_echo *reply = (const void *)(tx_frame + 34);
  bool good = tx_length == 98 && reply->type == ICMP_ECHO_REPLY && reply->sequence == htons(9) &&
              checksum_end(checksum_add(0, reply, 64)) == 0 && checksum_end(checksum_add(0, tx_frame + 14, 20)) == 0;
  if (!good) fail("no right reply to an echo request");
}

// RFC 1122, 2.3.2.2: an answer to a stranger waits for his address, and is whole when it has come.
static void check_held(void) {
  static u8 frame[FRAME_MAX];
  ip_configure(&netif, OUR_IP, OUR_MASK, 0); // forgets the neighbours
  bool good = false;
  for (u32 tries = 0; tries < 20 && !good; tries++) { // a full ring is part of the fuzzing
    struct ipv4_header *ip = put_ip(frame, IPV4_ICMP, 64);
    ip->to = htonl(OUR_IP);
    fix_ip_checksum(ip);
    struct icmp_echo *echo = (void *)(ip + 1);
    for (u32 i = 0; i < 64; i++) ((u8 *)echo)[i] = (u8)(i * 7);
    *echo = (struct icmp_echo){.type = ICMP_ECHO, .id = htons(3), .sequence = htons(4)};
    echo->checksum = checksum_end(checksum_add(0, echo, 64));
    receive(frame, 98);
    make_arp(frame, ARP_REPLY);
    receive(frame, 60);
    const struct icmp_echo *reply = (const void *)(tx_frame + 34);
    good = tx_length == 98 && reply->type == ICMP_ECHO_REPLY && reply->sequence == htons(4) && tx_frame[97] == (u8)(63 * 7) &&
           checksum_end(checksum_add(0, reply, 64)) == 0 && checksum_end(checksum_add(0, tx_frame + 14, 20)) == 0;
    if (!good) ip_configure(&netif, OUR_IP, OUR_MASK, 0);
  }
  if (!good) fail("no right reply to a neighbour unknown before");
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: fuzz-net ROUNDS");
  memset(tx_frame, 0xa5, sizeof(tx_frame));
  netif_register(&netif);
  ip_configure(&netif, OUR_IP, OUR_MASK, 0);
  if (!udp_open(7, on_datagram, 0)) fail("no socket");
  icmp_on_reply = on_reply;
  u64 rounds = strtoull(argv[1], 0, 10), leases = 0;
  for (u64 round = 0; round < rounds; round++) {
    static u8 frame[FRAME_MAX];
    if (random_below(200) == 0) {
      leases += dhcp_bound(&netif);
      dhcp_start(&netif);
    }
    if (random_below(100) == 0) ip_configure(&netif, OUR_IP, OUR_MASK, random_below(2) ? 0x0a0000fe : 0);
    if (random_below(20) == 0) dhcp_run();
    u32 length = make_frame(frame);
    receive(frame, spoil(frame, length));
  }
  dhcp_stop(&netif);
  check_alive();
  check_held();
  const u64 *drops = (const u64 *)&net_drops;
  u64 dropped = 0;
  for (u32 i = 0; i < sizeof(net_drops) / sizeof(u64); i++) dropped += drops[i];
  printf("net: %lu frames, %lu drops, %lu sent, %lu leases\n", (unsigned long)rounds, (unsigned long)dropped,
         (unsigned long)tx_count, (unsigned long)leases);
  return dropped > 0 && leases > 0 ? 0 : 1;
}
