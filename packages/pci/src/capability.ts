import type { Snapshot } from '@vmloom/device';
import type { ConfigRegister } from './config-space.js';
import type { ResetKind } from './effects.js';
import type { PciFunction } from './function.js';

/** A decoded field of a capability, for dumps and tools. */
export type CapabilityFields = { readonly [name: string]: number | string | boolean };

/**
 * What both lists of capabilities hold. A capability describes its registers; the function places it,
 * links it into the list, and passes resets and snapshots on. A subclass with state outside its registers
 * overrides `onReset`, `save` and `restore`.
 */
abstract class ListedCapability {
  /** As lspci would call it. */
  abstract readonly name: string;
  /** Where it lies in configuration space; 0 until a function has it. */
  offset = 0;
  #owner: PciFunction | undefined;

  /** @throws TypeError until a function has it */
  protected get owner(): PciFunction {
    if (this.#owner === undefined)
      throw new TypeError(`the ${this.name} capability belongs to no function yet`);
    return this.#owner;
  }

  get owned(): boolean {
    return this.#owner !== undefined;
  }

  /** The registers after the header, at their places when the capability begins at `offset`. */
  abstract registers(offset: number): readonly ConfigRegister[];

  /** Told once, when a function takes the capability. Call super first. */
  added(owner: PciFunction): void {
    this.#owner = owner;
  }

  /** After the registers were reset. */
  onReset(_kind: ResetKind): void {}

  /** State outside the registers. */
  save(): Snapshot | undefined {
    return undefined;
  }

  restore(_snapshot: Snapshot): void {}

  /** For dumps and inspectors. */
  fields(): CapabilityFields {
    return {};
  }

  protected read16(at: number): number {
    return this.owner.config.read(this.offset + at, 2);
  }

  protected read32(at: number): number {
    return this.owner.config.read(this.offset + at, 4);
  }
}

/** A capability of the list that begins at 34h (PCIe 7.5.1.1.11): an ID byte, a next pointer, registers. */
export abstract class Capability extends ListedCapability {
  readonly list = 'conventional';
  /** PCI Code and ID Assignment, chapter 2. */
  abstract readonly id: number;
  /** Bytes with the two of the header. */
  abstract readonly size: number;
}

/** A capability of the list that begins at 100h (PCIe 7.6.3): a 32-bit header, registers. */
export abstract class ExtendedCapability extends ListedCapability {
  readonly list = 'extended';
  /** PCI Code and ID Assignment, chapter 3. */
  abstract readonly id: number;
  abstract readonly version: number;
  /** Bytes with the four of the header. */
  abstract readonly size: number;
}
