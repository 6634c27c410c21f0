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
import {
  FCR_DMA_MODE,
  FCR_ENABLE,
  FCR_RESET_RECEIVER,
  FCR_TRIGGER_SHIFT,
  IER_LINE_STATUS,
  IER_MASK,
  IER_MODEM_STATUS,
  IER_RECEIVED_DATA,
  IER_THR_EMPTY,
  IIR_CHARACTER_TIMEOUT,
  IIR_FIFOS_ENABLED,
  IIR_LINE_STATUS,
  IIR_MODEM_STATUS,
  IIR_NONE,
  IIR_RECEIVED_DATA,
  IIR_THR_EMPTY,
  LCR_BREAK,
  LCR_DLAB,
  LCR_PARITY,
  LCR_TWO_STOP_BITS,
  LCR_WORD_LENGTH,
  LSR_BREAK,
  LSR_THR_EMPTY,
  LSR_TRANSMITTER_EMPTY,
  MCR_DTR,
  MCR_LOOP,
  MCR_MASK,
  MCR_OUT1,
  MCR_OUT2,
  MCR_RTS,
  MSR_CTS,
  MSR_DCD,
  MSR_DELTAS,
  MSR_DELTA_CTS,
  MSR_DELTA_DCD,
  MSR_DELTA_DSR,
  MSR_DSR,
  MSR_RI,
  MSR_TRAILING_RI,
  UART_DATA,
  UART_FCR,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
  UART_SCR,
} from './uart-registers.js';
import { UartReceiver } from './uart-receiver.js';

const TRIGGER_LEVELS: readonly number[] = [1, 4, 8, 14];

export interface Uart16550Options {
  readonly clock: Clock;
  /** `uart0` unless told. */
  readonly name?: string;
  /** INTR. */
  readonly line?: InterruptLine;
  /** Takes each transmitted byte, at the moment it is written: it must not touch the machine, only keep the byte. */
  readonly output?: (byte: number) => void;
  /** The baud generator's input, Hz. 3,686,400 (the virt board) unless told. */
  readonly frequency?: number;
  /** INTR passes only while MCR.OUT2 is set, as PC boards wire it. The virt board does not; false unless told. */
  readonly interruptNeedsOut2?: boolean;
  /**
   * The line carries eight bits whatever word length LCR names, as QEMU's does: bare programs that never set it
   * up rely on that. False unless told: a character has the programmed bits.
   */
  readonly eightBits?: boolean;
}

/**
 * NS16550A UART. The transmitter is infinitely fast: a byte leaves as it is written, so output never blocks
 * the guest, and THR is empty again at once (with its interrupt). The receiver takes what fits and says so;
 * its character time-out runs on the clock at the programmed rate.
 */
export class Uart16550 implements MmioHandler, Device, EventOwner {
  /** Bytes of registers. */
  static readonly SIZE = 0x100;
  /** Of a wider access only the byte at its address counts, as on an 8-bit bus behind a bridge. */
  static readonly WIDTHS: readonly Width[] = [1, 2, 4];

  readonly name: string;
  /** Told, from the event queue, that {@link receive} has room again after it refused bytes. */
  onReceiveReady: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #line: InterruptLine;
  readonly #output: (byte: number) => void;
  readonly #frequency: number;
  readonly #interruptNeedsOut2: boolean;
  readonly #eightBits: boolean;

  readonly #receiver = new UartReceiver();
  #ier = 0;
  #fcr = 0;
  #lcr = 0;
  #mcr = 0;
  #scr = 0;
  #divisor = 0;
  #msr = 0;
  #modemInputs = MSR_CTS | MSR_DSR | MSR_DCD;
  /** The THR-empty interrupt is due: it is an event, not a level (data sheet 8.6). */
  #thrEmptyDue = false;
  /** The handler of an empty transmitter ended without a look at IIR or a byte to send. */
  #thrEmptySeen = false;
  #timedOut = false;
  /** {@link receive} has refused bytes and owes word of room. */
  #refused = false;
  #lastReceiverUse = 0;
  #timeoutEvent = 0;
  #readyEvent = 0;

  constructor(options: Uart16550Options) {
    this.name = options.name ?? 'uart0';
    this.#clock = options.clock;
    this.#line = options.line ?? UNCONNECTED_LINE;
    this.#output = options.output ?? (() => undefined);
    this.#frequency = options.frequency ?? 3_686_400;
    this.#interruptNeedsOut2 = options.interruptNeedsOut2 ?? false;
    this.#eightBits = options.eightBits ?? false;
    this.#msr = this.#modemInputs;
    this.#clock.register(this);
  }

  /**
   * Bytes that arrive on the serial input, from a sender that honours flow control: as many as fit are taken,
   * the count is the answer. After an answer short of the length {@link onReceiveReady} follows.
   */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.#roomForInput()) this.#arrive(bytes[taken++], 0);
    if (taken < bytes.length) this.#refused = true;
    this.#update();
    return taken;
  }

  /**
   * One character from a sender without flow control; `errors` are LSR parity, framing and break bits. A full
   * receiver loses data as the chip does (LSR overrun). While in loopback the serial input is disconnected.
   */
  receiveCharacter(byte: number, errors = 0): void {
    if ((this.#mcr & MCR_LOOP) !== 0) return;
    this.#arrive(byte, errors);
    this.#update();
  }

  /** The modem inputs: MSR_CTS, MSR_DSR, MSR_RI and MSR_DCD bits, asserted when 1. */
  setModemInputs(inputs: number): void {
    this.#modemInputs = inputs & ~MSR_DELTAS & 0xff;
    this.#updateModem();
    this.#update();
  }

  /** Outputs as the pins show them: MCR_DTR, MCR_RTS, MCR_OUT1, MCR_OUT2 bits; all inactive in loopback. */
  get modemOutputs(): number {
    return (this.#mcr & MCR_LOOP) !== 0 ? 0 : this.#mcr;
  }

  /** Nanoseconds of one character at the programmed format and rate. */
  get characterTime(): number {
    const lcr = this.#lcr;
    const bits =
      1 +
      (5 + (lcr & LCR_WORD_LENGTH)) +
      ((lcr & LCR_PARITY) !== 0 ? 1 : 0) +
      ((lcr & LCR_TWO_STOP_BITS) !== 0 ? 2 : 1);
    // A divisor of 0 has no documented rate; the fastest one keeps the time finite.
    return Math.ceil((bits * 16 * Math.max(1, this.#divisor) * 1e9) / this.#frequency);
  }

  read(offset: number, _width: HandlerWidth): number {
    switch (offset) {
      case UART_DATA:
        return (this.#lcr & LCR_DLAB) !== 0 ? this.#divisor & 0xff : this.#readReceived();
      case UART_IER:
        return (this.#lcr & LCR_DLAB) !== 0 ? this.#divisor >>> 8 : this.#ier;
      case UART_IIR:
        return this.#readIdentification();
      case UART_LCR:
        return this.#lcr;
      case UART_MCR:
        return this.#mcr;
      case UART_LSR:
        return this.#readLineStatus();
      case UART_MSR:
        return this.#readModemStatus();
      case UART_SCR:
        return this.#scr;
      default:
        return 0;
    }
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    const byte = value & 0xff;
    switch (offset) {
      case UART_DATA:
        if ((this.#lcr & LCR_DLAB) !== 0) this.#divisor = (this.#divisor & 0xff00) | byte;
        else this.#transmit(byte);
        break;
      case UART_IER:
        if ((this.#lcr & LCR_DLAB) !== 0) this.#divisor = (this.#divisor & 0xff) | (byte << 8);
        else this.#writeInterruptEnable(byte);
        break;
      case UART_FCR:
        this.#writeFifoControl(byte);
        break;
      case UART_LCR:
        this.#writeLineControl(byte);
        break;
      case UART_MCR:
        this.#mcr = byte & MCR_MASK;
        this.#updateModem();
        if ((this.#mcr & MCR_LOOP) === 0) this.#offerRoom();
        break;
      case UART_SCR:
        this.#scr = byte;
        break;
      default:
        // LSR is for factory tests only (8.4), MSR is an input: writes are without effect.
        return;
    }
    this.#update();
  }

  /**
   * The guest completed the interrupt. An empty transmitter is not told again by itself: the PLIC of QEMU's board
   * looks at levels when they change and not on completion, and xv6's handler, with nothing to send, leaves the
   * transmitter's interrupt as it is. A board that calls this gives up the level of that one cause.
   */
  interruptCompleted(): void {
    if (this.#cause !== IIR_THR_EMPTY) return;
    this.#thrEmptySeen = true;
    this.#update();
  }

  onEvent(kind: string): void {
    if (kind === 'ready') {
      this.#readyEvent = 0;
      if (this.#refused && this.#roomForInput()) {
        this.#refused = false;
        this.onReceiveReady?.();
      }
      return;
    }
    this.#timeoutEvent = 0;
    if (!this.#fifosEnabled || this.#receiver.length === 0) return;
    const due = this.#lastReceiverUse + 4 * this.characterTime;
    if (due > this.#clock.now) this.#timeoutEvent = this.#clock.schedule(this, 'timeout', due);
    else this.#timedOut = true;
    this.#update();
  }

  /** Master reset (data sheet table I); SCR and the divisor are not changed by it on the chip, here they are 0. */
  reset(): void {
    this.#ier = 0;
    this.#fcr = 0;
    this.#lcr = 0;
    this.#mcr = 0;
    this.#scr = 0;
    this.#divisor = 0;
    this.#receiver.clear();
    this.#thrEmptyDue = false;
    this.#thrEmptySeen = false;
    this.#timedOut = false;
    this.#lastReceiverUse = 0;
    this.#msr = this.#modemInputs;
    this.#cancelEvents();
    this.#offerRoom();
    this.#update();
  }

  save(): Snapshot {
    return {
      type: 'uart-16550',
      version: 1,
      ier: this.#ier,
      fcr: this.#fcr,
      lcr: this.#lcr,
      mcr: this.#mcr,
      scr: this.#scr,
      divisor: this.#divisor,
      msr: this.#msr,
      modemInputs: this.#modemInputs,
      receiver: this.#receiver.save(),
      thrEmptyDue: this.#thrEmptyDue,
      thrEmptySeen: this.#thrEmptySeen,
      timedOut: this.#timedOut,
      refused: this.#refused,
      lastReceiverUse: this.#lastReceiverUse,
      timeoutEvent: this.#timeoutEvent,
      readyEvent: this.#readyEvent,
    };
  }

  /** The clock is restored by its owner, with the events of this UART in it. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'uart-16550', 1);
    this.#ier = snapshot['ier'] as number;
    this.#fcr = snapshot['fcr'] as number;
    this.#lcr = snapshot['lcr'] as number;
    this.#mcr = snapshot['mcr'] as number;
    this.#scr = snapshot['scr'] as number;
    this.#divisor = snapshot['divisor'] as number;
    this.#msr = snapshot['msr'] as number;
    this.#modemInputs = snapshot['modemInputs'] as number;
    this.#receiver.restore(snapshot['receiver'] as Snapshot);
    this.#thrEmptyDue = snapshot['thrEmptyDue'] as boolean;
    this.#thrEmptySeen = snapshot['thrEmptySeen'] === true;
    this.#timedOut = snapshot['timedOut'] as boolean;
    this.#refused = snapshot['refused'] as boolean;
    this.#lastReceiverUse = snapshot['lastReceiverUse'] as number;
    this.#timeoutEvent = snapshot['timeoutEvent'] as number;
    this.#readyEvent = snapshot['readyEvent'] as number;
    this.#update();
  }

  get #fifosEnabled(): boolean {
    return (this.#fcr & FCR_ENABLE) !== 0;
  }

  get #wordMask(): number {
    if (this.#eightBits) return 0xff;
    return (0x20 << (this.#lcr & LCR_WORD_LENGTH)) - 1;
  }

  #roomForInput(): boolean {
    return (this.#mcr & MCR_LOOP) === 0 && this.#receiver.hasRoom;
  }

  /** One character time from now the sender may go on: the receiver has room and somebody was refused. */
  #offerRoom(): void {
    if (this.#refused && this.#readyEvent === 0 && this.#roomForInput()) {
      this.#readyEvent = this.#clock.after(this, 'ready', this.characterTime);
    }
  }

  #cancelEvents(): void {
    if (this.#timeoutEvent !== 0) this.#clock.cancel(this.#timeoutEvent);
    if (this.#readyEvent !== 0) this.#clock.cancel(this.#readyEvent);
    this.#timeoutEvent = 0;
    this.#readyEvent = 0;
  }

  #arrive(byte: number, errors: number): void {
    const lost = this.#fifosEnabled && !this.#receiver.hasRoom;
    this.#receiver.push(byte & this.#wordMask, errors);
    if (!lost) this.#useReceiver();
  }

  /** 8.11: a character that comes in or is read restarts the time-out. */
  #useReceiver(): void {
    this.#timedOut = false;
    this.#lastReceiverUse = this.#clock.now;
    if (this.#fifosEnabled && this.#receiver.length > 0 && this.#timeoutEvent === 0) {
      this.#timeoutEvent = this.#clock.after(this, 'timeout', 4 * this.characterTime);
    }
  }

  #readReceived(): number {
    const byte = this.#receiver.shift();
    if (byte === undefined) return 0;
    this.#useReceiver();
    this.#offerRoom();
    this.#update();
    return byte;
  }

  #transmit(byte: number): void {
    const character = byte & this.#wordMask;
    // Writing THR takes the interrupt back; the transmitter then empties it at once, which raises it again.
    this.#thrEmptyDue = true;
    this.#thrEmptySeen = false;
    if ((this.#mcr & MCR_LOOP) !== 0) this.#arrive(character, 0);
    else this.#output(character);
  }

  #writeInterruptEnable(byte: number): void {
    const risen = byte & ~this.#ier;
    this.#ier = byte & IER_MASK;
    if ((risen & IER_THR_EMPTY) !== 0) {
      this.#thrEmptyDue = true;
      this.#thrEmptySeen = false;
    }
  }

  #writeFifoControl(byte: number): void {
    const changed = ((this.#fcr ^ byte) & FCR_ENABLE) !== 0;
    // 8.5 FCR0: without it the other bits are not programmed; a change of it empties both FIFOs.
    this.#fcr = (byte & FCR_ENABLE) === 0 ? 0 : byte & (FCR_ENABLE | FCR_DMA_MODE | (3 << FCR_TRIGGER_SHIFT));
    if (changed || ((byte & FCR_ENABLE) !== 0 && (byte & FCR_RESET_RECEIVER) !== 0)) {
      this.#receiver.reset((byte & FCR_ENABLE) !== 0);
      this.#timedOut = false;
      this.#offerRoom();
    }
  }

  #writeLineControl(byte: number): void {
    const breakBegins = (byte & ~this.#lcr & LCR_BREAK) !== 0;
    this.#lcr = byte;
    // In loopback the transmitter's spacing state is what the receiver sees: one break character.
    if (breakBegins && (this.#mcr & MCR_LOOP) !== 0) this.#arrive(0, LSR_BREAK);
  }

  #readLineStatus(): number {
    const status = this.#receiver.readStatus() | LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;
    this.#update();
    return status;
  }

  #updateModem(): void {
    const mcr = this.#mcr;
    const inputs =
      (mcr & MCR_LOOP) === 0
        ? this.#modemInputs
        : ((mcr & MCR_RTS) !== 0 ? MSR_CTS : 0) |
          ((mcr & MCR_DTR) !== 0 ? MSR_DSR : 0) |
          ((mcr & MCR_OUT1) !== 0 ? MSR_RI : 0) |
          ((mcr & MCR_OUT2) !== 0 ? MSR_DCD : 0);
    const changed = inputs ^ this.#msr;
    let deltas = this.#msr & MSR_DELTAS;
    if ((changed & MSR_CTS) !== 0) deltas |= MSR_DELTA_CTS;
    if ((changed & MSR_DSR) !== 0) deltas |= MSR_DELTA_DSR;
    if ((changed & MSR_DCD) !== 0) deltas |= MSR_DELTA_DCD;
    if ((changed & this.#msr & MSR_RI) !== 0) deltas |= MSR_TRAILING_RI;
    this.#msr = inputs | deltas;
  }

  #readModemStatus(): number {
    const value = this.#msr;
    this.#msr &= ~MSR_DELTAS;
    this.#update();
    return value;
  }

  #readIdentification(): number {
    const cause = this.#cause;
    if (cause === IIR_THR_EMPTY) {
      this.#thrEmptyDue = false;
      this.#update();
    }
    return cause | (this.#fifosEnabled ? IIR_FIFOS_ENABLED : 0);
  }

  /** The cause of the highest priority, table IV. */
  get #cause(): number {
    const ier = this.#ier;
    if ((ier & IER_LINE_STATUS) !== 0 && this.#receiver.hasError) return IIR_LINE_STATUS;
    if ((ier & IER_RECEIVED_DATA) !== 0) {
      const trigger = this.#fifosEnabled ? TRIGGER_LEVELS[this.#fcr >>> FCR_TRIGGER_SHIFT] : 1;
      if (this.#receiver.length >= trigger) return IIR_RECEIVED_DATA;
      if (this.#timedOut) return IIR_CHARACTER_TIMEOUT;
    }
    if ((ier & IER_THR_EMPTY) !== 0 && this.#thrEmptyDue) return IIR_THR_EMPTY;
    if ((ier & IER_MODEM_STATUS) !== 0 && (this.#msr & MSR_DELTAS) !== 0) return IIR_MODEM_STATUS;
    return IIR_NONE;
  }

  #update(): void {
    const gated = this.#interruptNeedsOut2 && (this.#mcr & MCR_OUT2) === 0;
    const cause = this.#cause;
    this.#line.set(!gated && cause !== IIR_NONE && !(cause === IIR_THR_EMPTY && this.#thrEmptySeen));
  }
}
