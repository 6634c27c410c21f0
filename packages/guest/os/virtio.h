// Virtio devices over PCI (Virtual I/O Device 1.3, 4.1): how a driver finds, sets up and talks to one.
#pragma once

#include "pci.h"
#include "virtio_regs.h"
#include "virtqueue.h"

struct virtio_device {
  struct pci_device *pci;
  u64 structures[VIRTIO_STRUCTURES]; // their addresses, by enum virtio_structure
  u32 lengths[VIRTIO_STRUCTURES];
  u32 notify_multiplier; // bytes from one doorbell to the next
  u64 features;          // both sides understand
};

// Finds the structures of virtio 1.0 and later, resets the device, and settles on those of the wanted
// features that it offers; false if it lacks a structure or does not agree.
bool virtio_start(struct virtio_device *device, struct pci_device *pci, u64 wanted);

// Makes and enables a queue, packed and with EVENT_IDX as it was settled; false if there is none.
bool virtio_queue(struct virtio_device *device, u16 number, struct virtqueue *queue);

// Lets the device begin.
void virtio_ready(struct virtio_device *device);

// Gives the device up, for good.
void virtio_fail(struct virtio_device *device);

// Has the device given up until it is reset?
bool virtio_needs_reset(struct virtio_device *device);
