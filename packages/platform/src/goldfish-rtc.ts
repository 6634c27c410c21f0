import {
  expectSnapshot,
  UNCONNECTED_LINE,
  type Clock,
  type Device,
  type EventOwner,
  type InterruptLine,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';

// Goldfish RTC, byte offsets.
const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;

export interface GoldfishRtcOptions {
  readonly clock: Clock;
  /** Wall time at the clock's 0: nanoseconds since 1970 UTC. The only way for wall time to enter. 0 unless told. */
  readonly epoch?: bigint;
  /** `rtc` unless told. */
  readonly name?: string;
  readonly line?: InterruptLine;
}

/** The goldfish real-time clock: nanoseconds since 1970 with one alarm. It goes with the machine's clock. */
export class GoldfishRtc implements MmioHandler, Device, EventOwner {
  /** Bytes of registers. */
  static readonly SIZE = 0x1000;
  static readonly WIDTHS: readonly Width[] = [4];

  readonly name: string;
  readonly #clock: Clock;
  readonly #line: InterruptLine;
  readonly #epoch: bigint;
  /** What the guest has added by setting the time, nanoseconds. */
  #adjustment = 0n;
  #latchedHigh = 0;
  #writtenHigh = 0;
  #alarm = 0n;
  #alarmHigh = 0;
  #alarmEvent = 0;
  #armed = false;
  #irqEnabled = false;
  #pending = false;

  constructor(options: GoldfishRtcOptions) {
    this.name = options.name ?? 'rtc';
    this.#clock = options.clock;
    this.#line = options.line ?? UNCONNECTED_LINE;
    this.#epoch = options.epoch ?? 0n;
    this.#clock.register(this);
  }

  /** Nanoseconds since 1970 UTC as the guest sees them. */
  get time(): bigint {
    return BigInt.asUintN(64, this.#epoch + this.#adjustment + BigInt(Math.floor(this.#clock.now)));
  }

  read(offset: number, _width: HandlerWidth): number {
    switch (offset) {
      case TIME_LOW: {
        const time = this.time;
        this.#latchedHigh = Number(time >> 32n);
        return Number(time & 0xffff_ffffn);
      }
      case TIME_HIGH:
        return this.#latchedHigh;
      case ALARM_LOW:
        return Number(this.#alarm & 0xffff_ffffn);
      case ALARM_HIGH:
        return Number(this.#alarm >> 32n);
      case IRQ_ENABLED:
        return this.#irqEnabled ? 1 : 0;
      case ALARM_STATUS:
        return this.#armed ? 1 : 0;
      default:
        return 0;
    }
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    switch (offset) {
      case TIME_HIGH:
        this.#writtenHigh = value;
        break;
      case TIME_LOW:
        this.#adjustment += join(this.#writtenHigh, value) - this.time;
        if (this.#armed) this.#arm();
        break;
      case ALARM_HIGH:
        this.#alarmHigh = value;
        break;
      case ALARM_LOW:
        this.#alarm = join(this.#alarmHigh, value);
        this.#armed = true;
        this.#arm();
        break;
      case IRQ_ENABLED:
        this.#irqEnabled = (value & 1) !== 0;
        break;
      case CLEAR_ALARM:
        this.#disarm();
        break;
      case CLEAR_INTERRUPT:
        this.#pending = false;
        break;
      default:
        return;
    }
    this.#update();
  }

  onEvent(): void {
    this.#alarmEvent = 0;
    this.#armed = false;
    this.#pending = true;
    this.#update();
  }

  /** The alarm and its interrupt are dropped; the time goes on, as a battery-backed clock's does. */
  reset(): void {
    this.#disarm();
    this.#alarm = 0n;
    this.#alarmHigh = 0;
    this.#latchedHigh = 0;
    this.#writtenHigh = 0;
    this.#irqEnabled = false;
    this.#pending = false;
    this.#update();
  }

  save(): Snapshot {
    return {
      type: 'goldfish-rtc',
      version: 1,
      // The epoch belongs to the saved run: a restored guest's time goes on from where it was.
      base: this.#epoch + this.#adjustment,
      latchedHigh: this.#latchedHigh,
      writtenHigh: this.#writtenHigh,
      alarm: this.#alarm,
      alarmHigh: this.#alarmHigh,
      alarmEvent: this.#alarmEvent,
      armed: this.#armed,
      irqEnabled: this.#irqEnabled,
      pending: this.#pending,
    };
  }

  /** The clock is restored by its owner, with the alarm in it. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'goldfish-rtc', 1);
    this.#adjustment = (snapshot['base'] as bigint) - this.#epoch;
    this.#latchedHigh = snapshot['latchedHigh'] as number;
    this.#writtenHigh = snapshot['writtenHigh'] as number;
    this.#alarm = snapshot['alarm'] as bigint;
    this.#alarmHigh = snapshot['alarmHigh'] as number;
    this.#alarmEvent = snapshot['alarmEvent'] as number;
    this.#armed = snapshot['armed'] as boolean;
    this.#irqEnabled = snapshot['irqEnabled'] as boolean;
    this.#pending = snapshot['pending'] as boolean;
    this.#update();
  }

  #arm(): void {
    if (this.#alarmEvent !== 0) this.#clock.cancel(this.#alarmEvent);
    this.#alarmEvent = 0;
    const left = this.#alarm - this.time;
    const when = Math.floor(this.#clock.now) + (left > 0n ? Number(left) : 0);
    // An alarm beyond the clock's 2^53 ns never comes due.
    if (Number.isSafeInteger(when)) this.#alarmEvent = this.#clock.schedule(this, 'alarm', when);
  }

  #disarm(): void {
    if (this.#alarmEvent !== 0) this.#clock.cancel(this.#alarmEvent);
    this.#alarmEvent = 0;
    this.#armed = false;
  }

  #update(): void {
    this.#line.set(this.#pending && this.#irqEnabled);
  }
}

const join = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);
