import type { Clock, EventOwner } from '@vmloom/device';
import { BIT_STIP, CSR_STIMECMP, EID_TIME, SBI_ERR_NOT_SUPPORTED, SBI_SUCCESS } from './codes.js';
import { FIRMWARE_SET_TIMER, type CountFirmwareEvent } from './firmware-counters.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';
import type { SbiHart } from './sbi-hart.js';

const NANOSECONDS = 1_000_000_000n;

export interface TimeOptions {
  readonly clock: Clock;
  readonly owner: EventOwner;
  readonly frequency: bigint;
  /** What the `time` CSR is ahead of the clock, in ticks. */
  readonly timeOffset: () => bigint;
  /** The harts have stimecmp: the call writes it and the hart raises STIP itself. */
  readonly sstc: boolean;
  readonly count: CountFirmwareEvent;
}

/** Timer extension, SBI 2.0 chapter 6. One event on the clock per hart. */
export class TimeExtension implements SbiExtension {
  readonly eid = EID_TIME;
  /** Event ids by hart; absent where no event is due. */
  readonly #events = new Map<number, number>();

  constructor(private readonly options: TimeOptions) {}

  call({ hart, fid, args }: SbiCall): SbiRet {
    if (fid !== 0) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    this.options.count(hart.id, FIRMWARE_SET_TIMER);
    if (this.options.sstc) hart.writeCsr(CSR_STIMECMP, args[0]);
    else this.#setTimer(hart, args[0]);
    return sbiRet(SBI_SUCCESS);
  }

  /** The timer of a hart is due. */
  expire(hart: SbiHart): void {
    this.#events.delete(hart.id);
    hart.setInterrupt(BIT_STIP, true);
  }

  /** No timer is pending or due. */
  cancel(hart: SbiHart): void {
    const event = this.#events.get(hart.id);
    if (event !== undefined) this.options.clock.cancel(event);
    this.#events.delete(hart.id);
  }

  save(): { hart: number; event: number }[] {
    return [...this.#events].map(([hart, event]) => ({ hart, event }));
  }

  restore(saved: readonly { hart: number; event: number }[]): void {
    this.#events.clear();
    for (const { hart, event } of saved) this.#events.set(hart, event);
  }

  #setTimer(hart: SbiHart, time: bigint): void {
    const { clock, owner, frequency, timeOffset } = this.options;
    this.cancel(hart);
    const ticks = (BigInt(Math.floor(clock.now)) * frequency) / NANOSECONDS;
    const left = time - BigInt.asUintN(64, ticks + timeOffset());
    hart.setInterrupt(BIT_STIP, left <= 0n);
    if (left <= 0n) return;
    const when = Number(((ticks + left) * NANOSECONDS + frequency - 1n) / frequency);
    // A time beyond the clock's 2^53 ns is as good as the "infinitely far in the future" of chapter 6.
    if (Number.isSafeInteger(when)) {
      this.#events.set(hart.id, clock.schedule(owner, 'timer', when, { hart: hart.id }));
    }
  }
}
