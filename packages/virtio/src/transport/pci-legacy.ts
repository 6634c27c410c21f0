import type { SnapshotValue } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { VirtioEndpoint } from '../endpoint.js';
import * as L from '../layout-offsets.js';
import type { PciInterrupts } from './pci-interrupts.js';
import { layLegacyQueue, legacyPage } from './legacy-queue.js';

/** 4.1.4.10: what comes before configuration space, without and with MSI-X enabled. */
const HEADER = L.PCI_LEGACY_CONFIG_MSIX_VECTOR;
const HEADER_MSIX = L.PCI_LEGACY_SIZE;

/**
 * The registers of before 1.0, in I/O space (4.1.4.10): fields in the guest's byte order, which is little-endian here,
 * a queue named by the number of its first page.
 */
export class PciLegacy implements MmioHandler {
  #queueSelect = 0;

  constructor(
    private readonly endpoint: VirtioEndpoint,
    private readonly interrupts: PciInterrupts,
  ) {}

  /** Bytes of I/O space; a BAR has 256 at most, and what of configuration space lies behind is out of reach. */
  static size(configSize: number): number {
    return Math.min(2 ** Math.ceil(Math.log2(HEADER_MSIX + configSize)), 256);
  }

  read(offset: number, width: HandlerWidth): number {
    const config = offset - this.#header;
    if (config >= 0) return this.endpoint.readConfig(config, width);
    if (offset === L.PCI_LEGACY_ISR_STATUS) return this.interrupts.takeStatus();
    const value = this.#read32(offset & ~3);
    return (value >>> (8 * (offset & 3))) & (width === 4 ? -1 : 2 ** (8 * width) - 1);
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    const { endpoint, interrupts } = this;
    const config = offset - this.#header;
    if (config >= 0) return endpoint.writeConfig(config, width, value);
    const queue = endpoint.queues[this.#queueSelect];
    switch (offset) {
      case L.PCI_LEGACY_DRIVER_FEATURES:
        if (width === 4) endpoint.setDriverWord(0, value);
        break;
      case L.PCI_LEGACY_QUEUE_ADDRESS:
        if (width !== 4 || queue === undefined) return;
        if (value === 0) return endpoint.resetQueue(queue);
        layLegacyQueue(queue, value);
        endpoint.enableQueue(queue, true);
        break;
      case L.PCI_LEGACY_QUEUE_SELECT:
        this.#queueSelect = value & 0xffff;
        break;
      case L.PCI_LEGACY_QUEUE_NOTIFY:
        endpoint.ring(value & 0xffff);
        break;
      case L.PCI_LEGACY_DEVICE_STATUS:
        endpoint.setStatus(value & 0xff, true);
        break;
      case L.PCI_LEGACY_CONFIG_MSIX_VECTOR:
        interrupts.configVector = value & 0xffff;
        break;
      case L.PCI_LEGACY_QUEUE_MSIX_VECTOR:
        interrupts.setQueueVector(this.#queueSelect, value & 0xffff);
        break;
      default:
    }
  }

  reset(): void {
    this.#queueSelect = 0;
  }

  save(): SnapshotValue {
    return { queueSelect: this.#queueSelect };
  }

  restore(value: SnapshotValue): void {
    this.#queueSelect = (value as { queueSelect: number }).queueSelect;
  }

  get #header(): number {
    return this.interrupts.msix ? HEADER_MSIX : HEADER;
  }

  #read32(at: number): number {
    const { endpoint, interrupts } = this;
    const queue = endpoint.queues[this.#queueSelect];
    switch (at) {
      case L.PCI_LEGACY_DEVICE_FEATURES:
        return endpoint.offeredWord(0, true);
      case L.PCI_LEGACY_DRIVER_FEATURES:
        return endpoint.driverWord(0);
      case L.PCI_LEGACY_QUEUE_ADDRESS:
        return queue?.enabled === true ? legacyPage(queue) : 0;
      case L.PCI_LEGACY_QUEUE_SIZE:
        return (queue?.maxSize ?? 0) | (this.#queueSelect << 16);
      case L.PCI_LEGACY_QUEUE_NOTIFY:
        return endpoint.status << 16;
      default:
        return interrupts.configVector | (interrupts.queueVector(this.#queueSelect) << 16);
    }
  }
}
