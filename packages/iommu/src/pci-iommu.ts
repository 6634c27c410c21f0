import { expectSnapshot, type Snapshot } from '@vmloom/device';
import {
  ExpressCapability,
  MsixCapability,
  PciFunction,
  type FunctionContext,
  type ResetKind,
} from '@vmloom/pci';
import { Iommu } from './iommu.js';
import type { IommuOptions } from './options.js';
import { MSI_CFG_TBL, REGISTER_BYTES } from './registers.js';

export interface PciIommuOptions extends Pick<
  IommuOptions,
  'features' | 'caches' | 'resetMode' | 'invalidationTimeout' | 'exactCounts'
> {
  /** Unique on its fabric. The model and a number unless told. */
  readonly name?: string;
}

/** Four causes, and one that QEMU's has for notices. */
const VECTORS = 5;

/**
 * The IOMMU as a PCI function (1b36:0014, class 08.06): the register page is BAR 0, the message table an MSI-X
 * capability's. It stands between all other functions of its fabric and memory as long as it is plugged in.
 */
export class PciIommu extends PciFunction {
  readonly #options: PciIommuOptions;
  #iommu: Iommu | undefined;

  constructor(options: PciIommuOptions = {}) {
    super({
      vendor: 0x1b36,
      device: 0x0014,
      classCode: 0x08_06_00,
      revision: 1,
      subsystemVendor: 0x1b36,
      subsystem: 0x0014,
      pin: 'none',
      model: 'riscv-iommu-pci',
      ...(options.name === undefined ? {} : { name: options.name }),
    });
    this.#options = options;
    this.addBar(0, {
      kind: 'memory',
      bits: 64,
      size: REGISTER_BYTES,
      regions: [
        {
          name: 'registers',
          size: MSI_CFG_TBL,
          widths: [4, 8],
          handler: {
            read: (offset, width) => this.#iommu?.read(offset, width) ?? 0,
            write: (offset, width, value) => this.#iommu?.write(offset, width, value),
          },
        },
      ],
    });
    this.addCapability(new ExpressCapability({ type: 'integrated-endpoint' }));
    this.addCapability(
      new MsixCapability({
        vectors: VECTORS,
        bar: 0,
        tableOffset: MSI_CFG_TBL,
        pendingOffset: MSI_CFG_TBL + 0x100,
      }),
    );
  }

  override get isTranslated(): boolean {
    return false;
  }

  /** Undefined while it is on no bus. */
  get iommu(): Iommu | undefined {
    return this.#iommu;
  }

  protected override attached(context: FunctionContext): void {
    this.#iommu = new Iommu({
      ...this.#options,
      name: this.name,
      clock: context.clock,
      ledger: context.ledger,
      space: context.dma.translator.space,
      signal: (vector) => this.interrupt.send(vector),
    });
    context.interpose(this.#iommu.translator);
  }

  protected override detached(): void {
    this.context?.interpose(undefined);
    this.#iommu?.close();
    this.#iommu = undefined;
  }

  protected override onReset(_kind: ResetKind): void {
    this.#iommu?.reset();
  }

  protected override saveState(): Snapshot {
    return { type: this.model, version: 1, iommu: this.#iommu?.save() ?? null };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, 1);
    const saved = snapshot['iommu'] as Snapshot | null;
    if (saved !== null) this.#iommu?.restore(saved);
  }
}
