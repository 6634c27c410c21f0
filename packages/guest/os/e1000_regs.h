// Registers and descriptors of the 82540EM (PCI/PCI-X Family of Gigabit Ethernet Controllers Software
// Developer's Manual, revision 4.0; section numbers beside the names).
#pragma once

#include "types.h"

enum e1000_register {
  CTRL = 0x0000,   // 13.4.1 device control
  STATUS = 0x0008, // 13.4.2 device status
  EERD = 0x0014,   // 13.4.4 EEPROM read
  ICR = 0x00c0,    // 13.4.17 interrupt causes; reading clears them
  IMS = 0x00d0,    // 13.4.20 interrupt mask set
  IMC = 0x00d8,    // 13.4.21 interrupt mask clear
  RCTL = 0x0100,   // 13.4.22 receive control
  TCTL = 0x0400,   // 13.4.33 transmit control
  TIPG = 0x0410,   // 13.4.34 inter-packet gap
  RDBAL = 0x2800,  // 13.4.25 receive ring: base, length, head, tail
  RDBAH = 0x2804,
  RDLEN = 0x2808,
  RDH = 0x2810,
  RDT = 0x2818,
  TDBAL = 0x3800, // 13.4.36 transmit ring
  TDBAH = 0x3804,
  TDLEN = 0x3808,
  TDH = 0x3810,
  TDT = 0x3818,
  MTA = 0x5200, // 13.5.1 multicast table, 128 words
  RAL0 = 0x5400, // 13.5.2 receive address
  RAH0 = 0x5404,
};

#define CTRL_ASDE (1u << 5) // take the speed from the PHY
#define CTRL_SLU (1u << 6)  // set link up
#define CTRL_RST (1u << 26)

#define STATUS_LINK_UP (1u << 1)

#define EERD_START (1u << 0)
#define EERD_DONE (1u << 4)
#define EERD_ADDRESS(word) ((u32)(word) << 8)
#define EERD_DATA(value) ((u16)((value) >> 16))

#define INT_TX_WRITTEN_BACK (1u << 0)
#define INT_LINK_CHANGE (1u << 2)
#define INT_RX_MIN_THRESHOLD (1u << 4)
#define INT_RX_OVERRUN (1u << 6)
#define INT_RX_TIMER (1u << 7)
#define INT_ALL 0xffffffffu

#define RCTL_ENABLE (1u << 1)
#define RCTL_BROADCAST (1u << 15)
#define RCTL_STRIP_CRC (1u << 26) // buffers of 2048 bytes: BSIZE and BSEX are 0

#define TCTL_ENABLE (1u << 1)
#define TCTL_PAD_SHORT (1u << 3)
#define TCTL_COLLISIONS (0x10u << 4 | 0x40u << 12) // threshold, and distance for full duplex

#define TIPG_COPPER (10u | 8u << 10 | 6u << 20)

#define RAH_VALID (1u << 31)

// 3.2.3: legacy receive descriptor
struct rx_descriptor {
  u64 address;
  u16 length;
  u16 checksum;
  u8 status;
  u8 errors;
  u16 special;
};

#define RX_STATUS_DONE (1u << 0)
#define RX_STATUS_END_OF_PACKET (1u << 1)

// 3.3.3: legacy transmit descriptor
struct tx_descriptor {
  u64 address;
  u16 length;
  u8 checksum_offset;
  u8 command;
  u8 status;
  u8 checksum_start;
  u16 special;
};

#define TX_COMMAND_END_OF_PACKET (1u << 0)
#define TX_COMMAND_INSERT_CRC (1u << 1)
#define TX_COMMAND_REPORT_STATUS (1u << 3)
#define TX_STATUS_DONE (1u << 0)
