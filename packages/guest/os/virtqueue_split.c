// Split rings (Virtual I/O Device 1.3, 2.7): a table of descriptors, a ring in which the driver makes
// them available, and a ring in which the device gives them back. A buffer's number is its descriptor's.
#include "memory.h"
#include "riscv.h"
#include "virtio_regs.h"
#include "virtqueue.h"

static volatile struct split_driver_area *driver_area(const struct virtqueue *queue) {
  return queue->driver_area;
}

static volatile struct split_device_area *device_area(const struct virtqueue *queue) {
  return queue->device_area;
}

// 2.7.10: the events stand behind the rings of the side that writes them.
static volatile u16 *used_event(const struct virtqueue *queue) {
  return &driver_area(queue)->ring[queue->size];
}

static volatile u16 *avail_event(const struct virtqueue *queue) {
  return (volatile u16 *)&device_area(queue)->ring[queue->size];
}

static void create(struct virtqueue *queue) {
  queue->descriptors = pages_alloc(queue->size * sizeof(struct split_descriptor));
  queue->driver_area = pages_alloc(sizeof(struct split_driver_area) + (queue->size + 1ul) * 2);
  queue->device_area = pages_alloc(sizeof(struct split_device_area) + queue->size * 8ul + 2);
}

static void add(struct virtqueue *queue, u16 id, u64 address, u32 length, u16 flags) {
  volatile struct split_descriptor *d = (volatile struct split_descriptor *)queue->descriptors + id;
  d->address = address;
  d->length = length;
  d->flags = flags;
  driver_area(queue)->ring[queue->next_avail++ % queue->size] = id;
}

// 2.7.10: the device wants to be told when the index goes past its event.
static bool publish(struct virtqueue *queue) {
  dma_fence();
  driver_area(queue)->index = queue->next_avail;
  dma_fence();
  if (queue->event_idx) return (u16)(queue->next_avail - *avail_event(queue) - 1) < queue->added;
  return !(device_area(queue)->flags & SPLIT_NO_NOTIFICATION);
}

static bool has_used(const struct virtqueue *queue, u16 after) {
  return (u16)(device_area(queue)->index - queue->next_used) >= after;
}

static bool take(struct virtqueue *queue, u32 *id, u32 *length) {
  if (!has_used(queue, 1)) return false;
  dma_fence();
  u16 at = queue->next_used++ % queue->size;
  *id = device_area(queue)->ring[at].id;
  *length = device_area(queue)->ring[at].length;
  return true;
}

static void arm(struct virtqueue *queue, u16 after) {
  *used_event(queue) = (u16)(queue->next_used + after - 1);
  driver_area(queue)->flags = 0; // 2.7.7.1: always with EVENT_IDX
}

// With EVENT_IDX by an event that lies just behind: the index reaches it after 65536 buffers.
static void disarm(struct virtqueue *queue) {
  if (queue->event_idx) *used_event(queue) = (u16)(queue->next_used - 1);
  else driver_area(queue)->flags = SPLIT_NO_NOTIFICATION;
}

const struct ring_format split_ring = {create, add, publish, take, arm, disarm, has_used};
