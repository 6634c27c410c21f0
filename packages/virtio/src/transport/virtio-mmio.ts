import {
  expectSnapshot,
  type Clock,
  type Device,
  type DmaPort,
  type EventArguments,
  type EventOwner,
  type InterruptLine,
  type Ledger,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { VirtioDevice } from '../device.js';
import { VirtioEndpoint, type TransportLink, type TransportOptions } from '../endpoint.js';
import { hasFeature, VIRTIO_F_NOTIFICATION_DATA, VIRTIO_F_RING_RESET } from '../features.js';
import * as L from '../layout-offsets.js';
import type { QueueArea, Virtqueue } from '../queue/queue.js';

export interface VirtioMmioOptions<T extends VirtioDevice = VirtioDevice> extends TransportOptions {
  /** Nothing is there without one: a window with device ID 0. */
  readonly device?: T;
  /** Unique on the clock. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly dma: DmaPort;
  readonly line: InterruptLine;
}

const MAGIC = 0x7472_6976;
const VERSION = 2;
/** As QEMU has it: 'QEMU', read as a little-endian number. */
const VENDOR = 0x554d_4551;
const CONFIG = L.MMIO_SIZE;
const INTERRUPT_QUEUE = 1;
const INTERRUPT_CONFIG = 2;
const SNAPSHOT = { type: 'virtio-mmio', version: 1 } as const;

const AREAS: Readonly<Record<number, readonly [area: QueueArea, half: 0 | 1]>> = {
  [L.MMIO_QUEUE_DESC_LOW]: ['descriptors', 0],
  [L.MMIO_QUEUE_DESC_HIGH]: ['descriptors', 1],
  [L.MMIO_QUEUE_DRIVER_LOW]: ['driver', 0],
  [L.MMIO_QUEUE_DRIVER_HIGH]: ['driver', 1],
  [L.MMIO_QUEUE_DEVICE_LOW]: ['device', 0],
  [L.MMIO_QUEUE_DEVICE_HIGH]: ['device', 1],
};

/** virtio over MMIO, version 2 (4.2): 512 bytes of registers around a {@link VirtioDevice}, and one interrupt line. */
export class VirtioMmio<T extends VirtioDevice = VirtioDevice>
  implements Device, EventOwner, MmioHandler, TransportLink
{
  /** Bytes of the window, as on QEMU's virt board. */
  static readonly size = 0x200;
  readonly name: string;
  readonly device: T | undefined;
  readonly endpoint: VirtioEndpoint | undefined;
  readonly #line: InterruptLine;
  readonly #clock: Clock;
  #deviceFeaturesSel = 0;
  #driverFeaturesSel = 0;
  #queueSel = 0;
  #interruptStatus = 0;

  constructor(options: VirtioMmioOptions<T>) {
    const { device, name, clock, ledger, dma, line } = options;
    this.name = name;
    this.device = device;
    this.#line = line;
    this.#clock = clock;
    if (device === undefined) return;
    clock.register(this);
    // 4.2 has no register for the data.
    this.endpoint = new VirtioEndpoint({ ...options, device, notifyConfigData: false }, this);
    this.endpoint.attach({ clock, ledger, dma, owner: this });
  }

  /** 4.2.2.2: registers are read as aligned words; configuration space in any width. Nothing else answers. */
  read(offset: number, width: HandlerWidth): number {
    if (offset >= CONFIG) return this.endpoint?.readConfig(offset - CONFIG, width) ?? 0;
    return width === 4 && (offset & 3) === 0 ? this.#read(offset) >>> 0 : 0;
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    const { endpoint } = this;
    if (endpoint === undefined) return;
    if (offset >= CONFIG) endpoint.writeConfig(offset - CONFIG, width, value);
    else if (width === 4 && (offset & 3) === 0) this.#write(endpoint, offset, value);
  }

  onEvent(kind: string, args: EventArguments): void {
    this.endpoint?.onEvent(kind, args);
  }

  /** Power-on, or reset of the machine. */
  reset(): void {
    this.endpoint?.reset();
    this.wasReset();
  }

  /** The device leaves its clock. */
  dispose(): void {
    this.endpoint?.detach();
    this.#clock.unregister(this);
  }

  queueInterrupt(): void {
    this.#interrupt(INTERRUPT_QUEUE);
  }

  configInterrupt(): void {
    this.#interrupt(INTERRUPT_CONFIG);
  }

  wasReset(): void {
    this.#deviceFeaturesSel = 0;
    this.#driverFeaturesSel = 0;
    this.#queueSel = 0;
    this.#interruptStatus = 0;
    this.#line.set(false);
  }

  save(): Snapshot {
    return {
      ...SNAPSHOT,
      deviceFeaturesSel: this.#deviceFeaturesSel,
      driverFeaturesSel: this.#driverFeaturesSel,
      queueSel: this.#queueSel,
      interruptStatus: this.#interruptStatus,
      endpoint: this.endpoint === undefined ? null : this.endpoint.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const endpoint = snapshot['endpoint'] as Snapshot | null;
    if (endpoint !== null) this.endpoint?.restore(endpoint);
    this.#deviceFeaturesSel = snapshot['deviceFeaturesSel'] as number;
    this.#driverFeaturesSel = snapshot['driverFeaturesSel'] as number;
    this.#queueSel = snapshot['queueSel'] as number;
    this.#interruptStatus = snapshot['interruptStatus'] as number;
    this.#line.set(this.#interruptStatus !== 0);
  }

  get #queue(): Virtqueue | undefined {
    return this.endpoint?.queues[this.#queueSel];
  }

  #interrupt(bit: number): void {
    this.#interruptStatus |= bit;
    this.#line.set(true);
  }

  #read(offset: number): number {
    const { endpoint } = this;
    switch (offset) {
      case L.MMIO_MAGIC_VALUE:
        return MAGIC;
      case L.MMIO_VERSION:
        return VERSION;
      case L.MMIO_DEVICE_ID:
        return this.device?.type ?? 0;
      case L.MMIO_VENDOR_ID:
        return VENDOR;
      case L.MMIO_DEVICE_FEATURES:
        return endpoint?.offeredWord(this.#deviceFeaturesSel) ?? 0;
      case L.MMIO_QUEUE_SIZE_MAX:
        return this.#queue?.maxSize ?? 0;
      case L.MMIO_QUEUE_READY:
        return Number(this.#queue?.enabled ?? false);
      case L.MMIO_INTERRUPT_STATUS:
        return this.#interruptStatus;
      case L.MMIO_STATUS:
        return endpoint?.status ?? 0;
      case L.MMIO_SHM_LEN_LOW:
      case L.MMIO_SHM_LEN_HIGH:
      case L.MMIO_SHM_BASE_LOW:
      case L.MMIO_SHM_BASE_HIGH:
        // There are no shared memory regions.
        return 0xffff_ffff;
      case L.MMIO_CONFIG_GENERATION:
        return endpoint?.generation ?? 0;
      default:
        return 0;
    }
  }

  #write(endpoint: VirtioEndpoint, offset: number, value: number): void {
    const queue = this.#queue;
    const area = AREAS[offset];
    if (area !== undefined) {
      const [name, half] = area;
      const other = queue?.address(name, half === 0 ? 1 : 0) ?? 0;
      return queue?.setAddress(name, half === 0 ? value : other, half === 0 ? other : value);
    }
    switch (offset) {
      case L.MMIO_DEVICE_FEATURES_SEL:
        this.#deviceFeaturesSel = value;
        break;
      case L.MMIO_DRIVER_FEATURES_SEL:
        this.#driverFeaturesSel = value;
        break;
      case L.MMIO_DRIVER_FEATURES:
        endpoint.setDriverWord(this.#driverFeaturesSel, value);
        break;
      case L.MMIO_QUEUE_SEL:
        this.#queueSel = value;
        break;
      case L.MMIO_QUEUE_SIZE:
        if (queue?.enabled === false) queue.size = value;
        break;
      case L.MMIO_QUEUE_READY:
        if (queue === undefined) break;
        if (value === 1) endpoint.enableQueue(queue);
        else if (value === 0 && queue.enabled) endpoint.resetQueue(queue);
        break;
      case L.MMIO_QUEUE_NOTIFY:
        // With NOTIFICATION_DATA the index is the lower half; the rest tells nothing that the ring does not.
        endpoint.ring(hasFeature(endpoint.features, VIRTIO_F_NOTIFICATION_DATA) ? value & 0xffff : value);
        break;
      case L.MMIO_INTERRUPT_ACK:
        this.#interruptStatus &= ~value;
        this.#line.set(this.#interruptStatus !== 0);
        break;
      case L.MMIO_STATUS:
        endpoint.setStatus(value & 0xff);
        break;
      case L.MMIO_QUEUE_RESET:
        if (queue !== undefined && value === 1 && hasFeature(endpoint.features, VIRTIO_F_RING_RESET)) {
          endpoint.resetQueue(queue);
        }
        break;
      default:
    }
  }
}
