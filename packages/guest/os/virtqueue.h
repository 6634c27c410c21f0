// Virtqueues: buffers go to the device by one ring and come back by another (split), or by the same
// one (packed). A buffer here is one stretch of memory, known by a number of the driver's choice.
#pragma once

#include "types.h"

#define QUEUE_MAX 256 // buffers in flight

struct virtqueue {
  const struct ring_format *format;
  volatile void *descriptors, *driver_area, *device_area; // the device is told where they are
  u64 doorbell;                                           // takes the queue's number
  u16 number, size;
  bool event_idx;
  u16 next_avail, next_used; // split: counted without end; packed: positions in the ring
  bool avail_wrap, used_wrap; // packed: the wrap counters that go with them
  u16 added;                  // buffers since the last kick
  bool broken;                // the device gave back what it did not have
  bool in_flight[QUEUE_MAX];
};

// What split and packed rings do differently (virtqueue_split.c, virtqueue_packed.c).
struct ring_format {
  void (*create)(struct virtqueue *queue);
  void (*add)(struct virtqueue *queue, u16 id, u64 address, u32 length, u16 flags);
  // Shows the device what was added; returns whether it wants to be told.
  bool (*publish)(struct virtqueue *queue);
  bool (*take)(struct virtqueue *queue, u32 *id, u32 *length);
  void (*arm)(struct virtqueue *queue, u16 after);
  void (*disarm)(struct virtqueue *queue);
  // Are there `after` used buffers or more?
  bool (*has_used)(const struct virtqueue *queue, u16 after);
};

extern const struct ring_format split_ring, packed_ring;

// Allocates the rings of `size` buffers, a power of two for split rings, at most QUEUE_MAX.
void virtqueue_create(struct virtqueue *queue, const struct ring_format *format, u16 size, bool event_idx);

// Gives a buffer to the device. Its id is below the queue's size and of no other buffer in flight.
void virtqueue_add(struct virtqueue *queue, u32 id, const volatile void *buffer, u32 length, bool device_writes);

// Publishes what was added, and rings the doorbell if the device asks for it; returns whether it did.
bool virtqueue_kick(struct virtqueue *queue);

// Takes back a buffer that the device is done with: its id, and how many bytes were written to it.
bool virtqueue_take(struct virtqueue *queue, u32 *id, u32 *length);

// Asks for an interrupt once `after` more buffers are used; at most as many as are in flight, and taken
// for 1 without EVENT_IDX. False if they are used already: then there may be none.
bool virtqueue_arm(struct virtqueue *queue, u16 after);

// Asks for no interrupts; the device may send one all the same.
void virtqueue_disarm(struct virtqueue *queue);
