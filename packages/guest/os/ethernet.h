// Ethernet frames in and out, and what the whole stack counts.
#pragma once

#include "netif.h"
#include "wire.h"

// Frames and packets that were dropped, by reason.
struct net_drops {
  u64 ethernet_short, ethernet_type;
  u64 arp_malformed;
  u64 ip_header, ip_length, ip_checksum, ip_fragment, ip_address, ip_protocol;
  u64 icmp_malformed, icmp_type;
  u64 udp_malformed, udp_checksum, udp_port;
  u64 no_route, no_neighbour;
};

extern struct net_drops net_drops;

extern const mac_address mac_broadcast;

// Entry of the stack, called by the drivers. The frame is only read, and only during the call.
void ethernet_receive(struct netif *netif, const u8 *frame, u32 length);

// Completes the frame begun with netif->tx_begin() and queues it; `length` is that of its payload.
void ethernet_send(struct netif *netif, u8 *frame, const mac_address *to, u16 type, u32 length);

// Addresses as text. Each returns one of a few static buffers in turn.
const char *ip_text(u32 address);
const char *mac_text(const mac_address *mac);

// Reads a.b.c.d, or a.b.c.d/n if `mask` is given (a missing /n means 24).
bool parse_ip(const char *text, u32 *address, u32 *mask);
