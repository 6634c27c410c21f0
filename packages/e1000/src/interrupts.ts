import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type InterruptLine,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import * as R from './register-map.js';
import { CAUSE_MASK } from './register-table.js';
import type { RegisterFile } from './register-file.js';

/** 13.4.18: ITR counts in units of 256 ns. */
const ITR_UNIT = 256;
/** 13.4.30 to 13.4.44: RDTR, RADV, TIDV and TADV count in units of 1.024 us. */
const DELAY_UNIT = 1024;

const CAUSE_NAMES: readonly (readonly [number, string])[] = [
  [R.ICR_TXDW, 'TXDW'],
  [R.ICR_TXQE, 'TXQE'],
  [R.ICR_LSC, 'LSC'],
  [R.ICR_RXDMT0, 'RXDMT0'],
  [R.ICR_RXO, 'RXO'],
  [R.ICR_RXT0, 'RXT0'],
  [R.ICR_MDAC, 'MDAC'],
  [R.ICR_PHYINT, 'PHYINT'],
  [R.ICR_TXD_LOW, 'TXD_LOW'],
  [R.ICR_SRPD, 'SRPD'],
];

/**
 * Interrupt causes, their mask, and the timers that hold them back: ITR for the line, RDTR and RADV for
 * received packets, TIDV and TADV for transmit descriptors written back. The line is high while ICR & IMS
 * is not 0, from the moment at which ITR lets it rise.
 */
export class Interrupts {
  line: InterruptLine;
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  readonly #throttle: DeadlineTimer;
  readonly #rxDelay: DeadlineTimer;
  readonly #rxAbsolute: DeadlineTimer;
  readonly #txDelay: DeadlineTimer;
  readonly #txAbsolute: DeadlineTimer;
  readonly #causes: readonly (readonly [number, Counter])[];
  readonly #raised: Counter;
  #asserted = false;
  /** When ITR lets the line rise again. */
  #mayRiseAt = 0;

  constructor(registers: RegisterFile, clock: Clock, owner: EventOwner, ledger: Ledger, line: InterruptLine) {
    this.#registers = registers;
    this.#clock = clock;
    this.line = line;
    this.#throttle = new DeadlineTimer(clock, owner, 'interrupt');
    this.#rxDelay = new DeadlineTimer(clock, owner, 'rx-delay');
    this.#rxAbsolute = new DeadlineTimer(clock, owner, 'rx-absolute');
    this.#txDelay = new DeadlineTimer(clock, owner, 'tx-delay');
    this.#txAbsolute = new DeadlineTimer(clock, owner, 'tx-absolute');
    this.#causes = CAUSE_NAMES.map(([bit, name]) => [
      bit,
      ledger.counter(owner.name, 'interrupt-cause', name),
    ]);
    this.#raised = ledger.counter(owner.name, 'interrupt', 'raised');
    // The read clears every cause right after; the line falls with them.
    registers.onRead(R.REG_ICR, () => this.#fall());
    registers.onWrite(R.REG_ICR, (value) => {
      registers.set(R.REG_ICR, registers.get(R.REG_ICR) & ~value);
      this.#lower();
    });
    registers.onWrite(R.REG_ICS, (value) => this.post(value & CAUSE_MASK));
    registers.onWrite(R.REG_IMS, (value) => {
      registers.set(R.REG_IMS, registers.get(R.REG_IMS) | (value & CAUSE_MASK));
      this.post(0);
    });
    registers.onWrite(R.REG_IMC, (value) => {
      registers.set(R.REG_IMS, registers.get(R.REG_IMS) & ~value);
      this.#lower();
    });
    registers.onWrite(R.REG_RDTR, (value) => {
      // 13.4.30: FPD lets the timer expire at once, which is a receive timer interrupt.
      if ((value & R.RDTR_FPD) === 0) return;
      this.#stopReceiveTimers();
      this.post(R.ICR_RXT0);
    });
  }

  get asserted(): boolean {
    return this.#asserted;
  }

  /** An event of the model has causes: the line follows at once. */
  raise(causes: number): void {
    if (causes === 0) return;
    this.#set(causes);
    this.#evaluate();
  }

  /** A register write has causes: the line follows with an event. */
  post(causes: number): void {
    this.#set(causes);
    if (this.#pending !== 0 && !this.#asserted && !this.#throttle.armed) {
      this.#throttle.arm(Math.max(this.#clock.now, this.#mayRiseAt));
    }
  }

  /** A packet came: RXT0 now, or after RDTR without a further packet, or RADV after the first (13.4.30). */
  packetReceived(): void {
    const delay = this.#registers.get(R.REG_RDTR);
    if (delay === 0) return this.raise(R.ICR_RXT0);
    const { now } = this.#clock;
    this.#rxDelay.arm(now + delay * DELAY_UNIT);
    const absolute = this.#registers.get(R.REG_RADV);
    if (absolute !== 0 && !this.#rxAbsolute.armed) this.#rxAbsolute.arm(now + absolute * DELAY_UNIT);
  }

  /** A small packet came: it does not wait, nor do those before it (13.4.32). */
  smallPacketReceived(): void {
    this.#stopReceiveTimers();
    this.raise(R.ICR_SRPD);
  }

  /** A descriptor with IDE was written back: TXDW after TIDV without a further one, or TADV after the first. */
  descriptorDelayed(): void {
    const delay = this.#registers.get(R.REG_TIDV);
    if (delay === 0) return this.raise(R.ICR_TXDW);
    const { now } = this.#clock;
    this.#txDelay.arm(now + delay * DELAY_UNIT);
    const absolute = this.#registers.get(R.REG_TADV);
    if (absolute !== 0 && !this.#txAbsolute.armed) this.#txAbsolute.arm(now + absolute * DELAY_UNIT);
  }

  /** A descriptor without IDE was written back: TXDW now, for those delayed too. */
  descriptorWritten(): void {
    this.#txDelay.disarm();
    this.#txAbsolute.disarm();
    this.raise(R.ICR_TXDW);
  }

  /** True when the event was one of these timers. */
  onEvent(kind: string): boolean {
    switch (kind) {
      case 'interrupt':
        if (this.#throttle.fired()) this.#evaluate();
        return true;
      case 'rx-delay':
        if (this.#rxDelay.fired()) this.#receiveTimerExpired();
        return true;
      case 'rx-absolute':
        if (this.#rxAbsolute.fired()) this.#receiveTimerExpired();
        return true;
      case 'tx-delay':
        if (this.#txDelay.fired()) this.descriptorWritten();
        return true;
      case 'tx-absolute':
        if (this.#txAbsolute.fired()) this.descriptorWritten();
        return true;
      default:
        return false;
    }
  }

  /** The registers have been reset. */
  reset(): void {
    for (const timer of this.#timers) timer.disarm();
    this.#mayRiseAt = 0;
    this.#lower();
  }

  save(): SnapshotValue {
    return {
      asserted: this.#asserted,
      mayRiseAt: this.#mayRiseAt,
      timers: this.#timers.map((timer) => timer.save()),
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { asserted: boolean; mayRiseAt: number; timers: SnapshotValue[] };
    this.#asserted = saved.asserted;
    this.#mayRiseAt = saved.mayRiseAt;
    this.#timers.forEach((timer, index) => timer.restore(saved.timers[index]));
    this.line.set(this.#asserted);
  }

  get #timers(): DeadlineTimer[] {
    return [this.#throttle, this.#rxDelay, this.#rxAbsolute, this.#txDelay, this.#txAbsolute];
  }

  get #pending(): number {
    return this.#registers.get(R.REG_ICR) & this.#registers.get(R.REG_IMS);
  }

  #set(causes: number): void {
    const before = this.#registers.get(R.REG_ICR);
    const added = causes & ~before;
    if (added === 0) return;
    this.#registers.set(R.REG_ICR, before | causes);
    for (const [bit, counter] of this.#causes) if ((added & bit) !== 0) counter.value++;
  }

  #lower(): void {
    if (this.#pending === 0) this.#fall();
  }

  #fall(): void {
    if (!this.#asserted) return;
    this.#asserted = false;
    this.line.set(false);
  }

  #evaluate(): void {
    if (this.#pending === 0 || this.#asserted) return;
    const { now } = this.#clock;
    if (now < this.#mayRiseAt) {
      if (!this.#throttle.armed) this.#throttle.arm(this.#mayRiseAt);
      return;
    }
    this.#asserted = true;
    this.#mayRiseAt = now + this.#registers.get(R.REG_ITR) * ITR_UNIT;
    this.#raised.value++;
    this.line.set(true);
  }

  #receiveTimerExpired(): void {
    this.#stopReceiveTimers();
    this.raise(R.ICR_RXT0);
  }

  #stopReceiveTimers(): void {
    this.#rxDelay.disarm();
    this.#rxAbsolute.disarm();
  }
}
