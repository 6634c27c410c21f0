// Two virtqueues carry frames, each with a header before it: queue 0 is full of empty buffers for the
// device to receive into, queue 1 takes those to send. How the rings look is virtqueue.h's business.
//
// Boot arguments: packed=off and event_idx=off leave these features alone if the device offers them,
// rx_buffer=BYTES makes small buffers, which long frames share if the device can merge them.
#include "virtio_net.h"

#include "bootargs.h"
#include "ethernet.h"
#include "memory.h"
#include "netif.h"
#include "platform.h"
#include "print.h"
#include "riscv.h"
#include "string.h"
#include "timer.h"
#include "virtio.h"

#define RX_BUDGET 64 // buffers taken before others get their turn
#define TX_BATCH 32  // frames queued at most before the doorbell
#define RX_BUFFER_MIN 64

enum { RECEIVE_QUEUE, TRANSMIT_QUEUE };

struct frame_buffer {
  struct virtio_net_header header;
  u8 frame[FRAME_BUFFER];
};

struct virtio_net {
  struct netif netif;
  struct virtio_device device;
  struct virtqueue rx, tx;
  struct frame_buffer *rx_buffers, *tx_buffers; // by the ids of the queues
  u32 rx_buffer_size;
  u32 rx_missing;           // buffers still to come of a frame in several
  bool rx_bad;              // that frame is too long or otherwise wrong
  u32 rx_length;            // what there is of it
  u8 rx_joined[FRAME_BUFFER];
  u16 tx_free[QUEUE_MAX]; // a stack of ids not in flight
  u32 tx_free_count;
  volatile bool pending; // an interrupt came; there are no more until poll() has run
};

static u64 config(const struct virtio_net *n, enum virtio_net_config field) {
  return n->device.structures[VIRTIO_CONFIG] + field;
}

static void interrupt(void *context) {
  struct virtio_net *n = context;
  u8 causes = mmio_read8(n->device.structures[VIRTIO_ISR]); // clears them and lets go of the line
  if (causes == 0) return;                                  // a neighbour's on a shared line
  n->netif.counters.interrupts++;
  if (causes & ISR_CONFIG) n->netif.counters.link_changes++;
  virtqueue_disarm(&n->rx);
  virtqueue_disarm(&n->tx);
  n->pending = true;
}

static bool link_up(struct netif *netif) {
  struct virtio_net *n = netif->device;
  if (virtio_needs_reset(&n->device)) return false;
  return !(n->device.features & NET_F_STATUS) || (mmio_read16(config(n, NET_CONFIG_STATUS)) & NET_STATUS_LINK_UP);
}

static void tx_reclaim(struct virtio_net *n) {
  u32 id, written;
  while (virtqueue_take(&n->tx, &id, &written)) n->tx_free[n->tx_free_count++] = (u16)id;
}

static u8 *tx_begin(struct netif *netif) {
  struct virtio_net *n = netif->device;
  if (n->tx_free_count == 0) tx_reclaim(n);
  return n->tx_free_count == 0 ? 0 : n->tx_buffers[n->tx_free[n->tx_free_count - 1]].frame;
}

static void tx_flush(struct netif *netif) {
  struct virtio_net *n = netif->device;
  if (virtqueue_kick(&n->tx)) netif->counters.tx_doorbells++;
}

static void tx_commit(struct netif *netif, u32 length) {
  struct virtio_net *n = netif->device;
  u32 id = n->tx_free[--n->tx_free_count];
  virtqueue_add(&n->tx, id, &n->tx_buffers[id], sizeof(struct virtio_net_header) + length, false);
  netif->counters.tx_packets++;
  netif->counters.tx_bytes += length;
  if (n->tx.added == TX_BATCH) tx_flush(netif);
}

// Where the device can wait, it does until half of the ring is free.
static void tx_wait(struct netif *netif) {
  struct virtio_net *n = netif->device;
  tx_flush(netif);
  tx_reclaim(n);
  u32 in_flight = n->tx.size - n->tx_free_count;
  if (n->tx_free_count > 0 || !virtqueue_arm(&n->tx, (u16)max_u64(in_flight / 2, 1))) wake_up();
}

static void deliver(struct virtio_net *n, const u8 *frame, u32 length) {
  n->netif.counters.rx_packets++;
  n->netif.counters.rx_bytes += length;
  ethernet_receive(&n->netif, frame, length);
}

// Joins the parts of a frame that came in several buffers (5.1.6.4), of which only the first has a header.
static void join(struct virtio_net *n, const u8 *part, u32 length) {
  n->rx_bad |= length > sizeof(n->rx_joined) - n->rx_length;
  if (n->rx_bad) return;
  memcpy(n->rx_joined + n->rx_length, part, length);
  n->rx_length += length;
  if (n->rx_missing > 0) return;
  n->netif.counters.rx_joined++;
  deliver(n, n->rx_joined, n->rx_length);
}

// Takes one buffer out of the ring if there is one, and gives it back empty.
static bool receive_one(struct virtio_net *n) {
  u32 id, length;
  if (!virtqueue_take(&n->rx, &id, &length)) return false;
  struct frame_buffer *buffer = &n->rx_buffers[id];
  bool first = n->rx_missing == 0;
  u32 skipped = first ? sizeof(buffer->header) : 0;
  if (first) {
    bool merged = (n->device.features & NET_F_MRG_RXBUF) && buffer->header.buffers > 1;
    n->rx_missing = merged ? buffer->header.buffers : 1;
    n->rx_length = 0;
    n->rx_bad = false;
  }
  n->rx_missing--;
  n->rx_bad |= length < skipped || length > n->rx_buffer_size;
  if (!n->rx_bad) {
    const u8 *part = (const u8 *)buffer + skipped;
    if (first && n->rx_missing == 0) deliver(n, part, length - skipped);
    else join(n, part, length - skipped);
  }
  if (n->rx_bad && n->rx_missing == 0) n->netif.counters.rx_errors++;
  virtqueue_add(&n->rx, id, buffer, n->rx_buffer_size, true);
  return true;
}

static bool poll(struct netif *netif) {
  struct virtio_net *n = netif->device;
  if (!n->pending) return false;
  n->pending = false;
  u32 taken = 0;
  while (taken < RX_BUDGET && receive_one(n)) taken++;
  if (virtqueue_kick(&n->rx)) netif->counters.rx_doorbells++;
  // Without interrupts as long as there is more, and if one slipped in before they were back on.
  if (taken == RX_BUDGET || !virtqueue_arm(&n->rx, 1)) n->pending = !n->rx.broken;
  return true;
}

// 5.1.4.2: a device without an address leaves the choice to the driver; this one is told by the slot.
static void read_mac(struct virtio_net *n) {
  const struct pci_device *pci = n->device.pci;
  n->netif.mac = (mac_address){{0x02, 0, 0, pci->bus, pci->slot, pci->function}};
  if (!(n->device.features & NET_F_MAC)) return;
  for (u32 i = 0; i < 6; i++) n->netif.mac.bytes[i] = mmio_read8(config(n, NET_CONFIG_MAC) + i);
}

static bool switched_off(const char *argument) {
  char value[4];
  return bootargs_value(platform.bootargs, argument, value, sizeof(value)) && strcmp(value, "off") == 0;
}

static u64 wanted_features(void) {
  u64 wanted = NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF | F_ACCESS_PLATFORM | F_ORDER_PLATFORM;
  if (!switched_off("packed")) wanted |= F_RING_PACKED;
  if (!switched_off("event_idx")) wanted |= F_EVENT_IDX;
  return wanted;
}

// 5.1.6.3.1: where frames are not merged, every buffer holds the longest.
static u32 choose_rx_buffer_size(const struct virtio_net *n) {
  char value[8];
  u64 bytes = sizeof(struct frame_buffer);
  bool chosen = bootargs_value(platform.bootargs, "rx_buffer", value, sizeof(value)) && parse_number(value, &bytes);
  if (!chosen || !(n->device.features & NET_F_MRG_RXBUF)) return sizeof(struct frame_buffer);
  return (u32)max_u64(RX_BUFFER_MIN, min_u64(bytes, sizeof(struct frame_buffer)));
}

static bool start_queues(struct virtio_net *n) {
  if (!virtio_queue(&n->device, RECEIVE_QUEUE, &n->rx) || !virtio_queue(&n->device, TRANSMIT_QUEUE, &n->tx)) return false;
  n->rx_buffer_size = choose_rx_buffer_size(n);
  n->rx_buffers = pages_alloc(n->rx.size * sizeof(struct frame_buffer));
  n->tx_buffers = pages_alloc(n->tx.size * sizeof(struct frame_buffer));
  for (u32 id = 0; id < n->rx.size; id++) virtqueue_add(&n->rx, id, &n->rx_buffers[id], n->rx_buffer_size, true);
  for (u32 id = n->tx.size; id-- > 0;) n->tx_free[n->tx_free_count++] = (u16)id;
  return true;
}

static void offer_netif(struct virtio_net *n) {
  static const char *const names[2][2] = {
    {"virtio-net split", "virtio-net split event_idx"},
    {"virtio-net packed", "virtio-net packed event_idx"},
  };
  n->netif.driver = names[(n->device.features & F_RING_PACKED) != 0][(n->device.features & F_EVENT_IDX) != 0];
  n->netif.device = n;
  n->netif.link_up = link_up;
  n->netif.tx_begin = tx_begin;
  n->netif.tx_commit = tx_commit;
  n->netif.tx_flush = tx_flush;
  n->netif.tx_wait = tx_wait;
  n->netif.poll = poll;
}

static bool start(struct virtio_net *n) {
  u32 needed = n->device.features & (NET_F_MAC | NET_F_STATUS) ? NET_CONFIG_LENGTH : 0;
  if (n->device.lengths[VIRTIO_CONFIG] < needed || !start_queues(n)) return false;
  read_mac(n);
  offer_netif(n);
  return pci_connect_interrupt(n->device.pci, interrupt, n) && netif_register(&n->netif);
}

bool virtio_net_attach(struct pci_device *pci) {
  struct virtio_net *n = pages_alloc(sizeof(struct virtio_net));
  if (!virtio_start(&n->device, pci, wanted_features())) {
    print("virtio-net: slot %u of bus %u has no virtio 1.0\n", pci->slot, pci->bus);
    return false;
  }
  if (!start(n)) {
    print("virtio-net: slot %u of bus %u lacks queues or an interrupt\n", pci->slot, pci->bus);
    virtio_fail(&n->device);
    return false;
  }
  virtqueue_arm(&n->rx, 1);
  virtio_ready(&n->device);
  if (virtqueue_kick(&n->rx)) n->netif.counters.rx_doorbells++;
  return true;
}
