// Frames travel through two rings of descriptors in memory. The device owns the descriptors from head
// up to tail; software moves the tail (the doorbell) to give it more, and the device sets a done bit
// in descriptors it gives back: in each that it has received into, and in those sent that ask for it.
#include "e1000.h"

#include "e1000_regs.h"
#include "ethernet.h"
#include "memory.h"
#include "netif.h"
#include "print.h"
#include "riscv.h"
#include "string.h"
#include "timer.h"

#define RING 256     // descriptors; RDLEN and TDLEN want a multiple of 8
#define RX_BUDGET 64 // frames taken before others get their turn
#define TX_BATCH 32  // frames queued at most before the doorbell

#define RESET_MS 5   // for the reset itself, and for the EEPROM to be read again after it

#define RX_INTERRUPTS (INT_RX_TIMER | INT_RX_OVERRUN | INT_RX_MIN_THRESHOLD | INT_LINK_CHANGE)

struct e1000 {
  struct netif netif;
  u64 registers;
  volatile struct rx_descriptor *rx;
  volatile struct tx_descriptor *tx;
  u8 *rx_buffers, *tx_buffers;
  u32 rx_next;           // the next descriptor the device will fill
  bool rx_skipping;      // inside a frame that needs more than one buffer
  u32 tx_next;           // the next descriptor to fill
  u32 tx_oldest;         // the first one not known to be given back
  u32 tx_queued;         // filled since the last doorbell
  volatile bool pending; // an interrupt came; its causes stay masked until poll() has run
};

static u32 reg_read(struct e1000 *e, enum e1000_register reg) {
  return mmio_read32(e->registers + reg);
}

static void reg_write(struct e1000 *e, enum e1000_register reg, u32 value) {
  mmio_write32(e->registers + reg, value);
}

static bool eeprom_read(struct e1000 *e, u32 word, u16 *value) {
  reg_write(e, EERD, EERD_START | EERD_ADDRESS(word));
  for (u32 tries = 0; tries < 1000; tries++) {
    u32 answer = reg_read(e, EERD);
    if (answer & EERD_DONE) {
      *value = EERD_DATA(answer);
      return true;
    }
    delay_us(1);
  }
  return false;
}

// 5.6.1: words 0 to 2 of the EEPROM are the address, first byte lowest; a reset also loads it into
// the first receive address register.
static void read_mac(struct e1000 *e) {
  u8 *mac = e->netif.mac.bytes;
  for (u32 i = 0; i < 3; i++) {
    u16 word;
    if (!eeprom_read(e, i, &word)) {
      u32 low = reg_read(e, RAL0), high = reg_read(e, RAH0);
      for (u32 b = 0; b < 4; b++) mac[b] = (u8)(low >> 8 * b);
      for (u32 b = 0; b < 2; b++) mac[4 + b] = (u8)(high >> 8 * b);
      return;
    }
    mac[2 * i] = (u8)word;
    mac[2 * i + 1] = (u8)(word >> 8);
  }
}

static void interrupt(void *context) {
  struct e1000 *e = context;
  u32 causes = reg_read(e, ICR); // clears them and lets go of the line
  if (causes == 0) return;       // a neighbour's on a shared line
  e->netif.counters.interrupts++;
  if (causes & INT_LINK_CHANGE) e->netif.counters.link_changes++;
  reg_write(e, IMC, INT_ALL);
  e->pending = true;
}

static bool link_up(struct netif *netif) {
  return reg_read(netif->device, STATUS) & STATUS_LINK_UP;
}

// One descriptor short: a ring filled to the last would look like an empty one.
static bool tx_full(const struct e1000 *e) {
  return (e->tx_next + 1) % RING == e->tx_oldest;
}

// The device works in order and reports the last descriptor of each batch.
static void tx_reclaim(struct e1000 *e) {
  for (u32 i = e->tx_oldest; i != e->tx_next; i = (i + 1) % RING) {
    if (!(e->tx[i].command & TX_COMMAND_REPORT_STATUS)) continue;
    if (!(e->tx[i].status & TX_STATUS_DONE)) return;
    e->tx_oldest = (i + 1) % RING;
  }
}

static u8 *tx_begin(struct netif *netif) {
  struct e1000 *e = netif->device;
  if (tx_full(e)) tx_reclaim(e);
  return tx_full(e) ? 0 : e->tx_buffers + e->tx_next * FRAME_BUFFER;
}

static void tx_flush(struct netif *netif) {
  struct e1000 *e = netif->device;
  if (e->tx_queued == 0) return;
  e->tx_queued = 0;
  e->tx[(e->tx_next + RING - 1) % RING].command |= TX_COMMAND_REPORT_STATUS;
  dma_fence();
  reg_write(e, TDT, e->tx_next);
  netif->counters.tx_doorbells++;
}

static void tx_commit(struct netif *netif, u32 length) {
  struct e1000 *e = netif->device;
  volatile struct tx_descriptor *d = &e->tx[e->tx_next];
  d->length = (u16)length;
  d->status = 0;
  d->command = TX_COMMAND_END_OF_PACKET | TX_COMMAND_INSERT_CRC;
  e->tx_next = (e->tx_next + 1) % RING;
  netif->counters.tx_packets++;
  netif->counters.tx_bytes += length;
  if (++e->tx_queued == TX_BATCH) tx_flush(netif);
}

static void tx_wait(struct netif *netif) {
  tx_flush(netif);
  reg_write(netif->device, IMS, INT_TX_WRITTEN_BACK);
}

// Takes one frame out of the ring if there is one.
static bool receive_one(struct e1000 *e) {
  volatile struct rx_descriptor *d = &e->rx[e->rx_next];
  u32 status = d->status;
  if (!(status & RX_STATUS_DONE)) return false;
  dma_fence();
  u32 length = d->length;
  bool last = status & RX_STATUS_END_OF_PACKET;
  if (!last || e->rx_skipping || d->errors != 0 || length > FRAME_BUFFER) {
    if (last) e->netif.counters.rx_errors++;
  } else {
    e->netif.counters.rx_packets++;
    e->netif.counters.rx_bytes += length;
    ethernet_receive(&e->netif, e->rx_buffers + e->rx_next * FRAME_BUFFER, length);
  }
  e->rx_skipping = !last;
  d->status = 0;
  e->rx_next = (e->rx_next + 1) % RING;
  return true;
}

static bool poll(struct netif *netif) {
  struct e1000 *e = netif->device;
  if (!e->pending) return false;
  e->pending = false;
  u32 taken = 0;
  while (taken < RX_BUDGET && receive_one(e)) taken++;
  if (taken > 0) {
    dma_fence();
    reg_write(e, RDT, (e->rx_next + RING - 1) % RING);
    netif->counters.rx_doorbells++;
  }
  if (taken == RX_BUDGET) e->pending = true; // come back, still without interrupts
  else reg_write(e, IMS, RX_INTERRUPTS);     // raises one at once if a frame slipped in
  return true;
}

static void start_receiver(struct e1000 *e) {
  e->rx = pages_alloc(RING * sizeof(struct rx_descriptor));
  e->rx_buffers = pages_alloc(RING * FRAME_BUFFER);
  for (u32 i = 0; i < RING; i++) e->rx[i].address = (u64)e->rx_buffers + i * FRAME_BUFFER;
  for (u32 i = 0; i < 128; i++) reg_write(e, MTA + i * 4, 0);
  const u8 *mac = e->netif.mac.bytes;
  reg_write(e, RAL0, mac[0] | (u32)mac[1] << 8 | (u32)mac[2] << 16 | (u32)mac[3] << 24);
  reg_write(e, RAH0, mac[4] | (u32)mac[5] << 8 | RAH_VALID);
  reg_write(e, RDBAL, (u32)(u64)e->rx);
  reg_write(e, RDBAH, (u32)((u64)e->rx >> 32));
  reg_write(e, RDLEN, RING * sizeof(struct rx_descriptor));
  reg_write(e, RDH, 0);
  reg_write(e, RDT, RING - 1);
  reg_write(e, RCTL, RCTL_ENABLE | RCTL_BROADCAST | RCTL_STRIP_CRC);
}

static void start_transmitter(struct e1000 *e) {
  e->tx = pages_alloc(RING * sizeof(struct tx_descriptor));
  e->tx_buffers = pages_alloc(RING * FRAME_BUFFER);
  for (u32 i = 0; i < RING; i++) e->tx[i].address = (u64)e->tx_buffers + i * FRAME_BUFFER;
  reg_write(e, TDBAL, (u32)(u64)e->tx);
  reg_write(e, TDBAH, (u32)((u64)e->tx >> 32));
  reg_write(e, TDLEN, RING * sizeof(struct tx_descriptor));
  reg_write(e, TDH, 0);
  reg_write(e, TDT, 0);
  reg_write(e, TIPG, TIPG_COPPER);
  reg_write(e, TCTL, TCTL_ENABLE | TCTL_PAD_SHORT | TCTL_COLLISIONS);
}

bool e1000_attach(struct pci_device *device) {
  struct e1000 *e = pages_alloc(sizeof(struct e1000));
  e->registers = pci_enable(device, 0);
  if (e->registers == 0) return false;
  reg_write(e, IMC, INT_ALL);
  reg_write(e, CTRL, reg_read(e, CTRL) | CTRL_RST);
  pause_ms(RESET_MS);
  reg_write(e, IMC, INT_ALL);
  reg_read(e, ICR);
  reg_write(e, CTRL, reg_read(e, CTRL) | CTRL_SLU | CTRL_ASDE);

  e->netif.driver = "e1000";
  e->netif.device = e;
  e->netif.link_up = link_up;
  e->netif.tx_begin = tx_begin;
  e->netif.tx_commit = tx_commit;
  e->netif.tx_flush = tx_flush;
  e->netif.tx_wait = tx_wait;
  e->netif.poll = poll;
  if (!pci_connect_interrupt(device, interrupt, e)) {
    print("e1000: no interrupt is wired to slot %u of bus %u\n", device->slot, device->bus);
    return false;
  }
  read_mac(e);
  if (!netif_register(&e->netif)) return false;
  start_receiver(e);
  start_transmitter(e);
  reg_write(e, IMS, RX_INTERRUPTS);
  return true;
}
