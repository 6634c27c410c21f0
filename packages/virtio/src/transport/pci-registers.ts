import { expectSnapshot, type Snapshot } from '@vmloom/device';
import { VendorCapability, type BarRegion, type Capability, type PciFunction } from '@vmloom/pci';
import { VirtioEndpoint, type EndpointOptions, type TransportLink } from '../endpoint.js';
import * as L from '../layout-offsets.js';
import { PciCommon } from './pci-common.js';
import { PciInterrupts } from './pci-interrupts.js';
import { PciLegacy } from './pci-legacy.js';

/** 4.1.4: types of structures. */
const TYPE_COMMON = 1;
const TYPE_NOTIFY = 2;
const TYPE_ISR = 3;
const TYPE_DEVICE = 4;

// Where QEMU puts them, a page each.
const COMMON_OFFSET = 0x0000;
const ISR_OFFSET = 0x1000;
const DEVICE_OFFSET = 0x2000;
const NOTIFY_OFFSET = 0x3000;
const PAGE = 0x1000;
/** 4.1.4.4: bytes between the doorbells of two queues. */
const NOTIFY_MULTIPLIER = 4;
const QUEUE_LIMIT = 1024;

const SNAPSHOT = { type: 'virtio-pci-registers', version: 1 } as const;

/**
 * The registers of virtio over PCI for one function, physical or virtual: common configuration, doorbells, ISR, device
 * configuration, the legacy header, and the endpoint behind them. Whoever owns the function places {@link regions} in
 * a BAR of 16 KiB and adds {@link capabilities}.
 */
export class VirtioPciRegisters implements TransportLink {
  /** Bytes of the memory BAR. */
  static readonly barSize = NOTIFY_OFFSET + NOTIFY_MULTIPLIER * QUEUE_LIMIT;
  readonly endpoint: VirtioEndpoint;
  readonly interrupts: PciInterrupts;
  readonly legacy: PciLegacy;
  readonly #common: PciCommon;

  /** `vectors`: entries of the function's MSI-X table, 0 without MSI-X. */
  constructor(fn: PciFunction, options: EndpointOptions, vectors: number) {
    this.endpoint = new VirtioEndpoint(options, this);
    this.interrupts = new PciInterrupts(fn, vectors, options.device.queues.length);
    this.#common = new PciCommon(this.endpoint, this.interrupts);
    this.legacy = new PciLegacy(this.endpoint, this.interrupts);
  }

  /** The structures in the memory BAR (4.1.4.3 to 4.1.4.6). */
  get regions(): readonly BarRegion[] {
    const { endpoint } = this;
    const list: BarRegion[] = [
      { name: 'common', offset: COMMON_OFFSET, size: PAGE, handler: this.#common },
      {
        name: 'isr',
        offset: ISR_OFFSET,
        size: PAGE,
        handler: {
          read: (offset) => (offset === 0 ? this.interrupts.takeStatus() : 0),
          write: () => undefined,
        },
      },
      {
        name: 'device',
        offset: DEVICE_OFFSET,
        size: PAGE,
        handler: {
          read: (offset, width) => endpoint.readConfig(offset, width),
          write: (offset, width, value) => endpoint.writeConfig(offset, width, value),
        },
      },
      {
        name: 'notify',
        offset: NOTIFY_OFFSET,
        size: PAGE,
        handler: {
          read: () => 0,
          // The place says which queue; what NOTIFICATION_DATA adds tells nothing that the ring does not.
          write: (offset) => endpoint.ring(Math.floor(offset / NOTIFY_MULTIPLIER)),
        },
      },
    ];
    return list;
  }

  /** Says where the structures are (4.1.4): `bar` is the number of the memory BAR. */
  capabilities(bar: number): readonly Capability[] {
    const multiplier = [NOTIFY_MULTIPLIER, 0, 0, 0];
    const list = [
      structure('CommonCfg', TYPE_COMMON, bar, COMMON_OFFSET),
      structure('ISR', TYPE_ISR, bar, ISR_OFFSET),
    ];
    list.push(structure('DeviceCfg', TYPE_DEVICE, bar, DEVICE_OFFSET));
    list.push(structure('Notify', TYPE_NOTIFY, bar, NOTIFY_OFFSET, multiplier));
    return list;
  }

  queueInterrupt(queue: number): void {
    this.interrupts.queueInterrupt(queue);
  }

  configInterrupt(): void {
    this.interrupts.configInterrupt();
  }

  wasReset(): void {
    this.interrupts.reset();
    this.#common.reset();
    this.legacy.reset();
  }

  save(): Snapshot {
    return {
      ...SNAPSHOT,
      common: this.#common.save(),
      legacy: this.legacy.save(),
      interrupts: this.interrupts.save(),
      endpoint: this.endpoint.save(),
    };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.endpoint.restore(snapshot['endpoint'] as Snapshot);
    this.#common.restore(snapshot['common']);
    this.legacy.restore(snapshot['legacy']);
    this.interrupts.restore(snapshot['interrupts']);
  }
}

function structure(
  name: string,
  type: number,
  bar: number,
  offset: number,
  extra: readonly number[] = [],
): Capability {
  const body = new Uint8Array(L.PCI_CAPABILITY_SIZE - L.PCI_CAPABILITY_TYPE + extra.length);
  const view = new DataView(body.buffer);
  const at = (field: number): number => field - L.PCI_CAPABILITY_TYPE;
  body[at(L.PCI_CAPABILITY_TYPE)] = type;
  body[at(L.PCI_CAPABILITY_BAR)] = bar;
  view.setUint32(at(L.PCI_CAPABILITY_BAR_OFFSET), offset, true);
  view.setUint32(at(L.PCI_CAPABILITY_BAR_LENGTH), PAGE, true);
  body.set(extra, at(L.PCI_CAPABILITY_SIZE));
  return new VendorCapability(body, undefined, `VirtIO: ${name}`);
}
