// DHCP client (RFC 2131).
#pragma once

#include "netif.h"

// Begins to ask for an address on an interface; the answer arrives in the background, and the lease
// is renewed there. Only one interface at a time can be under DHCP's control.
void dhcp_start(struct netif *netif);

// Stops asking and renewing for this interface.
void dhcp_stop(struct netif *netif);

// Does this interface have an address from DHCP?
bool dhcp_bound(const struct netif *netif);

// Lease time in seconds.
u32 dhcp_lease(void);

// Repeats what was not answered; returns when it wants to run again.
u64 dhcp_run(void);
