import type { Counter, Ledger } from './ledger.js';

/** How a register answers a read. */
export type ReadBehaviour =
  /** Its value. */
  | 'value'
  /** Its value, which is cleared. */
  | 'clear'
  /** The upper half of a 64-bit counter: its value; both halves are cleared. */
  | 'clear64'
  /** Zero: write-only. */
  | 'zero';

/** One register of 32 bits, or an array of `count` registers `stride` bytes apart. */
export interface RegisterDefinition<Group extends string = string> {
  readonly name: string;
  readonly offset: number;
  /** Bits that a plain write changes; 0: read-only. */
  readonly mask: number;
  /** Value after power-on and reset, or that no reset changes it. What a manual calls unknown is 0. */
  readonly reset?: number | 'kept';
  readonly count?: number;
  readonly stride?: number;
  readonly read?: ReadBehaviour;
  /** A second address of the register. */
  readonly alias?: number;
  /** Bytes between the second addresses of an array, `stride` unless told, and how many have one, all unless told. */
  readonly aliasStride?: number;
  readonly aliasCount?: number;
  /** What reads and writes are counted under in the ledger. */
  readonly group: Group;
}

const KNOWN = 1;
const CLEAR = 2;
const CLEAR_64 = 4;
const ZERO = 8;

/** Behaviour of one register beyond its mask: called after the default, with the value written. */
export type WriteHook = (value: number) => void;
/** Called before a read takes the value. */
export type ReadHook = () => void;
/** Called for a read: what it answers. */
export type ReadAnswer = () => number;

/**
 * The 32-bit registers of a device by offset. Their values lie in an image that the device's core may see too;
 * masks, reset values and read behaviour come from a table.
 */
export class RegisterFile {
  readonly #flags: Uint8Array;
  readonly #masks: Uint32Array;
  readonly #resets: Uint32Array;
  /** Indices of the registers that no reset changes. */
  readonly #kept: number[] = [];
  /** Index of the register that an address (alias or not) leads to. */
  readonly #index: Uint16Array;
  readonly #writeHooks: (WriteHook | undefined)[] = [];
  readonly #readHooks: (ReadHook | undefined)[] = [];
  readonly #answers: (ReadAnswer | undefined)[] = [];
  readonly #reads: Counter[] = [];
  readonly #writes: Counter[] = [];
  readonly #strayReads: Counter;
  readonly #strayWrites: Counter;

  /** `image`: a word for each address from 0 on, at most 65,536. */
  constructor(
    readonly image: Uint32Array,
    definitions: readonly RegisterDefinition[],
    ledger: Ledger,
    owner: string,
  ) {
    const words = image.length;
    this.#flags = new Uint8Array(words);
    this.#masks = new Uint32Array(words);
    this.#resets = new Uint32Array(words);
    this.#index = new Uint16Array(words);
    this.#index.forEach((_, index, array) => (array[index] = index));
    this.#strayReads = ledger.counter(owner, 'register-read', 'reserved');
    this.#strayWrites = ledger.counter(owner, 'register-write', 'reserved');
    for (const {
      offset,
      mask,
      reset = 0,
      count = 1,
      stride = 4,
      read = 'value',
      group,
      ...more
    } of definitions) {
      const { alias, aliasStride = stride, aliasCount = count } = more;
      for (let nth = 0; nth < count; nth++) {
        const index = (offset + nth * stride) >> 2;
        this.#flags[index] = KNOWN | { value: 0, clear: CLEAR, clear64: CLEAR_64, zero: ZERO }[read];
        this.#masks[index] = mask;
        if (reset === 'kept') this.#kept.push(index);
        else this.#resets[index] = reset;
        this.#reads[index] = ledger.counter(owner, 'register-read', group);
        this.#writes[index] = ledger.counter(owner, 'register-write', group);
        if (alias !== undefined && nth < aliasCount) this.#index[(alias + nth * aliasStride) >> 2] = index;
      }
    }
    this.reset();
  }

  /** Every register to its reset value, but for those that no reset changes. */
  reset(): void {
    for (const index of this.#kept) this.#resets[index] = this.image[index];
    this.image.set(this.#resets);
  }

  /** The reset value of one register. */
  resetValue(offset: number): number {
    return this.#resets[offset >> 2];
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

  /** A read of the register is answered by `answer`, whatever the table says. */
  answerRead(offset: number, answer: ReadAnswer): void {
    this.#answers[offset >> 2] = answer;
  }

  /** A 32-bit read by software. A reserved address reads as 0. */
  read(offset: number): number {
    const index = this.#index[offset >> 2] ?? 0;
    const flags = offset >>> 2 < this.image.length ? this.#flags[index] : 0;
    if (flags === 0) {
      this.#strayReads.value++;
      return 0;
    }
    this.#reads[index].value++;
    if ((flags & ZERO) !== 0) return 0;
    const answer = this.#answers[index];
    if (answer !== undefined) return answer() >>> 0;
    this.#readHooks[index]?.();
    const { image } = this;
    const value = image[index];
    if ((flags & CLEAR) !== 0) image[index] = 0;
    else if ((flags & CLEAR_64) !== 0) image[index] = image[index - 1] = 0;
    return value;
  }

  /** A 32-bit write by software. A reserved address ignores it. */
  write(offset: number, value: number): void {
    const index = this.#index[offset >> 2] ?? 0;
    if (offset >>> 2 >= this.image.length || this.#flags[index] === 0) {
      this.#strayWrites.value++;
      return;
    }
    this.#writes[index].value++;
    const mask = this.#masks[index];
    this.image[index] = (this.image[index] & ~mask) | (value & mask);
    this.#writeHooks[index]?.(value >>> 0);
  }
}
