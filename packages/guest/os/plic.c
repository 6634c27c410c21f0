#include "plic.h"

#include "memory.h"
#include "platform.h"
#include "riscv.h"
#include "timer.h"
#include "trap.h"

// Offsets from the controller's base; enable bits and threshold are per context.
#define PRIORITY(irq) (4ul * (irq))
#define ENABLE(context, irq) (0x2000ul + 0x80ul * (context) + 4ul * ((irq) / 32))
#define THRESHOLD(context) (0x200000ul + 0x1000ul * (context))
#define CLAIM(context) (0x200004ul + 0x1000ul * (context))

#define SOURCES 1024
#define CONNECTIONS 32

static struct {
  u32 irq;
  interrupt_handler handler;
  void *context;
} connections[CONNECTIONS];
static u32 connected;

static u64 reg(u64 offset) {
  return platform.plic.base + offset;
}

void plic_init(void) {
  u32 context = platform.plic.context;
  if (CLAIM(context) + 4 > platform.plic.size) panic("there is no PLIC with a context %u", context);
  memory_map(platform.plic.base, platform.plic.size, MAP_READ | MAP_WRITE);
  for (u32 irq = 0; irq < SOURCES; irq += 32) mmio_write32(reg(ENABLE(context, irq)), 0);
  mmio_write32(reg(THRESHOLD(context)), 0);
}

void plic_connect(u32 irq, interrupt_handler handler, void *context) {
  if (irq == 0 || irq >= SOURCES) panic("there is no interrupt source %u", irq);
  if (connected == CONNECTIONS) panic("more than %u interrupt handlers", CONNECTIONS);
  connections[connected].irq = irq;
  connections[connected].handler = handler;
  connections[connected].context = context;
  connected++;
  u64 enable = reg(ENABLE(platform.plic.context, irq));
  mmio_write32(reg(PRIORITY(irq)), 1);
  mmio_write32(enable, mmio_read32(enable) | 1u << irq % 32);
}

// One source at a time: if another is pending, the trap comes again at once.
void plic_interrupt(void) {
  u64 claim = reg(CLAIM(platform.plic.context));
  u32 irq = mmio_read32(claim);
  if (irq == 0) return; // it went away before we looked
  for (u32 i = 0; i < connected; i++) {
    if (connections[i].irq == irq) connections[i].handler(connections[i].context);
  }
  mmio_write32(claim, irq);
  wake_up();
}
