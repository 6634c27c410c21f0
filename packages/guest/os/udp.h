// Datagrams (RFC 768): sockets are callbacks on a port.
#pragma once

#include "ethernet.h"
#include "ipv4.h"

struct udp_datagram {
  struct netif *netif;
  u32 from, to;
  u16 from_port, to_port;
  const u8 *data; // valid during the call
  u32 length;
};

struct udp_socket {
  u16 port; // 0: closed
  void (*receive)(struct udp_socket *socket, const struct udp_datagram *datagram);
  void *context; // the owner's
};

// Opens a port, or a free one above 49151 if `port` is 0. Returns 0 if it is taken or no socket is left.
struct udp_socket *udp_open(u16 port, void (*receive)(struct udp_socket *, const struct udp_datagram *), void *context);
void udp_close(struct udp_socket *socket);

void udp_receive(struct netif *netif, u32 from, u32 to, const u8 *packet, u32 length);

// A datagram is built in place: begin, write at most UDP_PAYLOAD_MAX bytes where it says, end.
// udp_begin() returns 0 if there is no route or no room; `netif` may be 0 to choose by address.
u8 *udp_begin(struct ip_packet *packet, struct netif *netif, u32 to);
void udp_end(struct ip_packet *packet, u16 from_port, u16 to_port, u32 length);

// Sends an answer with a copy of `data`.
void udp_reply(const struct udp_datagram *datagram, const void *data, u32 length);
