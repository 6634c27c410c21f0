import type { MmioHandler } from '@vmloom/memory';
import { hasFeature, VIRTIO_F_NOTIFICATION_DATA } from '../features.js';
import * as L from '../layout-offsets.js';
import type { DriverTransport } from './mock-driver.js';
import type { MockQueue } from './mock-queue.js';

/** Reaches a device by the registers of virtio-mmio, version 2 (4.2.2). */
export class MmioDriverTransport implements DriverTransport {
  #features = 0n;

  constructor(readonly registers: MmioHandler) {}

  read(offset: number): number {
    return this.registers.read(offset, 4);
  }

  write(offset: number, value: number): void {
    this.registers.write(offset, 4, value >>> 0);
  }

  readStatus(): number {
    return this.read(L.MMIO_STATUS);
  }

  writeStatus(status: number): void {
    this.write(L.MMIO_STATUS, status);
  }

  offered(): bigint {
    let set = 0n;
    for (let word = 0; word < 4; word++) {
      this.write(L.MMIO_DEVICE_FEATURES_SEL, word);
      set |= BigInt(this.read(L.MMIO_DEVICE_FEATURES)) << BigInt(32 * word);
    }
    return set;
  }

  accept(features: bigint): void {
    this.#features = features;
    for (let word = 0; word < 4; word++) {
      this.write(L.MMIO_DRIVER_FEATURES_SEL, word);
      this.write(L.MMIO_DRIVER_FEATURES, Number((features >> BigInt(32 * word)) & 0xffff_ffffn));
    }
  }

  queueLimit(index: number): number {
    this.write(L.MMIO_QUEUE_SEL, index);
    return this.read(L.MMIO_QUEUE_SIZE_MAX);
  }

  enableQueue(index: number, queue: MockQueue): void {
    this.write(L.MMIO_QUEUE_SEL, index);
    this.write(L.MMIO_QUEUE_SIZE, queue.size);
    const halves = (at: number, address: number): void => {
      this.write(at, address);
      this.write(at + 4, Math.floor(address / 0x1_0000_0000));
    };
    halves(L.MMIO_QUEUE_DESC_LOW, queue.descriptors);
    halves(L.MMIO_QUEUE_DRIVER_LOW, queue.driver);
    halves(L.MMIO_QUEUE_DEVICE_LOW, queue.device);
    this.write(L.MMIO_QUEUE_READY, 1);
  }

  ring(index: number, data: number): void {
    const withData = hasFeature(this.#features, VIRTIO_F_NOTIFICATION_DATA);
    this.write(L.MMIO_QUEUE_NOTIFY, withData ? index | (data << 16) : index);
  }
}
