import type { Clock, SnapshotValue } from '@vmloom/device';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';

/** 7.9.3: TIMINCA.incperiod counts in units of 16 ns. */
const PERIOD_UNIT = 16;
const LOW = 0xffff_ffffn;
const ALL = 0xffff_ffff_ffff_ffffn;

/**
 * The IEEE 1588 clock (7.9): SYSTIM grows by TIMINCA.incvalue every incperiod times 16 ns; TIMADJ is added once. Time
 * stamps of packets are taken from it and kept until software has read them.
 */
export class TimeSync {
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  /** SYSTIM at `#since` nanoseconds of the virtual clock. */
  #base = 0n;
  #since = 0;
  /** The upper half that belongs to the lower half read last. */
  #latched = 0;

  constructor(registers: RegisterFile, clock: Clock) {
    this.#registers = registers;
    this.#clock = clock;
    registers.answerRead(R.REG_SYSTIML, () => {
      const now = this.now;
      this.#latched = Number(now >> 32n);
      return Number(now & LOW);
    });
    // 7.9.3: reading the lower half latches the upper one.
    registers.answerRead(R.REG_SYSTIMH, () => this.#latched);
    registers.onWrite(R.REG_SYSTIML, (value) => this.#set((this.now & ~LOW) | BigInt(value)));
    registers.onWrite(R.REG_SYSTIMH, (value) => this.#set((BigInt(value) << 32n) | (this.now & LOW)));
    registers.onWrite(R.REG_TIMADJH, (value) => this.#adjust(value));
    registers.answerRead(R.REG_TXSTMPH, () => this.#release(R.REG_TSYNCTXCTL, R.REG_TXSTMPH));
    registers.answerRead(R.REG_RXSTMPH, () => this.#release(R.REG_TSYNCRXCTL, R.REG_RXSTMPH));
    let increment = 0;
    registers.onWrite(R.REG_TIMINCA, (value) => {
      // What has passed until now, passed with the old increment.
      registers.set(R.REG_TIMINCA, increment);
      this.#settle();
      registers.set(R.REG_TIMINCA, value);
      increment = value;
    });
    this.#forget = () => (increment = 0);
    this.#remember = () => (increment = registers.get(R.REG_TIMINCA));
  }

  readonly #forget: () => void;
  readonly #remember: () => void;

  /** SYSTIM, 64 bits. */
  get now(): bigint {
    const increment = this.#registers.get(R.REG_TIMINCA);
    const period = increment >>> 24;
    if (period === 0) return this.#base;
    const steps = Math.floor((this.#clock.now - this.#since) / (period * PERIOD_UNIT));
    return (this.#base + BigInt(steps) * BigInt(increment & 0xff_ffff)) & ALL;
  }

  /** A packet left whose descriptor asked for its time; the first one is kept until it has been read (7.9.2). */
  stampTransmit(): void {
    this.#stamp(R.REG_TSYNCTXCTL, R.REG_TXSTMPL);
  }

  /**
   * A packet came that TSYNCRXCTL selects: its time, sequence number and source identity are kept until software has
   * read the time. False: the registers are taken, or it is off.
   */
  stampReceive(attributesLow: number, attributesHigh: number): boolean {
    if (!this.#stamp(R.REG_TSYNCRXCTL, R.REG_RXSTMPL)) return false;
    this.#registers.set(R.REG_RXSATRL, attributesLow);
    this.#registers.set(R.REG_RXSATRH, attributesHigh);
    return true;
  }

  /** The registers have been reset: the clock stands at 0. */
  reset(): void {
    this.#base = 0n;
    this.#since = this.#clock.now;
    this.#latched = 0;
    this.#forget();
  }

  save(): SnapshotValue {
    return {
      high: Number(this.#base >> 32n),
      low: Number(this.#base & LOW),
      since: this.#since,
      latched: this.#latched,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { high: number; low: number; since: number; latched: number };
    this.#base = (BigInt(saved.high) << 32n) | BigInt(saved.low);
    this.#since = saved.since;
    this.#latched = saved.latched;
    this.#remember();
  }

  /** Whole periods that have passed go into the base; the rest of one stays. */
  #settle(): void {
    const { now } = this;
    const period = (this.#registers.get(R.REG_TIMINCA) >>> 24) * PERIOD_UNIT;
    this.#base = now;
    this.#since =
      period === 0 ? this.#clock.now : this.#clock.now - ((this.#clock.now - this.#since) % period);
  }

  #set(value: bigint): void {
    this.#base = value & ALL;
    this.#since = this.#clock.now;
  }

  /** 7.9.3.3: writing the upper half adds the whole; its bit 31 is the sign. */
  #adjust(high: number): void {
    const amount = (BigInt(high & 0x7fff_ffff) << 32n) | BigInt(this.#registers.get(R.REG_TIMADJL));
    this.#settle();
    this.#base = ((high & B.TIMADJH_SIGN) !== 0 ? this.#base - amount : this.#base + amount) & ALL;
  }

  #stamp(control: number, low: number): boolean {
    const value = this.#registers.get(control);
    if ((value & B.TSYNC_ENABLED) === 0 || (value & B.TSYNC_VALID) !== 0) return false;
    const { now } = this;
    this.#registers.set(low, Number(now & LOW));
    this.#registers.set(low + 4, Number(now >> 32n));
    this.#registers.set(control, value | B.TSYNC_VALID);
    return true;
  }

  /** Reading the upper half of a stamp makes room for the next. */
  #release(control: number, high: number): number {
    this.#registers.set(control, this.#registers.get(control) & ~B.TSYNC_VALID);
    return this.#registers.get(high);
  }
}
