import { expectSnapshot, type EventArguments, type Snapshot } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import {
  ExpressCapability,
  MsixCapability,
  PciFunction,
  PowerCapability,
  type FunctionContext,
  type PciFunctionOptions,
} from '@vmloom/pci';
import type { VirtioDevice } from '../device.js';
import type { TransportOptions, VirtioEndpoint } from '../endpoint.js';
import { VirtioError } from '../error.js';
import { identityOf, MODERN_DEVICE, MODERN_SUBSYSTEM, VENDOR } from './identities.js';
import { PciConfigAccess } from './pci-config-access.js';
import { PciLegacy } from './pci-legacy.js';
import { VirtioPciRegisters } from './pci-registers.js';

export interface VirtioPciOptions<T extends VirtioDevice = VirtioDevice> extends TransportOptions {
  readonly device: T;
  /** Unique in the machine. */
  readonly name?: string;
  /**
   * The interface of before 1.0 (`disable-legacy=off`). True unless told for types that had it, when the function is
   * not PCI Express: as QEMU's `auto`. Its drivers know no IOMMU, so it does not go with `accessPlatform`.
   */
  readonly legacy?: boolean;
  /** The interface of 1.0 (`disable-modern=off`). True unless told. */
  readonly modern?: boolean;
  /** A PCI Express endpoint with function level reset. False unless told: conventional, as on QEMU's root bus. */
  readonly express?: boolean;
  /** Entries of the MSI-X table (`vectors`); 0: INTx alone. One for each queue and one for changes unless told. */
  readonly vectors?: number;
}

const LEGACY_BAR = 0;
const MSIX_BAR = 1;
const MSIX_BAR_SIZE = 0x1000;
const MODERN_BAR = 4;
const SNAPSHOT = { type: 'virtio-pci', version: 1 } as const;

/**
 * virtio over PCI (4.1): a function around any {@link VirtioDevice}. BARs and IDs are those of QEMU's virtio-pci: I/O
 * in BAR 0 where there is a legacy interface, MSI-X in BAR 1, the modern structures in BAR 4.
 */
export class VirtioPci<T extends VirtioDevice = VirtioDevice> extends PciFunction {
  readonly device: T;
  readonly registers: VirtioPciRegisters;
  /** The legacy interface is there, the modern one is there. */
  readonly legacy: boolean;
  readonly modern: boolean;
  readonly #access = new PciConfigAccess();

  /** @throws VirtioError bad-option */
  constructor(options: VirtioPciOptions<T>) {
    const choice = choose(options);
    super(identity(options, choice.legacy));
    this.device = options.device;
    this.legacy = choice.legacy;
    this.modern = choice.modern;
    const vectors = options.vectors ?? options.device.queues.length + 1;
    this.registers = new VirtioPciRegisters(this, options, vectors);
    if (choice.legacy) {
      const size = PciLegacy.size(options.device.configSize);
      const handler = this.registers.legacy;
      this.addBar(LEGACY_BAR, { kind: 'io', size, regions: [{ name: 'legacy', handler, unaligned: true }] });
    }
    if (options.express === true) {
      this.addCapability(new ExpressCapability({ type: 'endpoint', functionReset: true }));
      this.addCapability(new PowerCapability());
    }
    if (choice.modern) this.#addModern();
    if (vectors > 0) {
      const size = Math.max(MSIX_BAR_SIZE, 2 ** Math.ceil(Math.log2(vectors * 16 + 2048)));
      this.addBar(MSIX_BAR, { kind: 'memory', size });
      this.addCapability(new MsixCapability({ vectors, bar: MSIX_BAR }));
    }
  }

  get endpoint(): VirtioEndpoint {
    return this.registers.endpoint;
  }

  onEvent(kind: string, args: EventArguments): void {
    this.endpoint.onEvent(kind, args);
  }

  /** 4.1.4.9.1: a read of the data field reads the register that was selected. */
  override configRead(offset: number, width: HandlerWidth): number {
    if (this.#access.owned && this.#access.covers(offset, width)) this.#access.fill(this);
    return super.configRead(offset, width);
  }

  protected override attached({ clock, ledger, dma }: FunctionContext): void {
    this.endpoint.attach({ clock, ledger, dma, owner: this });
  }

  protected override detached(): void {
    this.endpoint.detach();
  }

  protected override onReset(): void {
    this.endpoint.reset();
    this.registers.wasReset();
  }

  protected override saveState(): Snapshot {
    return { ...SNAPSHOT, registers: this.registers.save() };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.registers.restore(snapshot['registers'] as Snapshot);
  }

  #addModern(): void {
    const { regions } = this.registers;
    const size = VirtioPciRegisters.barSize;
    this.addBar(MODERN_BAR, { kind: 'memory', bits: 64, prefetchable: true, size, regions });
    for (const capability of this.registers.capabilities(MODERN_BAR)) this.addCapability(capability);
    this.addCapability(this.#access);
  }
}

function choose({
  device,
  legacy,
  modern = true,
  express = false,
  accessPlatform = false,
}: VirtioPciOptions): {
  legacy: boolean;
  modern: boolean;
} {
  const transitional = identityOf(device.type).transitional !== undefined;
  if (legacy === true && !transitional) {
    throw new VirtioError('bad-option', `there was no ${device.model} before virtio 1.0`);
  }
  if (legacy === true && accessPlatform) {
    throw new VirtioError('bad-option', 'drivers of before virtio 1.0 do not go through an IOMMU');
  }
  const wanted = legacy ?? (transitional && !express && !accessPlatform);
  if (!wanted && !modern) {
    throw new VirtioError(
      'bad-option',
      `the ${device.model} has neither the legacy nor the modern interface`,
    );
  }
  return { legacy: wanted, modern };
}

/** 4.1.2.1; revision and subsystem as QEMU gives them. */
function identity({ device, name }: VirtioPciOptions, legacy: boolean): PciFunctionOptions {
  const { classCode, transitional } = identityOf(device.type);
  return {
    vendor: VENDOR,
    device: legacy ? transitional! : MODERN_DEVICE + device.type,
    classCode,
    revision: legacy ? 0 : 1,
    subsystemVendor: VENDOR,
    subsystem: legacy ? device.type : MODERN_SUBSYSTEM,
    pin: 'A',
    model: `${device.model}-pci`,
    ...(name === undefined ? {} : { name }),
  };
}
