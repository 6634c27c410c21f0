import type { PciFunction } from '@vmloom/pci';
import type { FakeHost } from '@vmloom/pci/testing';
import * as L from '../layout-offsets.js';
import type { DriverTransport } from './mock-driver.js';
import type { MockQueue } from './mock-queue.js';

/** Reaches a device by the I/O registers of before 1.0 (4.1.4.10). */
export class LegacyDriverTransport implements DriverTransport {
  constructor(
    readonly host: FakeHost,
    readonly fn: PciFunction,
  ) {}

  read(offset: number, width: 1 | 2 | 4): number {
    return this.host.read(this.fn, 0, offset, width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.host.write(this.fn, 0, offset, value, width);
  }

  readStatus(): number {
    return this.read(L.PCI_LEGACY_DEVICE_STATUS, 1);
  }

  writeStatus(status: number): void {
    this.write(L.PCI_LEGACY_DEVICE_STATUS, 1, status);
  }

  offered(): bigint {
    return BigInt(this.read(L.PCI_LEGACY_DEVICE_FEATURES, 4));
  }

  accept(features: bigint): void {
    this.write(L.PCI_LEGACY_DRIVER_FEATURES, 4, Number(features & 0xffff_ffffn));
  }

  queueLimit(index: number): number {
    this.write(L.PCI_LEGACY_QUEUE_SELECT, 2, index);
    return this.read(L.PCI_LEGACY_QUEUE_SIZE, 2);
  }

  /** The queue is one of those laid at fixed places (`legacy`). */
  enableQueue(index: number, queue: MockQueue): void {
    this.write(L.PCI_LEGACY_QUEUE_SELECT, 2, index);
    this.write(L.PCI_LEGACY_QUEUE_ADDRESS, 4, queue.descriptors / 4096);
  }

  ring(index: number): void {
    this.write(L.PCI_LEGACY_QUEUE_NOTIFY, 2, index);
  }

  isr(): number {
    return this.read(L.PCI_LEGACY_ISR_STATUS, 1);
  }
}
