// IPv4 without options and fragments (RFC 791, RFC 1122).
#pragma once

#include "ethernet.h"

// A packet being built. Its payload is written in place, in the buffer it will be sent from.
struct ip_packet {
  struct netif *netif;
  u32 to;
  u8 protocol;
  u8 *frame;
};

void ip_receive(struct netif *netif, const u8 *packet, u32 length);

// Begins a packet: `netif` may be 0 to choose by address. Returns where the payload goes, or 0 if
// there is no route or the interface's ring is full.
u8 *ip_begin(struct ip_packet *packet, struct netif *netif, u32 to, u8 protocol);

// Sends it, once the neighbour's address is known.
void ip_end(struct ip_packet *packet, u32 payload_length);

// The interface that leads to an address, and the neighbour on the way; 0 if there is none.
struct netif *ip_route(u32 to, u32 *next_hop);

// Sets an interface's address and tells the neighbours.
void ip_configure(struct netif *netif, u32 address, u32 mask, u32 gateway);

// The part of a UDP checksum that comes from addresses (RFC 768), to be continued with checksum_add().
u64 ip_pseudo_sum(u32 from, u32 to, u8 protocol, u32 length);
