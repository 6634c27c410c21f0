import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import * as B from './register-bits.js';
import { CAUSE_MASK } from './register-table.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';

/** 8.8.12: EITR counts in units of 1 us. */
const EITR_UNIT = 1000;
/** Vectors of one virtual function. */
export const VF_VECTORS = 3;
/** The bit of EICR of a virtual function's vector 0 (7.10.2.6): the functions take them from the top. */
export const vfFirstVector = (vf: number): number => 22 - VF_VECTORS * vf;

const EXTENDED_MASK = (B.VECTOR_MASK | B.EICR_TCP_TIMER | B.EICR_OTHER) >>> 0;

const CAUSE_NAMES: readonly (readonly [number, string])[] = [
  [B.ICR_TXDW, 'TXDW'],
  [B.ICR_LSC, 'LSC'],
  [B.ICR_RXDMT0, 'RXDMT0'],
  [B.ICR_RXMISS, 'Rx Miss'],
  [B.ICR_RXDW, 'RXDW'],
  [B.ICR_VMMB, 'VMMB'],
  [B.ICR_MDAC, 'MDAC'],
  [B.ICR_TIMESYNC, 'Time Sync'],
  [B.ICR_TCP_TIMER, 'TCP timer'],
  [B.ICR_DRSTA, 'DRSTA'],
];

/** Where interrupts go: the PCI functions behind the controller. */
export interface InterruptSink {
  /** MSI-X is enabled and GPIE.Multiple_MSIX set by software decides the mode; the level is of INTx and MSI. */
  set(level: boolean): void;
  /** A message of the physical function's vector. */
  send(vector: number): void;
  /** A message of vector 0 to 2 of a virtual function. */
  sendVf(vf: number, vector: number): void;
}

/**
 * Causes, masks and moderation (7.3). ICR has the classic causes, EICR the extended ones: with GPIE.Multiple_MSIX
 * its bits 24:0 are vectors, each held back by its EITR; otherwise bits 15:0 are those of queues, 30 the TCP timer
 * and 31 any enabled cause of ICR. IVAR and IVAR_MISC say which extended bit a queue or another cause sets.
 * Virtual functions own three of the vectors each; `claim` says whose a vector is.
 */
export class Interrupts {
  sink: InterruptSink;
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  readonly #timer: DeadlineTimer;
  readonly #causes: readonly (readonly [number, Counter])[];
  readonly #raised: Counter;
  /** When each vector's moderation lets it signal again; vector 0's is that of INTx and MSI too. */
  readonly #mayFireAt = new Float64Array(B.VECTORS);
  /** Vectors that wait to be signalled. */
  #waiting = 0;
  /** Causes whose message has left and that software has not cleared: only a new event makes a new message. */
  #signalled = 0;
  /** 1 + the virtual function that owns a vector; 0: the physical function. */
  readonly #owners = new Uint8Array(B.VECTORS);
  #asserted = false;

  constructor(registers: RegisterFile, clock: Clock, owner: EventOwner, ledger: Ledger, sink: InterruptSink) {
    this.#registers = registers;
    this.#clock = clock;
    this.sink = sink;
    this.#timer = new DeadlineTimer(clock, owner, 'interrupt');
    this.#causes = CAUSE_NAMES.map(([bit, name]) => [
      bit,
      ledger.counter(owner.name, 'interrupt-cause', name),
    ]);
    this.#raised = ledger.counter(owner.name, 'interrupt', 'raised');
    this.#hook();
  }

  get asserted(): boolean {
    return this.#asserted;
  }

  /** The vectors of a virtual function are its own from now on, or the physical function's again. */
  claim(vf: number, owned: boolean): void {
    const first = vfFirstVector(vf);
    for (let vector = first; vector < first + VF_VECTORS; vector++) {
      this.#owners[vector] = owned ? vf + 1 : 0;
      this.clear(1 << vector);
    }
  }

  // Causes ------------------------------------------------------------------------------------------------

  /** An event of the model, or a register write, has classic causes (ICR). The line follows with an event. */
  post(causes: number): void {
    const { image } = this.#registers;
    const before = image[R.REG_ICR >> 2];
    const added = causes & ~before;
    if (added !== 0) {
      image[R.REG_ICR >> 2] = before | causes;
      for (const [bit, counter] of this.#causes) if ((added & bit) !== 0) counter.value++;
    }
    if ((causes & this.#registers.get(R.REG_IMS)) !== 0) this.#other();
    this.#schedule();
  }

  /** Receive and transmit queues (bit masks) wrote descriptors back. */
  queues(receive: number, transmit: number): void {
    if ((receive | transmit) === 0) return;
    let extended = 0;
    const ivar = R.REG_IVAR >> 2;
    const { image } = this.#registers;
    // 8.8.13: an entry for each direction of queues n and n + 8 in word n.
    for (let queues = receive | transmit; queues !== 0; queues &= queues - 1) {
      const queue = 31 - Math.clz32(queues & -queues);
      const entries = image[ivar + (queue & 7)] >>> (queue > 7 ? 16 : 0);
      if (((receive >> queue) & 1) !== 0) extended |= this.#allocated(entries);
      if (((transmit >> queue) & 1) !== 0) extended |= this.#allocated(entries >>> 8);
    }
    this.raise(extended);
    this.post((receive !== 0 ? B.ICR_RXDW : 0) | (transmit !== 0 ? B.ICR_TXDW : 0));
  }

  /** The TCP timer expired (8.8.x). */
  tcpTimer(): void {
    const entry = this.#registers.get(R.REG_IVAR_MISC) & 0xff;
    this.raise(this.#multiple ? this.#allocated(entry) : B.EICR_TCP_TIMER);
    this.post(B.ICR_TCP_TIMER);
  }

  /** Sets bits of EICR. */
  raise(extended: number): void {
    if (extended === 0) return;
    const { image } = this.#registers;
    image[R.REG_EICR >> 2] |= extended;
    this.#signalled &= ~extended;
    this.#schedule();
  }

  /** Clears bits of EICR. */
  clear(extended: number): void {
    this.#registers.image[R.REG_EICR >> 2] &= ~extended;
    this.#waiting &= ~extended;
    this.#signalled &= ~extended;
    this.#lower();
  }

  // What software of either function does with its part of the extended registers (`window`: bits that are its own) -

  /** EICS: sets causes. With EIAM, they are unmasked too (8.8.x). */
  setCauses(extended: number, window = EXTENDED_MASK): void {
    const bits = extended & window;
    const { image } = this.#registers;
    if (!this.#multiple || this.#autoMask) image[R.REG_EIMS >> 2] |= bits & image[R.REG_EIAM >> 2];
    this.raise(bits);
  }

  setMask(extended: number, window = EXTENDED_MASK): void {
    this.#registers.image[R.REG_EIMS >> 2] |= extended & window;
    this.#schedule();
  }

  clearMask(extended: number, window = EXTENDED_MASK): void {
    this.#registers.image[R.REG_EIMS >> 2] &= ~(extended & window);
    this.#lower();
  }

  /** A read of EICR: the causes, cleared, and masked as EIAM says (7.3.x). */
  readCauses(window = EXTENDED_MASK): number {
    const { image } = this.#registers;
    const causes = image[R.REG_EICR >> 2] & window;
    this.clear(causes);
    image[R.REG_EIMS >> 2] &= ~(image[R.REG_EIAM >> 2] & window);
    this.#lower();
    return causes >>> 0;
  }

  /** A write to EICR: causes written as 1 are cleared, and masked as EIAM says. */
  clearCauses(extended: number, window = EXTENDED_MASK): void {
    const { image } = this.#registers;
    image[R.REG_EIMS >> 2] &= ~(image[R.REG_EIAM >> 2] & extended & window);
    this.clear(extended & window);
  }

  // Events, reset, snapshot -------------------------------------------------------------------------------

  /** True when the event was the moderation timer's. */
  onEvent(kind: string): boolean {
    if (kind !== 'interrupt') return false;
    if (this.#timer.fired()) this.#evaluate();
    return true;
  }

  /** The registers have been reset. */
  reset(): void {
    this.#timer.disarm();
    this.#mayFireAt.fill(0);
    this.#waiting = this.#signalled = 0;
    this.#lower();
  }

  save(): SnapshotValue {
    return {
      asserted: this.#asserted,
      waiting: this.#waiting,
      signalled: this.#signalled,
      mayFireAt: [...this.#mayFireAt],
      owners: [...this.#owners],
      timer: this.#timer.save(),
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      asserted: boolean;
      waiting: number;
      signalled: number;
      mayFireAt: number[];
      owners: number[];
      timer: SnapshotValue;
    };
    this.#asserted = saved.asserted;
    this.#waiting = saved.waiting;
    this.#signalled = saved.signalled;
    this.#mayFireAt.set(saved.mayFireAt);
    this.#owners.set(saved.owners);
    this.#timer.restore(saved.timer);
    this.sink.set(this.#asserted);
  }

  // Inside ------------------------------------------------------------------------------------------------

  get #multiple(): boolean {
    return (this.#registers.get(R.REG_GPIE) & B.GPIE_MULTIPLE_MSIX) !== 0;
  }

  get #autoMask(): boolean {
    return (this.#registers.get(R.REG_GPIE) & B.GPIE_EIAME) !== 0;
  }

  #allocated(entry: number): number {
    return (entry & B.IVAR_VALID) === 0 ? 0 : 1 << (entry & B.IVAR_VECTOR);
  }

  /** An enabled classic cause is one extended cause: vector IVAR_MISC says, or bit 31. */
  #other(): void {
    if (this.#multiple) this.raise(this.#allocated(this.#registers.get(R.REG_IVAR_MISC) >>> 8));
    else this.#registers.image[R.REG_EICR >> 2] |= B.EICR_OTHER;
  }

  get #classic(): number {
    return this.#registers.get(R.REG_ICR) & this.#registers.get(R.REG_IMS) & ~B.ICR_INTA;
  }

  get #extended(): number {
    return this.#registers.get(R.REG_EICR) & this.#registers.get(R.REG_EIMS);
  }

  /** What is pending, and may be signalled, is by an event: not before its moderation ends. */
  #schedule(): void {
    const { now } = this.#clock;
    if (!this.#multiple) {
      if ((this.#classic | this.#extended) === 0 || this.#asserted) return;
      this.#armBy(Math.max(now, this.#mayFireAt[0]));
      return;
    }
    let ready = this.#extended & B.VECTOR_MASK & ~this.#waiting & ~this.#signalled;
    this.#waiting |= ready;
    for (; ready !== 0; ready &= ready - 1) {
      this.#armBy(Math.max(now, this.#mayFireAt[31 - Math.clz32(ready & -ready)]));
    }
  }

  #armBy(when: number): void {
    if (!this.#timer.armed || this.#timer.deadline > when) this.#timer.arm(when);
  }

  #evaluate(): void {
    if (!this.#multiple) {
      if ((this.#classic | this.#extended) === 0 || this.#asserted) return;
      if (this.#clock.now < this.#mayFireAt[0]) return this.#armBy(this.#mayFireAt[0]);
      this.#registers.image[R.REG_ICR >> 2] |= B.ICR_INTA;
      this.#asserted = true;
      this.#moderate(0);
      this.#count();
      this.sink.set(true);
      return;
    }
    const enabled = this.#extended;
    let fired = 0;
    for (let waiting = this.#waiting; waiting !== 0; waiting &= waiting - 1) {
      const vector = 31 - Math.clz32(waiting & -waiting);
      const bit = 1 << vector;
      if ((enabled & bit) === 0) this.#waiting &= ~bit;
      else if (this.#clock.now < this.#mayFireAt[vector]) this.#armBy(this.#mayFireAt[vector]);
      else fired |= bit;
    }
    for (; fired !== 0; fired &= fired - 1) this.#fire(31 - Math.clz32(fired & -fired));
  }

  /** 7.3.x: a message leaves; EIAC clears its cause, EIAM masks it. */
  #fire(vector: number): void {
    const { image } = this.#registers;
    const bit = 1 << vector;
    this.#waiting &= ~bit;
    this.#signalled |= bit;
    const other = this.#registers.get(R.REG_IVAR_MISC) >>> 8;
    if ((this.#allocated(other) & bit) !== 0) image[R.REG_ICR >> 2] |= B.ICR_INTA;
    image[R.REG_EICR >> 2] &= ~(image[R.REG_EIAC >> 2] & bit);
    this.#signalled &= ~image[R.REG_EIAC >> 2];
    if (this.#autoMask) image[R.REG_EIMS >> 2] &= ~(image[R.REG_EIAM >> 2] & bit);
    this.#moderate(vector);
    this.#count();
    const owner = this.#owners[vector];
    if (owner === 0) this.sink.send(vector);
    else this.sink.sendVf(owner - 1, vector - vfFirstVector(owner - 1));
  }

  /** 8.8.12: no further interrupt of the vector within its interval. */
  #moderate(vector: number): void {
    const eitr = this.#registers.get(R.REG_EITR + 4 * vector);
    const interval = (eitr & B.EITR_INTERVAL_MASK) >> B.EITR_INTERVAL_SHIFT;
    this.#mayFireAt[vector] = this.#clock.now + interval * EITR_UNIT;
  }

  #count(): void {
    this.#raised.value++;
    const at = R.REG_IAC >> 2;
    const { image } = this.#registers;
    if (image[at] !== 0xffff_ffff) image[at]++;
  }

  /** The line falls when nothing that is enabled is pending. */
  #lower(): void {
    if (!this.#asserted || (this.#classic | this.#extended) !== 0) return;
    this.#asserted = false;
    this.#registers.image[R.REG_ICR >> 2] &= ~B.ICR_INTA;
    this.sink.set(false);
  }

  #hook(): void {
    const { image } = this.#registers;
    const registers = this.#registers;
    registers.answerRead(R.REG_ICR, () => {
      const causes = image[R.REG_ICR >> 2];
      this.#acknowledge(causes, 0xffff_ffff, true);
      return causes;
    });
    registers.onWrite(R.REG_ICR, (value) => this.#acknowledge(image[R.REG_ICR >> 2], value, false));
    registers.onWrite(R.REG_ICS, (value) => this.post(value & CAUSE_MASK));
    registers.onWrite(R.REG_IMS, (value) => {
      image[R.REG_IMS >> 2] |= value & CAUSE_MASK;
      if (this.#classic !== 0) this.#other();
      this.#schedule();
    });
    registers.onWrite(R.REG_IMC, (value) => {
      image[R.REG_IMS >> 2] &= ~value;
      this.#fallOther();
    });
    registers.onWrite(R.REG_EICS, (value) => this.setCauses(value, this.#own));
    registers.onWrite(R.REG_EIMS, (value) => this.setMask(value, this.#own));
    registers.onWrite(R.REG_EIMC, (value) => this.clearMask(value, this.#own));
    registers.answerRead(R.REG_EICR, () => this.readCauses(this.#own));
    registers.onWrite(R.REG_EICR, (value) => this.clearCauses(value, this.#own));
    for (let vector = 0; vector < B.VECTORS; vector++) {
      registers.onWrite(R.REG_EITR + 4 * vector, (value) => this.#writeEitr(vector, value));
    }
  }

  /** The extended bits of the physical function. */
  get #own(): number {
    let own = EXTENDED_MASK;
    for (let vector = 0; vector < B.VECTORS; vector++) if (this.#owners[vector] !== 0) own &= ~(1 << vector);
    return own;
  }

  /** 8.8.12: without CNT_INGR a write restarts the counter from the value in it. */
  #writeEitr(vector: number, value: number): void {
    if ((value & B.EITR_CNT_INGR) === 0) {
      // Bits 30:21 are the upper ten of the thirteen that count.
      const counter = (value & B.EITR_COUNTER_MASK) >>> 21;
      this.#mayFireAt[vector] = counter === 0 ? 0 : this.#clock.now + counter * 8 * EITR_UNIT;
      this.#schedule();
    }
    if (((this.#waiting >> vector) & 1) !== 0 || vector === 0)
      this.#armBy(Math.max(this.#clock.now, this.#mayFireAt[vector]));
  }

  /**
   * A read of ICR or a write to it (8.8.9, 8.8.11): the causes in `clear` go, without GPIE.NSICR a read's only when
   * an interrupt was asserted or none is enabled; IAM masks.
   */
  #acknowledge(causes: number, clear: number, isRead: boolean): void {
    const registers = this.#registers;
    const { image } = registers;
    const asserted = (causes & B.ICR_INTA) !== 0;
    const selective = (registers.get(R.REG_GPIE) & B.GPIE_NSICR) === 0;
    if (!isRead || !selective || asserted || registers.get(R.REG_IMS) === 0) image[R.REG_ICR >> 2] &= ~clear;
    if (!selective || asserted) image[R.REG_IMS >> 2] &= ~registers.get(R.REG_IAM);
    this.#fallOther();
  }

  #fallOther(): void {
    if (this.#classic === 0 && !this.#multiple) this.#registers.image[R.REG_EICR >> 2] &= ~B.EICR_OTHER;
    this.#lower();
  }
}
