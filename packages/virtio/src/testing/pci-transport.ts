import { registers as R, type PciFunction } from '@vmloom/pci';
import type { FakeHost } from '@vmloom/pci/testing';
import { hasFeature, VIRTIO_F_NOTIFICATION_DATA } from '../features.js';
import * as L from '../layout-offsets.js';
import type { DriverTransport } from './mock-driver.js';
import type { MockQueue } from './mock-queue.js';

/** Where a structure is, as a capability says. */
export interface Structure {
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
  /** Of the capability. */
  readonly at: number;
}

/** Reaches a device by the registers of virtio-pci (4.1), which it finds through its capabilities. */
export class PciDriverTransport implements DriverTransport {
  /** The first capability of each type. */
  readonly structures = new Map<number, Structure>();
  readonly #multiplier: number;
  #features = 0n;

  constructor(
    readonly host: FakeHost,
    readonly fn: PciFunction,
  ) {
    for (
      let at = host.configRead(fn, R.CAPABILITIES_POINTER, 1);
      at >= 0x40;
      at = host.configRead(fn, at + 1, 1)
    ) {
      if (host.configRead(fn, at, 1) !== R.CAPABILITY_VENDOR) continue;
      const type = host.configRead(fn, at + L.PCI_CAPABILITY_TYPE, 1);
      if (this.structures.has(type)) continue;
      this.structures.set(type, {
        bar: host.configRead(fn, at + L.PCI_CAPABILITY_BAR, 1),
        offset: host.configRead(fn, at + L.PCI_CAPABILITY_BAR_OFFSET, 4),
        length: host.configRead(fn, at + L.PCI_CAPABILITY_BAR_LENGTH, 4),
        at,
      });
    }
    this.#multiplier = host.configRead(fn, this.structure(2).at + L.PCI_CAPABILITY_SIZE, 4);
  }

  /** By type: 1 common, 2 notify, 3 ISR, 4 device, 5 configuration access. @throws RangeError */
  structure(type: number): Structure {
    const found = this.structures.get(type);
    if (found === undefined) throw new RangeError(`${this.fn.name} has no structure of type ${type}`);
    return found;
  }

  read(type: number, offset: number, width: 1 | 2 | 4): number {
    const { bar, offset: start } = this.structure(type);
    return this.host.read(this.fn, bar, start + offset, width);
  }

  write(type: number, offset: number, width: 1 | 2 | 4, value: number): void {
    const { bar, offset: start } = this.structure(type);
    this.host.write(this.fn, bar, start + offset, value, width);
  }

  /** Of common configuration. */
  common(offset: number, width: 1 | 2 | 4): number {
    return this.read(1, offset, width);
  }

  setCommon(offset: number, width: 1 | 2 | 4, value: number): void {
    this.write(1, offset, width, value);
  }

  /** Reads and clears ISR status. */
  isr(): number {
    return this.read(3, 0, 1);
  }

  readStatus(): number {
    return this.common(L.PCI_COMMON_DEVICE_STATUS, 1);
  }

  writeStatus(status: number): void {
    this.setCommon(L.PCI_COMMON_DEVICE_STATUS, 1, status);
  }

  offered(): bigint {
    let set = 0n;
    for (let word = 0; word < 4; word++) {
      this.setCommon(L.PCI_COMMON_DEVICE_FEATURE_SELECT, 4, word);
      set |= BigInt(this.common(L.PCI_COMMON_DEVICE_FEATURE, 4)) << BigInt(32 * word);
    }
    return set;
  }

  accept(features: bigint): void {
    this.#features = features;
    for (let word = 0; word < 4; word++) {
      this.setCommon(L.PCI_COMMON_DRIVER_FEATURE_SELECT, 4, word);
      this.setCommon(L.PCI_COMMON_DRIVER_FEATURE, 4, Number((features >> BigInt(32 * word)) & 0xffff_ffffn));
    }
  }

  queueLimit(index: number): number {
    this.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, index);
    return this.common(L.PCI_COMMON_QUEUE_SIZE, 2);
  }

  enableQueue(index: number, queue: MockQueue): void {
    this.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, index);
    this.setCommon(L.PCI_COMMON_QUEUE_SIZE, 2, queue.size);
    const halves = (at: number, address: number): void => {
      this.setCommon(at, 4, address >>> 0);
      this.setCommon(at + 4, 4, Math.floor(address / 0x1_0000_0000));
    };
    halves(L.PCI_COMMON_QUEUE_DESCRIPTORS, queue.descriptors);
    halves(L.PCI_COMMON_QUEUE_DRIVER, queue.driver);
    halves(L.PCI_COMMON_QUEUE_DEVICE, queue.device);
    this.setCommon(L.PCI_COMMON_QUEUE_ENABLE, 2, 1);
  }

  ring(index: number, data: number): void {
    this.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, index);
    const at = this.common(L.PCI_COMMON_QUEUE_NOTIFY_OFF, 2) * this.#multiplier;
    if (hasFeature(this.#features, VIRTIO_F_NOTIFICATION_DATA)) {
      this.write(2, at, 4, (index | (data << 16)) >>> 0);
    } else this.write(2, at, 2, index);
  }

  /** Has queue `index` (or, with -1, changes of configuration) signal an MSI-X vector; what reads back. */
  mapVector(index: number, vector: number): number {
    if (index < 0) {
      this.setCommon(L.PCI_COMMON_CONFIG_MSIX_VECTOR, 2, vector);
      return this.common(L.PCI_COMMON_CONFIG_MSIX_VECTOR, 2);
    }
    this.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, index);
    this.setCommon(L.PCI_COMMON_QUEUE_MSIX_VECTOR, 2, vector);
    return this.common(L.PCI_COMMON_QUEUE_MSIX_VECTOR, 2);
  }

  /** Enables MSI-X; vector `n` is a message of data 0x100 + n. */
  enableMsix(vectors: number): void {
    const { host, fn } = this;
    const at = host.findCapability(fn, R.CAPABILITY_MSIX);
    const bar = host.configRead(fn, at + 4, 4) & 7;
    for (let vector = 0; vector < vectors; vector++) {
      host.write(fn, bar, 16 * vector, 0xfee0_0000);
      host.write(fn, bar, 16 * vector + 8, 0x100 + vector);
      host.write(fn, bar, 16 * vector + 12, 0);
    }
    host.configWrite(fn, at + 2, 2, 0x8000);
  }
}
