// Control and status registers, fences and device access of RV64 (Privileged Specification 1.12).
#pragma once

#include "types.h"

#define csr_read(name)                                    \
  ({                                                      \
    u64 value_;                                           \
    asm volatile("csrr %0, " #name : "=r"(value_));       \
    value_;                                               \
  })
#define csr_write(name, value) asm volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define csr_set(name, bits) asm volatile("csrs " #name ", %0" ::"r"((u64)(bits)) : "memory")
#define csr_clear(name, bits) asm volatile("csrc " #name ", %0" ::"r"((u64)(bits)) : "memory")

#define SSTATUS_SIE (1ul << 1) // interrupts enabled in S-mode

#define SIE_STIE (1ul << 5) // supervisor timer
#define SIE_SEIE (1ul << 9) // supervisor external (PLIC)

#define SCAUSE_INTERRUPT (1ul << 63)
#define IRQ_S_TIMER 5
#define IRQ_S_EXTERNAL 9

#define SATP_SV39 (8ul << 60)

// The Sstc timer compare register, by number: older assemblers do not know its name.
#define CSR_STIMECMP 0x14d

static inline void interrupts_on(void) {
  csr_set(sstatus, SSTATUS_SIE);
}

static inline void interrupts_off(void) {
  csr_clear(sstatus, SSTATUS_SIE);
}

static inline void wait_for_interrupt(void) {
  asm volatile("wfi" ::: "memory");
}

static inline u64 read_time(void) {
  u64 value;
  asm volatile("rdtime %0" : "=r"(value));
  return value;
}

static inline u64 read_instret(void) {
  u64 value;
  asm volatile("rdinstret %0" : "=r"(value));
  return value;
}

static inline u64 read_cycle(void) {
  u64 value;
  asm volatile("rdcycle %0" : "=r"(value));
  return value;
}

// Orders memory that a device reads or writes by DMA against the registers that tell about it.
static inline void dma_fence(void) {
  asm volatile("fence iorw, iorw" ::: "memory");
}

static inline u8 mmio_read8(u64 address) {
  return *(volatile u8 *)address;
}

static inline void mmio_write8(u64 address, u8 value) {
  *(volatile u8 *)address = value;
}

static inline u16 mmio_read16(u64 address) {
  return *(volatile u16 *)address;
}

static inline void mmio_write16(u64 address, u16 value) {
  *(volatile u16 *)address = value;
}

static inline u32 mmio_read32(u64 address) {
  return *(volatile u32 *)address;
}

static inline void mmio_write32(u64 address, u32 value) {
  *(volatile u32 *)address = value;
}
