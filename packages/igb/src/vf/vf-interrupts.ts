import type { SnapshotValue } from '@vmloom/device';
import { vfFirstVector, VF_VECTORS, type Interrupts } from '../interrupts.js';
import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import * as V from './vf-register-map.js';

const VECTORS_MASK = (1 << VF_VECTORS) - 1;
const VECTOR = 3;
/** An entry for each direction of both queues. */
const IVAR_MASK = 0x8383_8383;
const IVAR_MISC_MASK = 0x83;

/**
 * The interrupt registers of virtual functions (8.26.2.9 to 8.26.2.17). Bits 2:0 of a function's are three of the
 * controller's 25 vectors: those that {@link vfFirstVector} begins. VTIVAR says which of them a queue sets, VTIVAR_MISC
 * which the mailbox; the vector as the controller counts it lands in the controller's own IVAR.
 */
export class VfInterrupts {
  readonly #registers: RegisterFile;
  readonly #interrupts: Interrupts;
  readonly #ivar = new Uint32Array(R.POOLS);
  readonly #ivarMisc = new Uint32Array(R.POOLS);

  constructor(registers: RegisterFile, interrupts: Interrupts) {
    this.#registers = registers;
    this.#interrupts = interrupts;
  }

  /** Undefined for what is no interrupt register. */
  read(vf: number, offset: number): number | undefined {
    const first = vfFirstVector(vf);
    const window = VECTORS_MASK << first;
    const part = (register: number): number => (this.#registers.get(register) & window) >>> first;
    if (isModeration(offset)) return this.#registers.read(moderation(vf, offset));
    switch (offset) {
      case V.VT_EICR:
        return this.#interrupts.readCauses(window) >>> first;
      case V.VT_EIMS:
        return part(R.REG_EIMS);
      case V.VT_EIAC:
        return part(R.REG_EIAC);
      case V.VT_EIAM:
        return part(R.REG_EIAM);
      case V.VT_EICS:
      case V.VT_EIMC:
        return 0;
      case V.VT_IVAR:
        return this.#ivar[vf];
      case V.VT_IVAR_MISC:
        return this.#ivarMisc[vf];
      default:
        return undefined;
    }
  }

  /** False for what is no interrupt register. */
  write(vf: number, offset: number, value: number): boolean {
    const first = vfFirstVector(vf);
    const window = VECTORS_MASK << first;
    const bits = (value & VECTORS_MASK) << first;
    if (isModeration(offset)) {
      this.#registers.write(moderation(vf, offset), value);
      return true;
    }
    switch (offset) {
      case V.VT_EICR:
        this.#interrupts.clearCauses(bits, window);
        return true;
      case V.VT_EICS:
        this.#interrupts.setCauses(bits, window);
        return true;
      case V.VT_EIMS:
        this.#interrupts.setMask(bits, window);
        return true;
      case V.VT_EIMC:
        this.#interrupts.clearMask(bits, window);
        return true;
      case V.VT_EIAC:
        this.#replace(R.REG_EIAC, window, bits);
        return true;
      case V.VT_EIAM:
        this.#replace(R.REG_EIAM, window, bits);
        return true;
      case V.VT_IVAR:
        this.#ivar[vf] = value & IVAR_MASK;
        this.#allocate(vf);
        return true;
      case V.VT_IVAR_MISC:
        this.#ivarMisc[vf] = value & IVAR_MISC_MASK;
        return true;
      default:
        return false;
    }
  }

  /** The mailbox has something for the function. */
  mailbox(vf: number): void {
    const entry = this.#ivarMisc[vf];
    if ((entry & B.IVAR_VALID) === 0 || (entry & VECTOR) >= VF_VECTORS) return;
    this.#interrupts.raise(1 << (vfFirstVector(vf) + (entry & VECTOR)));
  }

  /** Masks, causes, moderation and allocation of one function, as after power-on. */
  reset(vf: number): void {
    const first = vfFirstVector(vf);
    const window = VECTORS_MASK << first;
    this.#ivar[vf] = this.#ivarMisc[vf] = 0;
    this.#allocate(vf);
    for (const register of [R.REG_EIMS, R.REG_EIAC, R.REG_EIAM]) this.#replace(register, window, 0);
    this.#interrupts.clear(window);
    for (let vector = 0; vector < VF_VECTORS; vector++) {
      this.#registers.write(R.REG_EITR + 4 * (first + vector), 0);
    }
  }

  /** The controller's registers were reset; those of virtual functions were among them. */
  forget(): void {
    this.#ivar.fill(0);
    this.#ivarMisc.fill(0);
  }

  save(): SnapshotValue {
    return { ivar: [...this.#ivar], ivarMisc: [...this.#ivarMisc] };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { ivar: number[]; ivarMisc: number[] };
    this.#ivar.set(saved.ivar);
    this.#ivarMisc.set(saved.ivarMisc);
  }

  /** Word n of IVAR has queues n and n + 8, which are the function's 0 and 1. A vector it has not allocates nothing. */
  #allocate(vf: number): void {
    let word = 0;
    for (let shift = 0; shift < 32; shift += 8) {
      const entry = this.#ivar[vf] >>> shift;
      if ((entry & B.IVAR_VALID) === 0 || (entry & VECTOR) >= VF_VECTORS) continue;
      word |= (B.IVAR_VALID | (vfFirstVector(vf) + (entry & VECTOR))) << shift;
    }
    this.#registers.set(R.REG_IVAR + 4 * vf, word);
  }

  #replace(register: number, window: number, bits: number): void {
    this.#registers.set(register, (this.#registers.get(register) & ~window) | bits);
  }
}

const isModeration = (offset: number): boolean => offset >= V.VT_EITR && offset < V.VT_EITR + 4 * VF_VECTORS;

const moderation = (vf: number, offset: number): number =>
  R.REG_EITR + 4 * vfFirstVector(vf) + offset - V.VT_EITR;
