// The machine and its counters.
#include "commands.h"
#include "console.h"
#include "memory.h"
#include "pci.h"
#include "platform.h"
#include "print.h"
#include "riscv.h"
#include "sbi.h"
#include "timer.h"

static void print_interface_stats(const struct netif *netif) {
  const struct netif_counters *c = &netif->counters;
  const struct {
    const char *key;
    u64 value;
  } rows[] = {
    {"rx_packets", c->rx_packets},     {"rx_bytes", c->rx_bytes},         {"rx_errors", c->rx_errors},
    {"tx_packets", c->tx_packets},     {"tx_bytes", c->tx_bytes},         {"tx_dropped", c->tx_dropped},
    {"interrupts", c->interrupts},     {"rx_doorbells", c->rx_doorbells}, {"tx_doorbells", c->tx_doorbells},
    {"link_changes", c->link_changes}, {"rx_joined", c->rx_joined},
  };
  for (u32 i = 0; i < COUNT_OF(rows); i++) print("%s.%s=%lu\n", netif->name, rows[i].key, rows[i].value);
}

static void print_drops(void) {
  const struct net_drops *d = &net_drops;
  const struct {
    const char *key;
    u64 value;
  } rows[] = {
    {"ethernet_short", d->ethernet_short}, {"ethernet_type", d->ethernet_type}, {"arp_malformed", d->arp_malformed},
    {"ip_header", d->ip_header},           {"ip_length", d->ip_length},         {"ip_checksum", d->ip_checksum},
    {"ip_fragment", d->ip_fragment},       {"ip_address", d->ip_address},       {"ip_protocol", d->ip_protocol},
    {"icmp_malformed", d->icmp_malformed}, {"icmp_type", d->icmp_type},         {"udp_malformed", d->udp_malformed},
    {"udp_checksum", d->udp_checksum},     {"udp_port", d->udp_port},           {"no_route", d->no_route},
    {"no_neighbour", d->no_neighbour},
  };
  u64 sum = 0;
  for (u32 i = 0; i < COUNT_OF(rows); i++) {
    print("drops.%s=%lu\n", rows[i].key, rows[i].value);
    sum += rows[i].value;
  }
  print("drops=%lu\n", sum);
}

bool cmd_stats(int argc, char **argv) {
  (void)argc, (void)argv;
  print("time_ns=%lu\n", time_ns());
  print("instret=%lu\n", read_instret());
  print("cycles=%lu\n", read_cycle());
  for (u32 i = 0; i < netif_count; i++) print_interface_stats(netifs[i]);
  print_drops();
  print_echo_stats();
  print_sink_stats();
  return true;
}

static void print_capabilities(const struct pci_device *device) {
  struct pci_capability list[PCI_CAPABILITIES_MAX];
  u32 count = pci_list_capabilities(device, list);
  for (u32 i = 0; i < count; i++) print(" cap %02x at %02x", list[i].id, list[i].offset);
}

bool cmd_lspci(int argc, char **argv) {
  (void)argc, (void)argv;
  for (u32 i = 0; i < pci_device_count; i++) {
    const struct pci_device *d = &pci_devices[i];
    print("%02x:%02x.%x %04x:%04x class %06x", d->bus, d->slot, d->function, d->vendor, d->device, d->class);
    if (d->bridge) print(" bridge to %02x", d->child_bus);
    if (d->irq) print(" irq %u", d->irq);
    for (u32 b = 0; b < PCI_BARS; b++) {
      const struct pci_bar *bar = &d->bars[b];
      if (bar->size) print(" bar%u %s %lx+%lx", b, bar->io ? "io" : "mem", bar->address, bar->size);
    }
    print_capabilities(d);
    if (d->driver) print(" driver %s", d->driver->name);
    print("\n");
  }
  return true;
}

bool cmd_mem(int argc, char **argv) {
  (void)argc, (void)argv;
  u64 used, unused;
  pages_usage(&used, &unused);
  print("mem.base=%lu\nmem.total=%lu\nmem.used=%lu\nmem.free=%lu\n", platform.ram_base, platform.ram_size, used, unused);
  return true;
}

bool cmd_uname(int argc, char **argv) {
  (void)argc, (void)argv;
  print("vmloom guest riscv64, hart %lu, %lu MiB, timer %s at %lu Hz\n", platform.hart, platform.ram_size >> 20,
        platform.sstc ? "sstc" : "sbi", platform.timebase);
  return true;
}

bool cmd_wait(int argc, char **argv) {
  u64 ms;
  if (argc != 2) return usage("wait");
  if (!parse_argument("wait", "ms", argv[1], 0, UINT32_MAX, &ms)) return false;
  NET_WAIT_UNTIL(false, deadline_in_ms(ms));
  return true;
}

bool cmd_crash(int argc, char **argv) {
  (void)argc, (void)argv;
  volatile u32 *nowhere = 0;
  *nowhere = 1;
  return false;
}

bool cmd_reboot(int argc, char **argv) {
  (void)argc, (void)argv;
  print("reboot\n");
  sbi_reset(SBI_COLD_REBOOT, SBI_NO_REASON);
}

bool cmd_poweroff(int argc, char **argv) {
  (void)argc, (void)argv;
  print("poweroff\n");
  sbi_reset(SBI_SHUTDOWN, SBI_NO_REASON);
}
