import type { Clock, EventId, EventOwner } from '@vmloom/device';
import type { IommuInterrupts } from './interrupts.js';
import type { RegisterFile } from './register-file.js';
import * as R from './registers.js';

/** Whose event it is: what the filters of a selector look at. */
export interface EventIds {
  readonly device: number;
  /** -1: none. */
  readonly process: number;
  readonly gscid: number;
  readonly pscid: number;
}

/** Programmable counters beside the one of cycles. */
export const COUNTERS = 31;
const OVERFLOW = 1n << 63n;
const EVENT = 'cycles';

/** The hardware performance monitor (6.18 to 6.22). A cycle is a nanosecond of virtual time. */
export class PerformanceMonitor {
  /** Counters that count something: their numbers, 1 to 31. */
  #active: number[] = [];
  /** Virtual time at which iohpmcycles was brought up to date. */
  #since = 0;
  #overflow: EventId = 0;

  constructor(
    private readonly registers: RegisterFile,
    private readonly clock: Clock,
    private readonly owner: EventOwner,
    private readonly interrupts: IommuInterrupts,
  ) {}

  /** Some counter is at work: every request must be seen. */
  get counting(): boolean {
    return this.#active.length > 0;
  }

  /** `count` events of a kind (EVENT_*). */
  count(event: number, count: number, ids: EventIds): void {
    if (count === 0) return;
    for (const number of this.#active) if (this.#matches(number, event, ids)) this.#add(number, count);
  }

  /** Before a register of the monitor is read or written. */
  synchronize(): void {
    const { registers, clock } = this;
    const passed = BigInt(Math.floor(clock.now - this.#since));
    this.#since = clock.now;
    if ((registers.get(R.IOCOUNTINH) & 1) !== 0 || passed === 0n) return;
    const before = registers.get64(R.IOHPMCYCLES);
    const sum = (before & ~OVERFLOW) + passed;
    const overflowed = sum >= OVERFLOW;
    registers.set64(R.IOHPMCYCLES, (sum & (OVERFLOW - 1n)) | (overflowed ? OVERFLOW : before & OVERFLOW));
    if (overflowed && (before & OVERFLOW) === 0n) this.#overflowed(0);
  }

  /** After a register of the monitor was written: what counts, the overflow mirror, the next overflow of cycles. */
  configured(): void {
    const { registers, clock, owner } = this;
    const inhibited = registers.get(R.IOCOUNTINH);
    this.#active = [];
    let overflows = registers.get(R.IOHPMCYCLES + 4) >>> 31;
    for (let number = 1; number <= COUNTERS; number++) {
      const selector = selectorAt(number);
      overflows |= (registers.get(selector + 4) >>> 31) << number;
      const counts = (registers.get(selector) & 0x7fff) !== 0 && (inhibited & (1 << number)) === 0;
      if (counts) this.#active.push(number);
    }
    registers.set(R.IOCOUNTOVF, overflows);
    if (this.#overflow !== 0) clock.cancel(this.#overflow);
    this.#overflow = 0;
    const cycles = registers.get64(R.IOHPMCYCLES);
    // Later ones are more than 100 days of virtual time away; a snapshot or a read looks again.
    if ((inhibited & 1) === 0 && OVERFLOW - (cycles & ~OVERFLOW) < 1n << 53n) {
      this.#overflow = clock.after(owner, EVENT, Number(OVERFLOW - (cycles & ~OVERFLOW)));
    }
  }

  /** By the event of the clock: true when it is the monitor's. */
  onEvent(kind: string): boolean {
    if (kind !== EVENT) return false;
    this.synchronize();
    this.configured();
    return true;
  }

  reset(): void {
    this.#since = this.clock.now;
    this.configured();
  }

  save(): { since: number; overflow: number } {
    return { since: this.#since, overflow: this.#overflow };
  }

  restore(saved: { since: number; overflow: number }): void {
    this.#since = saved.since;
    this.#overflow = saved.overflow;
    const inhibited = this.registers.get(R.IOCOUNTINH);
    this.#active = [];
    for (let number = 1; number <= COUNTERS; number++) {
      const event = this.registers.get(selectorAt(number)) & 0x7fff;
      if (event !== 0 && (inhibited & (1 << number)) === 0) this.#active.push(number);
    }
  }

  #add(number: number, count: number): void {
    const { registers } = this;
    const at = R.IOHPMCTR + 8 * (number - 1);
    const sum = registers.get64(at) + BigInt(count);
    registers.set64(at, sum & 0xffff_ffff_ffff_ffffn);
    if (sum < 1n << 64n || registers.get(selectorAt(number) + 4) >>> 31 !== 0) return;
    registers.change(selectorAt(number) + 4, 0x8000_0000);
    this.#overflowed(number);
  }

  #overflowed(number: number): void {
    this.registers.change(R.IOCOUNTOVF, 1 << number);
    this.interrupts.raise(R.IP_PERFORMANCE);
  }

  #matches(number: number, event: number, ids: EventIds): boolean {
    const low = this.registers.get(selectorAt(number));
    const high = this.registers.get(selectorAt(number) + 4);
    if ((low & 0x7fff) !== event) return false;
    const byContext = (high & (1 << 30)) !== 0;
    // Events of requests and directories know no context.
    const contextual = event === R.EVENT_TLB_MISS || event >= R.EVENT_FIRST_WALK;
    if (byContext && !contextual) return false;
    if ((high & (1 << 28)) !== 0) {
      const wanted = (low >>> 16) | ((high & 15) << 16);
      if ((byContext ? ids.pscid : ids.process) !== wanted) return false;
    }
    if ((high & (1 << 29)) !== 0) {
      const wanted = (high >>> 4) & 0xff_ffff;
      const actual = byContext ? ids.gscid : ids.device;
      if (actual < 0) return false;
      // DMASK: the low ones and the zero above them do not count.
      const ignored = (low & 0x8000) !== 0 ? wanted ^ (wanted + 1) : 0;
      if (((actual ^ wanted) & ~ignored & 0xff_ffff) !== 0) return false;
    }
    return true;
  }
}

const selectorAt = (number: number): number => R.IOHPMEVT + 8 * (number - 1);
