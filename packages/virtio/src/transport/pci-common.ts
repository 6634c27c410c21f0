import type { SnapshotValue } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { VirtioEndpoint } from '../endpoint.js';
import { VIRTIO_F_RING_RESET, hasFeature } from '../features.js';
import * as L from '../layout-offsets.js';
import type { QueueArea, Virtqueue } from '../queue/queue.js';
import type { PciInterrupts } from './pci-interrupts.js';

const AREAS: Readonly<Record<number, readonly [area: QueueArea, half: 0 | 1]>> = {
  [L.PCI_COMMON_QUEUE_DESCRIPTORS]: ['descriptors', 0],
  [L.PCI_COMMON_QUEUE_DESCRIPTORS_HIGH]: ['descriptors', 1],
  [L.PCI_COMMON_QUEUE_DRIVER]: ['driver', 0],
  [L.PCI_COMMON_QUEUE_DRIVER_HIGH]: ['driver', 1],
  [L.PCI_COMMON_QUEUE_DEVICE]: ['device', 0],
  [L.PCI_COMMON_QUEUE_DEVICE_HIGH]: ['device', 1],
};

/** Common configuration (4.1.4.3). Each field is accessed with its own width (4.1.3.1); other writes are lost. */
export class PciCommon implements MmioHandler {
  #deviceFeatureSelect = 0;
  #driverFeatureSelect = 0;
  #queueSelect = 0;

  constructor(
    private readonly endpoint: VirtioEndpoint,
    private readonly interrupts: PciInterrupts,
  ) {}

  read(offset: number, width: HandlerWidth): number {
    const value = this.#read32(offset & ~3);
    return (value >>> (8 * (offset & 3))) & (width === 4 ? -1 : 2 ** (8 * width) - 1);
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    if (width === 4) this.#write32(offset, value);
    else if (width === 2) this.#write16(offset, value);
    else if (offset === L.PCI_COMMON_DEVICE_STATUS) this.endpoint.setStatus(value);
  }

  /** Selectors are the transport's own registers: a reset of the device leaves nothing of them. */
  reset(): void {
    this.#deviceFeatureSelect = 0;
    this.#driverFeatureSelect = 0;
    this.#queueSelect = 0;
  }

  save(): SnapshotValue {
    return {
      deviceFeatureSelect: this.#deviceFeatureSelect,
      driverFeatureSelect: this.#driverFeatureSelect,
      queueSelect: this.#queueSelect,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { deviceFeatureSelect: number; driverFeatureSelect: number; queueSelect: number };
    this.#deviceFeatureSelect = saved.deviceFeatureSelect;
    this.#driverFeatureSelect = saved.driverFeatureSelect;
    this.#queueSelect = saved.queueSelect;
  }

  get #queue(): Virtqueue | undefined {
    return this.endpoint.queues[this.#queueSelect];
  }

  #read32(at: number): number {
    const { endpoint, interrupts } = this;
    const queue = this.#queue;
    const area = AREAS[at];
    if (area !== undefined) return queue?.address(...area) ?? 0;
    switch (at) {
      case L.PCI_COMMON_DEVICE_FEATURE_SELECT:
        return this.#deviceFeatureSelect;
      case L.PCI_COMMON_DEVICE_FEATURE:
        return endpoint.offeredWord(this.#deviceFeatureSelect);
      case L.PCI_COMMON_DRIVER_FEATURE_SELECT:
        return this.#driverFeatureSelect;
      case L.PCI_COMMON_DRIVER_FEATURE:
        return endpoint.driverWord(this.#driverFeatureSelect);
      case L.PCI_COMMON_CONFIG_MSIX_VECTOR:
        return pair(interrupts.configVector, endpoint.queues.length);
      case L.PCI_COMMON_DEVICE_STATUS:
        return pair(endpoint.status | ((endpoint.generation & 0xff) << 8), this.#queueSelect);
      case L.PCI_COMMON_QUEUE_SIZE:
        return pair(queue?.size ?? 0, interrupts.queueVector(this.#queueSelect));
      case L.PCI_COMMON_QUEUE_ENABLE:
        return pair(Number(queue?.enabled ?? false), queue?.index ?? 0);
      case L.PCI_COMMON_QUEUE_NOTIFY_CONFIG_DATA:
        // A queue reset is over when the write that asked for it is.
        return pair(queue?.index ?? 0, 0);
      default:
        return 0;
    }
  }

  #write32(at: number, value: number): void {
    const area = AREAS[at];
    if (area !== undefined) {
      const [name, half] = area;
      const queue = this.#queue;
      const other = queue?.address(name, half === 0 ? 1 : 0) ?? 0;
      return queue?.setAddress(name, half === 0 ? value : other, half === 0 ? other : value);
    }
    if (at === L.PCI_COMMON_DEVICE_FEATURE_SELECT) this.#deviceFeatureSelect = value;
    else if (at === L.PCI_COMMON_DRIVER_FEATURE_SELECT) this.#driverFeatureSelect = value;
    else if (at === L.PCI_COMMON_DRIVER_FEATURE) {
      this.endpoint.setDriverWord(this.#driverFeatureSelect, value);
    }
  }

  #write16(at: number, value: number): void {
    const { endpoint, interrupts } = this;
    const queue = this.#queue;
    switch (at) {
      case L.PCI_COMMON_CONFIG_MSIX_VECTOR:
        interrupts.configVector = value;
        break;
      case L.PCI_COMMON_QUEUE_SELECT:
        this.#queueSelect = value;
        break;
      case L.PCI_COMMON_QUEUE_SIZE:
        if (queue?.enabled === false) queue.size = value;
        break;
      case L.PCI_COMMON_QUEUE_MSIX_VECTOR:
        interrupts.setQueueVector(this.#queueSelect, value);
        break;
      case L.PCI_COMMON_QUEUE_ENABLE:
        // 4.1.4.3.2: a driver never writes 0.
        if (queue !== undefined && value === 1) endpoint.enableQueue(queue);
        break;
      case L.PCI_COMMON_QUEUE_RESET:
        if (queue !== undefined && value === 1 && hasFeature(endpoint.features, VIRTIO_F_RING_RESET)) {
          endpoint.resetQueue(queue);
        }
        break;
      default:
    }
  }
}

const pair = (low: number, high: number): number => ((low & 0xffff) | (high << 16)) >>> 0;
