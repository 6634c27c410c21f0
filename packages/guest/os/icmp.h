// Echo and its replies (RFC 792).
#pragma once

#include "ethernet.h"

struct icmp_reply {
  u32 from;
  u16 id, sequence;
  const u8 *data;
  u32 length; // of data
};

// Called for each echo reply with a right checksum; 0 for nobody.
extern void (*icmp_on_reply)(const struct icmp_reply *reply);

void icmp_receive(struct netif *netif, u32 from, u32 to, const u8 *message, u32 length);

// Sends an echo request with `size` bytes of data, a pattern; false if it could not be queued.
bool icmp_send_echo(u32 to, u16 id, u16 sequence, u32 size);
