import type { InterruptLine } from '@vmloom/device';
import { joinAddress, UNMAPPABLE, type AddressSpace } from '@vmloom/memory';
import type { RegisterFile } from './register-file.js';
import * as R from './registers.js';

/** Vectors that a cause can be given: two bits of each field of icvec are there. */
export const VECTORS = 4;

export interface InterruptOptions {
  readonly registers: RegisterFile;
  readonly space: AddressSpace;
  /** Wires by vector; none: interrupts are messages alone. */
  readonly lines: readonly InterruptLine[];
  /** In place of msi_cfg_tbl: signals a vector of an MSI-X capability. */
  readonly signal?: ((vector: number) => void) | undefined;
  /** Has {@link IommuInterrupts.deliver} called by the next event. */
  readonly schedule: () => void;
  /** A message could not be written (cause 273). */
  readonly onFault: (low: number, high: number) => void;
}

/** ipsr, icvec and the ways out: wires (WSI) or messages (6.25, 6.26 and 6.22). */
export class IommuInterrupts {
  /** Bit n: a message of vector n is on its way, or waits for its mask. */
  #pending = 0;

  constructor(private readonly options: InterruptOptions) {}

  /** A cause occurred: its bit becomes 1, and a message leaves when it was 0. */
  raise(cause: number): void {
    const { registers } = this.options;
    if ((registers.get(R.IPSR) & (1 << cause)) !== 0) return;
    registers.change(R.IPSR, 1 << cause);
    if ((registers.get(R.FCTL) & R.FCTL_WSI) === 0) {
      this.#pending |= 1 << this.#vector(cause);
      this.options.schedule();
    }
    this.update();
  }

  /** Software writes ipsr: ones clear. A cause whose condition persists comes back through `raise`. */
  acknowledge(value: number): void {
    this.options.registers.change(R.IPSR, 0, value & 15);
    this.update();
  }

  /** Brings the wires in line with ipsr, icvec and fctl. */
  update(): void {
    const { registers, lines } = this.options;
    const wired = (registers.get(R.FCTL) & R.FCTL_WSI) !== 0;
    let levels = 0;
    for (let cause = 0; cause < R.IP_CAUSES; cause++) {
      if (wired && (registers.get(R.IPSR) & (1 << cause)) !== 0) levels |= 1 << this.#vector(cause);
    }
    lines.forEach((line, vector) => line.set((levels & (1 << vector)) !== 0));
  }

  /** A vector was unmasked: its message may leave. */
  unmasked(): void {
    if (this.#pending !== 0) this.options.schedule();
  }

  /** By the event: messages that wait leave. */
  deliver(): void {
    const { registers, signal } = this.options;
    const pending = this.#pending;
    for (let vector = 0; vector < VECTORS; vector++) {
      if ((pending & (1 << vector)) === 0) continue;
      if (signal === undefined && (registers.get(entry(vector) + 12) & 1) !== 0) continue;
      this.#pending &= ~(1 << vector);
      if (signal !== undefined) signal(vector);
      else this.#write(vector);
    }
  }

  reset(): void {
    this.#pending = 0;
    this.update();
  }

  save(): number {
    return this.#pending;
  }

  restore(pending: number): void {
    this.#pending = pending;
    this.update();
  }

  #vector(cause: number): number {
    return (this.options.registers.get(R.ICVEC) >>> (4 * cause)) & (VECTORS - 1);
  }

  #write(vector: number): void {
    const { registers, space, onFault } = this.options;
    const [low, high, data] = [0, 4, 8].map((at) => registers.get(entry(vector) + at));
    const bigEndian = (registers.get(R.FCTL) & R.FCTL_BE) !== 0;
    const address = joinAddress(low, high);
    if (address === UNMAPPABLE || !space.store(address, 4, bigEndian ? swap32(data) : data)) {
      onFault(low, high);
    }
  }
}

const entry = (vector: number): number => R.MSI_CFG_TBL + 16 * vector;

/** The four bytes in the other order. */
export function swap32(value: number): number {
  return (
    ((value >>> 24) | ((value >>> 8) & 0xff00) | ((value << 8) & 0xff_0000) | ((value << 24) >>> 0)) >>> 0
  );
}
