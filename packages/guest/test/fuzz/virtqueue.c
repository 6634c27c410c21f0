// The driver's side of both rings against a device: fuzz-virtqueue ROUNDS. An honest device that heeds
// every suppression must lose no buffer and leave no side waiting; a lying one must get nothing believed.
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "memory.h"
#include "string.h"
#include "virtio_regs.h"
#include "virtqueue.h"

#define QUEUE_NUMBER 5
#define NOT_RUNG 0xffff

static u16 doorbell = NOT_RUNG;

static bool doorbell_rung(void) {
  bool rung = doorbell != NOT_RUNG;
  if (rung && doorbell != QUEUE_NUMBER) fail("the doorbell of another queue was rung");
  doorbell = NOT_RUNG;
  return rung;
}

// Memory of the rings, taken from its end on, where the forbidden page is; each queue starts again.
#define HEAP_SIZE (4 * PAGE_SIZE)

static u8 *heap_start, *heap_end;

static void heap_restart(void) {
  heap_start = guarded_place(HEAP_SIZE, PAGE_SIZE);
  heap_end = heap_start + HEAP_SIZE;
}

void *pages_alloc(u64 bytes) {
  u8 *end = heap_end;
  heap_end -= align_up(bytes, 16);
  if (heap_end < heap_start) fail("the rings are larger than they may be");
  return memset(heap_end, 0, (size_t)(end - heap_end));
}

// The device: what it sees of the rings, and what it has taken and not yet given back.
struct device {
  u16 next_avail, next_used;
  bool avail_wrap, used_wrap;
  u16 held[QUEUE_MAX];
  u32 held_count;
};

static bool device_take(struct device *device, const struct virtqueue *queue) {
  u16 id;
  if (device->held_count == queue->size) return false; // what was spoilt may look like more
  if (queue->format == &split_ring) {
    const volatile struct split_driver_area *driver = queue->driver_area;
    if (driver->index == device->next_avail) return false;
    id = driver->ring[device->next_avail++ % queue->size];
  } else {
    const volatile struct packed_descriptor *d = (volatile struct packed_descriptor *)queue->descriptors + device->next_avail;
    if (!(d->flags & PACKED_AVAIL) == device->avail_wrap || !(d->flags & PACKED_USED) != device->avail_wrap) return false;
    id = d->id;
    if (++device->next_avail == queue->size) device->next_avail = 0, device->avail_wrap = !device->avail_wrap;
  }
  device->held[device->held_count++] = id;
  return true;
}

// Asks for a doorbell at the next buffer; the caller looks once more.
static void device_want_doorbell(const struct device *device, const struct virtqueue *queue, bool wanted) {
  volatile struct split_device_area *split = queue->device_area;
  volatile struct packed_event *packed = queue->device_area;
  if (queue->format == &split_ring) {
    split->flags = wanted ? 0 : SPLIT_NO_NOTIFICATION;
    *(volatile u16 *)&split->ring[queue->size] = wanted ? device->next_avail : (u16)(device->next_avail - 1);
    return;
  }
  packed->position = device->next_avail | (device->avail_wrap ? PACKED_WRAP : 0);
  packed->flags = !wanted ? PACKED_EVENT_DISABLE : queue->event_idx ? PACKED_EVENT_POSITION : PACKED_EVENT_ENABLE;
}

// Gives a buffer back, in any order; returns whether the driver asked for an interrupt there.
static bool device_use(struct device *device, const struct virtqueue *queue) {
  u32 at = (u32)random_below(device->held_count);
  u16 id = device->held[at];
  device->held[at] = device->held[--device->held_count];
  if (queue->format == &split_ring) {
    volatile struct split_device_area *area = queue->device_area;
    const volatile struct split_driver_area *driver = queue->driver_area;
    area->ring[device->next_used % queue->size].id = id;
    area->ring[device->next_used % queue->size].length = id + 1000u;
    bool wanted = queue->event_idx ? driver->ring[queue->size] == device->next_used : !(driver->flags & SPLIT_NO_NOTIFICATION);
    area->index = ++device->next_used;
    return wanted;
  }
  volatile struct packed_descriptor *d = (volatile struct packed_descriptor *)queue->descriptors + device->next_used;
  const volatile struct packed_event *event = queue->driver_area;
  u16 here = device->next_used | (device->used_wrap ? PACKED_WRAP : 0);
  bool wanted = event->flags == PACKED_EVENT_ENABLE || (event->flags == PACKED_EVENT_POSITION && event->position == here);
  d->id = id;
  d->length = id + 1000u;
  d->flags = device->used_wrap ? PACKED_AVAIL | PACKED_USED : 0;
  if (++device->next_used == queue->size) device->next_used = 0, device->used_wrap = !device->used_wrap;
  return wanted;
}

static struct virtqueue queue;
static struct device device;
static bool given[QUEUE_MAX];
static u32 given_count;

static void start(const struct ring_format *format, u16 size, bool event_idx) {
  heap_restart();
  queue = (struct virtqueue){.number = QUEUE_NUMBER, .doorbell = (u64)&doorbell};
  virtqueue_create(&queue, format, size, event_idx);
  device = (struct device){.avail_wrap = true, .used_wrap = true};
  memset(given, 0, sizeof(given));
  given_count = 0;
}

static void give(u32 most) {
  static u8 buffer[64];
  for (u32 id = 0; id < queue.size && most > 0; id++) {
    if (given[id] || random_below(4) == 0) continue;
    virtqueue_add(&queue, id, buffer, sizeof(buffer), true);
    given[id] = true;
    given_count++;
    most--;
  }
}

// Takes everything back; returns how many buffers that were.
static u32 take_all(bool honest) {
  u32 id, length, count = 0;
  while (virtqueue_take(&queue, &id, &length)) {
    if (id >= queue.size || !given[id]) fail("a buffer came back that was not given");
    if (honest && length != id + 1000) fail("a length came back that was not said");
    given[id] = false;
    given_count--;
    if (++count > queue.size) fail("more buffers came back than there are");
  }
  return count;
}

static u64 taken_total, doorbells, interrupts;

static bool device_sleeps, driver_sleeps;

// The device takes some and uses some, and sleeps until the doorbell once it has nothing left.
static void device_run(void) {
  if (doorbell_rung()) doorbells++, device_sleeps = false;
  if (device_sleeps) return;
  device_want_doorbell(&device, &queue, false);
  for (u64 n = random_below(queue.size + 1); n > 0 && device_take(&device, &queue);) n--;
  bool interrupt = false;
  for (u64 n = random_below(queue.size + 1); n > 0 && device.held_count > 0; n--) interrupt |= device_use(&device, &queue);
  if (interrupt) {
    interrupts++;
    virtqueue_disarm(&queue);
    driver_sleeps = false;
  }
  if (device.held_count > 0) return;
  device_want_doorbell(&device, &queue, true);
  device_sleeps = !device_take(&device, &queue);
}

// The driver takes and gives, and may sleep until an interrupt; the device may come in between.
static void driver_run(void) {
  if (driver_sleeps) return;
  taken_total += take_all(true);
  if (queue.broken) fail("an honest device broke the queue");
  give((u32)random_below(queue.size + 1));
  virtqueue_kick(&queue);
  if (random_below(2)) device_run();
  if (given_count > 0 && random_below(2)) driver_sleeps = virtqueue_arm(&queue, (u16)(1 + random_below(given_count)));
}

static void honest_run(u64 rounds) {
  device_sleeps = driver_sleeps = false;
  device_want_doorbell(&device, &queue, true);
  for (u64 round = 0; round < rounds; round++) {
    driver_run();
    device_run();
    if (driver_sleeps && device_sleeps) fail("both sides wait for each other");
  }
}

// Writes anything where the device may write.
static void spoil(void) {
  u8 *area = (u8 *)(random_below(3) ? queue.device_area : queue.format == &packed_ring ? queue.descriptors : queue.device_area);
  u32 size = area == queue.descriptors ? queue.size * 16u : queue.format == &packed_ring ? 4 : 6 + queue.size * 8u;
  for (u64 n = random_below(8); n > 0; n--) area[random_below(random_below(2) ? 4 : size)] = (u8)random_below(256);
}

static void hostile_run(u64 rounds) {
  for (u64 round = 0; round < rounds; round++) {
    give((u32)random_below(queue.size + 1));
    virtqueue_kick(&queue);
    if (random_below(2)) {
      while (device_take(&device, &queue) && random_below(4)) {}
      while (device.held_count > 0 && random_below(4)) device_use(&device, &queue);
    }
    spoil();
    take_all(false);
    if (given_count > 0) virtqueue_arm(&queue, (u16)(1 + random_below(given_count)));
    if (queue.broken) return;
  }
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: fuzz-virtqueue ROUNDS");
  u64 rounds = strtoull(argv[1], 0, 10), broken = 0;
  for (u32 kind = 0; kind < 4; kind++) {
    const struct ring_format *format = kind & 1 ? &packed_ring : &split_ring;
    for (u16 size = 1; size <= QUEUE_MAX; size *= 4) {
      start(format, size, kind & 2);
      honest_run(rounds);
    }
    for (u64 i = 0; i < rounds / 50; i++) {
      start(format, (u16)(1 << random_below(9)), kind & 2);
      hostile_run(50);
      broken += queue.broken;
    }
  }
  printf("virtqueue: %lu buffers, %lu doorbells, %lu interrupts, %lu queues broken\n", (unsigned long)taken_total,
         (unsigned long)doorbells, (unsigned long)interrupts, (unsigned long)broken);
  return broken > 0 ? 0 : 1;
}
