import type { Counter, Ledger } from '@vmloom/device';
import { REGISTERS, type RegisterGroup } from './register-table.js';

/** Bytes of the register image; see `coreState` in layouts.ts. */
export const REGISTER_BYTES = 0xa000;

const KNOWN = 1;
const CLEAR = 2;
const CLEAR_64 = 4;
const ZERO = 8;

/** Behaviour of one register beyond its mask: called after the default, with the value written. */
export type WriteHook = (value: number) => void;
/** Called before a read takes the value. */
export type ReadHook = () => void;

/**
 * The registers by offset. Their values lie in the host's reserve, where the core sees them too; masks,
 * reset values and read behaviour come from the table.
 */
export class RegisterFile {
  readonly #flags = new Uint8Array(REGISTER_BYTES >> 2);
  readonly #masks = new Uint32Array(REGISTER_BYTES >> 2);
  readonly #resets = new Uint32Array(REGISTER_BYTES >> 2);
  /** Indices of the registers that no reset changes. */
  readonly #kept: number[] = [];
  /** Index of the register that an address (alias or not) leads to. */
  readonly #index = new Uint16Array(REGISTER_BYTES >> 2);
  readonly #writeHooks: (WriteHook | undefined)[] = [];
  readonly #readHooks: (ReadHook | undefined)[] = [];
  readonly #reads: Counter[] = [];
  readonly #writes: Counter[] = [];
  readonly #strayReads: Counter;
  readonly #strayWrites: Counter;

  /** `image` holds REGISTER_BYTES / 4 words. */
  constructor(
    readonly image: Uint32Array,
    ledger: Ledger,
    owner: string,
  ) {
    const counters = (event: string, group: RegisterGroup | 'reserved'): Counter =>
      ledger.counter(owner, event, group);
    this.#strayReads = counters('register-read', 'reserved');
    this.#strayWrites = counters('register-write', 'reserved');
    this.#index.forEach((_, index, array) => (array[index] = index));
    for (const {
      name: _,
      offset,
      mask,
      reset = 0,
      count = 1,
      stride = 4,
      read = 'value',
      alias,
      group,
    } of REGISTERS) {
      for (let nth = 0; nth < count; nth++) {
        const index = (offset + nth * stride) >> 2;
        this.#flags[index] = KNOWN | { value: 0, clear: CLEAR, clear64: CLEAR_64, zero: ZERO }[read];
        this.#masks[index] = mask;
        if (reset === 'kept') this.#kept.push(index);
        else this.#resets[index] = reset;
        this.#reads[index] = counters('register-read', group);
        this.#writes[index] = counters('register-write', group);
        if (alias !== undefined) this.#index[(alias + nth * stride) >> 2] = index;
      }
    }
    this.reset();
  }

  /** Every register to its reset value, but for those that no reset changes. */
  reset(): void {
    for (const index of this.#kept) this.#resets[index] = this.image[index];
    this.image.set(this.#resets);
  }

  get(offset: number): number {
    return this.image[offset >> 2];
  }

  set(offset: number, value: number): void {
    this.image[offset >> 2] = value;
  }

  onWrite(offset: number, hook: WriteHook): void {
    this.#writeHooks[offset >> 2] = hook;
  }

  onRead(offset: number, hook: ReadHook): void {
    this.#readHooks[offset >> 2] = hook;
  }

  /** A 32-bit read by software. A reserved address reads as 0. */
  read(offset: number): number {
    const index = offset >= REGISTER_BYTES ? -1 : this.#index[offset >> 2];
    const flags = index < 0 ? 0 : this.#flags[index];
    if (flags === 0) {
      this.#strayReads.value++;
      return 0;
    }
    this.#reads[index].value++;
    if ((flags & ZERO) !== 0) return 0;
    this.#readHooks[index]?.();
    const { image } = this;
    const value = image[index];
    if ((flags & CLEAR) !== 0) image[index] = 0;
    else if ((flags & CLEAR_64) !== 0) image[index] = image[index - 1] = 0;
    return value;
  }

  /** A 32-bit write by software. A reserved address ignores it. */
  write(offset: number, value: number): void {
    const index = offset >= REGISTER_BYTES ? -1 : this.#index[offset >> 2];
    if (index < 0 || this.#flags[index] === 0) {
      this.#strayWrites.value++;
      return;
    }
    this.#writes[index].value++;
    const mask = this.#masks[index];
    this.image[index] = (this.image[index] & ~mask) | (value & mask);
    this.#writeHooks[index]?.(value >>> 0);
  }
}
