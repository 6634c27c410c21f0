import { PciError, PciFunction, type Bar, type BarOptions } from '@vmloom/pci';
import { VfBar } from './vf-bar.js';

export interface VirtualFunctionOptions {
  /** Whose virtual function it is. */
  readonly physical: PciFunction;
  /** 0 for the first, VF 1 of the specification. */
  readonly index: number;
  /** The VF device ID, which all virtual functions of a physical one share (PCIe 9.3.3.11). */
  readonly device: number;
  /** Those of the physical function unless told. */
  readonly revision?: number;
  readonly subsystem?: number;
  /** What kind of thing it is. */
  readonly model?: string;
  /** Unique on its fabric; that of the physical function with `.vf0` and so on unless told. */
  readonly name?: string;
}

/** What the SR-IOV capability of the physical function decides for its virtual functions. */
export interface VirtualSpace {
  /** VF memory space enable is set (9.3.3.3.4). */
  readonly memoryEnabled: boolean;
  /** The bus address of a function's share of a VF BAR; -1 where no machine maps anything. */
  barBase(bar: number, index: number): number;
}

/**
 * A virtual function (PCIe 9.1): what a device model extends for it, as it extends PciFunction for others. It exists
 * from the start, with a name, a clock and counters; on the bus it is found only while software enables it. Space
 * enables, BAR addresses, vendor and device ID are matters of the physical function; bus master enable, function level
 * reset, MSI and MSI-X are its own.
 */
export abstract class VirtualFunction extends PciFunction {
  readonly index: number;
  readonly #physical: PciFunction;
  #space: VirtualSpace | undefined;

  constructor(options: VirtualFunctionOptions) {
    const { physical, index, device, model, name } = options;
    const { vendor, classCode, revision, subsystemVendor, subsystem } = physical.identity;
    super(
      {
        vendor,
        device,
        classCode,
        // 9.3.4.1: a virtual function has no INTx.
        pin: 'none',
        model: model ?? `${physical.model}-vf`,
        revision: options.revision ?? revision ?? 0,
        subsystemVendor: subsystemVendor ?? 0,
        subsystem: options.subsystem ?? subsystem ?? 0,
        ...(name === undefined ? {} : { name }),
      },
      'virtual',
    );
    this.#physical = physical;
    this.index = index;
  }

  override get physicalFunction(): PciFunction {
    return this.#physical;
  }

  /** Software has enabled it: it is on the bus. */
  get isPresent(): boolean {
    return this.bus !== undefined;
  }

  override get defaultName(): string {
    return `${this.#physical.shortName}.vf${this.index}`;
  }

  /** 9.3.3.3.4: VF memory space enable decides for all. While the physical function is not in D0, nothing answers. */
  override decodes(kind: 'memory' | 'io'): boolean {
    return (
      kind === 'memory' &&
      this.isPresent &&
      this.#space?.memoryEnabled === true &&
      this.powerState === 'D0' &&
      this.#physical.powerState === 'D0'
    );
  }

  /** 9.3.4.1.3: bus master enable is each function's own. */
  override get mayMaster(): boolean {
    return super.mayMaster && this.#physical.powerState === 'D0';
  }

  /** By the SR-IOV capability that has it. @throws PciError bad-capability */
  join(space: VirtualSpace): void {
    if (this.#space !== undefined) {
      throw new PciError(
        'bad-capability',
        `${this.model} ${this.index} belongs to an SR-IOV capability already`,
      );
    }
    this.#space = space;
  }

  protected override makeBar(index: number, options: BarOptions): Bar {
    if (options.kind !== 'memory') {
      throw new PciError('bad-bar', `BAR ${index} of ${this.model}: a virtual function has no I/O space`);
    }
    return new VfBar(index, this.config, options, () => this.#space?.barBase(index, this.index) ?? -1);
  }
}
