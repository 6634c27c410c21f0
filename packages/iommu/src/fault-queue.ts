import type { Counter, Ledger } from '@vmloom/device';
import type { AddressSpace } from '@vmloom/memory';
import * as C from './codes.js';
import type { IommuInterrupts } from './interrupts.js';
import { entryAddress, nextIndex, storeWords } from './queue-place.js';
import type { RegisterFile } from './register-file.js';
import * as R from './registers.js';

/** What a fault record tells (4.2). Words are 32-bit halves. */
export interface Fault {
  readonly cause: number;
  /** TTYP_* */
  readonly type: number;
  readonly device: number;
  /** With PROCESS_VALID and PROCESS_PRIVILEGED. */
  readonly process: number;
  readonly iotval: readonly [low: number, high: number];
  readonly iotval2: readonly [low: number, high: number];
}

const RECORD_BYTES = 32;
/** Reported although DTF is 1 (4.2, table of causes). */
const DESPITE_DTF: ReadonlySet<number> = new Set([
  C.CAUSE_ALL_DISALLOWED,
  C.CAUSE_DDT_ACCESS,
  C.CAUSE_DDT_INVALID,
  C.CAUSE_DDT_MISCONFIGURED,
  C.CAUSE_MSI_WRITE_ACCESS,
]);

/** The fault queue: the IOMMU produces, software consumes. */
export class FaultQueue {
  readonly #counters = new Map<number, Counter>();

  constructor(
    private readonly registers: RegisterFile,
    private readonly space: AddressSpace,
    private readonly interrupts: IommuInterrupts,
    private readonly ledger: Ledger,
    private readonly name: string,
  ) {}

  /** Records a fault, unless the context disabled that, the queue is off or has an error bit set. */
  report(fault: Fault, disabled = false): void {
    this.#count(fault.cause);
    const { registers } = this;
    const status = registers.get(R.FQCSR);
    if ((status & R.QUEUE_ON) === 0 || (status & (R.QUEUE_MEMORY_FAULT | R.QUEUE_OVERFLOW)) !== 0) return;
    if (disabled && !DESPITE_DTF.has(fault.cause)) return;
    const tail = registers.get(R.FQT);
    const next = nextIndex(registers, R.FQB, tail);
    if (next === registers.get(R.FQH)) registers.change(R.FQCSR, R.QUEUE_OVERFLOW);
    else if (this.#store(fault, tail)) registers.set(R.FQT, next);
    else registers.change(R.FQCSR, R.QUEUE_MEMORY_FAULT);
    if ((status & R.QUEUE_INTERRUPT_ENABLE) !== 0) this.interrupts.raise(R.IP_FAULT);
  }

  #store(fault: Fault, index: number): boolean {
    const { registers, space } = this;
    const hasProcess = (fault.process & C.PROCESS_VALID) !== 0;
    const process = hasProcess ? fault.process & 0xf_ffff : 0;
    const privileged = hasProcess && (fault.process & C.PROCESS_PRIVILEGED) !== 0;
    const words = [
      ((process << 12) | fault.cause) >>> 0,
      ((fault.device << 8) | (fault.type << 2) | (privileged ? 2 : 0) | (hasProcess ? 1 : 0)) >>> 0,
      0,
      0,
      ...fault.iotval,
      ...fault.iotval2,
    ];
    const address = entryAddress(registers, R.FQB, index, RECORD_BYTES);
    return storeWords(space, address, words, (registers.get(R.FCTL) & R.FCTL_BE) !== 0);
  }

  #count(cause: number): void {
    let counter = this.#counters.get(cause);
    if (counter === undefined) {
      counter = this.ledger.counter(this.name, 'fault', String(cause));
      this.#counters.set(cause, counter);
    }
    counter.value++;
  }
}
