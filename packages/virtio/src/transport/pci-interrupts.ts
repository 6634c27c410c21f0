import type { SnapshotValue } from '@vmloom/device';
import type { PciFunction } from '@vmloom/pci';

/** 4.1.5.1.2: no vector is mapped. */
export const NO_VECTOR = 0xffff;

const ISR_QUEUE = 1;
const ISR_CONFIG = 2;

/** ISR status and the mapping of events to MSI-X vectors (4.1.4.5, 4.1.5.1.2, 4.1.5.3, 4.1.5.4). */
export class PciInterrupts {
  readonly #function: PciFunction;
  /** Vectors in the MSI-X table; 0 without MSI-X. */
  readonly #vectors: number;
  #status = 0;
  #config = NO_VECTOR;
  readonly #queues: number[];

  constructor(fn: PciFunction, vectors: number, queues: number) {
    this.#function = fn;
    this.#vectors = vectors;
    this.#queues = new Array<number>(queues).fill(NO_VECTOR);
  }

  get msix(): boolean {
    return this.#function.interrupt.mode === 'msix';
  }

  queueInterrupt(queue: number): void {
    if (this.msix) return this.#send(this.#queues[queue] ?? NO_VECTOR);
    this.#status |= ISR_QUEUE;
    this.#function.interrupt.set(true);
  }

  /** 4.1.4.5.1: the configuration bit is set in every mode. */
  configInterrupt(): void {
    this.#status |= ISR_CONFIG;
    if (this.msix) this.#send(this.#config);
    else this.#function.interrupt.set(true);
  }

  /** 4.1.4.5.1: the driver reads ISR status, which clears it. */
  takeStatus(): number {
    const status = this.#status;
    this.#status = 0;
    this.#function.interrupt.set(false);
    return status;
  }

  get configVector(): number {
    return this.#config;
  }

  /** A vector that does not exist reads back as NO_VECTOR (4.1.5.1.2.1). */
  set configVector(vector: number) {
    this.#config = this.#valid(vector);
  }

  queueVector(queue: number): number {
    return this.#queues[queue] ?? NO_VECTOR;
  }

  setQueueVector(queue: number, vector: number): void {
    if (queue < this.#queues.length) this.#queues[queue] = this.#valid(vector);
  }

  reset(): void {
    this.#status = 0;
    this.#config = NO_VECTOR;
    this.#queues.fill(NO_VECTOR);
    this.#function.interrupt.set(false);
  }

  save(): SnapshotValue {
    return { status: this.#status, config: this.#config, queues: [...this.#queues] };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { status: number; config: number; queues: number[] };
    this.#status = saved.status;
    this.#config = saved.config;
    saved.queues.forEach((vector, index) => (this.#queues[index] = vector));
  }

  #valid(vector: number): number {
    return vector < this.#vectors ? vector : NO_VECTOR;
  }

  #send(vector: number): void {
    if (vector !== NO_VECTOR) this.#function.interrupt.send(vector);
  }
}
