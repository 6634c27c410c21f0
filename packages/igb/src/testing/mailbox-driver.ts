import type { FakeHost } from '@vmloom/pci/testing';
import type { Igb } from '../igb.js';
import * as R from '../register-map.js';
import * as V from '../vf/vf-register-map.js';

/** One side of a mailbox, worked as drivers work it: take the buffer, write, tell; look, read, acknowledge. */
export class MailboxDriver {
  /** Bits of VFMailbox that a read cleared and nobody has asked for yet. */
  #kept = 0;

  /** `vf` undefined: the physical function's side of the mailbox of `peer`; else that function's own. */
  constructor(
    readonly host: FakeHost,
    readonly card: Igb,
    readonly side: 'physical' | 'virtual',
    readonly vf: number,
  ) {}

  read(offset: number): number {
    return this.host.read(this.side === 'physical' ? this.card : this.card.functions[this.vf], 0, offset);
  }

  write(offset: number, value: number): void {
    this.host.write(this.side === 'physical' ? this.card : this.card.functions[this.vf], 0, offset, value);
  }

  /** False: the other side has the buffer. */
  send(words: readonly number[]): boolean {
    if (!this.#take()) return false;
    words.forEach((word, index) => this.write(this.#memory + 4 * index, word));
    // Telling gives the buffer back.
    if (this.side === 'physical') this.write(this.#control, V.PF_MAILBOX_STS);
    else this.write(this.#control, V.MAILBOX_REQ);
    return true;
  }

  /** A message, acknowledged; undefined when there is none. */
  receive(words: number): number[] | undefined {
    const has = this.side === 'physical' ? this.#takeCause(1 << this.vf) : this.#takeKept(V.MAILBOX_PFSTS);
    if (!has || !this.#take()) return undefined;
    const message = Array.from({ length: words }, (_, index) => this.read(this.#memory + 4 * index));
    this.write(this.#control, this.side === 'physical' ? V.PF_MAILBOX_ACK : V.MAILBOX_ACK);
    return message;
  }

  /** The other side has acknowledged. */
  acknowledged(): boolean {
    return this.side === 'physical'
      ? this.#takeCause(1 << (this.vf + V.VFACK_SHIFT))
      : this.#takeKept(V.MAILBOX_PFACK);
  }

  /** Of a virtual function: the physical one is, or was, in reset. */
  physicalWasReset(): boolean {
    return this.#takeKept(V.MAILBOX_RSTI | V.MAILBOX_RSTD);
  }

  get #control(): number {
    return this.side === 'physical' ? R.REG_P2VMAILBOX + 4 * this.vf : V.VT_MAILBOX;
  }

  get #memory(): number {
    return this.side === 'physical' ? R.REG_VMBMEM + this.vf * V.MAILBOX_BYTES : V.VT_VMBMEM;
  }

  #take(): boolean {
    const bit = this.side === 'physical' ? V.PF_MAILBOX_PFU : V.MAILBOX_VFU;
    this.write(this.#control, bit);
    const now = this.side === 'physical' ? this.read(this.#control) : this.#readVirtual();
    return (now & bit) !== 0;
  }

  #takeCause(bit: number): boolean {
    if ((this.read(R.REG_MBVFICR) & bit) === 0) return false;
    this.write(R.REG_MBVFICR, bit);
    return true;
  }

  #readVirtual(): number {
    const value = this.read(V.VT_MAILBOX);
    this.#kept |= value & V.MAILBOX_READ_CLEARS;
    return value;
  }

  #takeKept(bits: number): boolean {
    const value = this.#readVirtual() | this.#kept;
    this.#kept &= ~bits;
    return (value & bits) !== 0;
  }
}
