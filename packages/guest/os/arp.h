// Which Ethernet address a neighbour has (RFC 826, and RFC 1122 section 2.3.2).
#pragma once

#include "ethernet.h"

void arp_receive(struct netif *netif, const u8 *packet, u32 length);

// The neighbour's address, or 0 if it is not known.
const mac_address *arp_known(struct netif *netif, u32 address);

// The neighbour's address, or 0 after asking for it.
const mac_address *arp_lookup(struct netif *netif, u32 address);

// Keeps a copy of a frame's payload, which may lie in the buffer tx_begin() gave, and asks a neighbour
// that is not known; it goes out when that answers. The last one given is kept (RFC 1122, 2.3.2.2).
void arp_hold(struct netif *netif, u32 address, const u8 *payload, u32 length);

// Tells everybody our address, so that they and the switches between learn it.
void arp_announce(struct netif *netif);

// Forgets the neighbours behind an interface: its address has changed.
void arp_forget(struct netif *netif);
