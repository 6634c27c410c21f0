import type { HandlerWidth } from '@vmloom/memory';
import type { ConfigEffect, ResetKind } from './effects.js';
import { PciError } from './error.js';

/** Bytes of a conventional function's configuration space; capabilities lie above the header. */
export const CONVENTIONAL_CONFIG_SIZE = 0x100;
/** Bytes of a PCI Express function's configuration space. */
export const EXPRESS_CONFIG_SIZE = 0x1000;

/** What a register makes of a write that touched it. All values are those of the register. */
export interface RegisterWrite {
  readonly before: number;
  readonly after: number;
  /** The bits that were written; 0 in bytes that the write did not touch. */
  readonly written: number;
}

/**
 * One register. Bits that no mask names are read-only; bytes that no register names are zero and
 * read-only (PCIe 7.4: reserved).
 */
export interface ConfigRegister {
  readonly name: string;
  readonly offset: number;
  /** Bytes. */
  readonly size: 1 | 2 | 3 | 4;
  /** The value after power-on; also what read-only bits always are unless the model sets them. 0 unless told. */
  readonly value?: number;
  /** RW bits. */
  readonly write?: number;
  /** RW1C bits: the model sets them, software clears them by writing 1. */
  readonly clear?: number;
  /** RWS, RW1CS and ROS bits: they survive every reset but power-on. */
  readonly sticky?: number;
  /** Bits that survive a function level reset alone (PCIe 6.6.2 lists them). */
  readonly held?: number;
  /** Bits that the model drives (a link that is up, a card that is present): no reset touches them. */
  readonly live?: number;
  /** Says what the write means. Called once per write, after the bits are stored. */
  effect?(write: RegisterWrite): ConfigEffect | readonly ConfigEffect[] | undefined;
}

const NO_EFFECTS: readonly ConfigEffect[] = [];

/** The 4 KiB of configuration space of one function, made of described registers. */
export class ConfigSpace {
  readonly #bytes = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #initial = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #write = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #clear = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #sticky = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #held = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #live = new Uint8Array(EXPRESS_CONFIG_SIZE);
  readonly #registers: ConfigRegister[] = [];
  readonly #at: (ConfigRegister | undefined)[] = new Array<ConfigRegister | undefined>(EXPRESS_CONFIG_SIZE);

  /** @throws PciError bad-option when the register lies outside, or over another one */
  define(...registers: readonly ConfigRegister[]): void {
    for (const register of registers) this.#define(register);
  }

  /** All registers in ascending order. */
  get registers(): readonly ConfigRegister[] {
    return [...this.#registers].sort((a, b) => a.offset - b.offset);
  }

  /** True when no register has a byte in the range. */
  isFree(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length; at++) if (this.#at[at] !== undefined) return false;
    return true;
  }

  /** An unsigned value. The access must lie inside the space; the fabric sees to that. */
  read(offset: number, width: HandlerWidth | 3): number {
    let value = 0;
    for (let index = width - 1; index >= 0; index--) value = value * 0x100 + this.#bytes[offset + index];
    return value;
  }

  /** A write by software: masks hold, and the answer says what has to happen now. */
  write(offset: number, width: HandlerWidth, value: number): readonly ConfigEffect[] {
    const touched = new Map<ConfigRegister, number>();
    for (let index = 0; index < width; index++) {
      const register = this.#at[offset + index];
      if (register !== undefined && !touched.has(register)) {
        touched.set(register, this.read(register.offset, register.size));
      }
    }
    if (touched.size === 0) return NO_EFFECTS;
    for (let index = 0; index < width; index++) {
      const at = offset + index;
      const byte = (value >>> (8 * index)) & 0xff;
      const mask = this.#write[at];
      this.#bytes[at] = ((this.#bytes[at] & ~mask) | (byte & mask)) & ~(byte & this.#clear[at]);
    }
    let effects: ConfigEffect[] | undefined;
    for (const [register, before] of touched) {
      if (register.effect === undefined) continue;
      const after = this.read(register.offset, register.size);
      const shift = 8 * (offset - register.offset);
      const bits = width === 4 ? value >>> 0 : value & (2 ** (8 * width) - 1);
      const shifted = (shift >= 0 ? bits << shift : bits >>> -shift) >>> 0;
      const written = register.size === 4 ? shifted : shifted & (2 ** (8 * register.size) - 1);
      const effect = register.effect({ before, after, written });
      if (effect !== undefined) effects = (effects ?? []).concat(effect);
    }
    return effects ?? NO_EFFECTS;
  }

  /** The model stores a value, past all masks. */
  set(offset: number, size: 1 | 2 | 3 | 4, value: number): void {
    for (let index = 0; index < size; index++) this.#bytes[offset + index] = value >>> (8 * index);
  }

  /** The model sets bits of a 16-bit register. */
  setBits(offset: number, bits: number): void {
    this.set(offset, 2, this.read(offset, 2) | bits);
  }

  /** The model clears bits of a 16-bit register. */
  clearBits(offset: number, bits: number): void {
    this.set(offset, 2, this.read(offset, 2) & ~bits);
  }

  /** The model changes what a register is from power-on, past all masks, and sets it to that now. */
  setInitial(offset: number, size: 1 | 2 | 3 | 4, value: number): void {
    this.set(offset, size, value);
    for (let index = 0; index < size; index++) this.#initial[offset + index] = value >>> (8 * index);
  }

  /** The model changes which bits of a register software can write: a BAR that grows with the page size. */
  setWritable(offset: number, size: 1 | 2 | 3 | 4, mask: number): void {
    for (let index = 0; index < size; index++) this.#write[offset + index] = mask >>> (8 * index);
  }

  /** Back to initial values; sticky bits keep theirs unless the reset is power-on, live bits always. */
  reset(kind: ResetKind): void {
    for (let at = 0; at < EXPRESS_CONFIG_SIZE; at++) {
      const sticky = kind === 'power-on' ? 0 : this.#sticky[at];
      const kept = this.#live[at] | sticky | (kind === 'function' ? this.#held[at] : 0);
      this.#bytes[at] = (this.#bytes[at] & kept) | (this.#initial[at] & ~kept);
    }
  }

  /** A copy of all bytes, for snapshots and dumps. */
  bytes(length = EXPRESS_CONFIG_SIZE): Uint8Array {
    return this.#bytes.slice(0, length);
  }

  /** Takes what {@link bytes} gave; read-only bits stay as the model has them. */
  restoreBytes(bytes: Uint8Array): void {
    for (let at = 0; at < EXPRESS_CONFIG_SIZE; at++) {
      const mask = this.#write[at] | this.#clear[at] | this.#sticky[at] | this.#live[at];
      this.#bytes[at] = (this.#bytes[at] & ~mask) | ((bytes[at] ?? 0) & mask);
    }
  }

  #define(register: ConfigRegister): void {
    const { name, offset, size } = register;
    if (offset < 0 || offset + size > EXPRESS_CONFIG_SIZE) {
      throw new PciError(
        'bad-option',
        `register ${name} lies outside configuration space (0x${offset.toString(16)})`,
      );
    }
    for (let index = 0; index < size; index++) {
      const other = this.#at[offset + index];
      if (other !== undefined) {
        throw new PciError(
          'bad-option',
          `register ${name} overlaps ${other.name} at 0x${offset.toString(16)}`,
        );
      }
      this.#at[offset + index] = register;
      const byte = (value: number | undefined): number => ((value ?? 0) >>> (8 * index)) & 0xff;
      this.#bytes[offset + index] = this.#initial[offset + index] = byte(register.value);
      this.#write[offset + index] = byte(register.write);
      this.#clear[offset + index] = byte(register.clear);
      this.#sticky[offset + index] = byte(register.sticky);
      this.#held[offset + index] = byte(register.held);
      this.#live[offset + index] = byte(register.live);
    }
    this.#registers.push(register);
  }
}
