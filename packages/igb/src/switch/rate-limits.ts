import type { Clock, SnapshotValue } from '@vmloom/device';
import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';

// RTTBCNRC (8.12.x): how much slower than the link a queue is, with 14 bits behind the point.
const ENABLE = 0x8000_0000;
const FRACTION_BITS = 14;
const FACTOR_MASK = 0x00ff_ffff;
/** Preamble, delimiter, FCS and the gap between frames. */
const OVERHEAD_BYTES = 24;
/** Without FCS. */
const SHORTEST_FRAME = 60;
/** Of links of 10, 100 and 1000 Mbit/s (8.2.2: both codes of the last). */
const BIT_TIMES = [100, 10, 1, 1] as const;

/**
 * A limit to the rate of each transmit queue (7.2.2.x): after a frame the queue waits until the link, slower by the
 * queue's factor, would have carried it. RTTDQSEL says which queue RTTBCNRC is of.
 */
export class RateLimits {
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  /** RTTBCNRC of each queue. */
  readonly #rates = new Uint32Array(R.QUEUES);
  /** When a queue may send again, in nanoseconds of virtual time. */
  readonly #readyAt = new Float64Array(R.QUEUES);

  /** `onChange`: a queue may be able to send sooner than it was told. */
  constructor(registers: RegisterFile, clock: Clock, onChange: (queue: number) => void = () => undefined) {
    this.#registers = registers;
    this.#clock = clock;
    const selected = (): number => registers.get(R.REG_RTTDQSEL) & (R.QUEUES - 1);
    registers.answerRead(R.REG_RTTBCNRC, () => this.#rates[selected()]);
    registers.onWrite(R.REG_RTTBCNRC, (value) => {
      this.#rates[selected()] = value & (ENABLE | FACTOR_MASK);
      // A new rate counts from now: what was paid at the old one is settled.
      this.#readyAt[selected()] = Math.min(this.#readyAt[selected()], clock.now);
      onChange(selected());
    });
  }

  /** When the queue may send its next frame; not after now: at once. */
  readyAt(queue: number): number {
    return this.#readyAt[queue];
  }

  /** A frame of so many bytes, without FCS, left the queue. */
  sent(queue: number, bytes: number): void {
    const limit = this.#rates[queue];
    if ((limit & ENABLE) === 0) return;
    const factor = (limit & FACTOR_MASK) / 2 ** FRACTION_BITS;
    const onWire = (Math.max(bytes, SHORTEST_FRAME) + OVERHEAD_BYTES) * 8;
    // A factor below 1 asks for more than the link has.
    const time = Math.ceil(onWire * this.#bitTime * Math.max(factor, 1));
    this.#readyAt[queue] = Math.max(this.#readyAt[queue], this.#clock.now) + time;
  }

  /** Nanoseconds that the link takes for a bit. */
  get #bitTime(): number {
    return BIT_TIMES[(this.#registers.get(R.REG_STATUS) >> B.STATUS_SPEED_SHIFT) & 3];
  }

  reset(): void {
    this.#rates.fill(0);
    this.#readyAt.fill(0);
  }

  save(): SnapshotValue {
    return { rates: [...this.#rates], readyAt: [...this.#readyAt] };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { rates: number[]; readyAt: number[] };
    this.#rates.set(saved.rates);
    this.#readyAt.set(saved.readyAt);
  }
}
