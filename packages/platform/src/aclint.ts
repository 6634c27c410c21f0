import {
  DeviceError,
  expectSnapshot,
  type Clock,
  type Device,
  type EventOwner,
  type InterruptLine,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';

// The SiFive CLINT map, which ACLINT 1.0 keeps: MSWI at 0, MTIMER at 0x4000 with MTIME at its end.
const MSIP_BASE = 0;
const MTIMECMP_BASE = 0x4000;
const MTIME = 0xbff8;
const MAX_HARTS = 4095;
const NEVER = 0xffff_ffff_ffff_ffffn;
const NANOSECONDS = 1_000_000_000n;

/** The lines of one hart. */
export interface AclintHart {
  /** Machine software interrupt, mip bit 3. */
  readonly software: InterruptLine;
  /** Machine timer interrupt, mip bit 7. */
  readonly timer: InterruptLine;
}

export interface AclintOptions {
  readonly clock: Clock;
  readonly harts: readonly AclintHart[];
  /** `aclint` unless told. */
  readonly name?: string;
  /** Ticks of MTIME in a second; 10,000,000 unless told. */
  readonly frequency?: number;
  /**
   * Told of each new {@link Aclint.timeOffset}, for the `time` CSRs, which are shadows of MTIME (Privileged
   * 3.1.11). Without somebody to follow, MTIME cannot be set: it stays the count of the clock, as `time` does.
   */
  readonly onTimeOffset?: (offset: bigint) => void;
}

/**
 * ACLINT 1.0: MSWI and MTIMER at the offsets of the CLINT (0x02000000 on the virt board). MTIME counts the
 * clock; a comparator is one event on it.
 */
export class Aclint implements MmioHandler, Device, EventOwner {
  /** Bytes of registers. */
  static readonly SIZE = 0x1_0000;
  static readonly WIDTHS: readonly Width[] = [4, 8];

  readonly name: string;
  readonly #clock: Clock;
  readonly #harts: readonly AclintHart[];
  readonly #frequency: bigint;
  readonly #onTimeOffset: ((offset: bigint) => void) | undefined;
  readonly #software: boolean[];
  readonly #compare: bigint[];
  readonly #events: number[];
  #offset = 0n;

  /** @throws RangeError for more than 4095 harts */
  constructor(options: AclintOptions) {
    if (options.harts.length > MAX_HARTS) {
      throw new RangeError(`an ACLINT serves at most ${MAX_HARTS} harts, not ${options.harts.length}`);
    }
    this.name = options.name ?? 'aclint';
    this.#clock = options.clock;
    this.#harts = options.harts;
    this.#frequency = BigInt(options.frequency ?? 10_000_000);
    this.#onTimeOffset = options.onTimeOffset;
    this.#software = options.harts.map(() => false);
    this.#compare = options.harts.map(() => NEVER);
    this.#events = options.harts.map(() => 0);
    this.#clock.register(this);
  }

  /** MTIME, 64 bits unsigned: floor(nanoseconds × frequency / 10^9) plus {@link timeOffset}. */
  get time(): bigint {
    return BigInt.asUintN(64, this.#ticks + this.#offset);
  }

  /** What writes to MTIME and resets have added to the count of the clock, in ticks. */
  get timeOffset(): bigint {
    return this.#offset;
  }

  read(offset: number, _width: HandlerWidth): number {
    if (offset >= MTIME) return half(this.time, offset);
    if (offset >= MTIMECMP_BASE) return half(this.#compare[(offset - MTIMECMP_BASE) >>> 3] ?? 0n, offset);
    return this.#software[(offset - MSIP_BASE) >>> 2] === true ? 1 : 0;
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    if (offset >= MTIME) {
      this.#setTime(withHalf(this.time, offset, value));
      return;
    }
    if (offset >= MTIMECMP_BASE) {
      const hart = (offset - MTIMECMP_BASE) >>> 3;
      const compare = this.#compare[hart];
      if (compare === undefined) return;
      this.#compare[hart] = withHalf(compare, offset, value);
      this.#updateTimer(hart);
      return;
    }
    const hart = (offset - MSIP_BASE) >>> 2;
    if (hart >= this.#harts.length) return;
    this.#software[hart] = (value & 1) !== 0;
    this.#harts[hart].software.set(this.#software[hart]);
  }

  onEvent(_kind: string, args: { readonly hart?: unknown }): void {
    const hart = args.hart as number;
    this.#events[hart] = 0;
    this.#updateTimer(hart);
  }

  /** MTIME (where it can be set) and MSIP become 0; the comparators, unknown by the specification, never fire. */
  reset(): void {
    this.#compare.fill(NEVER);
    this.#software.fill(false);
    for (const { software } of this.#harts) software.set(false);
    this.#setTime(0n);
  }

  save(): Snapshot {
    return {
      type: 'aclint',
      version: 1,
      offset: this.#offset,
      software: [...this.#software],
      compare: [...this.#compare],
      events: [...this.#events],
    };
  }

  /** The clock is restored by its owner, with the events of this device in it. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'aclint', 1);
    const compare = snapshot['compare'] as bigint[];
    if (compare.length !== this.#harts.length) {
      throw new DeviceError('bad-snapshot', `the snapshot's ACLINT has ${compare.length} harts`);
    }
    this.#offset = snapshot['offset'] as bigint;
    this.#onTimeOffset?.(this.#offset);
    for (const [hart, lines] of this.#harts.entries()) {
      this.#software[hart] = (snapshot['software'] as boolean[])[hart]!;
      this.#compare[hart] = compare[hart]!;
      this.#events[hart] = (snapshot['events'] as number[])[hart]!;
      lines.software.set(this.#software[hart]);
      lines.timer.set(this.time >= this.#compare[hart]);
    }
  }

  get #ticks(): bigint {
    return (BigInt(Math.floor(this.#clock.now)) * this.#frequency) / NANOSECONDS;
  }

  #setTime(time: bigint): void {
    if (this.#onTimeOffset !== undefined) {
      this.#offset = BigInt.asIntN(64, time - this.#ticks);
      this.#onTimeOffset(this.#offset);
    }
    for (let hart = 0; hart < this.#harts.length; hart++) this.#updateTimer(hart);
  }

  /** ACLINT 1.0 2.3: the interrupt pends while MTIME is at or above MTIMECMP, as unsigned numbers. */
  #updateTimer(hart: number): void {
    if (this.#events[hart] !== 0) this.#clock.cancel(this.#events[hart]);
    this.#events[hart] = 0;
    const left = this.#compare[hart] - this.time;
    this.#harts[hart].timer.set(left <= 0n);
    if (left <= 0n) return;
    const ticks = this.#ticks + left;
    const when = Number((ticks * NANOSECONDS + this.#frequency - 1n) / this.#frequency);
    // Beyond 2^53 ns (104 days) the clock has no instants; nothing runs that long.
    if (Number.isSafeInteger(when)) this.#events[hart] = this.#clock.schedule(this, 'timer', when, { hart });
  }
}

/** The half of a 64-bit register at `offset`. */
function half(value: bigint, offset: number): number {
  return Number(BigInt.asUintN(32, (offset & 4) === 0 ? value : value >> 32n));
}

/** A 64-bit register with the half at `offset` replaced. */
function withHalf(value: bigint, offset: number, part: number): bigint {
  const bits = BigInt(part >>> 0);
  return (offset & 4) === 0
    ? (value & 0xffff_ffff_0000_0000n) | bits
    : (value & 0xffff_ffffn) | (bits << 32n);
}
