import type { Counter, DmaPort, Ledger, SnapshotValue } from '@vmloom/device';
import type { Interrupts } from '../interrupts.js';
import type { Queues } from '../queues.js';
import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import { Mailboxes } from './mailbox.js';
import { VfInterrupts } from './vf-interrupts.js';
import * as V from './vf-register-map.js';

/** What the virtual functions need of the controller. */
export interface VirtualFunctionsOptions {
  readonly name: string;
  readonly ledger: Ledger;
  readonly registers: RegisterFile;
  readonly queues: Queues;
  readonly interrupts: Interrupts;
  /** The way to memory of a virtual function that is there. */
  readonly dma: (vf: number) => DmaPort;
}

/** 7.10.2.11, 8.12.x: the reasons for which LVMMC blames a queue. */
export const MISBEHAVIOUR = {
  /** A descriptor that no driver would write: its type, its length, its context. */
  descriptor: 1,
  /** A frame longer or shorter than any. */
  size: 2,
  /** DMA that was refused. */
  access: 3,
} as const;

/** What the transmitter dropped, and what that says of the driver. A packet without FCS is a driver's right. */
const BY_DROP: Readonly<Record<number, number>> = {
  [B.DROP_TSO]: MISBEHAVIOUR.descriptor,
  [B.DROP_EMPTY]: MISBEHAVIOUR.size,
  [B.DROP_OVERSIZE]: MISBEHAVIOUR.size,
  [B.DROP_TOO_MANY]: MISBEHAVIOUR.descriptor,
  [B.DROP_DMA]: MISBEHAVIOUR.access,
};

// DTXCTL (8.12.5)
const MALICIOUS_DRIVER_PROTECTION = 1 << 5;
const LAST_QUEUE_SHIFT = 8;

/**
 * The controller's side of its virtual functions (7.10.2): their registers, mailboxes, interrupts and reset. Their
 * PCI functions are {@link IgbVf}.
 */
export class VirtualFunctions {
  readonly mailboxes: Mailboxes;
  readonly interrupts: VfInterrupts;
  readonly #options: VirtualFunctionsOptions;
  readonly #registers: RegisterFile;
  readonly #queues: Queues;
  readonly #blocked: Counter;
  readonly #resets: Counter;
  #present = 0;

  constructor(options: VirtualFunctionsOptions) {
    const { name, ledger, registers, interrupts, queues } = options;
    this.#options = options;
    this.#registers = registers;
    this.#queues = queues;
    this.#blocked = ledger.counter(name, 'queue-blocked', 'malicious driver');
    this.#resets = ledger.counter(name, 'vf-reset');
    this.interrupts = new VfInterrupts(registers, interrupts);
    this.mailboxes = new Mailboxes(registers, {
      toPhysical: () => interrupts.post(B.ICR_VMMB),
      toVirtual: (vf) => this.interrupts.mailbox(vf),
    });
    // 8.12.x: what was blocked may go on when software says so.
    registers.onWrite(R.REG_MDFB, (value) => registers.set(R.REG_MDFB, registers.get(R.REG_MDFB) & ~value));
    this.mailboxes.physicalReset();
  }

  /** How many there are now. */
  get present(): number {
    return this.#present;
  }

  /** Software let `count` virtual functions appear, or all vanish (0). */
  setPresent(count: number): void {
    for (let vf = count; vf < this.#present; vf++) this.#leave(vf);
    for (let vf = this.#present; vf < count; vf++) this.#enter(vf);
    this.#present = count;
    this.#showCount();
  }

  /** A 32-bit read of a virtual function's register. Addresses that have none read 0. */
  read(vf: number, offset: number): number {
    const shared = V.sharedRegister(offset, vf) ?? V.watchedRegister(offset);
    if (shared !== undefined) return this.#registers.read(shared);
    if (offset === V.VT_MAILBOX) return this.mailboxes.virtualReads(vf);
    return this.interrupts.read(vf, offset) ?? 0;
  }

  /** A 32-bit write to a virtual function's register. Addresses that have none ignore it. */
  write(vf: number, offset: number, value: number): void {
    const shared = V.sharedRegister(offset, vf);
    if (shared !== undefined) return this.#registers.write(shared, value);
    if (offset === V.VT_MAILBOX) return this.mailboxes.virtualWrites(vf, value);
    if (offset === V.VT_CTRL || offset === V.VT_CTRL_DUP) {
      // 8.26.2.1: RST is the one bit there is.
      if ((value & B.CTRL_RST) !== 0) this.reset(vf);
      return;
    }
    this.interrupts.write(vf, offset, value);
  }

  /**
   * VTCTRL.RST, or function level reset of a virtual function (4.2.2.3): its queues and interrupts start over; it neither
   * sends nor receives until the physical function, which VFLRE tells, lets it again.
   */
  reset(vf: number): void {
    this.#resets.value++;
    this.#quiet(vf);
    this.#clear(R.REG_VFRE, 1 << vf);
    this.#clear(R.REG_VFTE, 1 << vf);
    this.mailboxes.virtualReset(vf);
  }

  /**
   * Malicious driver detection (7.10.2.11): a transmit queue did what no driver does. With DTXCTL.MDP_EN the queue is
   * blocked until software has reset it, and MDFB, LVMMC and an interrupt tell. `drop` is a reason of DROP_*. True when
   * it is blocked.
   */
  misbehaved(queue: number, drop: number): boolean {
    const cause = BY_DROP[drop];
    if (cause === undefined) return false;
    if ((this.#registers.get(R.REG_DTXCTL) & MALICIOUS_DRIVER_PROTECTION) === 0) return false;
    const pool = this.#queues.poolOf(queue);
    this.#set(R.REG_MDFB, 1 << pool);
    if (this.#registers.get(R.REG_LVMMC) === 0) {
      this.#registers.set(R.REG_LVMMC, cause | (queue << LAST_QUEUE_SHIFT));
    }
    const control = R.REG_TXDCTL + queue * R.QUEUE_STRIDE;
    this.#clear(control, B.DCTL_ENABLE);
    this.#blocked.value++;
    this.#options.interrupts.post(B.ICR_MDDET);
    return true;
  }

  /** CTRL.RST of the physical function, or power-on: registers have their reset values. */
  physicalReset(): void {
    this.interrupts.forget();
    this.mailboxes.physicalReset();
    this.#showCount();
  }

  /** CTRL_EXT.PFRSTD: its driver is ready for messages. */
  physicalReady(): void {
    this.mailboxes.physicalReady();
  }

  save(): SnapshotValue {
    return { present: this.#present, interrupts: this.interrupts.save() };
  }

  /** Registers, queues and vectors are restored already; whose they are is found again here. */
  restore(value: SnapshotValue): void {
    const saved = value as { present: number; interrupts: SnapshotValue };
    this.#present = saved.present;
    this.interrupts.restore(saved.interrupts);
    for (let vf = 0; vf < R.POOLS; vf++) {
      this.#queues.assign(vf, vf < this.#present ? this.#options.dma(vf) : undefined);
    }
  }

  #enter(vf: number): void {
    this.#queues.reset(vf);
    this.#queues.reset(vf + R.POOLS);
    this.#queues.assign(vf, this.#options.dma(vf));
    this.#options.interrupts.claim(vf, true);
    this.interrupts.reset(vf);
  }

  #leave(vf: number): void {
    this.#quiet(vf);
    this.mailboxes.forget(vf);
    this.#queues.assign(vf, undefined);
    this.#options.interrupts.claim(vf, false);
  }

  #quiet(vf: number): void {
    this.#queues.reset(vf);
    this.#queues.reset(vf + R.POOLS);
    this.interrupts.reset(vf);
  }

  /** 8.2.2: STATUS says that there are virtual functions, and how many. */
  #showCount(): void {
    const kept = this.#registers.get(R.REG_STATUS) & ~(B.STATUS_IOV | (0xf << B.STATUS_NUMVF_SHIFT));
    const count = this.#present === 0 ? 0 : B.STATUS_IOV | (this.#present << B.STATUS_NUMVF_SHIFT);
    this.#registers.set(R.REG_STATUS, kept | count);
  }

  #set(register: number, bits: number): void {
    this.#registers.set(register, this.#registers.get(register) | bits);
  }

  #clear(register: number, bits: number): void {
    this.#registers.set(register, this.#registers.get(register) & ~bits);
  }
}
