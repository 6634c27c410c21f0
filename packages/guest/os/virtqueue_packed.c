// Packed rings (Virtual I/O Device 1.3, 2.8): the driver writes descriptors around one ring, and the
// device writes over them what it has used. Two flags and a counter that flips at each round tell whose
// a descriptor is: available if they differ, used if both are equal to the counter.
#include "memory.h"
#include "riscv.h"
#include "virtio_regs.h"
#include "virtqueue.h"

static volatile struct packed_descriptor *descriptor(const struct virtqueue *queue, u16 position) {
  return (volatile struct packed_descriptor *)queue->descriptors + position;
}

// Moves a position on around the ring, by at most its size.
static void move(const struct virtqueue *queue, u16 *position, bool *wrap, u16 by) {
  *position += by;
  if (*position < queue->size) return;
  *position -= queue->size;
  *wrap = !*wrap;
}

static void create(struct virtqueue *queue) {
  queue->descriptors = pages_alloc(queue->size * sizeof(struct packed_descriptor));
  queue->driver_area = pages_alloc(sizeof(struct packed_event));
  queue->device_area = pages_alloc(sizeof(struct packed_event));
  queue->avail_wrap = queue->used_wrap = true; // 2.8.1
}

// The flags make the descriptor available, so they come last.
static void add(struct virtqueue *queue, u16 id, u64 address, u32 length, u16 flags) {
  volatile struct packed_descriptor *d = descriptor(queue, queue->next_avail);
  d->address = address;
  d->length = length;
  d->id = id;
  dma_fence();
  d->flags = flags | (queue->avail_wrap ? PACKED_AVAIL : PACKED_USED);
  move(queue, &queue->next_avail, &queue->avail_wrap, 1);
}

// 2.8.10, 2.8.14: with EVENT_IDX, is the descriptor the device asked for among those just added?
static bool publish(struct virtqueue *queue) {
  dma_fence();
  const volatile struct packed_event *event = queue->device_area;
  u16 flags = event->flags, position = event->position;
  if (flags != PACKED_EVENT_POSITION || !queue->event_idx) return flags != PACKED_EVENT_DISABLE;
  int distance = queue->next_avail - (position & ~PACKED_WRAP);
  if (queue->avail_wrap != (bool)(position & PACKED_WRAP)) distance += queue->size;
  return distance > 0 && distance <= queue->added;
}

static bool is_used(const struct virtqueue *queue, u16 position, bool wrap) {
  u16 flags = descriptor(queue, position)->flags;
  return (bool)(flags & PACKED_AVAIL) == wrap && (bool)(flags & PACKED_USED) == wrap;
}

// Each buffer takes one descriptor, and the device uses the descriptors in the order of the ring.
static bool has_used(const struct virtqueue *queue, u16 after) {
  u16 position = queue->next_used;
  bool wrap = queue->used_wrap;
  move(queue, &position, &wrap, after - 1);
  return is_used(queue, position, wrap);
}

static bool take(struct virtqueue *queue, u32 *id, u32 *length) {
  if (!is_used(queue, queue->next_used, queue->used_wrap)) return false;
  dma_fence();
  *id = descriptor(queue, queue->next_used)->id;
  *length = descriptor(queue, queue->next_used)->length;
  move(queue, &queue->next_used, &queue->used_wrap, 1);
  return true;
}

static void arm(struct virtqueue *queue, u16 after) {
  volatile struct packed_event *event = queue->driver_area;
  u16 position = queue->next_used;
  bool wrap = queue->used_wrap;
  move(queue, &position, &wrap, after - 1);
  event->position = position | (wrap ? PACKED_WRAP : 0);
  dma_fence();
  event->flags = queue->event_idx ? PACKED_EVENT_POSITION : PACKED_EVENT_ENABLE;
}

static void disarm(struct virtqueue *queue) {
  volatile struct packed_event *event = queue->driver_area;
  event->flags = PACKED_EVENT_DISABLE;
}

const struct ring_format packed_ring = {create, add, publish, take, arm, disarm, has_used};
