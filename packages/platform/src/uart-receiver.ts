import type { SnapshotValue } from '@vmloom/device';
import { LSR_DATA_READY, LSR_ERRORS, LSR_FIFO_ERROR, LSR_OVERRUN } from './uart-registers.js';

const FIFO_SIZE = 16;
/** Errors that travel with a character through the FIFO. */
const CHARACTER_ERRORS = LSR_ERRORS & ~LSR_OVERRUN;
/** Where a character's errors are kept beside its byte. */
const ERRORS_SHIFT = 8;

/** The receiving half of a 16550: a holding register, or a FIFO of 16 characters with their errors. */
export class UartReceiver {
  #fifo = false;
  #characters: number[] = [];
  #overrun = false;
  /** Error bits of LSR: those of every character that came to the top since LSR was read. */
  #shown = 0;

  get length(): number {
    return this.#characters.length;
  }

  get hasRoom(): boolean {
    return this.#characters.length < (this.#fifo ? FIFO_SIZE : 1);
  }

  /** Whether the line status interrupt is due. */
  get hasError(): boolean {
    return this.#overrun || this.#shown !== 0;
  }

  /** Empties the receiver and gives it a FIFO or a holding register. */
  reset(fifo: boolean): void {
    this.#fifo = fifo;
    this.#characters = [];
    this.#shown = 0;
  }

  /** Takes a character with its LSR error bits; 8.4 bit 1 says what happens where there is no room. */
  push(byte: number, errors: number): void {
    const character = byte | ((errors & CHARACTER_ERRORS) << ERRORS_SHIFT);
    if (!this.hasRoom) {
      this.#overrun = true;
      // A full FIFO keeps what it has, the holding register is overwritten.
      if (this.#fifo) return;
      this.#characters.length = 0;
    }
    this.#characters.push(character);
    if (this.#characters.length === 1) this.#shown |= character >>> ERRORS_SHIFT;
  }

  /** The character on top; undefined when there is none. */
  shift(): number | undefined {
    const character = this.#characters.shift();
    if (character === undefined) return undefined;
    if (this.#characters.length > 0) this.#shown |= this.#characters[0] >>> ERRORS_SHIFT;
    return character & 0xff;
  }

  /** The receiver's bits of LSR; reading them clears the errors that they show. */
  readStatus(): number {
    const damaged = this.#fifo && this.#characters.some((character) => character >>> ERRORS_SHIFT !== 0);
    const status =
      (this.#characters.length > 0 ? LSR_DATA_READY : 0) |
      (this.#overrun ? LSR_OVERRUN : 0) |
      this.#shown |
      (damaged ? LSR_FIFO_ERROR : 0);
    this.#overrun = false;
    this.#shown = 0;
    if (this.#characters.length > 0) this.#characters[0] &= 0xff;
    return status;
  }

  /** Forgets an overrun too, as master reset does. */
  clear(): void {
    this.reset(false);
    this.#overrun = false;
  }

  save(): { readonly [name: string]: SnapshotValue } {
    return {
      fifo: this.#fifo,
      characters: [...this.#characters],
      overrun: this.#overrun,
      shown: this.#shown,
    };
  }

  restore(saved: { readonly [name: string]: SnapshotValue }): void {
    this.#fifo = saved['fifo'] as boolean;
    this.#characters = [...(saved['characters'] as number[])];
    this.#overrun = saved['overrun'] as boolean;
    this.#shown = saved['shown'] as number;
  }
}
