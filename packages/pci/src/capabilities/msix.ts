import { expectSnapshot, type Snapshot } from '@vmloom/device';
import type { MmioHandler } from '@vmloom/memory';
import { Capability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { PciError } from '../error.js';
import type { PciFunction } from '../function.js';
import type { Message, MessageSource } from '../interrupts.js';
import { CAPABILITY_MSIX } from '../registers.js';

export interface MsixOptions {
  /** 1 to 2048. */
  readonly vectors: number;
  /** The number of a memory BAR that the function already has. */
  readonly bar: number;
  /** Where the table begins in the BAR, a multiple of 8. 0 unless told. */
  readonly tableOffset?: number;
  /** The BAR of the pending bits; that of the table unless told. */
  readonly pendingBar?: number;
  /** A multiple of 8; right behind the table, at the next multiple of 2 KiB, unless told. */
  readonly pendingOffset?: number;
}

const CONTROL = 2;
const ENABLE = 1 << 15;
const FUNCTION_MASK = 1 << 14;
const ENTRY = 16;
const VECTOR_MASKED = 1;

/** MSI-X: a table of messages and a bit array of pending ones, both behind BARs (PCIe 7.7.2). */
export class MsixCapability extends Capability implements MessageSource {
  readonly id = CAPABILITY_MSIX;
  readonly name = 'MSI-X';
  readonly mode = 'msix';
  readonly size = 12;
  readonly vectors: number;
  readonly #options: Required<MsixOptions>;
  /** Four words per vector: address, upper address, data, vector control. */
  readonly #table: Uint32Array;
  readonly #pending: Uint32Array;

  /** @throws PciError bad-capability */
  constructor(options: MsixOptions) {
    super();
    const { vectors, bar, tableOffset = 0 } = options;
    if (!Number.isInteger(vectors) || vectors < 1 || vectors > 2048) {
      throw new PciError('bad-capability', `MSI-X has 1 to 2048 vectors, not ${vectors}`);
    }
    const behind = Math.ceil((tableOffset + vectors * ENTRY) / 2048) * 2048;
    const { pendingBar = bar, pendingOffset = behind } = options;
    if (tableOffset % 8 !== 0 || pendingOffset % 8 !== 0) {
      throw new PciError('bad-capability', 'the MSI-X table and its pending bits begin at multiples of 8');
    }
    this.#options = { vectors, bar, tableOffset, pendingBar, pendingOffset };
    this.vectors = vectors;
    // Pending bits are read in units of 64 bits.
    this.#pending = new Uint32Array(Math.ceil(vectors / 64) * 2);
    this.#table = new Uint32Array(vectors * 4);
    this.onReset();
  }

  override added(owner: PciFunction): void {
    super.added(owner);
    owner.interrupt.addSource(this);
    const { bar, tableOffset, pendingBar, pendingOffset } = this.#options;
    const common = { widths: [4, 8] as const };
    owner.bar(bar).addRegion({
      ...common,
      name: 'msix-table',
      offset: tableOffset,
      size: this.#table.length * 4,
      handler: this.#tableHandler,
    });
    owner.bar(pendingBar).addRegion({
      ...common,
      name: 'msix-pending',
      offset: pendingOffset,
      size: this.#pending.length * 4,
      handler: { read: (at) => this.#pending[at >>> 2] ?? 0, write: () => undefined },
    });
  }

  registers(offset: number): readonly ConfigRegister[] {
    const { bar, tableOffset, pendingBar, pendingOffset } = this.#options;
    return [
      {
        name: 'msix control',
        offset: offset + CONTROL,
        size: 2,
        value: this.vectors - 1,
        write: ENABLE | FUNCTION_MASK,
        effect: () => [{ kind: 'interrupt-mode' }, { kind: 'messages' }],
      },
      { name: 'msix table', offset: offset + 4, size: 4, value: tableOffset + bar },
      { name: 'msix pending', offset: offset + 8, size: 4, value: pendingOffset + pendingBar },
    ];
  }

  get enabled(): boolean {
    return this.owned && (this.read16(CONTROL) & ENABLE) !== 0;
  }

  fold(vector: number): number {
    if (vector >= 0 && vector < this.vectors) return vector;
    throw new PciError('bad-option', `vector ${vector} is signalled, but MSI-X has ${this.vectors}`);
  }

  masked(vector: number): boolean {
    const all = (this.read16(CONTROL) & FUNCTION_MASK) !== 0;
    return all || (this.#table[vector * 4 + 3] & VECTOR_MASKED) !== 0;
  }

  isPending(vector: number): boolean {
    return ((this.#pending[vector >>> 5] >>> (vector & 31)) & 1) !== 0;
  }

  setPending(vector: number, pending: boolean): void {
    const bit = 1 << (vector & 31);
    if (pending) this.#pending[vector >>> 5] |= bit;
    else this.#pending[vector >>> 5] &= ~bit;
  }

  message(vector: number): Message {
    const [addressLow, addressHigh, data] = this.#table.subarray(vector * 4, vector * 4 + 3) as unknown as [
      number,
      number,
      number,
    ];
    return { addressLow, addressHigh, data };
  }

  override onReset(): void {
    this.#pending.fill(0);
    this.#table.fill(0);
    for (let vector = 0; vector < this.vectors; vector++) this.#table[vector * 4 + 3] = VECTOR_MASKED;
  }

  override save(): Snapshot {
    return { type: 'msix', version: 1, table: [...this.#table], pending: [...this.#pending] };
  }

  override restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'msix', 1);
    this.#table.set(snapshot['table'] as number[]);
    this.#pending.set(snapshot['pending'] as number[]);
  }

  override fields(): CapabilityFields {
    const control = this.read16(CONTROL);
    return { enabled: this.enabled, masked: (control & FUNCTION_MASK) !== 0, vectors: this.vectors };
  }

  readonly #tableHandler: MmioHandler = {
    read: (at) => this.#table[at >>> 2] ?? 0,
    write: (at, _width, value) => {
      const word = at >>> 2;
      // 7.7.2.5 to 7.7.2.8: the two low bits of the address are 0; of vector control the mask bit alone is there.
      if ((word & 3) === 0) this.#table[word] = value & ~3;
      else if ((word & 3) === 3) {
        this.#table[word] = value & VECTOR_MASKED;
        this.owner.interrupt.release();
      } else this.#table[word] = value;
    },
  };
}
