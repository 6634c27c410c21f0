import { expectSnapshot, type Snapshot } from '@vmloom/device';
import { Capability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { PciError } from '../error.js';
import type { PciFunction } from '../function.js';
import type { Message, MessageSource } from '../interrupts.js';
import { CAPABILITY_MSI } from '../registers.js';

export interface MsiOptions {
  /** Messages the device is able to send: 1, 2, 4, 8, 16 or 32. 1 unless told. */
  readonly vectors?: number;
  /** False: a 32-bit address register. True unless told. */
  readonly address64?: boolean;
  /** Mask and pending registers. True unless told. */
  readonly masking?: boolean;
}

const CONTROL = 2;
const ADDRESS = 4;
const ENABLE = 1;
const MASKING = 1 << 8;

/** Message signalled interrupts (PCIe 7.7.1). */
export class MsiCapability extends Capability implements MessageSource {
  readonly id = CAPABILITY_MSI;
  readonly name = 'MSI';
  readonly mode = 'msi';
  readonly capable: number;
  readonly address64: boolean;
  readonly masking: boolean;

  /** @throws PciError bad-capability */
  constructor(options: MsiOptions = {}) {
    super();
    this.capable = options.vectors ?? 1;
    this.address64 = options.address64 ?? true;
    this.masking = options.masking ?? true;
    if (![1, 2, 4, 8, 16, 32].includes(this.capable)) {
      throw new PciError('bad-capability', `MSI has 1, 2, 4, 8, 16 or 32 vectors, not ${this.capable}`);
    }
  }

  get size(): number {
    return this.#dataAt + (this.masking ? 12 : 2);
  }

  override added(owner: PciFunction): void {
    super.added(owner);
    owner.interrupt.addSource(this);
  }

  registers(offset: number): readonly ConfigRegister[] {
    const messages = { kind: 'messages' } as const;
    const multiple = Math.log2(this.capable);
    const control = (multiple << 1) | (this.address64 ? 1 << 7 : 0) | (this.masking ? MASKING : 0);
    const list: ConfigRegister[] = [
      {
        name: 'msi control',
        offset: offset + CONTROL,
        size: 2,
        value: control,
        write: 0x70 | ENABLE,
        effect: () => [{ kind: 'interrupt-mode' }, messages],
      },
      { name: 'msi address', offset: offset + ADDRESS, size: 4, write: 0xffff_fffc },
      { name: 'msi data', offset: offset + this.#dataAt, size: 2, write: 0xffff },
    ];
    if (this.address64) {
      list.push({ name: 'msi upper address', offset: offset + ADDRESS + 4, size: 4, write: 0xffff_ffff });
    }
    if (this.masking) {
      const write = 2 ** this.capable - 1;
      list.push({ name: 'msi mask', offset: offset + this.#maskAt, size: 4, write, effect: () => messages });
      list.push({ name: 'msi pending', offset: offset + this.#maskAt + 4, size: 4 });
    }
    return list;
  }

  get enabled(): boolean {
    return this.owned && (this.read16(CONTROL) & ENABLE) !== 0;
  }

  /** Those the guest allocated; never more than the device is capable of, whatever was written. */
  get vectors(): number {
    return Math.min(1 << ((this.read16(CONTROL) >>> 4) & 7), this.capable);
  }

  fold(vector: number): number {
    return vector & (this.vectors - 1);
  }

  masked(vector: number): boolean {
    return this.masking && ((this.read32(this.#maskAt) >>> vector) & 1) !== 0;
  }

  isPending(vector: number): boolean {
    return this.masking && ((this.read32(this.#maskAt + 4) >>> vector) & 1) !== 0;
  }

  setPending(vector: number, pending: boolean): void {
    if (!this.masking) return;
    const bits = this.read32(this.#maskAt + 4);
    const bit = 1 << vector;
    this.owner.config.set(this.offset + this.#maskAt + 4, 4, pending ? bits | bit : bits & ~bit);
  }

  message(vector: number): Message {
    const data = this.read16(this.#dataAt);
    return {
      addressLow: this.read32(ADDRESS),
      addressHigh: this.address64 ? this.read32(ADDRESS + 4) : 0,
      data: (data & ~(this.vectors - 1)) | vector,
    };
  }

  override save(): Snapshot {
    return { type: 'msi', version: 1, pending: this.masking ? this.read32(this.#maskAt + 4) : 0 };
  }

  override restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'msi', 1);
    if (this.masking) this.owner.config.set(this.offset + this.#maskAt + 4, 4, snapshot['pending'] as number);
  }

  override fields(): CapabilityFields {
    return {
      enabled: this.enabled,
      vectors: `${this.vectors}/${this.capable}`,
      masking: this.masking,
      ...this.message(0),
    };
  }

  get #dataAt(): number {
    return this.address64 ? 12 : 8;
  }

  get #maskAt(): number {
    return this.#dataAt + 4;
  }
}
