// Network interfaces: what a driver offers, and what the stack asks of it.
#pragma once

#include "console.h"
#include "timer.h"
#include "types.h"

#define NETIFS 8
#define FRAME_MIN 60    // without the checksum the hardware adds
#define FRAME_MAX 1514
#define FRAME_BUFFER 2048

typedef struct {
  u8 bytes[6];
} mac_address;

struct netif_counters {
  u64 rx_packets, rx_bytes, rx_errors;
  u64 rx_joined; // packets that came in several buffers
  u64 tx_packets, tx_bytes, tx_dropped;
  u64 interrupts, rx_doorbells, tx_doorbells, link_changes;
};

struct netif {
  char name[8];
  const char *driver;
  void *device; // the driver's own
  mac_address mac;
  u32 address, mask, gateway; // IPv4 in host order, 0 for none
  struct netif_counters counters;

  bool (*link_up)(struct netif *netif);
  // The buffer of the next frame to send, FRAME_BUFFER bytes long, or 0 while the ring is full.
  u8 *(*tx_begin)(struct netif *netif);
  // Queues the frame that was written there.
  void (*tx_commit)(struct netif *netif, u32 length);
  // Rings the doorbell for all frames queued since the last time.
  void (*tx_flush)(struct netif *netif);
  // Asks for an interrupt as soon as tx_begin() may work again.
  void (*tx_wait)(struct netif *netif);
  // Hands received frames to ethernet_receive(); returns whether there was anything to do.
  bool (*poll)(struct netif *netif);
};

extern struct netif *netifs[NETIFS];
extern u32 netif_count;

// Names the interface and makes it known; false if there are NETIFS already.
bool netif_register(struct netif *netif);

struct netif *netif_find(const char *name);

// Receives and sends whatever is waiting on all interfaces; returns whether there was anything.
bool net_poll(void);

// net_poll(), or sleep() if there was nothing; also runs the stack's own timers.
void net_wait(u64 deadline);

// Waits for a condition while the network runs. Ends early on Ctrl-C; the value is the condition.
#define NET_WAIT_UNTIL(condition, deadline)                                              \
  ({                                                                                     \
    u64 deadline_ = (deadline);                                                          \
    while (!(condition) && !console_interrupted() && time_ns() < deadline_) net_wait(deadline_); \
    (bool)(condition);                                                                   \
  })
