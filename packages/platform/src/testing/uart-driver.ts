import type { MmioHandler } from '@vmloom/memory';
import {
  FCR_ENABLE,
  FCR_RESET_RECEIVER,
  FCR_RESET_TRANSMITTER,
  FCR_TRIGGER_SHIFT,
  LCR_DLAB,
  LSR_DATA_READY,
  UART_DATA,
  UART_FCR,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_MSR,
  UART_SCR,
} from '../uart-registers.js';

/** Drives a 16550 through its registers only, as a guest's driver does. */
export class UartDriver {
  constructor(private readonly uart: MmioHandler) {}

  read(register: number): number {
    return this.uart.read(register, 1);
  }

  write(register: number, value: number): void {
    this.uart.write(register, 1, value);
  }

  get lineStatus(): number {
    return this.read(UART_LSR);
  }

  get modemStatus(): number {
    return this.read(UART_MSR);
  }

  get identification(): number {
    return this.read(UART_IIR);
  }

  set interruptEnable(value: number) {
    this.write(UART_IER, value);
  }

  set modemControl(value: number) {
    this.write(UART_MCR, value);
  }

  set lineControl(value: number) {
    this.write(UART_LCR, value);
  }

  set scratch(value: number) {
    this.write(UART_SCR, value);
  }

  /** Enables and empties the FIFOs; `trigger` 0 to 3 is 1, 4, 8 or 14 characters. */
  enableFifos(trigger = 0): void {
    this.write(
      UART_FCR,
      FCR_ENABLE | FCR_RESET_RECEIVER | FCR_RESET_TRANSMITTER | (trigger << FCR_TRIGGER_SHIFT),
    );
  }

  /** Programs the divisor latch and the line control register. */
  setFormat(divisor: number, lineControl: number): void {
    this.write(UART_LCR, lineControl | LCR_DLAB);
    this.write(UART_DATA, divisor & 0xff);
    this.write(UART_IER, divisor >>> 8);
    this.write(UART_LCR, lineControl);
  }

  send(text: string): void {
    for (const character of text) this.write(UART_DATA, character.charCodeAt(0));
  }

  /** Reads what is there, by polling LSR. */
  receive(): string {
    let text = '';
    while ((this.lineStatus & LSR_DATA_READY) !== 0) text += String.fromCharCode(this.read(UART_DATA));
    return text;
  }
}
