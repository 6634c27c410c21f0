#include "virtqueue.h"

#include "riscv.h"
#include "virtio_regs.h"

void virtqueue_create(struct virtqueue *queue, const struct ring_format *format, u16 size, bool event_idx) {
  queue->format = format;
  queue->size = size;
  queue->event_idx = event_idx;
  format->create(queue);
  format->disarm(queue);
}

void virtqueue_add(struct virtqueue *queue, u32 id, const volatile void *buffer, u32 length, bool device_writes) {
  queue->in_flight[id] = true;
  queue->format->add(queue, (u16)id, (u64)buffer, length, device_writes ? DESCRIPTOR_DEVICE_WRITES : 0);
  queue->added++;
}

bool virtqueue_kick(struct virtqueue *queue) {
  if (queue->added == 0) return false;
  bool wanted = queue->format->publish(queue);
  queue->added = 0;
  if (wanted) mmio_write16(queue->doorbell, queue->number);
  return wanted;
}

bool virtqueue_take(struct virtqueue *queue, u32 *id, u32 *length) {
  if (queue->broken || !queue->format->take(queue, id, length)) return false;
  queue->broken = *id >= queue->size || !queue->in_flight[*id];
  if (queue->broken) return false;
  queue->in_flight[*id] = false;
  return true;
}

bool virtqueue_arm(struct virtqueue *queue, u16 after) {
  if (!queue->event_idx) after = 1;
  queue->format->arm(queue, after);
  dma_fence(); // or a buffer used just before the device saw the request would be missed
  return !queue->format->has_used(queue, after);
}

void virtqueue_disarm(struct virtqueue *queue) {
  queue->format->disarm(queue);
}
