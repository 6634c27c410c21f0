/** One input of a level-triggered interrupt: what a device holds. It knows no controller. */
export interface InterruptLine {
  /** Asserts or releases this input; calling it again with the same level changes nothing. */
  set(level: boolean): void;
}

/**
 * A wired-OR of level-triggered inputs (a shared INTx line, a UART line): the output is high while any input
 * is. When the guest completes the interrupt at the controller, listeners are told first (an assigned
 * device's line is resampled there), then the output is offered again if it is still high.
 */
export class WiredOr {
  readonly #inputs = new Set<symbol>();
  readonly #onComplete: (() => void)[] = [];
  #output: ((level: boolean) => void) | undefined;

  /** `output` is called with every change of the level, and again with `true` on completion while high. */
  constructor(output?: (level: boolean) => void) {
    this.#output = output;
  }

  get level(): boolean {
    return this.#inputs.size > 0;
  }

  /** Connects the output, at once told of the present level if that is high. */
  connect(output: (level: boolean) => void): void {
    this.#output = output;
    if (this.level) output(true);
  }

  /** A further input of the line. */
  input(): InterruptLine {
    const key = Symbol('input');
    return {
      set: (level) => {
        const before = this.level;
        if (level) this.#inputs.add(key);
        else this.#inputs.delete(key);
        if (this.level !== before) this.#output?.(this.level);
      },
    };
  }

  /** Called on each completion, before the line is offered again. */
  onComplete(listener: () => void): void {
    this.#onComplete.push(listener);
  }

  /** The controller tells that the guest completed the interrupt. */
  complete(): void {
    for (const listener of this.#onComplete) listener();
    if (this.level) this.#output?.(true);
  }
}

/** A line that leads nowhere. */
export const UNCONNECTED_LINE: InterruptLine = { set: () => undefined };

/** PCI requester ID: bus 15:8, device 7:3, function 2:0 (PCIe 2.2.4.2). */
export type RequesterId = number;

export const requesterId = (bus: number, device: number, fn: number): RequesterId =>
  ((bus & 0xff) << 8) | ((device & 0x1f) << 3) | (fn & 7);

/** Where message-signalled interrupts go: a memory write of one 32-bit word that carries who wrote it. */
export interface MessageSink {
  /** False: aborted, nothing took the message. */
  send(requester: RequesterId, addressLow: number, addressHigh: number, data: number): boolean;
}
