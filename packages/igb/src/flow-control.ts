import { DeadlineTimer, type Clock, type EventOwner, type SnapshotValue } from '@vmloom/device';
import { Frame } from '@vmloom/net';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import type { RegisterFile } from './register-file.js';

const OPCODE_PAUSE = 1;

/** What flow control asks of the device around it. */
export interface FlowControlHost {
  /** Bytes of the receive FIFO in use. */
  readonly fifoUsed: number;
  readonly mayTransmit: boolean;
  sendFrame(frame: Frame): boolean;
}

/**
 * Sending of PAUSE frames (3.5.5): XOFF when the receive FIFO fills to FCRTH, XON when it empties to FCRTL with
 * XONE set. They leave by an event, ahead of the ring.
 */
export class FlowControl {
  readonly #registers: RegisterFile;
  readonly #host: FlowControlHost;
  readonly #clock: Clock;
  readonly #timer: DeadlineTimer;
  readonly #bytes = new Uint8Array(B.MIN_FRAME);
  readonly #frame = Frame.of(this.#bytes);
  /** The partner has been told to stop. */
  #stopped = false;

  constructor(registers: RegisterFile, clock: Clock, owner: EventOwner, host: FlowControlHost) {
    this.#registers = registers;
    this.#clock = clock;
    this.#host = host;
    this.#timer = new DeadlineTimer(clock, owner, 'flow-control');
  }

  /** The fill of the FIFO changed. */
  check(): void {
    // 8.10.x: each time that the fill reaches FCRTH is a new one, with or without an XON between.
    const xon = (this.#registers.get(R.REG_FCRTL) & B.FCRTL_XONE) !== 0;
    if (this.#stopped && !xon && this.#host.fifoUsed < this.#registers.get(R.REG_FCRTH))
      this.#stopped = false;
    if (this.#wantsStop || this.#wantsStart) this.#timer.arm(this.#clock.now);
  }

  /** The wire has room again. */
  writable(): void {
    this.check();
  }

  onEvent(): void {
    if (!this.#timer.fired() || !this.#host.mayTransmit) return;
    if (this.#wantsStop) this.#stopped = this.#send(this.#registers.get(R.REG_FCTTV));
    else if (this.#wantsStart) this.#stopped = !this.#send(0);
  }

  reset(): void {
    this.#timer.disarm();
    this.#stopped = false;
  }

  save(): SnapshotValue {
    return { timer: this.#timer.save(), stopped: this.#stopped };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { timer: SnapshotValue; stopped: boolean };
    this.#timer.restore(saved.timer);
    this.#stopped = saved.stopped;
  }

  get #enabled(): boolean {
    return (this.#registers.get(R.REG_CTRL) & B.CTRL_TFCE) !== 0;
  }

  get #wantsStop(): boolean {
    const high = this.#registers.get(R.REG_FCRTH);
    return this.#enabled && !this.#stopped && high !== 0 && this.#host.fifoUsed >= high;
  }

  get #wantsStart(): boolean {
    const low = this.#registers.get(R.REG_FCRTL);
    return this.#stopped && (low & B.FCRTL_XONE) !== 0 && this.#host.fifoUsed <= (low & 0xfff0);
  }

  #send(quanta: number): boolean {
    const { image } = this.#registers;
    const word = (register: number): number => image[register >> 2];
    const bytes = this.#bytes;
    const address = (at: number, low: number, high: number): void => {
      for (let index = 0; index < 4; index++) bytes[at + index] = low >>> (8 * index);
      bytes[at + 4] = high;
      bytes[at + 5] = high >>> 8;
    };
    address(0, word(R.REG_FCAL), word(R.REG_FCAH));
    address(6, word(R.REG_RAL0), word(R.REG_RAH0));
    const fields = [word(R.REG_FCT), OPCODE_PAUSE, quanta];
    fields.forEach((value, index) => {
      bytes[12 + 2 * index] = value >>> 8;
      bytes[13 + 2 * index] = value;
    });
    if (!this.#host.sendFrame(this.#frame)) return false;
    image[(quanta === 0 ? R.REG_XONTXC : R.REG_XOFFTXC) >> 2]++;
    image[R.REG_TPT >> 2]++;
    const octets = word(R.REG_TOTL) + B.MIN_FRAME + B.FCS_BYTES;
    image[R.REG_TOTL >> 2] = octets;
    if (octets > 0xffff_ffff) image[(R.REG_TOTL + 4) >> 2]++;
    return true;
  }
}
