#include "console.h"

#include "platform.h"
#include "plic.h"
#include "print.h"
#include "riscv.h"
#include "sbi.h"

// Registers (TL16C550 data sheet), and the bits used.
enum { RBR_THR = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

#define IER_RECEIVED 0x01
#define FCR_ENABLE_CLEAR 0x07 // FIFOs on, both emptied
#define LCR_8N1 0x03
#define MCR_OUT2 0x08 // lets the interrupt out on PC-style boards
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20

#define FIFO_SIZE 16
#define INPUT_SIZE 1024
#define CTRL_C 3

static bool ready;
static volatile bool interrupted;
static char input[INPUT_SIZE];
static volatile u32 input_head, input_tail; // free-running: the handler moves head, the reader tail

static u64 reg(u32 number) {
  return platform.uart.base + ((u64)number << platform.uart.shift);
}

static void receive(void *unused) {
  (void)unused;
  while (mmio_read8(reg(LSR)) & LSR_DATA_READY) {
    char c = (char)mmio_read8(reg(RBR_THR));
    if (c == CTRL_C) interrupted = true;
    else if (input_head - input_tail < INPUT_SIZE) input[input_head++ % INPUT_SIZE] = c;
  }
}

void console_init(void) {
  mmio_write8(reg(IER), 0);
  mmio_write8(reg(LCR), LCR_8N1);
  mmio_write8(reg(FCR), FCR_ENABLE_CLEAR);
  mmio_write8(reg(MCR), MCR_OUT2);
  mmio_write8(reg(IER), IER_RECEIVED);
  plic_connect(platform.uart.irq, receive, 0);
  ready = true;
}

// An empty transmitter takes a whole FIFO, so the line status is read once per 16 characters.
void console_write(const char *text, size_t length) {
  if (!ready) {
    sbi_console_write(text, length);
    return;
  }
  while (length > 0) {
    while (!(mmio_read8(reg(LSR)) & LSR_THR_EMPTY)) {
    }
    for (u32 room = FIFO_SIZE; room > 0 && length > 0; length--) {
      if (*text == '\n') mmio_write8(reg(RBR_THR), '\r'), room--;
      if (room == 0) break;
      mmio_write8(reg(RBR_THR), (u8)*text++), room--;
    }
  }
}

int console_read(void) {
  if (input_tail == input_head) return -1;
  return (u8)input[input_tail++ % INPUT_SIZE];
}

bool console_interrupted(void) {
  return interrupted;
}

void console_clear_interrupt(void) {
  interrupted = false;
}
