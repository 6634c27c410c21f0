import {
  AddressSpace,
  type HandlerWidth,
  type HostMemory,
  type HostOffset,
  type Mapping,
  type PhysicalAddress,
} from '@vmloom/memory';

/** Told of each access of a guest to a register, before it is carried out. */
export type AccessListener = (region: string, kind: 'trapped' | 'direct', write: boolean) => void;

/** A stretch of guest-physical addresses that lies in the host's memory. */
export interface MemorySlot {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly offset: HostOffset;
  readonly readOnly?: boolean;
}

/**
 * The guest-physical addresses of a virtual machine: its memory slots, and its registers, trapped or direct. While
 * a vCPU runs, {@link onAccess} hears of every access to a register; DMA and loaders cause no exits.
 */
export class VmSpace extends AddressSpace {
  /** Set while a vCPU is in the guest. */
  onAccess: AccessListener | undefined;
  readonly #slots: MemorySlot[] = [];

  constructor(memory: HostMemory, name: string) {
    super(memory, name);
  }

  get slots(): readonly MemorySlot[] {
    return this.#slots;
  }

  /** @throws MemoryError bad-region */
  addSlot(slot: MemorySlot): Mapping {
    const mapping = this.mapRam(slot);
    this.#slots.push(slot);
    return {
      unmap: () => {
        mapping.unmap();
        const index = this.#slots.indexOf(slot);
        if (index >= 0) this.#slots.splice(index, 1);
      },
    };
  }

  override load(address: PhysicalAddress, width: HandlerWidth): number {
    this.#tell(address, false);
    return super.load(address, width);
  }

  override store(address: PhysicalAddress, width: HandlerWidth, value: number): boolean {
    this.#tell(address, true);
    return super.store(address, width, value);
  }

  override load64(address: PhysicalAddress, out: Uint32Array): boolean {
    this.#tell(address, false);
    return super.load64(address, out);
  }

  override store64(address: PhysicalAddress, low: number, high: number): boolean {
    this.#tell(address, true);
    return super.store64(address, low, high);
  }

  #tell(address: PhysicalAddress, write: boolean): void {
    const { onAccess } = this;
    if (onAccess === undefined) return;
    const found = this.describe(address);
    if (found?.kind === 'trapped' || found?.kind === 'direct') onAccess(found.name, found.kind, write);
  }
}
