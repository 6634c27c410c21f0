#include "riscv.h"
#include "timer.h"
#include "virtio.h"

#define RESET_TRIES 1000
#define RESET_STEP_US 100

static u64 common(const struct virtio_device *device, enum virtio_common_register reg) {
  return device->structures[VIRTIO_COMMON] + reg;
}

static void add_status(struct virtio_device *device, u8 bits) {
  mmio_write8(common(device, DEVICE_STATUS), mmio_read8(common(device, DEVICE_STATUS)) | bits);
}

// Takes one capability in, if it is of a known structure in a BAR that can hold it. 4.1.4.1: the first
// of each type is the one the device likes best.
static void use_capability(struct virtio_device *device, u8 at) {
  u8 type = pci_read8(device->pci, at + VIRTIO_CAP_TYPE);
  u8 bar = pci_read8(device->pci, at + VIRTIO_CAP_BAR);
  if (type < VIRTIO_COMMON || type >= VIRTIO_STRUCTURES || bar >= PCI_BARS || device->structures[type]) return;
  u64 offset = pci_read32(device->pci, at + VIRTIO_CAP_OFFSET);
  u32 length = pci_read32(device->pci, at + VIRTIO_CAP_LENGTH);
  if (offset + length > device->pci->bars[bar].size) return;
  u64 base = pci_enable(device->pci, bar);
  if (base == 0) return;
  device->structures[type] = base + offset;
  device->lengths[type] = length;
  if (type == VIRTIO_NOTIFY) device->notify_multiplier = pci_read32(device->pci, at + VIRTIO_CAP_NOTIFY_MULTIPLIER);
}

static bool find_structures(struct virtio_device *device) {
  struct pci_capability list[PCI_CAPABILITIES_MAX];
  u32 count = pci_list_capabilities(device->pci, list);
  for (u32 i = 0; i < count; i++) {
    if (list[i].id == PCI_CAPABILITY_VENDOR) use_capability(device, list[i].offset);
  }
  return device->lengths[VIRTIO_COMMON] >= VIRTIO_COMMON_LENGTH && device->lengths[VIRTIO_ISR] > 0 &&
         device->structures[VIRTIO_NOTIFY];
}

// 4.1.4.3.1: it reads back as 0 when the reset is done.
static bool reset(struct virtio_device *device) {
  mmio_write8(common(device, DEVICE_STATUS), 0);
  for (u32 tries = 0; tries < RESET_TRIES; tries++) {
    if (mmio_read8(common(device, DEVICE_STATUS)) == 0) return true;
    delay_us(RESET_STEP_US);
  }
  return false;
}

static u64 offered_features(struct virtio_device *device) {
  u64 offered = 0;
  for (u32 half = 0; half < 2; half++) {
    mmio_write32(common(device, DEVICE_FEATURE_SELECT), half);
    offered |= (u64)mmio_read32(common(device, DEVICE_FEATURE)) << 32 * half;
  }
  return offered;
}

// 3.1.1, steps 4 to 6.
static bool settle_features(struct virtio_device *device, u64 wanted) {
  device->features = offered_features(device) & (wanted | F_VERSION_1);
  if (!(device->features & F_VERSION_1)) return false;
  for (u32 half = 0; half < 2; half++) {
    mmio_write32(common(device, DRIVER_FEATURE_SELECT), half);
    mmio_write32(common(device, DRIVER_FEATURE), (u32)(device->features >> 32 * half));
  }
  add_status(device, STATUS_FEATURES_OK);
  return mmio_read8(common(device, DEVICE_STATUS)) & STATUS_FEATURES_OK;
}

bool virtio_start(struct virtio_device *device, struct pci_device *pci, u64 wanted) {
  device->pci = pci;
  if (!find_structures(device) || !reset(device)) return false;
  add_status(device, STATUS_ACKNOWLEDGE);
  add_status(device, STATUS_DRIVER);
  if (settle_features(device, wanted)) return true;
  virtio_fail(device);
  return false;
}

// 4.1.3.1: fields of 64 bits are written by halves.
static void write_address(struct virtio_device *device, enum virtio_common_register reg, volatile void *memory) {
  mmio_write32(common(device, reg), (u32)(u64)memory);
  mmio_write32(common(device, reg) + 4, (u32)((u64)memory >> 32));
}

bool virtio_queue(struct virtio_device *device, u16 number, struct virtqueue *queue) {
  mmio_write16(common(device, QUEUE_SELECT), number);
  u16 size = (u16)min_u64(mmio_read16(common(device, QUEUE_SIZE)), QUEUE_MAX);
  u64 doorbell = (u64)mmio_read16(common(device, QUEUE_NOTIFY_OFF)) * device->notify_multiplier;
  bool packed = device->features & F_RING_PACKED;
  if (size == 0 || (!packed && (size & (size - 1)) != 0)) return false; // 2.7: a power of two
  if (doorbell + sizeof(u16) > device->lengths[VIRTIO_NOTIFY]) return false;
  queue->number = number;
  queue->doorbell = device->structures[VIRTIO_NOTIFY] + doorbell;
  virtqueue_create(queue, packed ? &packed_ring : &split_ring, size, device->features & F_EVENT_IDX);
  mmio_write16(common(device, QUEUE_SIZE), size);
  write_address(device, QUEUE_DESC, queue->descriptors);
  write_address(device, QUEUE_DRIVER, queue->driver_area);
  write_address(device, QUEUE_DEVICE, queue->device_area);
  mmio_write16(common(device, QUEUE_ENABLE), 1);
  return true;
}

void virtio_ready(struct virtio_device *device) {
  dma_fence();
  add_status(device, STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_device *device) {
  add_status(device, STATUS_FAILED);
}

bool virtio_needs_reset(struct virtio_device *device) {
  return mmio_read8(common(device, DEVICE_STATUS)) & STATUS_NEEDS_RESET;
}
