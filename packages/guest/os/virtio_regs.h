// Registers, numbers and layouts of virtio (Virtual I/O Device 1.3), as far as this kernel uses them.
#pragma once

#include "types.h"

// 4.1.4: vendor capabilities say where in which BAR the structures lie.
#define PCI_CAPABILITY_VENDOR 9
enum virtio_capability {
  VIRTIO_CAP_TYPE = 3,
  VIRTIO_CAP_BAR = 4,
  VIRTIO_CAP_OFFSET = 8,
  VIRTIO_CAP_LENGTH = 12,
  VIRTIO_CAP_NOTIFY_MULTIPLIER = 16,
};
enum virtio_structure { VIRTIO_COMMON = 1, VIRTIO_NOTIFY = 2, VIRTIO_ISR = 3, VIRTIO_CONFIG = 4, VIRTIO_STRUCTURES };

// 4.1.4.3: the common configuration structure.
enum virtio_common_register {
  DEVICE_FEATURE_SELECT = 0x00,
  DEVICE_FEATURE = 0x04,
  DRIVER_FEATURE_SELECT = 0x08,
  DRIVER_FEATURE = 0x0c,
  NUM_QUEUES = 0x12,
  DEVICE_STATUS = 0x14,
  QUEUE_SELECT = 0x16,
  QUEUE_SIZE = 0x18,
  QUEUE_ENABLE = 0x1c,
  QUEUE_NOTIFY_OFF = 0x1e,
  QUEUE_DESC = 0x20,
  QUEUE_DRIVER = 0x28,
  QUEUE_DEVICE = 0x30,
  VIRTIO_COMMON_LENGTH = 0x38,
};

// 2.1: device status.
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64
#define STATUS_FAILED 128

// 4.1.4.5: reading clears it and lets go of the line.
#define ISR_QUEUE 1
#define ISR_CONFIG 2

// Chapter 6, and 5.1.3 for the network.
#define FEATURE(bit) (1ul << (bit))
#define NET_F_MAC FEATURE(5)
#define NET_F_MRG_RXBUF FEATURE(15)
#define NET_F_STATUS FEATURE(16)
#define F_EVENT_IDX FEATURE(29)
#define F_VERSION_1 FEATURE(32)
#define F_ACCESS_PLATFORM FEATURE(33)
#define F_RING_PACKED FEATURE(34)
#define F_ORDER_PLATFORM FEATURE(36)

// 5.1.4: the configuration of a network device.
enum virtio_net_config { NET_CONFIG_MAC = 0, NET_CONFIG_STATUS = 6, NET_CONFIG_LENGTH = 8 };
#define NET_STATUS_LINK_UP 1

// 5.1.6: what stands before each frame; zeroes ask for nothing to be done to it.
struct virtio_net_header {
  u8 flags, gso_type;
  u16 header_length, gso_size, checksum_start, checksum_offset;
  u16 buffers; // of a received frame, with NET_F_MRG_RXBUF
};

// 2.7.5, 2.7.6, 2.7.8: split rings.
struct split_descriptor {
  u64 address;
  u32 length;
  u16 flags, next;
};
struct split_driver_area {
  u16 flags, index;
  u16 ring[]; // and behind it the used_event
};
struct split_device_area {
  u16 flags, index;
  struct {
    u32 id, length;
  } ring[]; // and behind it the avail_event
};
#define DESCRIPTOR_DEVICE_WRITES 2
#define SPLIT_NO_NOTIFICATION 1

// 2.8.13, 2.8.14: packed rings.
struct packed_descriptor {
  u64 address;
  u32 length;
  u16 id, flags;
};
struct packed_event {
  u16 position; // the highest bit is the wrap counter
  u16 flags;
};
#define PACKED_AVAIL 0x80
#define PACKED_USED 0x8000
#define PACKED_WRAP 0x8000
enum packed_event_flags { PACKED_EVENT_ENABLE, PACKED_EVENT_DISABLE, PACKED_EVENT_POSITION };
