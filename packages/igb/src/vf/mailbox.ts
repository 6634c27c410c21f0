import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import * as V from './vf-register-map.js';

/** What the mailboxes raise. */
export interface MailboxInterrupts {
  /** ICR.VMMB. */
  toPhysical(): void;
  toVirtual(vf: number): void;
}

/**
 * The mailboxes between the physical function and each virtual one (7.10.2.9): sixteen words that both see, a flag on
 * either side that says whose they are now, and a request and an acknowledgement in each direction.
 */
export class Mailboxes {
  readonly #registers: RegisterFile;
  readonly #interrupts: MailboxInterrupts;

  constructor(registers: RegisterFile, interrupts: MailboxInterrupts) {
    this.#registers = registers;
    this.#interrupts = interrupts;
    for (let vf = 0; vf < R.POOLS; vf++) {
      registers.onWrite(R.REG_P2VMAILBOX + 4 * vf, (value) => this.#physicalWrites(vf, value));
    }
    // 8.14.7, 8.14.9: cleared by writing 1.
    for (const register of [R.REG_MBVFICR, R.REG_VFLRE]) {
      registers.onWrite(register, (value) => registers.set(register, registers.get(register) & ~value));
    }
  }

  /** The virtual function reads VFMailbox: what tells of something new is told once. */
  virtualReads(vf: number): number {
    const at = R.REG_V2PMAILBOX + 4 * vf;
    const value = this.#registers.get(at);
    this.#registers.set(at, value & ~V.MAILBOX_READ_CLEARS);
    return value;
  }

  virtualWrites(vf: number, value: number): void {
    const physical = R.REG_P2VMAILBOX + 4 * vf;
    const virtual = R.REG_V2PMAILBOX + 4 * vf;
    // Bit 2 takes the buffer unless the other side has it, and gives it back.
    if ((value & V.MAILBOX_VFU) === 0) {
      this.#clear(virtual, V.MAILBOX_VFU);
      this.#clear(physical, V.PF_MAILBOX_VFU);
    } else if ((this.#registers.get(virtual) & V.MAILBOX_PFU) === 0) {
      this.#set(virtual, V.MAILBOX_VFU);
      this.#set(physical, V.PF_MAILBOX_VFU);
    }
    let told = 0;
    if ((value & V.MAILBOX_REQ) !== 0) told |= 1 << vf;
    if ((value & V.MAILBOX_ACK) !== 0) told |= 1 << (vf + V.VFACK_SHIFT);
    if (told === 0) return;
    this.#set(R.REG_MBVFICR, told);
    if (((this.#registers.get(R.REG_MBVFIMR) >> vf) & 1) !== 0) this.#interrupts.toPhysical();
  }

  /** The virtual function was reset, by itself or by an FLR (7.10.2.10): VFLRE tells the physical one. */
  virtualReset(vf: number): void {
    this.#set(R.REG_VFLRE, 1 << vf);
    this.#giveUp(vf);
    this.#interrupts.toPhysical();
  }

  /** The virtual function is no longer there, and nobody is told. */
  forget(vf: number): void {
    this.#giveUp(vf);
    this.#clear(R.REG_VFLRE, 1 << vf);
    this.#registers.set(
      R.REG_V2PMAILBOX + 4 * vf,
      this.#registers.get(R.REG_V2PMAILBOX + 4 * vf) & V.MAILBOX_RSTI,
    );
  }

  /** 7.10.2.10: the physical function is in reset, until its driver says that it is done. */
  physicalReset(): void {
    for (let vf = 0; vf < R.POOLS; vf++) this.#registers.set(R.REG_V2PMAILBOX + 4 * vf, V.MAILBOX_RSTI);
  }

  /** CTRL_EXT.PFRSTD. */
  physicalReady(): void {
    for (let vf = 0; vf < R.POOLS; vf++) {
      this.#clear(R.REG_V2PMAILBOX + 4 * vf, V.MAILBOX_RSTI);
      this.#set(R.REG_V2PMAILBOX + 4 * vf, V.MAILBOX_RSTD);
    }
  }

  #physicalWrites(vf: number, value: number): void {
    const physical = R.REG_P2VMAILBOX + 4 * vf;
    const virtual = R.REG_V2PMAILBOX + 4 * vf;
    if ((value & V.PF_MAILBOX_RVFU) !== 0) this.#giveUp(vf);
    if ((value & V.PF_MAILBOX_PFU) === 0) {
      this.#clear(physical, V.PF_MAILBOX_PFU);
      this.#clear(virtual, V.MAILBOX_PFU);
    } else if ((this.#registers.get(physical) & V.PF_MAILBOX_VFU) === 0) {
      this.#set(physical, V.PF_MAILBOX_PFU);
      this.#set(virtual, V.MAILBOX_PFU);
    }
    let told = 0;
    if ((value & V.PF_MAILBOX_STS) !== 0) told |= V.MAILBOX_PFSTS;
    if ((value & V.PF_MAILBOX_ACK) !== 0) told |= V.MAILBOX_PFACK;
    if (told === 0) return;
    this.#set(virtual, told);
    this.#interrupts.toVirtual(vf);
  }

  /** Takes the buffer from the virtual function, with what it said (RVFU). */
  #giveUp(vf: number): void {
    this.#clear(R.REG_V2PMAILBOX + 4 * vf, V.MAILBOX_VFU);
    this.#clear(R.REG_P2VMAILBOX + 4 * vf, V.PF_MAILBOX_VFU);
    this.#clear(R.REG_MBVFICR, (1 << vf) | (1 << (vf + V.VFACK_SHIFT)));
  }

  #set(register: number, bits: number): void {
    this.#registers.set(register, this.#registers.get(register) | bits);
  }

  #clear(register: number, bits: number): void {
    this.#registers.set(register, this.#registers.get(register) & ~bits);
  }
}
